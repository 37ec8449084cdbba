//! The request budget of each credential: a bucket of tokens for reads and one for writes, shared by every process.
//!
//! A token is free again one minute after it was taken, also when its request failed. So no minute contains more requests
//! than the bucket holds, whenever Google's minute begins; a bucket that refills continuously would allow twice as many.
//! This module neither sends nor waits.

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::{Transaction, params};

use super::{Store, parse_stamp, stamp};
use crate::Result;

pub(super) const SCHEMA: &str = "
    CREATE TABLE token (
        id         INTEGER PRIMARY KEY,
        credential TEXT NOT NULL,
        quota      TEXT NOT NULL CHECK (quota IN ('read', 'write')),
        at         TEXT NOT NULL
    ) STRICT;
    CREATE INDEX token_by_credential ON token (credential, quota, at);
    CREATE TABLE bucket (
        credential  TEXT NOT NULL,
        quota       TEXT NOT NULL CHECK (quota IN ('read', 'write')),
        empty_until TEXT NOT NULL,
        PRIMARY KEY (credential, quota)
    ) STRICT;
";

/// How long a token is in use: Google's minute, and a second because requests arrive later than they are sent.
const IN_USE: TimeDelta = TimeDelta::seconds(61);

/// Which of Google's two quotas a request counts against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestKind {
    /// `Read requests per minute per user`.
    Read,
    /// `Write requests per minute per user`.
    Write,
}

impl RequestKind {
    /// The name in the database and in messages: `read` or `write`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
        }
    }
}

/// One bucket of a credential.
#[derive(Clone, Copy, Debug)]
pub struct Bucket<'a> {
    /// The credential's name.
    pub credential: &'a str,
    /// The requests that take tokens from it.
    pub kind: RequestKind,
    /// The number of tokens: requests per minute.
    pub size: u32,
}

impl Store {
    /// Takes a token; when there is none, returns the time at which the next one is free.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when the database cannot be written.
    pub fn take(&mut self, bucket: &Bucket<'_>, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>> {
        self.transaction(|transaction| {
            let due = due(transaction, bucket, 1, now)?;
            if due.is_none() {
                insert(transaction, bucket.credential, bucket.kind, now)?;
            }
            Ok(due)
        })
    }

    /// Counts a request that is sent without waiting. The bucket may go below zero; jobs that do wait then send one request
    /// fewer.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when the database cannot be written.
    pub fn count_request(&mut self, credential: &str, kind: RequestKind, now: DateTime<Utc>) -> Result<()> {
        self.transaction(|transaction| insert(transaction, credential, kind, now))
    }

    /// When this many tokens will be free, unless they are free now. Takes none.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when the database cannot be written.
    pub fn due(
        &mut self,
        bucket: &Bucket<'_>,
        tokens: u32,
        now: DateTime<Utc>,
    ) -> Result<Option<DateTime<Utc>>> {
        self.transaction(|transaction| due(transaction, bucket, tokens, now))
    }

    /// Empties a bucket after Google refused a request for its quota: no job takes a token of it before `until`.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when the database cannot be written.
    pub fn empty(&mut self, bucket: &Bucket<'_>, until: DateTime<Utc>) -> Result<()> {
        self.transaction(|transaction| {
            transaction.execute(
                "INSERT INTO bucket (credential, quota, empty_until) VALUES (?1, ?2, ?3)
                 ON CONFLICT DO UPDATE SET empty_until = max(empty_until, excluded.empty_until)",
                params![bucket.credential, bucket.kind.as_str(), stamp(until)],
            )
        })?;
        Ok(())
    }
}

/// When this many tokens are free; `None` for now. Tokens older than a minute are deleted. After the clock was set back,
/// tokens taken in the future count as taken now: a job then waits at most one minute too long.
fn due(
    transaction: &Transaction<'_>,
    bucket: &Bucket<'_>,
    tokens: u32,
    now: DateTime<Utc>,
) -> rusqlite::Result<Option<DateTime<Utc>>> {
    let (name, kind) = (bucket.credential, bucket.kind.as_str());
    let (stamped, freed, latest) = (stamp(now), stamp(now - IN_USE), stamp(now + IN_USE));
    transaction.execute("DELETE FROM token WHERE at <= ?1", params![freed])?;
    transaction.execute("UPDATE token SET at = ?1 WHERE at > ?1", params![stamped])?;
    transaction.execute("DELETE FROM bucket WHERE empty_until <= ?1", params![stamped])?;
    transaction.execute("UPDATE bucket SET empty_until = ?1 WHERE empty_until > ?1", params![latest])?;
    let empty: Option<String> = transaction.query_row(
        "SELECT max(empty_until) FROM bucket WHERE credential = ?1 AND quota = ?2",
        params![name, kind],
        |row| row.get(0),
    )?;
    // Once this token is free, enough are: it is the newest but the number that may still be in use.
    let may_be_in_use = i64::from(bucket.size) - i64::from(tokens.min(bucket.size));
    let mut query = transaction.prepare(
        "SELECT at FROM token WHERE credential = ?1 AND quota = ?2 ORDER BY at DESC LIMIT 1 OFFSET ?3",
    )?;
    let mut rows = query.query(params![name, kind, may_be_in_use])?;
    let taken: Option<String> = rows.next()?.map(|row| row.get(0)).transpose()?;
    let freed = taken.map(|at| parse_stamp(&at).map(|at| at + IN_USE)).transpose()?;
    let refilled = empty.map(|until| parse_stamp(&until)).transpose()?;
    Ok(freed.max(refilled))
}

fn insert(
    transaction: &Transaction<'_>,
    credential: &str,
    kind: RequestKind,
    now: DateTime<Utc>,
) -> rusqlite::Result<()> {
    transaction.execute(
        "INSERT INTO token (credential, quota, at) VALUES (?1, ?2, ?3)",
        params![credential, kind.as_str(), stamp(now)],
    )?;
    Ok(())
}

#[cfg(test)]
mod tests;
