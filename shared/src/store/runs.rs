//! Run records: one row a run, written when it starts and completed when it ends.
//!
//! A row that stays `running` belongs to a run that was killed. A record has no secret and no booking data.

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::{OptionalExtension as _, Transaction, params};

use super::{Store, stamp, time};
use crate::outcome::Outcome;
use crate::{Failure, Result};

pub(super) const SCHEMA: &str = "
    CREATE TABLE run (
        run      TEXT PRIMARY KEY,
        job      TEXT NOT NULL,
        pid      INTEGER NOT NULL,
        started  TEXT NOT NULL,
        finished TEXT,
        outcome  TEXT NOT NULL CHECK (outcome IN ('running', 'ok', 'failed', 'skipped')),
        exit     INTEGER,
        kind     TEXT,
        message  TEXT,
        hint     TEXT,
        result   TEXT
    ) STRICT;
    CREATE INDEX run_by_job ON run (job, started);
";

/// How long run records are kept.
const KEPT: TimeDelta = TimeDelta::days(90);

/// How many records of a job are kept however old they seem.
const NEWEST: u32 = 100;

/// How far the clock may have moved since the last run to be believed: a clock that is months ahead must not clear the history.
const STEP: TimeDelta = TimeDelta::days(1);

/// A run, as it starts.
#[derive(Clone, Debug)]
pub struct Run {
    /// A ULID.
    pub id: String,
    /// The name of the executable.
    pub job: &'static str,
    /// By the wall clock.
    pub started: DateTime<Utc>,
    /// True if it does not do the work of the schedule, such as a dry run or an undo. It never counts as a success.
    pub rehearsal: bool,
    /// True if it prints only failures that the previous run of this kind did not print.
    pub only_news: bool,
}

/// How a run ended.
#[derive(Clone, Debug)]
pub struct RunEnd<'a> {
    /// By the wall clock.
    pub finished: DateTime<Utc>,
    /// Recorded as its name.
    pub outcome: Outcome,
    /// The exit code of [`crate::Kind`], also when a plugin's was returned.
    pub exit: u8,
    /// The most serious failure.
    pub failure: Option<&'a Failure>,
    /// Whether it changed anything outside the state directory.
    pub changed: bool,
    /// The whole JSON result.
    pub result: &'a str,
}

impl Store {
    /// Writes the record of a run that starts, and drops records older than 90 days; never the newest hundred of a job.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when the database cannot be written.
    pub fn start_run(&mut self, run: &Run) -> Result<()> {
        self.transaction(|transaction| {
            let now = believed(transaction, run.started)?;
            transaction.execute(
                "DELETE FROM run WHERE started < ?1 AND rowid NOT IN
                 (SELECT rowid FROM run AS other WHERE other.job = run.job ORDER BY started DESC LIMIT ?2)",
                params![stamp(now - KEPT), NEWEST],
            )?;
            transaction.execute(
                "INSERT INTO run (run, job, pid, started, outcome, rehearsal, only_news)
                 VALUES (?1, ?2, ?3, ?4, 'running', ?5, ?6)",
                params![
                    run.id,
                    run.job,
                    std::process::id(),
                    stamp(run.started),
                    run.rehearsal,
                    run.only_news
                ],
            )
        })?;
        Ok(())
    }

    /// The JSON result with which a run that prints new failures only is compared: that of the last earlier run that
    /// printed new failures only too, or succeeded.
    ///
    /// Only runs of the same kind are compared: what was printed for a polling monitor does not count, and a run that was
    /// skipped is compared with skipped runs only.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when the database cannot be read.
    pub fn result_printed_before(&mut self, run: &Run) -> Result<Option<String>> {
        let query =
            "SELECT result FROM run WHERE job = ?1 AND run <> ?2 AND started <= ?3 AND outcome <> 'running'
             AND (only_news OR outcome = 'ok' AND NOT rehearsal)
             AND (outcome <> 'skipped' OR (SELECT outcome FROM run WHERE run = ?2) = 'skipped')
             ORDER BY started DESC, run DESC LIMIT 1";
        self.transaction(|transaction| {
            let values = params![run.job, run.id, stamp(run.started)];
            transaction.query_row(query, values, |row| row.get(0)).optional().map(Option::flatten)
        })
    }

    /// Completes the record.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when the database cannot be written.
    pub fn end_run(&mut self, id: &str, ending: &RunEnd<'_>) -> Result<()> {
        let failure = ending.failure;
        self.transaction(|transaction| {
            transaction.execute(
                "UPDATE run SET finished = ?2, outcome = ?3, exit = ?4, kind = ?5, message = ?6, hint = ?7, result = ?8, changed = ?9
                 WHERE run = ?1",
                params![
                    id,
                    stamp(ending.finished),
                    ending.outcome.as_str(),
                    ending.exit,
                    failure.map(|failure| failure.kind.as_str()),
                    failure.map(|failure| &failure.message),
                    failure.map(|failure| &failure.hint),
                    ending.result,
                    ending.changed,
                ],
            )
        })?;
        Ok(())
    }
}

