//! What refuses a token refresh that must not be sent, and records every refresh of every job.
//!
//! A database that cannot be used never stops a refresh.

use std::path::PathBuf;

use chrono::{DateTime, TimeDelta, Utc};
use log::info;

use crate::alert::event::{self, Event};
use crate::config::TokenCheckEntry;
use crate::credential::CredentialFile;
use crate::credential::health::{Fingerprint, Health, TokenOutcome};
use crate::store::{Attempt, Purpose, Store};
use crate::time::timestamp;
use crate::{Failure, Kind, Result};

/// When a credential that is known to be dead is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProbePolicy {
    /// Only when a probe is due.
    WhenDue,
    /// At once, because someone waits for the result.
    Now,
}

/// Where a token source's refreshes are recorded.
#[derive(Clone, Debug)]
pub struct RefreshGate {
    /// The path of `state.db`.
    pub database: PathBuf,
    /// The job that requests tokens.
    pub job: &'static str,
    /// What for.
    pub purpose: Purpose,
    /// When a dead credential is tried.
    pub probe_policy: ProbePolicy,
    /// When to alert, and how many refreshes an hour may have.
    pub settings: TokenCheckEntry,
}

impl RefreshGate {
    /// Refuses a refresh that must not be sent: the credential is known to be dead, or was refreshed too often.
    ///
    /// # Errors
    /// [`Kind::Credential`] with the recorded refusal and the time of the next probe; [`Kind::Busy`] when there were as
    /// many refreshes within the hour as `refreshes-per-hour` allows.
    pub fn allow(
        &self,
        file: &CredentialFile,
        fingerprint: &Fingerprint,
        renewal_hint: &str,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let Some(mut store) = self.open() else { return Ok(()) };
        if self.probe_policy == ProbePolicy::WhenDue {
            let health = or_log(store.history(&file.name)).flatten();
            if let Some((words, until)) = health.and_then(|health| known_dead(&health, fingerprint, now)) {
                self.write(&mut store, file, fingerprint, TokenOutcome::NotAsked, renewal_hint);
                return Err(Failure::new(
                    Kind::Credential,
                    format!("{file}: {words}; it is not asked again before {}", timestamp(until)),
                    renewal_hint,
                ));
            }
        }
        self.within_rate(&mut store, file, now)
    }

    /// Records an outcome.
    pub fn record(
        &self,
        file: &CredentialFile,
        fingerprint: &Fingerprint,
        outcome: TokenOutcome<'_>,
        hint: &str,
    ) {
        if let Some(mut store) = self.open() {
            self.write(&mut store, file, fingerprint, outcome, hint);
        }
    }

    fn write(
        &self,
        store: &mut Store,
        file: &CredentialFile,
        fingerprint: &Fingerprint,
        outcome: TokenOutcome<'_>,
        hint: &str,
    ) {
        let attempt = Attempt {
            credential: &file.name,
            job: self.job,
            purpose: self.purpose,
            seen: fingerprint.clone(),
            outcome,
            hint,
        };
        or_log(store.record(&attempt, &self.settings, Utc::now()));
    }

    /// Google may revoke the tokens of an account that is refreshed too often, so a job that restarts in a loop is
    /// delayed.
    fn within_rate(&self, store: &mut Store, file: &CredentialFile, now: DateTime<Utc>) -> Result<()> {
        let hour = TimeDelta::hours(1);
        let limit = self.settings.refreshes_per_hour;
        match or_log(store.refreshes_in_hour(&file.name, now)) {
            Some((count, Some(first))) if count >= limit => {
                let text =
                    format!("{file}: {count} refreshes within an hour, as many as refreshes-per-hour allows");
                let hint = format!(
                    "see which job asks so often: sqlite3 -box {} \"SELECT job, count(*), max(at) FROM refresh GROUP BY job\"",
                    self.database.display()
                );
                let subject = event::credential_subject(&file.name);
                let dedup_key = Some(format!("{subject} refresh-rate {}", now.format("%Y-%m-%dT%H")));
                let (kind, shown) = (event::EventKind::Forecast, hint.clone());
                or_log(store.record_events(
                    &[Event { subject, kind, text: text.clone(), hint: shown, dedup_key }],
                    now,
                ));
                let text = format!("{text}; the next one is due at {}", timestamp(first + hour));
                Err(Failure::new(Kind::Busy, text, hint))
            }
            _ => Ok(()),
        }
    }

    fn open(&self) -> Option<Store> {
        or_log(Store::open(&self.database))
    }
}

/// The recorded refusal of a dead credential, and until when it replaces a request to the endpoint.
fn known_dead(
    health: &Health,
    fingerprint: &Fingerprint,
    now: DateTime<Utc>,
) -> Option<(String, DateTime<Utc>)> {
    let until = health.refused_until(fingerprint, now)?;
    Some((health.words.clone().unwrap_or_else(|| "it is dead".to_owned()), until))
}

fn or_log<T>(outcome: Result<T>) -> Option<T> {
    outcome.inspect_err(|failure| info!("the credential's history is left out: {failure}")).ok()
}
