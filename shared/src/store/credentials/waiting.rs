//! The jobs that wait for a credential, from its first failure until they are started again.

use chrono::{DateTime, Utc};
use rusqlite::{OptionalExtension, Transaction, params};

use super::{Attempt, Purpose};
use crate::Result;
use crate::credential::health::Health;
use crate::store::{Store, stamp, time};

/// The end of an outage, for those whom it held up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovery {
    /// When the credential worked again.
    pub at: DateTime<Utc>,
    /// The jobs that wait.
    pub waiting: Vec<Blocked>,
}

/// A job that an outage holds up.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Blocked {
    /// The executable.
    pub job: String,
    /// Since when.
    pub since: DateTime<Utc>,
}

impl Store {
    /// The jobs that a credential's outage holds up.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when the database cannot be read.
    pub fn blocked(&mut self, credential: &str) -> Result<Vec<Blocked>> {
        self.transaction(|transaction| blocked(transaction, credential))
    }

    /// After a credential came back: the jobs that wait for it, until [`Store::end_recovery`]; none when nothing came
    /// back.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when the database cannot be read.
    pub fn recovery(&mut self, credential: &str) -> Result<Option<Recovery>> {
        self.transaction(|transaction| {
            let query = "SELECT recovered FROM credential WHERE name = ?1";
            let recovered =
                transaction.query_row(query, params![credential], |row| time(row, 0)).optional()?;
            let Some(at) = recovered.flatten() else { return Ok(None) };
            Ok(Some(Recovery { at, waiting: blocked(transaction, credential)? }))
        })
    }

    /// What waited was started. If the credential has failed again since then, the jobs continue to wait.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when the database cannot be written.
    pub fn end_recovery(&mut self, credential: &str, recovery: &Recovery) -> Result<()> {
        self.transaction(|transaction| {
            let end = "UPDATE credential SET recovered = NULL WHERE name = ?1 AND recovered = ?2";
            transaction.execute(end, params![credential, stamp(recovery.at)])?;
            let delete = "DELETE FROM blocked WHERE credential = ?1
                 AND EXISTS (SELECT 1 FROM credential WHERE name = ?1 AND first_failure IS NULL)";
            transaction.execute(delete, params![credential]).map(drop)
        })
    }
}

/// A job that is given a token waits no longer; one that is not waits from its first failure on.
pub(super) fn note_blocked(
    transaction: &Transaction<'_>,
    attempt: &Attempt<'_>,
    after: &Health,
    now: DateTime<Utc>,
) -> rusqlite::Result<()> {
    let (credential, job) = (attempt.credential, attempt.job);
    if attempt.purpose != Purpose::Work {
        return Ok(());
    }
    if after.first_failure.is_none() {
        let delete = "DELETE FROM blocked WHERE credential = ?1 AND job = ?2";
        return transaction.execute(delete, params![credential, job]).map(drop);
    }
    let insert = "INSERT OR IGNORE INTO blocked (credential, job, since) VALUES (?1, ?2, ?3)";
    transaction.execute(insert, params![credential, job, stamp(now)]).map(drop)
}

fn blocked(transaction: &Transaction<'_>, credential: &str) -> rusqlite::Result<Vec<Blocked>> {
    let mut query =
        transaction.prepare("SELECT job, since FROM blocked WHERE credential = ?1 ORDER BY since, job")?;
    let rows = query.query_map(params![credential], |row| {
        Ok(Blocked { job: row.get(0)?, since: time(row, 1)?.unwrap_or_default() })
    })?;
    rows.collect()
}
