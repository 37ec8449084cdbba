//! What is known of a credential's past, and what follows from it: when it may be asked for a token again.
//!
//! Pure: it opens nothing and reads no clock. No secret is in it; a credential is known by a fingerprint.

use chrono::{DateTime, TimeDelta, Utc};

use crate::oauth::classify::{Class, Refusal};

/// A dead credential is asked for a token at most this often, until its file changes.
pub const DEAD_INTERVAL: TimeDelta = TimeDelta::hours(1);

/// How often a credential that works is probed.
pub const HEALTHY_INTERVAL: TimeDelta = TimeDelta::minutes(30);

/// How often one is probed that failed for a reason that may pass.
pub const TRANSIENT_INTERVAL: TimeDelta = TimeDelta::minutes(5);

/// A schedule is never quite on time; a probe may be so much early. A dead credential's never is.
const SLACK: TimeDelta = TimeDelta::seconds(30);

/// How old a token is that Google ended because the consent screen is in *Testing*.
const WEEK: TimeDelta = TimeDelta::days(7);

/// How far from a week a death still looks like that.
const WEEK_TOLERANCE: TimeDelta = TimeDelta::hours(12);

/// What a credential file is known by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// A hash over the kind and what authorizes, in hex.
    pub fingerprint: String,
    /// `authorized_user` or `service_account`.
    pub kind: &'static str,
}

impl Seen {
    /// From the kind and what authorizes. Each part is ended, so that no two lists of parts look alike.
    pub fn of(kind: &'static str, parts: &[&str]) -> Self {
        let mut hasher = blake3::Hasher::new();
        for part in std::iter::once(&kind).chain(parts) {
            hasher.update(part.as_bytes()).update(&[0]);
        }
        Self { fingerprint: hasher.finalize().to_hex().to_string(), kind }
    }
}

/// What came of asking for a token.
#[derive(Clone, Debug)]
pub enum Outcome<'a> {
    /// A token was granted.
    Good(Good),
    /// It was refused or not answered, after all tries.
    Failed(&'a Refusal),
    /// Nothing was sent: the file was looked at, or the credential is known to be dead.
    NotAsked,
}

/// What a granted token brought beside itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Good {
    /// The fingerprint after the server changed the refresh token.
    pub rotated: Option<String>,
    /// The scopes granted, where the server says.
    pub scopes: Option<Vec<String>>,
    /// When the grant itself ends, where the server says.
    pub ends: Option<DateTime<Utc>>,
}

/// What people were told of the present outage.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// When they were told first.
    pub first: Option<DateTime<Utc>>,
    /// When it was escalated.
    pub escalated: Option<DateTime<Utc>>,
    /// When they were last reminded.
    pub reminded: Option<DateTime<Utc>>,
}

/// One credential's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct History {
    /// What its file is known by.
    pub fingerprint: String,
    /// `authorized_user` or `service_account`.
    pub kind: String,
    /// When this authorization was first seen; for a service account, its key.
    pub obtained: DateTime<Utc>,
    /// When it last gave a token.
    pub last_good: Option<DateTime<Utc>>,
    /// When it was last asked for one, by any job; none since the file changed.
    pub last_try: Option<DateTime<Utc>>,
    /// When it was last probed for its own sake; none since the file changed.
    pub probed: Option<DateTime<Utc>>,
    /// When the present outage began.
    pub first_failure: Option<DateTime<Utc>>,
    /// Failed refreshes since the last good one.
    pub failures: u32,
    /// What the last failure was; none after a success and for a file that was not tried yet.
    pub class: Option<Class>,
    /// Google's own words.
    pub words: Option<String>,
    /// The scopes granted, where the server said; none when it did not.
    pub scopes: Vec<String>,
    /// When the grant itself ends.
    pub ends: Option<DateTime<Utc>>,
    /// When a token of this credential last died a week after it was obtained.
    pub week_death: Option<DateTime<Utc>>,
    /// How often an organisation's session policy ended it.
    pub reauths: u32,
    /// What people were told.
    pub told: Told,
    /// When it came back, until the jobs that waited have been started.
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

impl History {
    /// The history of a credential that is seen for the first time.
    pub fn new(seen: &Seen, obtained: DateTime<Utc>) -> Self {
        Self {
            fingerprint: seen.fingerprint.clone(),
            kind: seen.kind.to_owned(),
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
            told: Told::default(),
            recovered: None,
        }
    }

