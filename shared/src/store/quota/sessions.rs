//! Sessions: granted with the claim of a task, kept alive by their runner, ended once, or taken back.

use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};
use rusqlite::{ErrorCode, OptionalExtension, Transaction, params};
use serde::Serialize;

use super::{clock, day, posts, queue};
use crate::Result;
use crate::event::Event;
use crate::quota::{Moment, alerts};
use crate::store::{Store, events, stamp};

/// How many failures of a task in a row people are told of; also how often a task is taken up again whose runner dies.
const FAILURES_TOLD: u32 = 3;

/// What came of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SessionOutcome {
    /// The task is done.
    Done,
    /// It failed.
    Failed,
    /// The turns were spent; the task goes on in another session.
    TurnLimit,
    /// A person must decide something.
    NeedsYou,
    /// The dashboard took the task back: it begins again when it is listed again.
    Lost,
}

impl SessionOutcome {
    /// The word that the ledger, the dashboard and result files use.
    pub fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::TurnLimit => "turn-limit",
            Self::NeedsYou => "needs-you",
            Self::Lost => "lost",
        }
    }
}

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

/// How a session ended.
#[derive(Clone, Copy, Debug)]
pub struct Ending<'a> {
    /// What came of it.
    pub outcome: SessionOutcome,
    /// How many turns it took, where known; no more than it was granted.
    pub turns: Option<u32>,
    /// One line.
    pub summary: &'a str,
    /// How often a task that reached its turn limit is resumed.
    pub max_resumes: u32,
}

/// What became of a task after its session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finished {
    /// It is in this state now.
    Task(&'static str),
    /// The claim had been taken back meanwhile; nothing was changed.
    TakenBack,
}

/// A claim that was taken back from a runner that is gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Lost {
    /// The task.
    pub task: String,
    /// The release that was being run.
    pub attempt: u32,
    /// The runner.
    pub runner: String,
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
            let until = lease_until(moment, claim.lease);
            let values = params![claim.task, claim.runner, moment.boot, until, stamp(moment.now)];
            transaction.prepare(update)?.execute(values)?;
            Ok(Ok(grant))
        })
    }

    /// Renews a claim. False when it was taken back: the session must end and will not be counted as anything but lost.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when the database cannot be written.
    pub fn heartbeat(&mut self, claim: &Claim<'_>, moment: &Moment) -> Result<bool> {
        let update = "UPDATE quota_task SET lease_boot = ?3, lease_until = ?4
            WHERE id = ?1 AND runner = ?2 AND attempt = ?5 AND state = 'claimed'";
        let until = lease_until(moment, claim.lease);
        let values = params![claim.task, claim.runner, moment.boot, until, claim.attempt];
        self.transaction(|transaction| transaction.execute(update, values)).map(|renewed| renewed == 1)
    }

    /// Records how a session ended, and what becomes of its task.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when the database cannot be written.
    pub fn finish(&mut self, claim: &Claim<'_>, ending: &Ending<'_>, now: DateTime<Utc>) -> Result<Finished> {
        self.transaction(|transaction| {
            let Some(known) = claimed(transaction, claim)? else { return Ok(Finished::TakenBack) };
            let (outcome, turns, at) = (ending.outcome.word(), ending.turns, stamp(now));
            let end = "UPDATE quota_session SET ended = ?3, outcome = ?4, turns = ?5, summary = ?6
                WHERE task = ?1 AND attempt = ?2";
            let values = params![claim.task, claim.attempt, at, outcome, turns, ending.summary];
            transaction.prepare(end)?.execute(values)?;
            let after = known.after(claim, ending);
            after.save(transaction, claim.task, ending.summary, &at)?;
            events::insert(transaction, &after.events, now)?;
            if ending.outcome == SessionOutcome::Lost {
                // It is somebody else's now: a report would end it for them.
                queue::withdraw(transaction, claim.task)?;
            } else if known.source == "dashboard" {
                posts::insert_report(transaction, claim, &known, ending, after.state, now)?;
            }
            Ok(Finished::Task(after.state))
        })
    }

    /// The claims whose lease has run out.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when the database cannot be read.
    pub fn expired(&mut self, moment: &Moment) -> Result<Vec<Lost>> {
        self.transaction(|transaction| expired(transaction, moment))
    }

    /// Takes back every claim whose lease has run out. Their sessions stay counted, as lost.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when the database cannot be written.
    pub fn take_back(&mut self, moment: &Moment) -> Result<Vec<Lost>> {
        self.transaction(|transaction| {
            let expired = expired(transaction, moment)?;
            for lost in &expired {
                take_back(transaction, lost, moment.now)?;
            }
            Ok(expired)
        })
    }
}

