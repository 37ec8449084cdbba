//! Summaries of what is recorded: the runs of a job, the refreshes of credentials, the use of quotas. Read only.

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::{Row, Transaction, params};

use super::{Store, stamp, time};
use crate::Result;

/// How many past days of a quota are read.
const QUOTA_DAYS: u32 = 30;

/// A recorded run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunRecord {
    /// By the wall clock.
    pub started: DateTime<Utc>,
    /// `None` while the run lasts, and forever if it was killed.
    pub finished: Option<DateTime<Utc>>,
    /// `running`, `ok`, `failed` or `skipped`.
    pub outcome: String,
    /// `None` until it ends.
    pub exit: Option<u8>,
    /// The message of its most serious failure.
    pub message: Option<String>,
    /// The hint of that failure.
    pub hint: Option<String>,
    /// How many rows of sheets it added, updated or removed.
    pub rows: u32,
}

/// The state of a job, from its records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RunSummary {
    /// The end of the last success.
    pub last_success: Option<DateTime<Utc>>,
    /// The end of the last run that changed anything outside.
    pub last_change: Option<DateTime<Utc>>,
    /// The runs since the last success that failed or were skipped.
    pub failures: u32,
}

/// The refreshes and recoveries of a credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialStats {
    /// The name in the configuration.
    pub credential: String,
    /// Whether the last refresh failed.
    pub is_failing: bool,
    /// Refreshes of the last 24 hours that gave a token.
    pub good: u32,
    /// Refreshes of the last 24 hours that failed.
    pub bad: u32,
    /// How often active recovery began, within the time for which events are kept.
    pub activations: u32,
    /// How long the last recovery took.
    pub recovery: Option<TimeDelta>,
}

/// The use of a quota.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct QuotaSummary {
    /// The name in the configuration.
    pub quota: String,
    /// Sessions allowed in a day.
    pub per_day: u32,
    /// Sessions begun on the ledger's day.
    pub used: u32,
    /// Tasks that wait for a session.
    pub waiting: u32,
    /// Tasks that wait for a decision by a user.
    pub needs_you: u32,
    /// Past days with sessions, the latest first, at most 30.
    pub days: Vec<QuotaDay>,
}

/// A past day of a quota.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct QuotaDay {
    /// A day in UTC, as `YYYY-MM-DD`.
    pub day: String,
    /// Sessions begun on it.
    pub sessions: u32,
    /// Sessions allowed on it.
    pub per_day: u32,
}

impl Store {
    /// The runs of a job since this moment, without rehearsals, oldest first.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when the database cannot be read.
    pub fn runs(&mut self, job: &str, since: DateTime<Utc>) -> Result<Vec<RunRecord>> {
        self.transaction(|transaction| {
            let mut query = transaction.prepare(
                "SELECT started, finished, outcome, exit, message, hint,
                   (SELECT coalesce(sum(value ->> 'added' + value ->> 'updated' + value ->> 'removed'), 0)
                    FROM json_each(CASE WHEN json_valid(result) THEN result ELSE '{}' END, '$.sheets'))
                 FROM run WHERE job = ?1 AND started >= ?2 AND rehearsal = 0 ORDER BY started, run",
            )?;
            query.query_map(params![job, stamp(since)], record)?.collect()
        })
    }

    /// The state of a job. Rehearsals do not count.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when the database cannot be read.
    pub fn run_summary(&mut self, job: &str) -> Result<RunSummary> {
        self.transaction(|transaction| {
            let query =
                "SELECT max(finished) FILTER (WHERE outcome = 'ok'), max(finished) FILTER (WHERE changed),
                 (SELECT count(*) FROM run AS later WHERE job = ?1 AND rehearsal = 0
                    AND outcome IN ('failed', 'skipped') AND started > coalesce(
                      (SELECT max(started) FROM run WHERE job = ?1 AND rehearsal = 0 AND outcome = 'ok'), ''))
                 FROM run WHERE job = ?1 AND rehearsal = 0";
            transaction.query_row(query, params![job], |row| {
                Ok(RunSummary {
                    last_success: time(row, 0)?,
                    last_change: time(row, 1)?,
                    failures: row.get(2)?,
                })
            })
        })
    }

    /// One for each credential that was ever used, by name.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when the database cannot be read.
    pub fn credential_stats(&mut self, now: DateTime<Utc>) -> Result<Vec<CredentialStats>> {
        self.transaction(|transaction| {
            let mut query = transaction.prepare(
                "SELECT name, first_failure IS NOT NULL,
                   (SELECT count(*) FROM refresh WHERE credential = name AND at > ?1 AND class = 'ok'),
                   (SELECT count(*) FROM refresh WHERE credential = name AND at > ?1 AND class <> 'ok'),
                   (SELECT count(*) FROM event WHERE subject = 'credential.' || name AND kind = 'active-recovery'),
                   (SELECT max(at) FROM event AS entered WHERE subject = 'credential.' || name
                      AND kind = 'active-recovery' AND at <= ended),
                   ended
                 FROM (SELECT name, first_failure, (SELECT max(at) FROM event
                    WHERE subject = 'credential.' || name AND kind = 'recovered') AS ended FROM credential)
                 ORDER BY name",
            )?;
            query.query_map(params![stamp(now - TimeDelta::days(1))], credential_stats)?.collect()
        })
    }

