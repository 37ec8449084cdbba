//! The result of a run: the `session` of the JSON result, or the reason for none.

use chrono::NaiveDate;
use serde::Serialize;
use shared::Failure;
use shared::run::Report;
use shared::store::{Grant, SessionOutcome, Task};

/// The job's part of the JSON result.
#[derive(Debug, Default, Serialize)]
pub struct Body {
    /// The session that was run.
    pub session: Option<SessionResult>,
    /// Why none was run: `nothing-ready`, `spent`, `concurrency`, `clock` or `taken`; none when one was, and when a
    /// failure says it.
    pub idle: Option<&'static str>,
    /// The queue, where it was asked for or changed.
    pub tasks: Option<Vec<Task>>,
    /// What is worth knowing though nothing failed.
    pub notes: Vec<String>,
}

/// One session.
#[derive(Debug, Serialize)]
pub struct SessionResult {
    /// The quota that paid.
    pub quota: String,
    /// The UTC day that it counts for.
    pub day: NaiveDate,
    /// Its number within the day.
    pub seq: u32,
    /// How many the day may have.
    pub per_day: u32,
    /// The task.
    pub task: String,
    /// Which release of the task it ran.
    pub attempt: u32,
    /// How often the task had been resumed.
    pub resumes: u32,
    /// What came of it.
    pub outcome: SessionOutcome,
    /// The task's state after it; none when the claim was taken back meanwhile.
    pub state: Option<&'static str>,
    /// The turns that it took, where known.
    pub turns: Option<u32>,
    /// One line.
    pub summary: String,
    /// Where its output is.
    pub output: String,
}

impl SessionResult {
    /// Before anything came of it.
    pub fn of(grant: &Grant, output: String) -> Self {
        Self {
            quota: grant.quota.clone(),
            day: grant.day,
            seq: grant.seq,
            per_day: grant.per_day,
            task: grant.task.clone(),
            attempt: grant.attempt,
            resumes: grant.resumes,
            outcome: SessionOutcome::Failed,
            state: None,
            turns: None,
            summary: String::new(),
            output,
        }
    }

    fn line(&self) -> String {
        let Self { quota, day, seq, per_day, task, summary, .. } = self;
        let turns = self.turns.map(|turns| format!(", {turns} turns")).unwrap_or_default();
        format!(
            "{quota} {day}: session {seq} of {per_day}: task {task} {}{turns}: {summary}",
            self.outcome.as_str()
        )
    }
}

/// The report of a run.
pub fn report(body: Body, failures: Vec<Failure>) -> Report<Body> {
    let idle = body.idle.map(|why| match why {
        "spent" => "the day's sessions are spent",
        "concurrency" => "as many sessions are running as may",
        "clock" => "the clock is not believed",
        "taken" => "other runs were faster",
        _ => "no task is ready",
    });
    let session = body.session.as_ref().map(SessionResult::line);
    let summary = body.notes.iter().cloned().chain(session).chain(idle.map(str::to_owned)).collect();
    Report { failures, body, output: String::new(), summary }
}