/// Leases are counted by the clock since boot, so that a step of the wall clock ends none.
fn lease_until(moment: &Moment, lease: Duration) -> i64 {
    moment.uptime_s.saturating_add(i64::try_from(lease.as_secs()).unwrap_or(i64::MAX))
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

/// A task as its runner finds it when the session ends.
pub(super) struct Known {
    pub(super) source: String,
    pub(super) quota: String,
    pub(super) day: NaiveDate,
    pub(super) seq: u32,
    resumes: u32,
    failures: u32,
}

/// What a session leaves of its task.
struct After {
    state: &'static str,
    resumes: u32,
    failures: u32,
    events: Vec<Event>,
}

impl Known {
    fn after(&self, claim: &Claim<'_>, ending: &Ending<'_>) -> After {
        let same =
            |state| After { state, resumes: self.resumes, failures: self.failures, events: Vec::new() };
        let asks = |why: &str| vec![alerts::needs_you(claim.task, claim.attempt, why)];
        match ending.outcome {
            SessionOutcome::Done => After { failures: 0, ..same("done") },
            SessionOutcome::Failed => {
                let failures = self.failures + 1;
                After { failures, events: told(claim.task, failures, ending.summary), ..same("failed") }
            }
            SessionOutcome::TurnLimit if self.resumes < ending.max_resumes => {
                After { resumes: self.resumes + 1, ..same("turn-limit") }
            }
            SessionOutcome::TurnLimit => {
                let why = format!("it reached its turn limit {} times", self.resumes + 1);
                After { events: asks(&why), ..same("needs-you") }
            }
            SessionOutcome::NeedsYou => After { events: asks(ending.summary), ..same("needs-you") },
            SessionOutcome::Lost => same("pending"),
        }
    }
}

impl After {
    fn save(
        &self,
        transaction: &Transaction<'_>,
        task: &str,
        summary: &str,
        at: &str,
    ) -> rusqlite::Result<()> {
        let update =
            "UPDATE quota_task SET state = ?2, resumes = ?3, failures = ?4, summary = ?5, changed = ?6,
            runner = NULL, lease_boot = NULL, lease_until = NULL WHERE id = ?1";
        let values = params![task, self.state, self.resumes, self.failures, summary, at];
        transaction.prepare(update)?.execute(values).map(drop)
    }
}

fn told(task: &str, failures: u32, why: &str) -> Vec<Event> {
    if failures.is_multiple_of(FAILURES_TOLD) {
        vec![alerts::failed_repeatedly(task, failures, why)]
    } else {
        Vec::new()
    }
}

fn claimed(transaction: &Transaction<'_>, claim: &Claim<'_>) -> rusqlite::Result<Option<Known>> {
    let query = "SELECT source, task.quota, day, seq, resumes, failures
        FROM quota_task AS task JOIN quota_session AS session ON session.task = task.id AND session.attempt = task.attempt
        WHERE id = ?1 AND task.attempt = ?2 AND task.runner = ?3 AND state = 'claimed' AND ended IS NULL";
    let known = |row: &rusqlite::Row<'_>| {
        Ok(Known {
            source: row.get(0)?,
            quota: row.get(1)?,
            day: day(row, 2)?,
            seq: row.get(3)?,
            resumes: row.get(4)?,
            failures: row.get(5)?,
        })
    };
    let values = params![claim.task, claim.attempt, claim.runner];
    transaction.prepare(query)?.query_row(values, known).optional()
}

fn expired(transaction: &Transaction<'_>, moment: &Moment) -> rusqlite::Result<Vec<Lost>> {
    let query = "SELECT id, attempt, runner FROM quota_task
        WHERE quota IN (SELECT name FROM quota) AND state = 'claimed' AND (lease_boot <> ?1 OR lease_until < ?2)";
    let mut query = transaction.prepare(query)?;
    let lost =
        |row: &rusqlite::Row<'_>| Ok(Lost { task: row.get(0)?, attempt: row.get(1)?, runner: row.get(2)? });
    let rows = query.query_map(params![moment.boot, moment.uptime_s], lost)?;
    rows.collect()
}

fn take_back(transaction: &Transaction<'_>, lost: &Lost, now: DateTime<Utc>) -> rusqlite::Result<()> {
    const WHY: &str = "its runner died";
    let claim =
        Claim { task: &lost.task, attempt: lost.attempt, runner: &lost.runner, lease: Duration::ZERO };
    let at = stamp(now);
    let Some(known) = claimed(transaction, &claim)? else { return Ok(()) };
    let end = "UPDATE quota_session SET ended = ?3, outcome = 'lost', summary = ?4 WHERE task = ?1 AND attempt = ?2";
    transaction.execute(end, params![lost.task, lost.attempt, at, WHY])?;
    let failures = known.failures + 1;
    let is_hopeless = failures.is_multiple_of(FAILURES_TOLD);
    let state = if is_hopeless { "failed" } else { "pending" };
    let events = told(&lost.task, failures, WHY);
    let after = After { state, resumes: known.resumes, failures, events };
    after.save(transaction, &lost.task, WHY, &at)?;
    events::insert(transaction, &after.events, now)?;
    if is_hopeless && known.source == "dashboard" {
        let ending = Ending { outcome: SessionOutcome::Failed, turns: None, summary: WHY, max_resumes: 0 };
        posts::insert_report(transaction, &claim, &known, &ending, state, now)?;
    }
    Ok(())
}
