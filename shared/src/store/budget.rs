//! The budget of requests of each credential: a bucket of tokens for reads and one for writes, shared by every process.
//!
//! A token that was taken comes back a minute later and never sooner, also when its request failed. So no minute,
//! wherever Google lets it begin, sees more requests than the bucket holds; one that is refilled drop by drop would let
//! twice as many through. What a request asks is its caller's; nothing is sent or waited for here.

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

/// How long a token is gone: Google's minute, and a second because requests arrive later than they are sent.
const GONE: TimeDelta = TimeDelta::seconds(61);

/// Which of Google's two quotas a request uses up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quota {
    /// `Read requests per minute per user`.
    Read,
    /// `Write requests per minute per user`.
    Write,
}

impl Quota {
    /// Its word in the database and for people: `read` or `write`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
        }
    }
}

/// One bucket: whose, which, and how many tokens it holds.
#[derive(Clone, Copy, Debug)]
pub struct Bucket<'a> {
    /// The credential's name.
    pub credential: &'a str,
    /// The quota.
    pub quota: Quota,
    /// Requests a minute.
    pub size: u32,
}

impl Store {
    /// Takes a token; when there is none, answers when the next one is back.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when the database cannot be written.
    pub fn take(&mut self, bucket: &Bucket<'_>, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>> {
        self.transaction(|transaction| {
            let due = due(transaction, bucket, 1, now)?;
            if due.is_none() {
                insert(transaction, bucket.credential, bucket.quota, now)?;
            }
            Ok(due)
        })
    }

    /// Takes a token for a request that does not wait for one, also where there is none: those who do wait send one less.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when the database cannot be written.
    pub fn take_unasked(&mut self, credential: &str, quota: Quota, now: DateTime<Utc>) -> Result<()> {
        self.transaction(|transaction| insert(transaction, credential, quota, now))
    }

    /// When so many tokens will be there at once, if they are not there now. None is taken.
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

    /// Empties a bucket because Google said that its quota is spent: nobody takes from it before `until`.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when the database cannot be written.
    pub fn empty(&mut self, bucket: &Bucket<'_>, until: DateTime<Utc>) -> Result<()> {
        self.transaction(|transaction| {
            transaction.execute(
                "INSERT INTO bucket (credential, quota, empty_until) VALUES (?1, ?2, ?3)
                 ON CONFLICT DO UPDATE SET empty_until = max(empty_until, excluded.empty_until)",
                params![bucket.credential, bucket.quota.word(), stamp(until)],
            )
        })?;
        Ok(())
    }
}

/// When the bucket has so many tokens; none for now. What is older than a minute is forgotten, and what lies ahead, since
/// the clock was set back, counts as taken now: that is at most a minute's wait too long, and never one without an end.
fn due(
    transaction: &Transaction<'_>,
    bucket: &Bucket<'_>,
    tokens: u32,
    now: DateTime<Utc>,
) -> rusqlite::Result<Option<DateTime<Utc>>> {
    let (name, word) = (bucket.credential, bucket.quota.word());
    let (stamped, over, latest) = (stamp(now), stamp(now - GONE), stamp(now + GONE));
    transaction.execute("DELETE FROM token WHERE at <= ?1", params![over])?;
    transaction.execute("UPDATE token SET at = ?1 WHERE at > ?1", params![stamped])?;
    transaction.execute("DELETE FROM bucket WHERE empty_until <= ?1", params![stamped])?;
    transaction.execute("UPDATE bucket SET empty_until = ?1 WHERE empty_until > ?1", params![latest])?;
    let empty: Option<String> = transaction.query_row(
        "SELECT max(empty_until) FROM bucket WHERE credential = ?1 AND quota = ?2",
        params![name, word],
        |row| row.get(0),
    )?;
    // The token whose return makes enough of them: the newest but so many that may still be out.
    let may_be_out = i64::from(bucket.size) - i64::from(tokens.min(bucket.size));
    let mut query = transaction.prepare(
        "SELECT at FROM token WHERE credential = ?1 AND quota = ?2 ORDER BY at DESC LIMIT 1 OFFSET ?3",
    )?;
    let mut rows = query.query(params![name, word, may_be_out])?;
    let taken: Option<String> = rows.next()?.map(|row| row.get(0)).transpose()?;
    let back = taken.map(|at| parse_stamp(&at).map(|at| at + GONE)).transpose()?;
    let filled = empty.map(|until| parse_stamp(&until)).transpose()?;
    Ok(back.max(filled))
}

fn insert(
    transaction: &Transaction<'_>,
    credential: &str,
    quota: Quota,
    now: DateTime<Utc>,
) -> rusqlite::Result<()> {
    transaction.execute(
        "INSERT INTO token (credential, quota, at) VALUES (?1, ?2, ?3)",
        params![credential, quota.word(), stamp(now)],
    )?;
    Ok(())
}

#[cfg(test)]
mod tests;