    /// Why a credential will stop working, as the last run of this job that checked it found out: text and remedy of each
    /// cause.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when the database cannot be read.
    pub fn forecasts(&mut self, job: &str, credential: &str) -> Result<Vec<(String, String)>> {
        self.transaction(|transaction| {
            let mut query = transaction.prepare(
                "SELECT forecast.value ->> 'text', forecast.value ->> 'remedy' FROM json_each(
                   (SELECT found.value -> 'forecasts' FROM run,
                      json_each(CASE WHEN json_valid(result) THEN result ELSE '{}' END, '$.credentials') AS found
                    WHERE job = ?1 AND rehearsal = 0 AND found.value ->> 'credential' = ?2
                    ORDER BY started DESC, run DESC LIMIT 1)) AS forecast",
            )?;
            query.query_map(params![job, credential], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
        })
    }

    /// The start of the oldest run on record, of any job.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when the database cannot be read.
    pub fn first_run(&mut self) -> Result<Option<DateTime<Utc>>> {
        self.transaction(|transaction| {
            transaction.query_row("SELECT min(started) FROM run", [], |row| time(row, 0))
        })
    }

    /// Every quota in the ledger of sessions, by name. Empty if the database has no such ledger.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when the database cannot be read.
    pub fn quota_summaries(&mut self) -> Result<Vec<QuotaSummary>> {
        self.transaction(|transaction| {
            let exists = "SELECT count(*) = 4 FROM sqlite_schema WHERE type = 'table'
                 AND name IN ('quota', 'quota_clock', 'quota_task', 'quota_session')";
            if !transaction.query_row(exists, [], |row| row.get::<_, bool>(0))? {
                return Ok(Vec::new());
            }
            let mut query = transaction.prepare(
                "SELECT name, per_day,
                   (SELECT count(*) FROM quota_session WHERE quota = name
                      AND day = (SELECT high_water FROM quota_clock)),
                   (SELECT count(*) FROM quota_task WHERE quota = name
                      AND state IN ('pending', 'held', 'ready', 'turn-limit')),
                   (SELECT count(*) FROM quota_task WHERE quota = name AND state = 'needs-you')
                 FROM quota ORDER BY name",
            )?;
            let quotas: Vec<QuotaSummary> =
                query.query_map([], quota_summary)?.collect::<rusqlite::Result<_>>()?;
            quotas
                .into_iter()
                .map(|quota| Ok(QuotaSummary { days: quota_days(transaction, &quota.quota)?, ..quota }))
                .collect()
        })
    }
}

fn record(row: &Row<'_>) -> rusqlite::Result<RunRecord> {
    Ok(RunRecord {
        started: time(row, 0)?.unwrap_or_default(),
        finished: time(row, 1)?,
        outcome: row.get(2)?,
        exit: row.get(3)?,
        message: row.get(4)?,
        hint: row.get(5)?,
        rows: row.get(6)?,
    })
}

fn credential_stats(row: &Row<'_>) -> rusqlite::Result<CredentialStats> {
    let (entered, ended) = (time(row, 5)?, time(row, 6)?);
    Ok(CredentialStats {
        credential: row.get(0)?,
        is_failing: row.get(1)?,
        good: row.get(2)?,
        bad: row.get(3)?,
        activations: row.get(4)?,
        recovery: entered.zip(ended).map(|(entered, ended)| ended - entered),
    })
}

fn quota_summary(row: &Row<'_>) -> rusqlite::Result<QuotaSummary> {
    Ok(QuotaSummary {
        quota: row.get(0)?,
        per_day: row.get(1)?,
        used: row.get(2)?,
        waiting: row.get(3)?,
        needs_you: row.get(4)?,
        days: Vec::new(),
    })
}

/// Counts the sessions themselves, since a past day may not be closed yet.
fn quota_days(transaction: &Transaction<'_>, quota: &str) -> rusqlite::Result<Vec<QuotaDay>> {
    let mut query = transaction.prepare(
        "SELECT day, count(*), max(cap) FROM quota_session
         WHERE quota = ?1 AND day < (SELECT high_water FROM quota_clock)
         GROUP BY day ORDER BY day DESC LIMIT ?2",
    )?;
    query.query_map(params![quota, QUOTA_DAYS], quota_day)?.collect()
}

fn quota_day(row: &Row<'_>) -> rusqlite::Result<QuotaDay> {
    Ok(QuotaDay { day: row.get(0)?, sessions: row.get(1)?, per_day: row.get(2)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The columns that a summary reads.
    const LEDGER: &str = "
        CREATE TABLE quota (name TEXT PRIMARY KEY, per_day INTEGER);
        CREATE TABLE quota_clock (one INTEGER PRIMARY KEY, high_water TEXT);
        CREATE TABLE quota_task (id TEXT, quota TEXT, state TEXT);
        CREATE TABLE quota_session (quota TEXT, day TEXT, seq INTEGER, cap INTEGER);
        INSERT INTO quota VALUES ('agents', 5);
        INSERT INTO quota_clock VALUES (1, '2026-05-13');
        INSERT INTO quota_task VALUES ('a', 'agents', 'held'), ('b', 'agents', 'needs-you'), ('c', 'agents', 'done'),
            ('d', 'agents', 'turn-limit');
        INSERT INTO quota_session VALUES ('agents', '2026-05-12', 1, 4), ('agents', '2026-05-13', 1, 5),
            ('agents', '2026-05-13', 2, 5);";

    #[test]
    fn a_ledger_is_counted_and_a_database_without_one_has_no_quotas() {
        let connection = rusqlite::Connection::open_in_memory().unwrap();
        let mut store = Store { connection, path: "in memory".into() };
        assert_eq!(store.quota_summaries().unwrap(), []);
        store.connection.execute_batch(LEDGER).unwrap();
        let day = QuotaDay { day: "2026-05-12".into(), sessions: 1, per_day: 4 };
        let (quota, days) = ("agents".to_owned(), vec![day]);
        let expected = QuotaSummary { quota, per_day: 5, used: 2, waiting: 2, needs_you: 1, days };
        assert_eq!(store.quota_summaries().unwrap(), [expected]);
    }
}
