//! Run records: one row a run, written when it starts and completed when it ends.
//!
//! A row that stays `running` is a run that was killed. No secret and no booking data is in it.

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::{OptionalExtension, params};

use super::{Store, stamp};
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

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Verified success, nothing to do included.
    Ok,
    /// It failed.
    Failed,
    /// It did not begin, because another run holds the lock.
    Skipped,
}

impl Outcome {
    fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }
}

/// A run that starts.
#[derive(Clone, Debug)]
pub struct Run {
    /// Its ULID.
    pub id: String,
    /// The executable.
    pub job: &'static str,
    /// When it started.
    pub started: DateTime<Utc>,
    /// Whether it does not do the work of the schedule, such as a dry run or an undo: it counts for no clock.
    pub rehearsal: bool,
    /// Whether it prints only what no run before it printed that did the same.
    pub only_news: bool,
}

/// How it ended.
#[derive(Clone, Debug)]
pub struct Ending<'a> {
    /// When.
    pub finished: DateTime<Utc>,
    /// How.
    pub outcome: Outcome,
    /// The exit code.
    pub exit: u8,
    /// The most serious failure.
    pub failure: Option<&'a Failure>,
    /// Whether it changed anything outside.
    pub changed: bool,
    /// The JSON result, whole.
    pub result: &'a str,
}

impl Store {
    /// Writes the record of a run that starts, and drops records older than 90 days.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when the database cannot be written.
    pub fn start_run(&mut self, run: &Run) -> Result<()> {
        let old = stamp(run.started - KEPT);
        self.transaction(|transaction| {
            transaction.execute("DELETE FROM run WHERE started < ?1", params![old])?;
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

    /// The JSON result that people know of the job when this run ends, if it tells news only: that of the last run before
    /// it that did so too, or was a success. What a run told somebody else, such as a monitor that polls, is news all the
    /// same, and what a run that found another under way said counts only for one that finds the same.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when the database cannot be read.
    pub fn result_told_before(&mut self, run: &Run) -> Result<Option<String>> {
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
    pub fn end_run(&mut self, id: &str, ending: &Ending<'_>) -> Result<()> {
        let failure = ending.failure;
        self.transaction(|transaction| {
            transaction.execute(
                "UPDATE run SET finished = ?2, outcome = ?3, exit = ?4, kind = ?5, message = ?6, hint = ?7, result = ?8, changed = ?9
                 WHERE run = ?1",
                params![
                    id,
                    stamp(ending.finished),
                    ending.outcome.word(),
                    ending.exit,
                    failure.map(|failure| failure.kind.word()),
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

    #[test]
    fn a_run_is_running_until_it_ends_and_old_ones_are_dropped() {
        let dir = tempfile::tempdir().unwrap();
        let mut store = Store::open(&dir.path().join("state.db")).unwrap();
        store.start_run(&run("old", "2026-01-01T00:00:00Z")).unwrap();
        store.start_run(&run("new", "2026-05-13T12:00:00Z")).unwrap();
        assert_eq!(rows(&store), [("new".into(), "running".into(), None)]);
        let failure = Failure::new(Kind::Data, "bad", "mend it");
        let finished = "2026-05-13T12:00:02Z".parse().unwrap();
        let (outcome, failure) = (Outcome::Failed, Some(&failure));
        let ending = Ending { finished, outcome, exit: 65, failure, changed: false, result: "{}" };
        store.end_run("new", &ending).unwrap();
        assert_eq!(rows(&store), [("new".into(), "failed".into(), Some(65))]);
    }

    #[test]
    fn what_was_told_is_what_the_last_run_said_that_tells_news_or_succeeded() {
        let dir = tempfile::tempdir().unwrap();
        let mut store = Store::open(&dir.path().join("state.db")).unwrap();
        let mut ends = |id: &str, minute: u8, only_news, outcome| {
            let started = format!("2026-05-13T12:{minute:02}:00Z");
            let run = Run { only_news, ..run(id, &started) };
            store.start_run(&run).unwrap();
            if let Some(outcome) = outcome {
                let finished = run.started;
                let ending = Ending { finished, outcome, exit: 0, failure: None, changed: false, result: id };
                store.end_run(id, &ending).unwrap();
            }
            store.result_told_before(&run).unwrap()
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
        crate::file::replace(&damaged, b"this is not a database, but a text of some length").unwrap();
        let refused = Store::open(&damaged).unwrap_err();
        assert_eq!(refused.kind, Kind::Io);
        assert!(refused.hint.contains(".damaged"), "{}", refused.hint);
        let newer = dir.path().join("newer.db");
        Store::open(&newer).unwrap().connection.pragma_update(None, "user_version", 99).unwrap();
        assert!(Store::open(&newer).unwrap_err().message.contains("newer version"));
    }
}
