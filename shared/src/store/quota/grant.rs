//! Grants: a released task is claimed and its session entered, both or neither.

use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};
use rusqlite::{ErrorCode, OptionalExtension, Transaction, params};

use super::{clock, lease};
use crate::Result;
use crate::quota::Moment;
use crate::store::{Store, stamp};

/// Who claims what.
#[derive(Clone, Copy, Debug)]
pub struct Claim<'a> {
    /// The task.
    pub task: &'a str,
    /// The release of it that is to be run.
    pub attempt: u32,
    /// The runner: its run's ULID.
    pub runner: &'a str,
    /// How long the claim lasts without a heartbeat.
    pub lease: Duration,
}

/// A session that may begin now. It counts from the moment of the grant, whatever becomes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The quota that pays.
    pub quota: String,
    /// The day that it counts for.
    pub day: NaiveDate,
    /// Its number within the day, from 1.
    pub seq: u32,
    /// The most that the day may have.
    pub per_day: u32,
    /// The task.
    pub task: String,
    /// The release of it that is run.
    pub attempt: u32,
    /// How many turns the session may take.
    pub turns: u32,
    /// How often the task was resumed before.
    pub resumes: u32,
    /// The task itself, as JSON.
    pub body: String,
}

/// Why there is no grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The day's sessions are spent.
    Spent,
    /// As many sessions are running as may.
    Concurrency,
    /// The task is not ready any more: another runner was faster, or it was cancelled.
    NotReady,
    /// The clock is not believed.
    Clock,
}

impl Store {
    /// Claims a released task and grants its session, both or neither.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when the database cannot be written.
    pub fn claim(
        &mut self,
        claim: &Claim<'_>,
        moment: &Moment,
    ) -> Result<std::result::Result<Grant, Refused>> {
        self.transaction(|transaction| {
            let Some(day) = clock::turned(transaction, moment, claim.runner)? else {
                return Ok(Err(Refused::Clock));
            };
            let Some(grant) = ready(transaction, claim, day)? else { return Ok(Err(Refused::NotReady)) };
            if let Some(refused) = begin(transaction, claim, &grant, moment.now)? {
                return Ok(Err(refused));
            }
            let update = "UPDATE quota_task SET state = 'claimed', runner = ?2, lease_boot = ?3, lease_until = ?4, changed = ?5 WHERE id = ?1";
            let until = lease::until(moment, claim.lease);
            let values = params![claim.task, claim.runner, moment.boot, until, stamp(moment.now)];
            transaction.prepare(update)?.execute(values)?;
            Ok(Ok(grant))
        })
    }
}

/// The grant that a ready task would get.
fn ready(
    transaction: &Transaction<'_>,
    claim: &Claim<'_>,
    today: NaiveDate,
) -> rusqlite::Result<Option<Grant>> {
    let query = "SELECT quota.name, per_day, turns, resumes, body,
            (SELECT coalesce(max(seq), 0) + 1 FROM quota_session WHERE quota = quota.name AND day = ?3)
        FROM quota_task JOIN quota ON quota.name = quota_task.quota
        WHERE id = ?1 AND attempt = ?2 AND state = 'ready'";
    let grant = |row: &rusqlite::Row<'_>| {
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
    };
    let values = params![claim.task, claim.attempt, today.to_string()];
    transaction.prepare(query)?.query_row(values, grant).optional()
}

/// Enters the session. Whether it may begin is the schema's to say.
fn begin(
    transaction: &Transaction<'_>,
    claim: &Claim<'_>,
    grant: &Grant,
    now: DateTime<Utc>,
) -> rusqlite::Result<Option<Refused>> {
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
        Ok(_) => Ok(None),
        Err(rusqlite::Error::SqliteFailure(error, Some(said)))
            if error.code == ErrorCode::ConstraintViolation =>
        {
            match said.as_str() {
                "CHECK constraint failed: quota_spent" => Ok(Some(Refused::Spent)),
                "concurrency reached" => Ok(Some(Refused::Concurrency)),
                _ => Err(rusqlite::Error::SqliteFailure(error, Some(said))),
            }
        }
        Err(error) => Err(error),
    }
}
