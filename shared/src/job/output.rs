//! What a run prints: JSON or text on standard output, errors with their hints on standard error.
//!
//! Success is quiet without a terminal, since cron mails whatever is printed.

use std::io::{IsTerminal, Write, stderr, stdout};

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Serialize, Serializer};

use super::{Common, Report};
use crate::Failure;
use crate::dirs::Environment;
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

/// Where a run's outcome goes.
#[derive(Clone, Copy)]
pub(super) struct Output {
    /// What every line on standard error begins with: a priority, where the journal reads it.
    mark: &'static str,
}

impl Output {
    pub fn of(environment: &Environment) -> Self {
        Self { mark: if environment.journal { "<3>" } else { "" } }
    }

    /// Prints what a run answers on standard output.
    pub fn print<B: Serialize>(self, common: &Common, frame: &Frame<'_, B>, report: &Report<B>) {
        if common.json {
            asked_for(&format!("{}\n", frame.to_json()));
        } else {
            asked_for(&report.output);
            if !common.quiet && (stdout().is_terminal() || common.verbose > 0) {
                asked_for(&report.summary.iter().map(|line| format!("{line}\n")).collect::<String>());
            }
        }
    }

    /// Prints errors and their hints on standard error.
    pub fn complain(self, failures: &[Failure]) {
        let mark = self.mark;
        for failure in failures {
            let _ = writeln!(stderr(), "{mark}error: {}\n{mark}hint: {}", failure.message, failure.hint);
        }
    }
}

/// Whether a person watches standard error: a terminal, neither hushed nor full of log lines.
pub(super) fn is_watched(common: &Common) -> bool {
    stderr().is_terminal() && !common.quiet && common.verbose == 0
}

/// Prints on standard output. A reader that went away is not our failure: the work is done and recorded.
pub(super) fn asked_for(text: &str) {
    let _ = stdout().write_all(text.as_bytes());
}
