//! The dashboard's list of tasks. A task of the dashboard that is not listed is not run.

use chrono::{DateTime, Utc};
use rusqlite::{OptionalExtension, Transaction, params};
use serde_json::Value;

use crate::Result;
use crate::store::{Store, stamp};

/// A task as the dashboard lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The id of the task.
    pub id: String,
    /// A higher number than before lets a finished task run again.
    pub generation: u32,
    /// The task itself.
    pub body: Value,
}

impl Store {
    /// Stores the dashboard's list: new tasks are added, finished ones of a higher generation begin again, and tasks that
    /// are not listed are not run until they are. Returns the number of new tasks.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when the database cannot be written.
    pub fn offer(
        &mut self,
        quota: &str,
        listed: &[Listed],
        list: &str,
        etag: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<usize> {
        self.transaction(|transaction| {
            let withdraw =
                "UPDATE quota_task SET offered = 0 WHERE quota = ?1 AND source = 'dashboard' AND offered = 1
                AND state IN ('pending', 'held', 'ready', 'turn-limit')";
            transaction.execute(withdraw, [quota])?;
            let mut added = 0;
            for task in listed {
                added += offer(transaction, quota, task, now)?;
            }
            remember(transaction, list, etag)?;
            Ok(added)
        })
    }

    /// The ETag of the last stored list, if it had this address and no task was withdrawn since.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when the database cannot be read.
    pub fn etag(&mut self, list: &str) -> Result<Option<String>> {
        let query = "SELECT etag FROM quota_dashboard WHERE list = ?1";
        self.transaction(|transaction| transaction.query_row(query, [list], |row| row.get(0)).optional())
            .map(Option::flatten)
    }

    /// Does not run this task until the dashboard lists it again.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when the database cannot be written.
    pub fn withdraw(&mut self, task: &str) -> Result<()> {
        self.transaction(|transaction| withdraw(transaction, task))
    }
}

/// The task is not run until it is listed again. The ETag is deleted, so that the next list is stored even if it is the
/// same as the last.
pub(super) fn withdraw(transaction: &Transaction<'_>, task: &str) -> rusqlite::Result<()> {
    transaction.execute("UPDATE quota_task SET offered = 0 WHERE id = ?1", [task])?;
    transaction.execute("DELETE FROM quota_dashboard", []).map(drop)
}

fn offer(
    transaction: &Transaction<'_>,
    quota: &str,
    task: &Listed,
    now: DateTime<Utc>,
) -> rusqlite::Result<usize> {
    let at = stamp(now);
    let insert =
        "INSERT OR IGNORE INTO quota_task (id, quota, source, generation, body, state, created, changed)
        VALUES (?1, ?2, 'dashboard', ?3, ?4, 'pending', ?5, ?5)";
    let values = params![task.id, quota, task.generation, task.body.to_string(), at];
    let added = transaction.prepare(insert)?.execute(values)?;
    // Only tasks of the dashboard: a local task can have the same id by chance.
    let offered = "UPDATE quota_task SET offered = 1 WHERE id = ?1 AND quota = ?2 AND source = 'dashboard' AND offered = 0";
    transaction.prepare(offered)?.execute(params![task.id, quota])?;
    // A waiting task gets the new generation too, or it would begin again after it ends. A running one does not.
    let newer = "UPDATE quota_task SET generation = ?2, body = ?3, changed = ?4,
            resumes = iif(state IN ('done', 'failed', 'needs-you'), 0, resumes),
            state = iif(state IN ('done', 'failed', 'needs-you'), 'pending', state)
        WHERE id = ?1 AND quota = ?5 AND source = 'dashboard' AND generation < ?2 AND state <> 'claimed'";
    let values = params![task.id, task.generation, task.body.to_string(), at, quota];
    transaction.prepare(newer)?.execute(values)?;
    Ok(added)
}

/// Only the last list has an ETag, since tasks that another list left out are not offered.
fn remember(transaction: &Transaction<'_>, list: &str, etag: Option<&str>) -> rusqlite::Result<()> {
    transaction.execute("DELETE FROM quota_dashboard", [])?;
    transaction
        .execute("INSERT INTO quota_dashboard (list, etag) VALUES (?1, ?2)", params![list, etag])
        .map(drop)
}