/// The time as far as the last run agrees: at most a day after it.
fn believed(transaction: &Transaction<'_>, now: DateTime<Utc>) -> rusqlite::Result<DateTime<Utc>> {
    let query = "SELECT max(started) FROM run WHERE started <= ?1";
    let last = transaction.query_row(query, params![stamp(now)], |row| time(row, 0))?;
    Ok(last.map_or(now, |last| now.min(last + STEP)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Kind;

    fn run(id: &str, started: &str) -> Run {
        let (job, started) = ("port-sheet-sync", started.parse().unwrap());
        Run { id: id.into(), job, started, rehearsal: false, only_news: true }
    }

    fn rows(store: &Store) -> Vec<(String, String, Option<i64>)> {
        let mut query = store.connection.prepare("SELECT run, outcome, exit FROM run ORDER BY run").unwrap();
        query
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .unwrap()
            .map(|row| row.unwrap())
            .collect()
    }

    /// A clock that is months ahead clears nothing; after a second run it is believed, but for the newest records.
    #[test]
    fn old_runs_are_dropped_once_two_runs_agree_about_the_time() {
        let dir = tempfile::tempdir().unwrap();
        let mut store = Store::open(&dir.path().join("state.db")).unwrap();
        for number in 0..120 {
            let started = format!("2026-01-{:02}T{:02}:00:00Z", 1 + number / 24, number % 24);
            store.start_run(&run(&format!("january-{number:03}"), &started)).unwrap();
        }
        store.start_run(&run("may-1", "2026-05-13T12:00:00Z")).unwrap();
        assert_eq!(rows(&store).len(), 121);
        store.start_run(&run("may-2", "2026-05-13T12:30:00Z")).unwrap();
        let kept = rows(&store);
        assert_eq!((kept.len(), kept[0].0.as_str()), (101, "january-021"));
    }

    #[test]
    fn a_run_is_running_until_it_ends() {
        let dir = tempfile::tempdir().unwrap();
        let mut store = Store::open(&dir.path().join("state.db")).unwrap();
        store.start_run(&run("new", "2026-05-13T12:00:00Z")).unwrap();
        assert_eq!(rows(&store), [("new".into(), "running".into(), None)]);
        let failure = Failure::new(Kind::Data, "bad", "mend it");
        let finished = "2026-05-13T12:00:02Z".parse().unwrap();
        let (outcome, failure) = (Outcome::Failed, Some(&failure));
        let ending = RunEnd { finished, outcome, exit: 65, failure, changed: false, result: "{}" };
        store.end_run("new", &ending).unwrap();
        assert_eq!(rows(&store), [("new".into(), "failed".into(), Some(65))]);
    }

    #[test]
    fn a_run_is_compared_with_the_last_one_that_printed_new_failures_or_succeeded() {
        let dir = tempfile::tempdir().unwrap();
        let mut store = Store::open(&dir.path().join("state.db")).unwrap();
        let mut ends = |id: &str, minute: u8, only_news, outcome| {
            let started = format!("2026-05-13T12:{minute:02}:00Z");
            let run = Run { only_news, ..run(id, &started) };
            store.start_run(&run).unwrap();
            if let Some(outcome) = outcome {
                let finished = run.started;
                let ending = RunEnd { finished, outcome, exit: 0, failure: None, changed: false, result: id };
                store.end_run(id, &ending).unwrap();
            }
            store.result_printed_before(&run).unwrap()
        };
        assert_eq!(ends("polled-first", 0, false, Some(Outcome::Failed)), None);
        assert_eq!(ends("first", 1, true, Some(Outcome::Failed)), None);
        assert_eq!(ends("killed", 5, true, None).as_deref(), Some("first"));
        assert_eq!(ends("polled", 7, false, Some(Outcome::Failed)).as_deref(), Some("first"));
        assert_eq!(ends("busy", 10, true, Some(Outcome::Skipped)).as_deref(), Some("first"));
        assert_eq!(ends("busy-again", 15, true, Some(Outcome::Skipped)).as_deref(), Some("busy"));
        assert_eq!(ends("last", 20, true, Some(Outcome::Failed)).as_deref(), Some("first"));
        assert_eq!(ends("well", 25, false, Some(Outcome::Ok)).as_deref(), Some("last"));
        assert_eq!(ends("fails-anew", 30, true, Some(Outcome::Failed)).as_deref(), Some("well"));
    }

    #[test]
    fn a_damaged_or_newer_database_is_refused_with_what_to_do() {
        let dir = tempfile::tempdir().unwrap();
        let damaged = dir.path().join("damaged.db");
        crate::sys::atomic_file::replace(&damaged, b"this is not a database, but a text of some length")
            .unwrap();
        let refused = Store::open(&damaged).unwrap_err();
        assert_eq!(refused.kind, Kind::Io);
        assert!(refused.hint.contains(".damaged"), "{}", refused.hint);
        let newer = dir.path().join("newer.db");
        Store::open(&newer).unwrap().connection.pragma_update(None, "user_version", 99).unwrap();
        assert!(Store::open(&newer).unwrap_err().message.contains("newer version"));
    }
}
