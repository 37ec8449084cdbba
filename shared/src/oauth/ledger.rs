//! What a token source tells the histories of credentials, and what they tell it: every refresh of every job.
//!
//! A store that cannot be used never stops a refresh.

use std::path::PathBuf;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use log::info;

use crate::config::TokenCheck;
use crate::credential::Place;
use crate::event::{self, Event};
use crate::history::{History, Outcome, Seen};
use crate::store::{Attempt, Purpose, Store};
use crate::{Failure, Kind, Result};

/// Whether a credential that is known to be dead is asked all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asking {
    /// Only when a probe is due.
    WhenDue,
    /// Because a person wants to know now.
    Now,
}

/// Where a token source's refreshes are recorded.
#[derive(Clone, Debug)]
pub struct Ledger {
    /// The database.
    pub database: PathBuf,
    /// The job that asks.
    pub job: &'static str,
    /// Why it asks.
    pub purpose: Purpose,
    /// Whether it asks a dead credential.
    pub asking: Asking,
    /// What people are to hear, and how often the endpoint may be asked.
    pub settings: TokenCheck,
}

impl Ledger {
    /// Refuses a refresh that must not be sent: the credential is known to be dead, or was refreshed too often.
    ///
    /// # Errors
    /// [`Kind::Credential`] with the remembered words and the time of the next probe; [`Kind::Busy`] when the hour's
    /// refreshes are spent.
    pub fn allow(&self, place: &Place, seen: &Seen, renewal: &str, now: DateTime<Utc>) -> Result<()> {
        let Some(mut store) = self.open() else { return Ok(()) };
        if self.asking == Asking::WhenDue {
            let history = noted(store.history(&place.name)).flatten();
            if let Some((words, until)) = history.and_then(|history| remembered(&history, seen, now)) {
                self.write(&mut store, place, seen, Outcome::NotAsked, renewal);
                return Err(Failure::new(
                    Kind::Credential,
                    format!("{place}: {words}; it is not asked again before {}", stamp(until)),
                    renewal,
                ));
            }
        }
        self.within_rate(&mut store, place, now)
    }

    /// Records an outcome.
    pub fn record(&self, place: &Place, seen: &Seen, outcome: Outcome<'_>, hint: &str) {
        if let Some(mut store) = self.open() {
            self.write(&mut store, place, seen, outcome, hint);
        }
    }

    fn write(&self, store: &mut Store, place: &Place, seen: &Seen, outcome: Outcome<'_>, hint: &str) {
        let attempt = Attempt {
            credential: &place.name,
            job: self.job,
            purpose: self.purpose,
            seen: seen.clone(),
            outcome,
            hint,
        };
        noted(store.record(&attempt, &self.settings, Utc::now()));
    }

    /// Too many refreshes may cost the account its tokens, so a job that is started over and over is held back.
    fn within_rate(&self, store: &mut Store, place: &Place, now: DateTime<Utc>) -> Result<()> {
        let hour = TimeDelta::hours(1);
        let limit = self.settings.refreshes_per_hour;
        match noted(store.refreshes_in_hour(&place.name, now)) {
            Some((count, Some(first))) if count >= limit => {
                let text = format!(
                    "{place}: {count} refreshes within an hour, as many as refreshes-per-hour allows"
                );
                let hint = format!(
                    "see which job asks so often: sqlite3 -box {} \"SELECT job, count(*), max(at) FROM refresh GROUP BY job\"",
                    self.database.display()
                );
                let subject = event::subject(&place.name);
                let once = Some(format!("{subject} refresh-rate {}", now.format("%Y-%m-%dT%H")));
                let (kind, shown) = (event::Kind::Forecast, hint.clone());
                noted(store.tell(&[Event { subject, kind, text: text.clone(), hint: shown, once }], now));
                let text = format!("{text}; the next one is due at {}", stamp(first + hour));
                Err(Failure::new(Kind::Busy, text, hint))
            }
            _ => Ok(()),
        }
    }

    fn open(&self) -> Option<Store> {
        noted(Store::open(&self.database))
    }
}

/// What a dead credential's history says in place of the endpoint, and until when.
fn remembered(history: &History, seen: &Seen, now: DateTime<Utc>) -> Option<(String, DateTime<Utc>)> {
    let until = history.refused_until(seen, now)?;
    Some((history.words.clone().unwrap_or_else(|| "it is dead".to_owned()), until))
}

fn noted<T>(outcome: Result<T>) -> Option<T> {
    outcome.inspect_err(|failure| info!("the credential's history is left out: {failure}")).ok()
}

fn stamp(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}