    /// The file holds another authorization now. An outage goes on until a token is granted.
    #[must_use]
    pub fn renewed(self, seen: &Seen, obtained: DateTime<Utc>) -> Self {
        Self {
            first_failure: self.first_failure,
            failures: self.failures,
            words: self.words,
            last_good: self.last_good,
            week_death: self.week_death,
            reauths: self.reauths,
            told: self.told,
            recovered: self.recovered,
            ..Self::new(seen, obtained)
        }
    }

    /// The history after an outcome.
    #[must_use]
    pub fn after(self, outcome: &Outcome<'_>, now: DateTime<Utc>) -> Self {
        match outcome {
            Outcome::Good(good) => self.after_success(good, now),
            Outcome::Failed(refusal) => self.after_failure(refusal, now),
            Outcome::NotAsked => self,
        }
    }

    fn after_success(self, good: &Good, now: DateTime<Utc>) -> Self {
        let outlived = now - self.obtained > WEEK + WEEK_TOLERANCE;
        Self {
            fingerprint: good.rotated.clone().unwrap_or(self.fingerprint),
            // A date that lies ahead is of a clock that was wrong.
            obtained: self.obtained.min(now),
            last_good: Some(now),
            last_try: Some(now),
            recovered: self.first_failure.map(|_| now).or(self.recovered),
            first_failure: None,
            failures: 0,
            class: None,
            words: None,
            scopes: good.scopes.clone().unwrap_or(self.scopes),
            ends: later_by_much(self.ends, good.ends),
            week_death: self.week_death.filter(|_| !outlived),
            told: Told::default(),
            ..self
        }
    }

    fn after_failure(self, refusal: &Refusal, now: DateTime<Utc>) -> Self {
        let dies = refusal.class == Class::Dead && self.class != Some(Class::Dead);
        let lived = now - self.obtained;
        let after_a_week = dies && (lived - WEEK).abs() <= WEEK_TOLERANCE;
        Self {
            last_try: Some(now),
            first_failure: self.first_failure.or(Some(now)),
            failures: self.failures.saturating_add(1),
            class: Some(refusal.class),
            words: Some(refusal.words.clone()),
            week_death: if after_a_week { Some(now) } else { self.week_death },
            reauths: self.reauths.saturating_add(u32::from(dies && refusal.is_reauth)),
            ..self
        }
    }

    /// When this file may be probed again. `recovery_interval` is that of a failure that needs a person.
    pub fn probe_due(&self, seen: &Seen, recovery_interval: TimeDelta, now: DateTime<Utc>) -> Due {
        if seen.fingerprint != self.fingerprint {
            return Due::Now;
        }
        let due = match (self.class, self.last_try) {
            (Some(Class::Dead), Some(tried)) => Some(tried + recovery_interval.max(DEAD_INTERVAL)),
            (Some(Class::Transient | Class::Unknown), Some(tried)) => {
                Some(tried + TRANSIENT_INTERVAL - SLACK)
            }
            (Some(_), Some(tried)) => Some(tried + recovery_interval - SLACK),
            (None, _) => self.probed.map(|probed| probed + HEALTHY_INTERVAL - SLACK),
            (Some(_), None) => None,
        };
        // A time of trying that lies ahead is of a clock that was wrong.
        let ahead = self.last_try.max(self.probed).is_some_and(|tried| tried > now);
        due.filter(|due| *due > now && !ahead).map_or(Due::Now, Due::At)
    }

    /// Until when no job may ask for a token: only while the credential is known to be dead.
    pub fn refused_until(&self, seen: &Seen, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        match self.probe_due(seen, DEAD_INTERVAL, now) {
            Due::At(due) if self.class == Some(Class::Dead) => Some(due),
            _ => None,
        }
    }
}

/// A server tells the seconds that are left, so every answer gives a slightly other end.
fn later_by_much(known: Option<DateTime<Utc>>, told: Option<DateTime<Utc>>) -> Option<DateTime<Utc>> {
    match (known, told) {
        (Some(known), Some(told)) if (told - known).abs() < TimeDelta::hours(1) => Some(known),
        (known, told) => told.or(known),
    }
}

#[cfg(test)]
mod tests;
