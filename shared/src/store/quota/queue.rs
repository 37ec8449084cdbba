//! The queue: tasks are added, listed, cancelled, retried, and the next one is found.

use chrono::{DateTime, Utc};
use rusqlite::{OptionalExtension, Row, Transaction, params};
use serde::Serialize;
use serde_json::Value;

use super::dashboard_list;
use crate::Result;
use crate::store::{Store, stamp, time};

/// How many tasks are listed of each final state.
const ENDED_LISTED: u32 = 20;

/// What a command did to a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TaskState {
    /// No task has this id.
    Unknown,
    /// The task is in this state, in which the command has no effect.
    Stays(String),
    /// The task is in its new state.
    Changed,
    /// The task is in its new state, and runs once the dashboard lists it.
    Unlisted,
}

/// A task, as `--list` shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Task {
    /// The id of the task.
    pub id: String,
    /// The quota of the task.
    pub quota: String,
    /// `pending`, `held`, `ready`, `claimed`, `done`, `failed`, `turn-limit` or `needs-you`.
    pub state: String,
    /// How often it was released.
    pub attempt: u32,
    /// How often it was resumed.
    pub resumes: u32,
    /// How often it failed in a row.
    pub failures: u32,
    /// The summary of its last session.
    pub summary: Option<String>,
    /// False for a task of the dashboard that is not listed there. It is not run.
    pub offered: bool,
    /// When it was added.
    pub created: DateTime<Utc>,
    /// When its state last changed.
    pub changed: DateTime<Utc>,
}

impl Store {
    /// Adds a local task. Returns false if a task has this id already.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when the database cannot be written.
    pub fn add_task(&mut self, quota: &str, id: &str, body: &Value, now: DateTime<Utc>) -> Result<bool> {
        let insert = "INSERT OR IGNORE INTO quota_task (id, quota, source, body, state, created, changed)
            VALUES (?1, ?2, 'local', ?3, 'pending', ?4, ?4)";
        let values = params![id, quota, body.to_string(), stamp(now)];
        self.transaction(|transaction| transaction.execute(insert, values)).map(|added| added == 1)
    }

    /// The next task to run, its release, and whether it is the dashboard's. Resumed tasks first, then the oldest.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when the database cannot be read.
    pub fn next_ready(&mut self, quota: &str) -> Result<Option<(String, u32, bool)>> {
        let query = "SELECT id, attempt, source = 'dashboard' FROM quota_task
            WHERE quota = ?1 AND state = 'ready' AND offered = 1 ORDER BY resumes > 0 DESC, number LIMIT 1";
        self.transaction(|transaction| {
            transaction
                .query_row(query, [quota], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
                .optional()
        })
    }

    /// The tasks that have not ended, oldest first, then the newest that have.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when the database cannot be read.
    pub fn tasks(&mut self, quota: &str) -> Result<Vec<Task>> {
        const COLUMNS: &str =
            "id, quota, state, attempt, resumes, failures, summary, offered, created, changed";
        self.transaction(|transaction| {
            let mut tasks = Vec::new();
            for state in ["claimed", "ready", "turn-limit", "held", "pending", "needs-you"] {
                let query = format!(
                    "SELECT {COLUMNS} FROM quota_task WHERE quota = ?1 AND state = ?2 ORDER BY offered DESC, number LIMIT 1000"
                );
                append(transaction, &query, params![quota, state], &mut tasks)?;
            }
            for state in ["failed", "done"] {
                let query = format!(
                    "SELECT {COLUMNS} FROM quota_task WHERE quota = ?1 AND state = ?2 ORDER BY offered DESC, number DESC LIMIT ?3"
                );
                append(transaction, &query, params![quota, state, ENDED_LISTED], &mut tasks)?;
            }
            Ok(tasks)
        })
    }

    /// Cancels a task that is not running. Its state is then `failed`.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when the database cannot be written.
    pub fn cancel(&mut self, task: &str, now: DateTime<Utc>) -> Result<TaskState> {
        let update = "UPDATE quota_task SET state = 'failed', summary = 'cancelled', changed = ?2
            WHERE id = ?1 AND state IN ('pending', 'held', 'ready', 'turn-limit', 'needs-you')";
        self.transaction(|transaction| change(transaction, task, update, now))
    }

    /// Lets a task run again that failed or needed a user, with all its resumes. A task of the dashboard waits until it
    /// is listed there.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when the database cannot be written.
    pub fn retry(&mut self, task: &str, now: DateTime<Utc>) -> Result<TaskState> {
        let update = "UPDATE quota_task SET state = 'pending', resumes = 0, changed = ?2
            WHERE id = ?1 AND state IN ('failed', 'needs-you')";
        let is_dashboards = "SELECT source = 'dashboard' FROM quota_task WHERE id = ?1";
        self.transaction(|transaction| {
            let state = change(transaction, task, update, now)?;
            if state == TaskState::Changed
                && transaction.query_row(is_dashboards, [task], |row| row.get(0))?
            {
                dashboard_list::withdraw(transaction, task)?;
                return Ok(TaskState::Unlisted);
            }
            Ok(state)
        })
    }
}

fn change(
    transaction: &Transaction<'_>,
    task: &str,
    update: &str,
    now: DateTime<Utc>,
) -> rusqlite::Result<TaskState> {
    if transaction.execute(update, params![task, stamp(now)])? == 1 {
        return Ok(TaskState::Changed);
    }
    let state = "SELECT state FROM quota_task WHERE id = ?1";
    let state = transaction.query_row(state, [task], |row| row.get(0)).optional()?;
    Ok(state.map_or(TaskState::Unknown, TaskState::Stays))
}

fn append(
    transaction: &Transaction<'_>,
    query: &str,
    values: impl rusqlite::Params,
    tasks: &mut Vec<Task>,
) -> rusqlite::Result<()> {
    let mut query = transaction.prepare(query)?;
    for task in query.query_map(values, read)? {
        tasks.push(task?);
    }
    Ok(())
}

fn read(row: &Row<'_>) -> rusqlite::Result<Task> {
    Ok(Task {
        id: row.get(0)?,
        quota: row.get(1)?,
        state: row.get(2)?,
        attempt: row.get(3)?,
        resumes: row.get(4)?,
        failures: row.get(5)?,
        summary: row.get(6)?,
        offered: row.get(7)?,
        created: time(row, 8)?.unwrap_or_default(),
        changed: time(row, 9)?.unwrap_or_default(),
    })
}
