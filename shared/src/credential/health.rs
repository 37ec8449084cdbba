//! The health of a credential: what its token requests returned until now, and when the next one is allowed.
//!
//! Pure: it opens no file and reads no clock. It holds no secret; a fingerprint identifies the credential.

use chrono::{DateTime, TimeDelta, Utc};

use crate::credential::token_error::{TokenError, TokenErrorClass};

/// A dead credential is tried at most this often, until its file changes.
pub const DEAD_INTERVAL: TimeDelta = TimeDelta::hours(1);

/// How often a credential that works is probed.
pub const HEALTHY_INTERVAL: TimeDelta = TimeDelta::minutes(30);

/// How often a credential is probed that failed for a reason that may pass.
pub const TRANSIENT_INTERVAL: TimeDelta = TimeDelta::minutes(5);

/// A schedule is never quite on time, so a probe may be early by this much. A probe of a dead credential never is.
const SLACK: TimeDelta = TimeDelta::seconds(30);

/// The age at which Google ends a refresh token while the consent screen is in *Testing*.
const WEEK: TimeDelta = TimeDelta::days(7);

/// How far from a week a death still counts as that.
const WEEK_TOLERANCE: TimeDelta = TimeDelta::hours(12);

/// Identifies a credential without its secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    /// A hash of the kind and of the fields that authorize, in hex.
    pub hash: String,
    /// `authorized_user` or `service_account`.
    pub kind: &'static str,
}

impl Fingerprint {
    /// From the kind and the fields that authorize. Each part is terminated, so that no two lists of parts have one hash.
    pub fn new(kind: &'static str, parts: &[&str]) -> Self {
        let mut hasher = blake3::Hasher::new();
        for part in std::iter::once(&kind).chain(parts) {
            hasher.update(part.as_bytes()).update(&[0]);
        }
        Self { hash: hasher.finalize().to_hex().to_string(), kind }
    }
}

/// The outcome of a token request.
#[derive(Clone, Debug)]
pub enum TokenOutcome<'a> {
    /// A token was granted.
    Granted(GrantInfo),
    /// It was refused or got no response, after all tries.
    Failed(&'a TokenError),
    /// No request was sent: only the file was read, or the credential is known to be dead.
    NotAsked,
}

/// What the response contained beside the token.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GrantInfo {
    /// The hash of the fingerprint after the server rotated the refresh token.
    pub rotated: Option<String>,
    /// The granted scopes, where the server names them.
    pub scopes: Option<Vec<String>>,
    /// When the grant itself ends, where the server says so.
    pub ends: Option<DateTime<Utc>>,
}

/// The health of one credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// The hash of its file's [`Fingerprint`].
    pub fingerprint: String,
    /// `authorized_user` or `service_account`.
    pub kind: String,
    /// When this authorization or service-account key was first seen.
    pub obtained: DateTime<Utc>,
    /// When it last got a token.
    pub last_good: Option<DateTime<Utc>>,
    /// When any job last requested a token with it; `None` since the file changed.
    pub last_try: Option<DateTime<Utc>>,
    /// When it was last probed; `None` since the file changed.
    pub probed: Option<DateTime<Utc>>,
    /// When the current outage began.
    pub first_failure: Option<DateTime<Utc>>,
    /// Failed refreshes since the last successful one.
    pub failures: u32,
    /// The class of the last failure; `None` after a success and for a file that was not tried yet.
    pub class: Option<TokenErrorClass>,
    /// The text of the last failure, in Google's own words.
    pub words: Option<String>,
    /// The granted scopes; empty when the server did not name them.
    pub scopes: Vec<String>,
    /// When the grant itself ends.
    pub ends: Option<DateTime<Utc>>,
    /// When a refresh token of this credential last died a week after the login.
    pub week_death: Option<DateTime<Utc>>,
    /// How often an organisation's session policy ended it.
    pub reauths: u32,
    /// When it recovered; `None` once the jobs that waited have been started.
    pub recovered: Option<DateTime<Utc>>,
}

/// When a probe is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// At once.
    Now,
    /// Not before this.
    At(DateTime<Utc>),
}

impl Health {
    /// The history of a credential that is seen for the first time.
    pub fn new(fingerprint: &Fingerprint, obtained: DateTime<Utc>) -> Self {
        Self {
            fingerprint: fingerprint.hash.clone(),
            kind: fingerprint.kind.to_owned(),
            obtained,
            last_good: None,
            last_try: None,
            probed: None,
            first_failure: None,
            failures: 0,
            class: None,
            words: None,
            scopes: Vec::new(),
            ends: None,
            week_death: None,
            reauths: 0,
            recovered: None,
        }
    }

