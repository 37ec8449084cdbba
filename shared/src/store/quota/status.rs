//! The status of a quota: used, left, held, and the utilisation of the last thirty days.

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use rusqlite::{OptionalExtension, Transaction, params};
use serde::Serialize;

use super::{count, release, today};
use crate::Result;
use crate::store::Store;

/// The number of days of the utilisation.
const DAYS: u64 = 30;

/// A quota on the ledger's day.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct QuotaStatus {
    /// The name of the quota.
    pub quota: String,
    /// The ledger's day.
    pub day: NaiveDate,
    /// The most sessions of the day.
    pub per_day: u32,
    /// Sessions begun on the day.
    pub used: u64,
    /// Sessions that may still begin.
    pub left: u64,
    /// Sessions that are running, including those of earlier days.
    pub running: u64,
    /// Tasks that wait for the next day.
    pub held: u64,
    /// Tasks that are released and not yet claimed.
    pub ready: u64,
    /// Tasks that reached their turn limit and wait to be resumed.
    pub turn_limit: u64,
    /// Tasks that were added and neither released nor held yet.
    pub pending: u64,
    /// When the next day begins.
    pub next_rollover: DateTime<Utc>,
    /// Sessions of the last thirty closed days as a share of the most allowed, from 0 to 1. `None` before the first.
    pub utilisation: Option<f64>,
}

impl Store {
    /// The status of a quota. `None` if the ledger does not have it yet.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when the database cannot be read.
    pub fn quota_status(&mut self, quota: &str) -> Result<Option<QuotaStatus>> {
        self.transaction(|transaction| {
            let per_day = "SELECT per_day FROM quota WHERE name = ?1";
            let per_day = transaction.query_row(per_day, [quota], |row| row.get(0)).optional()?;
            per_day.map(|per_day| quota_status(transaction, quota, per_day)).transpose()
        })
    }
}

fn quota_status(transaction: &Transaction<'_>, quota: &str, per_day: u32) -> rusqlite::Result<QuotaStatus> {
    let day = today(transaction)?;
    let used = release::used(transaction, quota, day)?;
    let running = "SELECT count(*) FROM quota_session WHERE quota = ?1 AND ended IS NULL";
    Ok(QuotaStatus {
        quota: quota.to_owned(),
        day,
        per_day,
        used,
        left: u64::from(per_day).saturating_sub(used),
        running: count(transaction, running, [quota])?,
        held: release::waiting(transaction, quota, "held")?,
        ready: release::waiting(transaction, quota, "ready")?,
        turn_limit: release::waiting(transaction, quota, "turn-limit")?,
        pending: release::waiting(transaction, quota, "pending")?,
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
