//! Histories of credentials: every refresh of every job, logins, outages, and which jobs an outage holds up.
//!
//! What an outcome means is decided in [`crate::credential::health`] and [`crate::credential::alerts`]; here it is stored, in one
//! transaction with its events. No secret is in it.

mod rows;
mod verdict;
mod waiting;

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::{OptionalExtension, Transaction, params};

use super::{Store, stamp, subjects, time};
use crate::Result;
use crate::config::TokenCheckEntry;
use crate::credential::alerts::HealthChange;
use crate::credential::health::{Fingerprint, Health, TokenOutcome};
use rows::{load, save};
use waiting::note_blocked;
pub use waiting::{Blocked, Recovery};

/// As of the second version; [`subjects::adopt_credentials`] takes `told_*` out.
pub(super) const SCHEMA: &str = "
    CREATE TABLE credential (
        name           TEXT PRIMARY KEY,
        fingerprint    TEXT NOT NULL,
        kind           TEXT NOT NULL,
        obtained       TEXT NOT NULL,
        last_good      TEXT,
        last_try       TEXT,
        probed         TEXT,
        first_failure  TEXT,
        failures       INTEGER NOT NULL,
        class          TEXT,
        words          TEXT,
        scopes         TEXT NOT NULL,
        ends           TEXT,
        week_death     TEXT,
        reauths        INTEGER NOT NULL,
        told_first     TEXT,
        told_escalated TEXT,
        told_reminded  TEXT,
        recovered      TEXT
    ) STRICT;
    CREATE TABLE standing (
        credential TEXT PRIMARY KEY,
        exit       INTEGER NOT NULL,
        message    TEXT NOT NULL,
        hint       TEXT NOT NULL
    ) STRICT;
    CREATE TABLE refresh (
        id         INTEGER PRIMARY KEY,
        credential TEXT NOT NULL,
        job        TEXT NOT NULL,
        at         TEXT NOT NULL,
        class      TEXT NOT NULL
    ) STRICT;
    CREATE INDEX refresh_by_credential ON refresh (credential, at);
    CREATE TABLE login (
        credential  TEXT NOT NULL,
        fingerprint TEXT NOT NULL,
        at          TEXT NOT NULL,
        PRIMARY KEY (credential, fingerprint)
    ) STRICT;
    CREATE TABLE blocked (
        credential TEXT NOT NULL,
        job        TEXT NOT NULL,
        since      TEXT NOT NULL,
        PRIMARY KEY (credential, job)
    ) STRICT;
";

/// How many refreshes are kept of each credential: more than an hour may bring.
const REFRESHES_KEPT: u32 = 10_000;

/// How many logins are kept of each: more than Google keeps tokens alive.
const LOGINS_KEPT: u32 = 200;

/// Why a token was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To do something with it; a failure holds the job up.
    Work,
    /// To see whether it works.
    Probe,
    /// To look and change nothing, as a dry run does: nothing waits for it.
    Look,
    /// To put it in place, after it was tried.
    Login,
}

/// One refresh, or one look at the file.
#[derive(Debug)]
pub struct Attempt<'a> {
    /// The credential's name.
    pub credential: &'a str,
    /// The job.
    pub job: &'a str,
    /// Why.
    pub purpose: Purpose,
    /// What the file was known by when it was sent.
    pub seen: Fingerprint,
    /// What came of it.
    pub outcome: TokenOutcome<'a>,
    /// What a user is to do about a failure.
    pub hint: &'a str,
}

impl Store {
    /// A credential's history; none when it was never seen.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when the database cannot be read.
    pub fn history(&mut self, credential: &str) -> Result<Option<Health>> {
        self.transaction(|transaction| load(transaction, credential))
    }

