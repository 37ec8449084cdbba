//! Releases: as many waiting tasks become ready as the day still allows; the others are held.

use chrono::{DateTime, NaiveDate, Utc};
use rusqlite::{Transaction, params};
use serde::Serialize;

use super::count;
use crate::Result;
use crate::quota::{Moment, alerts};
use crate::store::{Store, events, stamp};

/// A released task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Released {
    /// The quota of the task.
    pub quota: String,
    /// The id of the task.
    pub task: String,
    /// The number of the release, from 1. It is unique within the task.
    pub attempt: u32,
    /// The day of the release.
    pub day: NaiveDate,
}

/// The most tasks that one transaction holds; later runs hold the others. A change of state takes about ten microseconds,
/// mostly for the index.
const HELD_AT_ONCE: u32 = 5_000;

/// The order of release: resumed tasks first, then those that have waited longest.
const ORDER: [&str; 3] = ["turn-limit", "held", "pending"];

impl Store {
    /// Releases as many tasks of a quota as the day still allows, and holds those that must wait for the next day. Does
    /// nothing while the clock is not trusted.
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
    // A trigger of the schema has counted it.
    let attempt = "SELECT attempt FROM quota_task WHERE id = ?1";
    transaction.prepare(attempt)?.query_row([id], |row| row.get(0))
}

/// Holds the waiting tasks until the next day, in a number that keeps the transaction short.
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

/// The number of sessions begun on a day.
pub(super) fn used(transaction: &Transaction<'_>, quota: &str, day: NaiveDate) -> rusqlite::Result<u64> {
    let query = "SELECT count(*) FROM quota_session WHERE quota = ?1 AND day = ?2";
    count(transaction, query, params![quota, day.to_string()])
}

/// The number of tasks in this state that may be run.
pub(super) fn waiting(transaction: &Transaction<'_>, quota: &str, state: &str) -> rusqlite::Result<u64> {
    let query = "SELECT count(*) FROM quota_task WHERE quota = ?1 AND state = ?2 AND offered = 1";
    count(transaction, query, params![quota, state])
}
