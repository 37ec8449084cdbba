//! Grants: a released task is claimed and its session recorded, both or neither.

use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};
use rusqlite::{ErrorCode, OptionalExtension, Transaction, params};

use super::{clock, lease};
use crate::Result;
use crate::quota::Moment;
use crate::store::{Store, stamp};

/// The claim of a runner on a task.
#[derive(Clone, Copy, Debug)]
pub struct Claim<'a> {
    /// The id of the task.
    pub task: &'a str,
    /// The release of the task, counted from 1.
    pub attempt: u32,
    /// The ULID of the runner's run.
    pub runner: &'a str,
    /// How long the claim lasts without a heartbeat.
    pub lease: Duration,
}

/// A session that may begin now. It counts from the grant on, even if it never begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The name of the quota.
    pub quota: String,
    /// The day for which it counts.
    pub day: NaiveDate,
    /// The number of the session within the day, from 1.
    pub seq: u32,
    /// The most sessions of a day.
    pub per_day: u32,
    /// The id of the task.
    pub task: String,
    /// The release of the task, counted from 1.
    pub attempt: u32,
    /// The most turns of the session.
    pub turns: u32,
    /// How often the task was resumed before.
    pub resumes: u32,
    /// The task itself, as JSON.
    pub body: String,
}

/// What becomes of a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClaimOutcome {
    /// The session may begin.
    Granted(Grant),
    /// The day's sessions are spent.
    Spent,
    /// The most sessions at the same time are running.
    Concurrency,
    /// The task is no longer ready: another runner was faster, or it was cancelled.
    NotReady,
    /// The clock is not trusted.
    Clock,
}

impl Store {
    /// Claims a released task and grants its session, both or neither.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when the database cannot be written.
    pub fn claim(&mut self, claim: &Claim<'_>, moment: &Moment) -> Result<ClaimOutcome> {
        self.transaction(|transaction| {
            let Some(day) = clock::turned(transaction, moment, claim.runner)? else {
                return Ok(ClaimOutcome::Clock);
            };
            let Some(grant) = ready(transaction, claim, day)? else { return Ok(ClaimOutcome::NotReady) };
            let outcome = begin(transaction, claim, grant, moment.now)?;
            if !matches!(outcome, ClaimOutcome::Granted(_)) {
                return Ok(outcome);
            }
            let update = "UPDATE quota_task SET state = 'claimed', runner = ?2, lease_boot = ?3, lease_until = ?4, changed = ?5 WHERE id = ?1";
            let until = lease::until(moment, claim.lease);
            let values = params![claim.task, claim.runner, moment.boot, until, stamp(moment.now)];
            transaction.prepare(update)?.execute(values)?;
            Ok(outcome)
        })
    }
}

/// The grant for a task that is ready.
fn ready(
    transaction: &Transaction<'_>,
    claim: &Claim<'_>,
    today: NaiveDate,
) -> rusqlite::Result<Option<Grant>> {
    let query = "SELECT quota.name, per_day, turns, resumes, body,
            (SELECT coalesce(max(seq), 0) + 1 FROM quota_session WHERE quota = quota.name AND day = ?3)
        FROM quota_task JOIN quota ON quota.name = quota_task.quota
        WHERE id = ?1 AND attempt = ?2 AND state = 'ready'";
    let values = params![claim.task, claim.attempt, today.to_string()];
    transaction
        .prepare(query)?
        .query_row(values, |row| {
            Ok(Grant {
                quota: row.get(0)?,
                day: today,
                seq: row.get(5)?,
                per_day: row.get(1)?,
                task: claim.task.to_owned(),
                attempt: claim.attempt,
                turns: row.get(2)?,
                resumes: row.get(3)?,
                body: row.get(4)?,
            })
        })
        .optional()
}

/// Records the session. The schema decides whether it may begin.
fn begin(
    transaction: &Transaction<'_>,
    claim: &Claim<'_>,
    grant: Grant,
    now: DateTime<Utc>,
) -> rusqlite::Result<ClaimOutcome> {
    let insert = "INSERT INTO quota_session (quota, day, seq, cap, task, attempt, runner, turn_cap, started)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    let values = params![
        grant.quota,
        grant.day.to_string(),
        grant.seq,
        grant.per_day,
        grant.task,
        grant.attempt,
        claim.runner,
        grant.turns,
        stamp(now)
    ];
    match transaction.prepare(insert)?.execute(values) {
        Ok(_) => Ok(ClaimOutcome::Granted(grant)),
        Err(rusqlite::Error::SqliteFailure(error, Some(said)))
            if error.code == ErrorCode::ConstraintViolation =>
        {
            match said.as_str() {
                "CHECK constraint failed: quota_spent" => Ok(ClaimOutcome::Spent),
                "concurrency reached" => Ok(ClaimOutcome::Concurrency),
                _ => Err(rusqlite::Error::SqliteFailure(error, Some(said))),
            }
        }
        Err(error) => Err(error),
    }
}
