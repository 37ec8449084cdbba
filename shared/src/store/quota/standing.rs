//! How a quota stands: used, left, held, and how much of it the last thirty days used.

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use rusqlite::{OptionalExtension, Transaction, params};
use serde::Serialize;

use super::{count, release, today};
use crate::Result;
use crate::store::Store;

/// How many days the utilisation looks back.
const DAYS: u64 = 30;

/// A quota on its day.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Standing {
    /// The quota.
    pub quota: String,
    /// The ledger's day.
    pub day: NaiveDate,
    /// How many sessions the day may have.
    pub per_day: u32,
    /// How many have begun.
    pub used: u64,
    /// How many may still begin.
    pub left: u64,
    /// How many of them are running, those of days before included.
    pub running: u64,
    /// Tasks that wait for the next day.
    pub held: u64,
    /// Tasks that are released and not yet claimed.
    pub ready: u64,
    /// Tasks that reached their turn limit and wait to be resumed.
    pub turn_limit: u64,
    /// Tasks that were not looked at yet.
    pub pending: u64,
    /// When the next day begins.
    pub next_rollover: DateTime<Utc>,
    /// Sessions of the last thirty closed days as a share of what they allowed, from 0 to 1; none before the first.
    pub utilisation: Option<f64>,
}

impl Store {
    /// How a quota stands; none when the ledger does not know it yet.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when the database cannot be read.
    pub fn standing_of(&mut self, quota: &str) -> Result<Option<Standing>> {
        self.transaction(|transaction| {
            let per_day = "SELECT per_day FROM quota WHERE name = ?1";
            let per_day = transaction.query_row(per_day, [quota], |row| row.get(0)).optional()?;
            per_day.map(|per_day| standing(transaction, quota, per_day)).transpose()
        })
    }
}

fn standing(transaction: &Transaction<'_>, quota: &str, per_day: u32) -> rusqlite::Result<Standing> {
    let day = today(transaction)?;
    let used = release::used(transaction, quota, day)?;
    let waiting = |state| release::waiting(transaction, quota, state);
    let running = "SELECT count(*) FROM quota_session WHERE quota = ?1 AND ended IS NULL";
    Ok(Standing {
        quota: quota.to_owned(),
        day,
        per_day,
        used,
        left: u64::from(per_day).saturating_sub(used),
        running: count(transaction, running, [quota])?,
        held: waiting("held")?,
        ready: waiting("ready")?,
        turn_limit: waiting("turn-limit")?,
        pending: waiting("pending")?,
        next_rollover: day.checked_add_days(Days::new(1)).unwrap_or(day).and_time(NaiveTime::MIN).and_utc(),
        utilisation: utilisation(transaction, quota, day)?,
    })
}

fn utilisation(
    transaction: &Transaction<'_>,
    quota: &str,
    today: NaiveDate,
) -> rusqlite::Result<Option<f64>> {
    let from = today.checked_sub_days(Days::new(DAYS)).unwrap_or(today);
    let query =
        "SELECT CAST(sum(sessions) AS REAL) / sum(per_day) FROM quota_day WHERE quota = ?1 AND day >= ?2";
    transaction.query_row(query, params![quota, from.to_string()], |row| row.get(0))
}
