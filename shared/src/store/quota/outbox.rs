//! Reports for the dashboard. Each is stored in the transaction of what it reports, is sent at least once, and has its own
//! idempotency key.

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::{Row, Transaction, params};
use serde_json::Value;

use super::Claim;
use crate::Result;
use crate::store::{Store, stamp};

/// How long sent reports are kept.
const KEPT: TimeDelta = TimeDelta::days(30);

/// A report that was not sent yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxReport {
    /// Counts up in the order of events.
    pub id: i64,
    /// The idempotency key, which makes a repetition harmless.
    pub key: String,
    /// The id of the task.
    pub task: String,
    /// `release` or `report`.
    pub what: String,
    /// JSON.
    pub body: String,
}

impl Store {
    /// The oldest unsent reports with an id above `after`.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when the database cannot be read.
    pub fn unsent(&mut self, after: i64, limit: u32) -> Result<Vec<OutboxReport>> {
        let query = "SELECT id, key, task, what, body FROM quota_post WHERE sent IS NULL AND id > ?1 ORDER BY id LIMIT ?2";
        self.transaction(|transaction| {
            let mut query = transaction.prepare(query)?;
            query.query_map(params![after, limit], report)?.collect()
        })
    }

    /// Records that a report was accepted, and deletes old ones.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when the database cannot be written.
    pub fn sent(&mut self, id: i64, now: DateTime<Utc>) -> Result<()> {
        self.transaction(|transaction| {
            transaction.execute("UPDATE quota_post SET sent = ?2 WHERE id = ?1", params![id, stamp(now)])?;
            transaction.execute("DELETE FROM quota_post WHERE sent < ?1", [stamp(now - KEPT)]).map(drop)
        })
    }
}

fn report(row: &Row<'_>) -> rusqlite::Result<OutboxReport> {
    Ok(OutboxReport {
        id: row.get(0)?,
        key: row.get(1)?,
        task: row.get(2)?,
        what: row.get(3)?,
        body: row.get(4)?,
    })
}

/// Stores the report of a session. Its key contains the runner, so that a new ledger repeats no key. The schema stores the
/// reports of releases.
pub(super) fn insert_report(
    transaction: &Transaction<'_>,
    claim: &Claim<'_>,
    body: &Value,
    now: DateTime<Utc>,
) -> rusqlite::Result<()> {
    let insert = "INSERT INTO quota_post (key, task, what, body, at) VALUES (?1, ?2, 'report', ?3, ?4)";
    let key = format!("report:{}:{}:{}", claim.task, claim.attempt, claim.runner);
    transaction.execute(insert, params![key, claim.task, body.to_string(), stamp(now)]).map(drop)
}
