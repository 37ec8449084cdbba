//! Runs gathered by UTC day. Pure.

use std::time::Duration;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use shared::store::RunRecord;

/// How many days are shown.
pub const SHOWN: i64 = 30;

/// One day of a job.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Day {
    /// Which.
    pub date: NaiveDate,
    /// Runs that ended well.
    pub good: u32,
    /// Runs that failed.
    pub failed: u32,
    /// Runs that did not begin.
    pub skipped: u32,
    /// Runs that never ended; those that may be under way are left out.
    pub died: u32,
    /// The longest run, in milliseconds.
    pub longest_ms: i64,
    /// Rows of sheets that were changed.
    pub rows: u32,
}

impl Day {
    /// All runs.
    pub fn runs(&self) -> u32 {
        self.good + self.failed + self.skipped + self.died
    }

    /// Whether something went wrong.
    pub fn is_bad(&self) -> bool {
        self.failed + self.died > 0
    }
}

/// The days up to now, oldest first, empty ones included. A run may be under way for as long as its deadline.
pub fn of(records: &[RunRecord], deadline: Duration, now: DateTime<Utc>) -> Vec<Day> {
    let today = now.date_naive();
    let first = today - TimeDelta::days(SHOWN - 1);
    let mut days: Vec<Day> = first
        .iter_days()
        .take_while(|date| *date <= today)
        .map(|date| Day { date, ..Day::default() })
        .collect();
    let deadline = TimeDelta::from_std(deadline).unwrap_or(TimeDelta::MAX);
    for record in records {
        let index = usize::try_from((record.started.date_naive() - first).num_days()).ok();
        let Some(day) = index.and_then(|index| days.get_mut(index)) else { continue };
        match record.outcome.as_str() {
            "ok" => day.good += 1,
            "failed" => day.failed += 1,
            "skipped" => day.skipped += 1,
            _ if now - record.started > deadline => day.died += 1,
            _ => {}
        }
        let length = record.finished.map_or(0, |finished| (finished - record.started).num_milliseconds());
        day.longest_ms = day.longest_ms.max(length);
        day.rows += record.rows;
    }
    days
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_counted_on_the_day_they_began_and_days_without_runs_are_there() {
        let now: DateTime<Utc> = "2026-05-13T12:00:00Z".parse().unwrap();
        let record = |started: &str, outcome: &str, seconds: i64, rows| {
            let started: DateTime<Utc> = started.parse().unwrap();
            let finished = (outcome != "running").then(|| started + TimeDelta::seconds(seconds));
            RunRecord {
                started,
                finished,
                outcome: outcome.into(),
                exit: None,
                message: None,
                hint: None,
                rows,
            }
        };
        let records = [
            record("2026-03-01T00:00:00Z", "ok", 1, 9),
            record("2026-05-11T23:59:59Z", "ok", 60, 2),
            record("2026-05-12T10:00:00Z", "running", 0, 0),
            record("2026-05-12T11:00:00Z", "failed", 3, 0),
            record("2026-05-13T11:20:00Z", "running", 0, 0),
            record("2026-05-13T11:31:00Z", "running", 0, 0),
            record("2026-05-13T11:59:00Z", "running", 0, 0),
        ];
        let days = of(&records, Duration::from_secs(30 * 60), now);
        assert_eq!((days.len(), days[0].date.to_string().as_str()), (30, "2026-04-14"));
        let counts: Vec<_> = days[27..].iter().map(|day| (day.good, day.failed, day.died)).collect();
        assert_eq!(counts, [(1, 0, 0), (0, 1, 1), (0, 0, 1)]);
        assert_eq!((days[28].is_bad(), days[27].rows, days[27].longest_ms), (true, 2, 60_000));
    }
}
