//! Past days: closed when they are over, sealed when their last session has ended, exported when they are sealed.

use chrono::{DateTime, NaiveDate, Utc};
use rusqlite::{Transaction, params};
use serde::Serialize;

use super::{clock, count, day};
use crate::Result;
use crate::quota::{Moment, alerts};
use crate::store::{Store, events, stamp, time};

/// The columns of a closed day.
const COLUMNS: &str = "quota, day, per_day, sessions, turns, closed, sealed";

/// A day of a quota in the archive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ClosedDay {
    /// The name of the quota.
    pub quota: String,
    /// The UTC day.
    pub day: NaiveDate,
    /// The most sessions of the day: by its grants, or by the quota at closing for a day without sessions.
    pub per_day: u32,
    /// The sessions begun on it.
    pub sessions: u32,
    /// The turns of its sessions, where known.
    pub turns: u32,
    /// When it was closed.
    pub closed: DateTime<Utc>,
    /// When it was sealed. `None` while one of its sessions is running.
    pub sealed: Option<DateTime<Utc>>,
}

impl Store {
    /// Closes every open past day, and seals those whose sessions have all ended. Returns the changed days.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when the database cannot be written.
    pub fn close_days(&mut self, quota: &str, moment: &Moment, run: &str) -> Result<Vec<ClosedDay>> {
        self.transaction(|transaction| {
            let Some(today) = clock::turned(transaction, moment, run)? else { return Ok(Vec::new()) };
            let mut changed = close(transaction, quota, today, moment.now)?;
            for day in seal(transaction, quota, moment.now)? {
                match changed.iter_mut().find(|known| known.day == day.day) {
                    Some(known) => *known = day,
                    None => changed.push(day),
                }
            }
            Ok(changed)
        })
    }

    /// The sealed days that were not exported yet.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when the database cannot be read.
    pub fn unexported(&mut self, quota: &str) -> Result<Vec<NaiveDate>> {
        let query = "SELECT day FROM quota_day WHERE quota = ?1 AND exported IS NULL AND sealed IS NOT NULL ORDER BY day";
        self.transaction(|transaction| {
            transaction.prepare(query)?.query_map([quota], |row| day(row, 0))?.collect()
        })
    }

    /// The sealed days from one to another, both included, oldest first.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when the database cannot be read.
    pub fn sealed(&mut self, quota: &str, from: NaiveDate, to: NaiveDate) -> Result<Vec<ClosedDay>> {
        let query = format!(
            "SELECT {COLUMNS} FROM quota_day WHERE quota = ?1 AND day BETWEEN ?2 AND ?3 AND sealed IS NOT NULL ORDER BY day"
        );
        let values = [quota.to_owned(), from.to_string(), to.to_string()];
        self.transaction(|transaction| transaction.prepare(&query)?.query_map(values, closed_day)?.collect())
    }

    /// Records that these sealed days were exported.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when the database cannot be written.
    pub fn exported(&mut self, quota: &str, days: &[ClosedDay], now: DateTime<Utc>) -> Result<()> {
        let update = "UPDATE quota_day SET exported = ?3 WHERE quota = ?1 AND day = ?2 AND sealed = ?4 AND exported IS NULL";
        self.transaction(|transaction| {
            let mut update = transaction.prepare(update)?;
            for day in days {
                update.execute(params![quota, day.day.to_string(), stamp(now), day.sealed.map(stamp)])?;
            }
            Ok(())
        })
    }
}

/// Closes every open day from the first of the quota to yesterday, also days without sessions.
fn close(
    transaction: &Transaction<'_>,
    quota: &str,
    today: NaiveDate,
    now: DateTime<Utc>,
) -> rusqlite::Result<Vec<ClosedDay>> {
    let insert = format!(
        "WITH RECURSIVE missed (day) AS (
             SELECT coalesce((SELECT date(max(day), '+1 day') FROM quota_day WHERE quota = ?1),
                             (SELECT since FROM quota WHERE name = ?1))
             UNION ALL SELECT date(day, '+1 day') FROM missed WHERE day < date(?2, '-1 day'))
         INSERT INTO quota_day ({COLUMNS})
         SELECT ?1, missed.day, coalesce(max(cap), per_day), count(seq), coalesce(sum(session.turns), 0), ?3, NULL
         FROM missed JOIN quota ON name = ?1
              LEFT JOIN quota_session AS session ON session.quota = ?1 AND session.day = missed.day
         WHERE missed.day < ?2 GROUP BY missed.day ORDER BY missed.day
         RETURNING {COLUMNS}"
    );
    let values = params![quota, today.to_string(), stamp(now)];
    let closed: Vec<ClosedDay> =
        transaction.prepare(&insert)?.query_map(values, closed_day)?.collect::<rusqlite::Result<_>>()?;
    // The number at the turn of the day: held tasks may be released by now.
    let held = count(transaction, "SELECT held FROM quota WHERE name = ?1", [quota])?;
    if let Some(last) = closed.last().filter(|_| held > 0) {
        events::insert(transaction, &[alerts::closed_with_held(quota, last.day, held)], now)?;
    }
    Ok(closed)
}

/// Seals the closed days without running sessions, and adds the turns that were reported after closing.
fn seal(transaction: &Transaction<'_>, quota: &str, now: DateTime<Utc>) -> rusqlite::Result<Vec<ClosedDay>> {
    let update = format!(
        "UPDATE quota_day SET sealed = ?2, turns =
             (SELECT coalesce(sum(turns), 0) FROM quota_session AS s WHERE s.quota = ?1 AND s.day = quota_day.day)
         WHERE quota = ?1 AND exported IS NULL AND sealed IS NULL AND NOT EXISTS
             (SELECT 1 FROM quota_session AS s WHERE s.quota = ?1 AND s.day = quota_day.day AND s.ended IS NULL)
         RETURNING {COLUMNS}"
    );
    let values = params![quota, stamp(now)];
    transaction.prepare(&update)?.query_map(values, closed_day)?.collect()
}

fn closed_day(row: &rusqlite::Row<'_>) -> rusqlite::Result<ClosedDay> {
    Ok(ClosedDay {
        quota: row.get(0)?,
        day: day(row, 1)?,
        per_day: row.get(2)?,
        sessions: row.get(3)?,
        turns: row.get(4)?,
        closed: time(row, 5)?.unwrap_or_default(),
        sealed: time(row, 6)?,
    })
}
