//! What a run prints: JSON or text on standard output, errors with their hints on standard error.
//!
//! Success is quiet without a terminal, since cron mails whatever is printed.

use std::io::{IsTerminal, Write, stderr, stdout};

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Serialize, Serializer};

use super::{Common, Report};
use crate::Failure;
use crate::store::{Outcome, Run};

/// The frame of every JSON result, as the contract lays it out.
#[derive(Serialize)]
pub(super) struct Frame<'a, B> {
    job: &'static str,
    run: &'a str,
    #[serde(serialize_with = "seconds")]
    started: DateTime<Utc>,
    #[serde(serialize_with = "seconds")]
    finished: DateTime<Utc>,
    outcome: Outcome,
    pub exit: u8,
    pub error: Option<&'a Failure>,
    #[serde(flatten)]
    body: &'a B,
}

impl<'a, B: Serialize> Frame<'a, B> {
    pub fn new(run: &'a Run, finished: DateTime<Utc>, outcome: Outcome, report: &'a Report<B>) -> Self {
        let error = report.failures.iter().min_by_key(|failure| failure.kind);
        let exit = error.map_or(0, |failure| failure.kind.exit_code());
        Self {
            job: run.job,
            run: &run.id,
            started: run.started,
            finished,
            outcome,
            exit,
            error,
            body: &report.body,
        }
    }

    /// One line. The bodies are our own plain structures, which always serialize.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self)
            .unwrap_or_else(|error| format!("{{\"exit\":70,\"error\":{:?}}}", error.to_string()))
    }
}

fn seconds<S: Serializer>(time: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&time.to_rfc3339_opts(SecondsFormat::Secs, true))
}

/// Prints the outcome of a run.
pub(super) fn print<B: Serialize>(common: &Common, frame: &Frame<'_, B>, report: &Report<B>) {
    if common.json {
        asked_for(&format!("{}\n", frame.to_json()));
    } else {
        asked_for(&report.output);
        if !common.quiet && (stdout().is_terminal() || common.verbose > 0) {
            asked_for(&report.summary.iter().map(|line| format!("{line}\n")).collect::<String>());
        }
    }
    report.failures.iter().for_each(complain);
}

/// Prints on standard output. A reader that went away is not our failure: the work is done and recorded.
pub(super) fn asked_for(text: &str) {
    let _ = stdout().write_all(text.as_bytes());
}

/// Prints an error and its hint on standard error.
pub(super) fn complain(failure: &Failure) {
    let _ = writeln!(stderr(), "error: {}\nhint: {}", failure.message, failure.hint);
}
