//! What the dashboard is still to be told: written with what it tells of, sent at least once, each with a key of its own.

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::{Transaction, params};
use serde_json::Value;

use super::Claim;
use crate::Result;
use crate::store::{Store, stamp};

/// How long posts are kept that were sent.
const KEPT: TimeDelta = TimeDelta::days(30);

/// One thing to tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Post {
    /// Its number, in the order in which things happened.
    pub id: i64,
    /// Makes a repetition harmless.
    pub key: String,
    /// The task that it is about.
    pub task: String,
    /// `release` or `report`.
    pub what: String,
    /// JSON.
    pub body: String,
}

impl Store {
    /// The oldest posts that were not sent after this one.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when the database cannot be read.
    pub fn unsent(&mut self, after: i64, limit: u32) -> Result<Vec<Post>> {
        let query = "SELECT id, key, task, what, body FROM quota_post WHERE sent IS NULL AND id > ?1 ORDER BY id LIMIT ?2";
        self.transaction(|transaction| {
            let mut query = transaction.prepare(query)?;
            let post = |row: &rusqlite::Row<'_>| {
                Ok(Post {
                    id: row.get(0)?,
                    key: row.get(1)?,
                    task: row.get(2)?,
                    what: row.get(3)?,
                    body: row.get(4)?,
                })
            };
            query.query_map(params![after, limit], post)?.collect()
        })
    }

    /// Notes that a post was taken, and drops old ones.
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

/// Notes what is to be told of a session. The runner is in the key, so that a ledger that begins anew repeats none.
/// Releases are noted by the schema.
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
