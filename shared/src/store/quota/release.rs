//! Releases: as many waiting tasks become ready as the day still allows, the rest is held.

use chrono::{DateTime, NaiveDate, Utc};
use rusqlite::{Transaction, params};
use serde::Serialize;

use super::count;
use crate::Result;
use crate::quota::{Moment, alerts};
use crate::store::{Store, events, stamp};

/// One task that was released.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Released {
    /// Its quota.
    pub quota: String,
    /// Its id.
    pub task: String,
    /// Which release of it this is, counted from 1. With the task it is unique.
    pub attempt: u32,
    /// The day that it was released on.
    pub day: NaiveDate,
}

/// How many tasks a transaction holds at most; a run that comes later holds more. A task that is moved to another state
/// costs some ten microseconds, most of them for the index.
const HELD_AT_ONCE: u32 = 5_000;

/// The order of release: what was begun first, then what has waited longest.
const ORDER: [&str; 3] = ["turn-limit", "held", "pending"];

impl Store {
    /// Releases as many tasks of a quota as its day still allows; what must wait for the next day is held. Does nothing
    /// while the clock is not believed.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when the database cannot be written.
    pub fn release(&mut self, quota: &str, moment: &Moment, run: &str) -> Result<Vec<Released>> {
        self.transaction(|transaction| {
            let Some(day) = super::clock::turned(transaction, moment, run)? else { return Ok(Vec::new()) };
            let per_day = per_day(transaction, quota)?;
            let used = used(transaction, quota, day)?;
            let ready = waiting(transaction, quota, "ready")?;
            let mut left = u64::from(per_day).saturating_sub(used + ready);
            let mut released = Vec::new();
            for state in ORDER {
                let tasks = oldest(transaction, quota, state, left)?;
                left -= tasks.len() as u64;
                for task in tasks {
                    let attempt = release(transaction, &task, moment.now)?;
                    released.push(Released { quota: quota.to_owned(), task, attempt, day });
                }
            }
            if used >= u64::from(per_day) {
                hold(transaction, quota, day, per_day, moment.now)?;
            }
            Ok(released)
        })
    }
}

fn release(transaction: &Transaction<'_>, id: &str, now: DateTime<Utc>) -> rusqlite::Result<u32> {
    let update = "UPDATE quota_task SET state = 'ready', changed = ?2 WHERE id = ?1";
    transaction.prepare(update)?.execute(params![id, stamp(now)])?;
    // The schema has counted it.
    let attempt = "SELECT attempt FROM quota_task WHERE id = ?1";
    transaction.prepare(attempt)?.query_row([id], |row| row.get(0))
}

/// The day's sessions are spent: what waits is held until the next, so many at once that nobody else waits long.
fn hold(
    transaction: &Transaction<'_>,
    quota: &str,
    day: NaiveDate,
    per_day: u32,
    now: DateTime<Utc>,
) -> rusqlite::Result<()> {
    let update = "UPDATE quota_task SET state = 'held', changed = ?2 WHERE number IN
        (SELECT number FROM quota_task WHERE quota = ?1 AND state = 'pending' AND offered = 1 ORDER BY number LIMIT ?3)";
    transaction.execute(update, params![quota, stamp(now), HELD_AT_ONCE])?;
    let waiting = ["held", "pending", "turn-limit", "ready"].into_iter();
    let waiting = waiting.map(|state| self::waiting(transaction, quota, state));
    let waiting = waiting.sum::<rusqlite::Result<u64>>()?;
    if waiting == 0 {
        return Ok(());
    }
    events::insert(transaction, &[alerts::spent(quota, day, per_day, waiting)], now)
}

fn oldest(
    transaction: &Transaction<'_>,
    quota: &str,
    state: &str,
    limit: u64,
) -> rusqlite::Result<Vec<String>> {
    let query =
        "SELECT id FROM quota_task WHERE quota = ?1 AND state = ?2 AND offered = 1 ORDER BY number LIMIT ?3";
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut query = transaction.prepare(query)?;
    let rows = query.query_map(params![quota, state, limit], |row| row.get(0))?;
    rows.collect()
}

pub(super) fn per_day(transaction: &Transaction<'_>, quota: &str) -> rusqlite::Result<u32> {
    transaction.query_row("SELECT per_day FROM quota WHERE name = ?1", [quota], |row| row.get(0))
}

/// How many sessions of a day have begun.
pub(super) fn used(transaction: &Transaction<'_>, quota: &str, day: NaiveDate) -> rusqlite::Result<u64> {
    let query = "SELECT count(*) FROM quota_session WHERE quota = ?1 AND day = ?2";
    count(transaction, query, params![quota, day.to_string()])
}

/// How many tasks in this state could be run, were there sessions left.
pub(super) fn waiting(transaction: &Transaction<'_>, quota: &str, state: &str) -> rusqlite::Result<u64> {
    let query = "SELECT count(*) FROM quota_task WHERE quota = ?1 AND state = ?2 AND offered = 1";
    count(transaction, query, params![quota, state])
}
