//! The ledger's day. It follows the clock, never goes back, and jumps ahead only with a recorded explanation.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use rusqlite::{OptionalExtension, Row, Transaction, params};

use super::day;
use crate::Result;
use crate::config::Quota;
use crate::quota::{ClockReading, Moment, Verdict, alerts, judge};
use crate::store::{Store, events, stamp, time};

/// The ledger's day beside the clock's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// The ledger's day, for which sessions count.
    pub day: NaiveDate,
    /// The clock's day.
    pub today: NaiveDate,
    /// Whether the clock is trusted, and why.
    pub verdict: Verdict,
}

impl Store {
    /// Stores the configured quotas and turns the day with the clock. `trusted` is the time of a server, `run` the ULID
    /// for the record of a jump.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when the database cannot be written.
    pub fn turn_day(
        &mut self,
        quotas: &BTreeMap<String, Quota>,
        moment: &Moment,
        trusted: Option<DateTime<Utc>>,
        run: &str,
    ) -> Result<Turn> {
        self.transaction(|transaction| {
            let turn = turn(transaction, moment, trusted, run)?;
            for (name, quota) in quotas {
                enter(transaction, name, quota, turn.day)?;
            }
            Ok(turn)
        })
    }

    /// Sets the day on behalf of a user and reopens the closed days from it on. Returns the day until now.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when the database cannot be written.
    pub fn repair_day(
        &mut self,
        to: NaiveDate,
        moment: &Moment,
        run: &str,
        person: Option<&str>,
    ) -> Result<NaiveDate> {
        self.transaction(|transaction| {
            let from = match seen(transaction)? {
                Some(seen) => seen.high_water,
                None => turn(transaction, moment, None, run)?.day,
            };
            if from != to {
                step(transaction, from, to, "repair", moment, run, person)?;
                transaction.execute("DELETE FROM quota_day WHERE day >= ?1", [to.to_string()])?;
                transaction.execute("UPDATE quota SET since = ?1 WHERE since > ?1", [to.to_string()])?;
                events::insert(transaction, &[alerts::day_repaired(from, to, run)], moment.now)?;
            }
            look(transaction, to, moment)?;
            Ok(from)
        })
    }
}

/// Turns the day within a transaction.
pub(super) fn turn(
    transaction: &Transaction<'_>,
    moment: &Moment,
    trusted: Option<DateTime<Utc>>,
    run: &str,
) -> rusqlite::Result<Turn> {
    let today = moment.day();
    let Some(seen) = seen(transaction)? else {
        transaction.execute(
            "INSERT INTO quota_clock (one, high_water, seen, boot, uptime_s) VALUES (1, ?1, ?2, ?3, ?4)",
            params![today.to_string(), stamp(moment.now), moment.boot, moment.uptime_s],
        )?;
        return Ok(Turn { day: today, today, verdict: Verdict::Forward });
    };
    let verdict = judge(&seen, moment, trusted);
    let day = match verdict {
        Verdict::Refused => return Ok(Turn { day: seen.high_water, today, verdict }),
        Verdict::Same | Verdict::Back => seen.high_water,
        Verdict::Forward => today,
        Verdict::ForwardByAge => {
            step(transaction, seen.high_water, today, "age", moment, run, None)?;
            today
        }
        Verdict::ForwardByDate => {
            step(transaction, seen.high_water, today, "date", moment, run, None)?;
            today
        }
    };
    if verdict == Verdict::Back {
        events::insert(transaction, &[alerts::clock_back(today, day)], moment.now)?;
    }
    look(transaction, day, moment)?;
    Ok(Turn { day, today, verdict })
}

/// Records the explanation of a jump. The schema requires it before the day may jump.
fn step(
    transaction: &Transaction<'_>,
    from: NaiveDate,
    to: NaiveDate,
    why: &str,
    moment: &Moment,
    run: &str,
    person: Option<&str>,
) -> rusqlite::Result<()> {
    let insert =
        "INSERT INTO quota_step (at, from_day, to_day, why, run, person) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let values = params![stamp(moment.now), from.to_string(), to.to_string(), why, run, person];
    transaction.execute(insert, values)?;
    look(transaction, to, moment)
}

fn look(transaction: &Transaction<'_>, day: NaiveDate, moment: &Moment) -> rusqlite::Result<()> {
    let update = "UPDATE quota_clock SET high_water = ?1, seen = ?2, boot = ?3, uptime_s = ?4";
    let values = params![day.to_string(), stamp(moment.now), moment.boot, moment.uptime_s];
    transaction.prepare(update)?.execute(values).map(drop)
}

fn seen(transaction: &Transaction<'_>) -> rusqlite::Result<Option<ClockReading>> {
    let query = "SELECT high_water, seen, boot, uptime_s FROM quota_clock";
    transaction.prepare(query)?.query_row([], reading).optional()
}

fn reading(row: &Row<'_>) -> rusqlite::Result<ClockReading> {
    let high_water = day(row, 0)?;
    // A time that cannot be read counts as the start of its day, which explains less and not more.
    let start = high_water.and_time(chrono::NaiveTime::MIN).and_utc();
    let now = time(row, 1)?.unwrap_or(start);
    Ok(ClockReading { high_water, moment: Moment { now, boot: row.get(2)?, uptime_s: row.get(3)? } })
}

fn enter(transaction: &Transaction<'_>, name: &str, quota: &Quota, since: NaiveDate) -> rusqlite::Result<()> {
    let insert = "INSERT INTO quota (name, per_day, turns, concurrency, since) VALUES (?1, ?2, ?3, ?4, ?5)
        ON CONFLICT (name) DO UPDATE SET per_day = ?2, turns = ?3, concurrency = ?4
        WHERE per_day <> ?2 OR turns <> ?3 OR concurrency <> ?4";
    let values = params![name, quota.per_day, quota.turns, quota.concurrency, since.to_string()];
    transaction.prepare(insert)?.execute(values).map(drop)
}

/// Turns the day before something is counted on it. `None` if the clock is not trusted.
pub(super) fn turned(
    transaction: &Transaction<'_>,
    moment: &Moment,
    run: &str,
) -> rusqlite::Result<Option<NaiveDate>> {
    let turn = turn(transaction, moment, None, run)?;
    Ok((turn.verdict != Verdict::Refused).then_some(turn.day))
}