    /// After another authorization was put into the file. An outage continues until a token is granted.
    #[must_use]
    pub fn renewed(self, fingerprint: &Fingerprint, obtained: DateTime<Utc>) -> Self {
        Self {
            first_failure: self.first_failure,
            failures: self.failures,
            words: self.words,
            last_good: self.last_good,
            week_death: self.week_death,
            reauths: self.reauths,
            recovered: self.recovered,
            ..Self::new(fingerprint, obtained)
        }
    }

    /// The health after an outcome.
    #[must_use]
    pub fn after(self, outcome: &TokenOutcome<'_>, now: DateTime<Utc>) -> Self {
        match outcome {
            TokenOutcome::Granted(grant) => self.after_success(grant, now),
            TokenOutcome::Failed(error) => self.after_failure(error, now),
            TokenOutcome::NotAsked => self,
        }
    }

    fn after_success(self, grant: &GrantInfo, now: DateTime<Utc>) -> Self {
        let outlived = now - self.obtained > WEEK + WEEK_TOLERANCE;
        Self {
            fingerprint: grant.rotated.clone().unwrap_or(self.fingerprint),
            // A date in the future was written with a wrong clock.
            obtained: self.obtained.min(now),
            last_good: Some(now),
            last_try: Some(now),
            recovered: self.first_failure.map(|_| now).or(self.recovered),
            first_failure: None,
            failures: 0,
            class: None,
            words: None,
            scopes: grant.scopes.clone().unwrap_or(self.scopes),
            ends: stable_end(self.ends, grant.ends),
            week_death: self.week_death.filter(|_| !outlived),
            ..self
        }
    }

    fn after_failure(self, error: &TokenError, now: DateTime<Utc>) -> Self {
        let dies = error.class == TokenErrorClass::Dead && self.class != Some(TokenErrorClass::Dead);
        let lived = now - self.obtained;
        let is_after_a_week = dies && (lived - WEEK).abs() <= WEEK_TOLERANCE;
        Self {
            last_try: Some(now),
            first_failure: self.first_failure.or(Some(now)),
            failures: self.failures.saturating_add(1),
            class: Some(error.class),
            words: Some(error.message.clone()),
            week_death: if is_after_a_week { Some(now) } else { self.week_death },
            reauths: self.reauths.saturating_add(u32::from(dies && error.is_reauth)),
            ..self
        }
    }

    /// When this file may be probed again. `recovery_interval` applies to a failure about which someone must act.
    pub fn probe_due(
        &self,
        fingerprint: &Fingerprint,
        recovery_interval: TimeDelta,
        now: DateTime<Utc>,
    ) -> Due {
        if fingerprint.hash != self.fingerprint {
            return Due::Now;
        }
        let due = match (self.class, self.last_try) {
            (Some(TokenErrorClass::Dead), Some(tried)) => Some(tried + recovery_interval.max(DEAD_INTERVAL)),
            (Some(TokenErrorClass::Transient | TokenErrorClass::Unknown), Some(tried)) => {
                Some(tried + TRANSIENT_INTERVAL - SLACK)
            }
            (Some(_), Some(tried)) => Some(tried + recovery_interval - SLACK),
            (None, _) => self.probed.map(|probed| probed + HEALTHY_INTERVAL - SLACK),
            (Some(_), None) => None,
        };
        // A try in the future was recorded with a wrong clock.
        let ahead = self.last_try.max(self.probed).is_some_and(|tried| tried > now);
        due.filter(|due| *due > now && !ahead).map_or(Due::Now, Due::At)
    }

    /// Until when no job may request a token: only while the credential is known to be dead.
    pub fn refused_until(&self, fingerprint: &Fingerprint, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        match self.probe_due(fingerprint, DEAD_INTERVAL, now) {
            Due::At(due) if self.class == Some(TokenErrorClass::Dead) => Some(due),
            _ => None,
        }
    }
}

/// The known end, unless the new one differs by an hour. A server returns the remaining seconds, so the end computed from
/// each response differs slightly.
fn stable_end(known: Option<DateTime<Utc>>, new: Option<DateTime<Utc>>) -> Option<DateTime<Utc>> {
    match (known, new) {
        (Some(known), Some(new)) if (new - known).abs() < TimeDelta::hours(1) => Some(known),
        (known, new) => new.or(known),
    }
}

#[cfg(test)]
mod tests;
