//! The end of a session: its outcome, the new state of its task, and the report of both.

use chrono::{DateTime, NaiveDate, Utc};
use rusqlite::{OptionalExtension, Row, Transaction, params};
use serde::Serialize;
use serde_json::{Value, json};

use super::{Claim, dashboard_list, day, outbox};
use crate::Result;
use crate::alert::event::Event;
use crate::quota::alerts;
use crate::store::{Store, events, stamp};

/// After how many failures of a task in a row an event is recorded. A task whose runner died this often has failed.
pub(super) const FAILURE_LIMIT: u32 = 3;

/// The outcome of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SessionOutcome {
    /// The task is done.
    Done,
    /// The task failed.
    Failed,
    /// The turns are used up; the task continues in another session.
    TurnLimit,
    /// A user must decide something.
    NeedsYou,
    /// The dashboard gave the task to another runner. It begins again when it is listed again.
    Lost,
}

impl SessionOutcome {
    /// The name in the ledger, in reports and in result files.
    pub fn as_str(self) -> &'static str {
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
pub struct SessionEnding<'a> {
    /// The outcome, as the session reported it.
    pub outcome: SessionOutcome,
    /// The turns used, if known; at most those of the grant.
    pub turns: Option<u32>,
    /// One line of text.
    pub summary: &'a str,
    /// How often a task that reached its turn limit is resumed.
    pub max_resumes: u32,
}

/// What became of a task after its session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finished {
    /// The task is now in this state.
    Task(&'static str),
    /// The claim was reclaimed meanwhile, so nothing was changed.
    TakenBack,
}

impl Store {
    /// Records how a session ended, and the new state of its task.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when the database cannot be written.
    pub fn finish(
        &mut self,
        claim: &Claim<'_>,
        ending: &SessionEnding<'_>,
        now: DateTime<Utc>,
    ) -> Result<Finished> {
        self.transaction(|transaction| {
            let Some(known) = claimed(transaction, claim)? else { return Ok(Finished::TakenBack) };
            let (outcome, turns, at) = (ending.outcome.as_str(), ending.turns, stamp(now));
            let end = "UPDATE quota_session SET ended = ?3, outcome = ?4, turns = ?5, summary = ?6
                WHERE task = ?1 AND attempt = ?2";
            let values = params![claim.task, claim.attempt, at, outcome, turns, ending.summary];
            transaction.prepare(end)?.execute(values)?;
            let after = known.after(claim, ending);
            after.save(transaction, claim.task, ending.summary, &at)?;
            events::insert(transaction, &after.events, now)?;
            if ending.outcome == SessionOutcome::Lost {
                // Another runner has the task: a report would end it for that one.
                dashboard_list::withdraw(transaction, claim.task)?;
            } else if known.source == "dashboard" {
                outbox::insert_report(transaction, claim, &known.report(claim, ending, after.state), now)?;
            }
            Ok(Finished::Task(after.state))
        })
    }
}

/// A claimed task, before its session ends.
pub(super) struct ClaimedSession {
    pub(super) source: String,
    pub(super) quota: String,
    pub(super) day: NaiveDate,
    pub(super) seq: u32,
    pub(super) resumes: u32,
    pub(super) failures: u32,
}

/// A task after its session.
pub(super) struct After {
    pub(super) state: &'static str,
    pub(super) resumes: u32,
    pub(super) failures: u32,
    pub(super) events: Vec<Event>,
}

impl ClaimedSession {
    fn after(&self, claim: &Claim<'_>, ending: &SessionEnding<'_>) -> After {
        match ending.outcome {
            SessionOutcome::Done => After { failures: 0, ..self.in_state("done") },
            SessionOutcome::Failed => {
                let failures = self.failures + 1;
                After {
                    failures,
                    events: failure_events(claim.task, failures, ending.summary),
                    ..self.in_state("failed")
                }
            }
            SessionOutcome::TurnLimit if self.resumes < ending.max_resumes => {
                After { resumes: self.resumes + 1, ..self.in_state("turn-limit") }
            }
            SessionOutcome::TurnLimit => {
                let why = format!("it reached its turn limit {} times", self.resumes + 1);
                After {
                    events: vec![alerts::needs_you(claim.task, claim.attempt, &why)],
                    ..self.in_state("needs-you")
                }
            }
            SessionOutcome::NeedsYou => After {
                events: vec![alerts::needs_you(claim.task, claim.attempt, ending.summary)],
                ..self.in_state("needs-you")
            },
            SessionOutcome::Lost => self.in_state("pending"),
        }
    }

    fn in_state(&self, state: &'static str) -> After {
        After { state, resumes: self.resumes, failures: self.failures, events: Vec::new() }
    }

    /// The report of a session that left its task in this state.
    pub(super) fn report(&self, claim: &Claim<'_>, ending: &SessionEnding<'_>, state: &str) -> Value {
        json!({
            "attempt": claim.attempt,
            "outcome": ending.outcome.as_str(),
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

pub(super) fn failure_events(task: &str, failures: u32, why: &str) -> Vec<Event> {
    if failures.is_multiple_of(FAILURE_LIMIT) {
        vec![alerts::failed_repeatedly(task, failures, why)]
    } else {
        Vec::new()
    }
}

pub(super) fn claimed(
    transaction: &Transaction<'_>,
    claim: &Claim<'_>,
) -> rusqlite::Result<Option<ClaimedSession>> {
    let query = "SELECT source, task.quota, day, seq, resumes, failures
        FROM quota_task AS task JOIN quota_session AS session ON session.task = task.id AND session.attempt = task.attempt
        WHERE id = ?1 AND task.attempt = ?2 AND task.runner = ?3 AND state = 'claimed' AND ended IS NULL";
    let values = params![claim.task, claim.attempt, claim.runner];
    transaction.prepare(query)?.query_row(values, claimed_session).optional()
}

fn claimed_session(row: &Row<'_>) -> rusqlite::Result<ClaimedSession> {
    Ok(ClaimedSession {
        source: row.get(0)?,
        quota: row.get(1)?,
        day: day(row, 2)?,
        seq: row.get(3)?,
        resumes: row.get(4)?,
        failures: row.get(5)?,
    })
}