    /// Records an outcome with the events that follow from it, and returns the health after it.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when the database cannot be written.
    pub fn record(
        &mut self,
        attempt: &Attempt<'_>,
        settings: &TokenCheckEntry,
        now: DateTime<Utc>,
    ) -> Result<Health> {
        let name = attempt.credential;
        self.transaction(|transaction| {
            // A look without a lock may have seen a file that another job changed since: nothing follows from it.
            if matches!(attempt.outcome, TokenOutcome::NotAsked)
                && let Some(history) = load(transaction, name)?
                && history.fingerprint != attempt.seen.hash
            {
                return Ok(history);
            }
            let before = known(transaction, name, &attempt.seen, now)?;
            let mut after = before.clone().after(&attempt.outcome, now);
            if attempt.purpose == Purpose::Probe && !matches!(attempt.outcome, TokenOutcome::NotAsked) {
                after.probed = Some(now);
            }
            save(transaction, name, &after)?;
            let change =
                HealthChange { credential: name, hint: attempt.hint, before: &before, after: &after };
            subjects::record_health(transaction, &change, settings, now)?;
            note_refresh(transaction, attempt, now)?;
            note_blocked(transaction, attempt, &after, now)?;
            Ok(after)
        })
    }

    /// How many refreshes of a credential there were in the hour before a moment, and when the first of them was. What a
    /// clock that was ahead has recorded for later does not count.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when the database cannot be read.
    pub fn refreshes_in_hour(
        &mut self,
        credential: &str,
        now: DateTime<Utc>,
    ) -> Result<(u32, Option<DateTime<Utc>>)> {
        let since = now - TimeDelta::hours(1);
        self.transaction(|transaction| {
            let query =
                "SELECT count(*), min(at) FROM refresh WHERE credential = ?1 AND at > ?2 AND at <= ?3";
            transaction.query_row(query, params![credential, stamp(since), stamp(now)], |row| {
                Ok((row.get(0)?, time(row, 1)?))
            })
        })
    }

    /// When each authorization that a credential had was first seen, oldest first, as many as are kept.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when the database cannot be read.
    pub fn logins(&mut self, credential: &str) -> Result<Vec<DateTime<Utc>>> {
        self.transaction(|transaction| {
            let mut query = transaction.prepare("SELECT at FROM login WHERE credential = ?1 ORDER BY at")?;
            let times = query.query_map(params![credential], |row| time(row, 0))?;
            times.filter_map(rusqlite::Result::transpose).collect()
        })
    }
}

/// The history before an outcome, for the file as it was seen: a new authorization is noted as a login.
fn known(
    transaction: &Transaction<'_>,
    name: &str,
    seen: &Fingerprint,
    now: DateTime<Utc>,
) -> rusqlite::Result<Health> {
    let history = load(transaction, name)?;
    if let Some(history) = &history
        && history.fingerprint == seen.hash
    {
        return Ok(history.clone());
    }
    transaction.execute(
        "INSERT OR IGNORE INTO login (credential, fingerprint, at) VALUES (?1, ?2, ?3)",
        params![name, seen.hash, stamp(now)],
    )?;
    transaction.execute(
        "DELETE FROM login WHERE credential = ?1 AND at <=
             (SELECT at FROM login WHERE credential = ?1 ORDER BY at DESC LIMIT 1 OFFSET ?2)",
        params![name, LOGINS_KEPT],
    )?;
    // A file that was put back is as old as it is.
    let first_seen = "SELECT at FROM login WHERE credential = ?1 AND fingerprint = ?2";
    let obtained = transaction
        .query_row(first_seen, params![name, seen.hash], |row| time(row, 0))
        .optional()?
        .flatten()
        .unwrap_or(now);
    Ok(match history {
        Some(history) => history.renewed(seen, obtained),
        None => Health::new(seen, obtained),
    })
}

fn note_refresh(
    transaction: &Transaction<'_>,
    attempt: &Attempt<'_>,
    now: DateTime<Utc>,
) -> rusqlite::Result<()> {
    let word = match &attempt.outcome {
        TokenOutcome::Granted(_) => "ok",
        TokenOutcome::Failed(refusal) => refusal.class.as_str(),
        TokenOutcome::NotAsked => return Ok(()),
    };
    transaction.execute(
        "INSERT INTO refresh (credential, job, at, class) VALUES (?1, ?2, ?3, ?4)",
        params![attempt.credential, attempt.job, stamp(now), word],
    )?;
    transaction.execute(
        "DELETE FROM refresh WHERE credential = ?1 AND (at < ?2 OR id <=
             (SELECT id FROM refresh WHERE credential = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?3))",
        params![attempt.credential, stamp(now - TimeDelta::days(30)), REFRESHES_KEPT],
    )?;
    Ok(())
}

#[cfg(test)]
mod tests;
