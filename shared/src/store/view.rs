//! What is read back: a job's runs, its clocks, and how its credentials fared. Nothing is written here.

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::{Row, params};

use super::{Store, stamp, time};
use crate::Result;

/// One run as it was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// When it started.
    pub started: DateTime<Utc>,
    /// When it ended; none while it runs, and for ever if it was killed.
    pub finished: Option<DateTime<Utc>>,
    /// `running`, `ok`, `failed` or `skipped`.
    pub outcome: String,
    /// The exit code, once it ended.
    pub exit: Option<u8>,
    /// The text of its failure.
    pub message: Option<String>,
    /// What to do about it.
    pub hint: Option<String>,
    /// Rows of sheets that it added, changed or flagged.
    pub rows: u32,
}

/// A job's clocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Past {
    /// When its last success ended.
    pub last_success: Option<DateTime<Utc>>,
    /// When its last run that changed something ended.
    pub last_change: Option<DateTime<Utc>>,
    /// Runs in a row that failed or were skipped.
    pub failures: u32,
}

/// How a credential fared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fared {
    /// Its name.
    pub credential: String,
    /// Whether its last refresh failed.
    pub is_failing: bool,
    /// Refreshes within a day that brought a token.
    pub good: u32,
    /// Refreshes within a day that did not.
    pub bad: u32,
    /// How often active recovery was entered, as far as events are kept.
    pub activations: u32,
    /// How long the last one took.
    pub recovery: Option<TimeDelta>,
}

impl Store {
    /// The runs of a job that started since a moment, rehearsals left out, oldest first.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when the database cannot be read.
    pub fn runs(&mut self, job: &str, since: DateTime<Utc>) -> Result<Vec<Record>> {
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

    /// A job's clocks, as its records have them; rehearsals do not count.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when the database cannot be read.
    pub fn past(&mut self, job: &str) -> Result<Past> {
        self.transaction(|transaction| {
            let query =
                "SELECT max(finished) FILTER (WHERE outcome = 'ok'), max(finished) FILTER (WHERE changed),
                 (SELECT count(*) FROM run AS later WHERE job = ?1 AND rehearsal = 0
                    AND outcome IN ('failed', 'skipped') AND started > coalesce(
                      (SELECT max(started) FROM run WHERE job = ?1 AND rehearsal = 0 AND outcome = 'ok'), ''))
                 FROM run WHERE job = ?1 AND rehearsal = 0";
            transaction.query_row(query, params![job], |row| {
                Ok(Past { last_success: time(row, 0)?, last_change: time(row, 1)?, failures: row.get(2)? })
            })
        })
    }

    /// How each credential that was ever used fared.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when the database cannot be read.
    pub fn fared(&mut self, now: DateTime<Utc>) -> Result<Vec<Fared>> {
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
            query.query_map(params![stamp(now - TimeDelta::days(1))], fared)?.collect()
        })
    }

    /// What a job's last run that looked at a credential found that it will die of, text and remedy.
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

    /// When the first run of any job started that is still on record.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when the database cannot be read.
    pub fn first_run(&mut self) -> Result<Option<DateTime<Utc>>> {
        self.transaction(|transaction| {
            transaction.query_row("SELECT min(started) FROM run", [], |row| time(row, 0))
        })
    }
}

fn record(row: &Row<'_>) -> rusqlite::Result<Record> {
    Ok(Record {
        started: time(row, 0)?.unwrap_or_default(),
        finished: time(row, 1)?,
        outcome: row.get(2)?,
        exit: row.get(3)?,
        message: row.get(4)?,
        hint: row.get(5)?,
        rows: row.get(6)?,
    })
}

fn fared(row: &Row<'_>) -> rusqlite::Result<Fared> {
    let (entered, ended) = (time(row, 5)?, time(row, 6)?);
    Ok(Fared {
        credential: row.get(0)?,
        is_failing: row.get(1)?,
        good: row.get(2)?,
        bad: row.get(3)?,
        activations: row.get(4)?,
        recovery: entered.zip(ended).map(|(entered, ended)| ended - entered),
    })
}
