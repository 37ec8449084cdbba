//! Endings: how a session ended, what becomes of its task, and who hears of it.

use chrono::{DateTime, NaiveDate, Utc};
use rusqlite::{OptionalExtension, Transaction, params};
use serde::Serialize;
use serde_json::{Value, json};

use super::{Claim, day, offer, posts};
use crate::Result;
use crate::event::Event;
use crate::quota::alerts;
use crate::store::{Store, events, stamp};

/// How many failures of a task in a row people are told of; also how often a task is taken up again whose runner dies.
pub(super) const FAILURES_TOLD: u32 = 3;

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

impl Store {
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
                offer::withdraw(transaction, claim.task)?;
            } else if known.source == "dashboard" {
                posts::insert_report(transaction, claim, &known.report(claim, ending, after.state), now)?;
            }
            Ok(Finished::Task(after.state))
        })
    }
}

/// A task as its runner finds it when the session ends.
pub(super) struct Known {
    pub(super) source: String,
    pub(super) quota: String,
    pub(super) day: NaiveDate,
    pub(super) seq: u32,
    pub(super) resumes: u32,
    pub(super) failures: u32,
}

/// What a session leaves of its task.
pub(super) struct After {
    pub(super) state: &'static str,
    pub(super) resumes: u32,
    pub(super) failures: u32,
    pub(super) events: Vec<Event>,
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

    /// What the dashboard hears of a session that left its task in this state.
    pub(super) fn report(&self, claim: &Claim<'_>, ending: &Ending<'_>, state: &str) -> Value {
        json!({
            "attempt": claim.attempt,
            "outcome": ending.outcome.word(),
            "state": state,
            "turns": ending.turns,
            "summary": ending.summary,
            "quota": self.quota,
            "day": self.day.to_string(),
            "seq": self.seq,
        })
    }
}

impl After {
    pub(super) fn save(
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

pub(super) fn told(task: &str, failures: u32, why: &str) -> Vec<Event> {
    if failures.is_multiple_of(FAILURES_TOLD) {
        vec![alerts::failed_repeatedly(task, failures, why)]
    } else {
        Vec::new()
    }
}

pub(super) fn claimed(transaction: &Transaction<'_>, claim: &Claim<'_>) -> rusqlite::Result<Option<Known>> {
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
