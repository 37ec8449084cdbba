//! What a run prints: JSON or text on standard output, errors with their hints on standard error.
//!
//! Without a terminal success prints nothing, since cron mails everything that is printed.

use std::io::{IsTerminal, Write, stderr, stdout};

use chrono::{DateTime, Utc};
use log::debug;
use serde::{Serialize, Serializer};

use super::{Common, Report};
use crate::Failure;
use crate::outcome::Outcome;
use crate::store::Run;
use crate::sys::dirs::Environment;
use crate::time::timestamp;

/// The fields that every JSON result has, in the order of the contract, with the job's own behind them.
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

    /// One line. It cannot fail for the bodies of our jobs, which are plain structures.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self)
            .unwrap_or_else(|error| format!("{{\"exit\":70,\"error\":{:?}}}", error.to_string()))
    }
}

fn seconds<S: Serializer>(time: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&timestamp(*time))
}

/// Standard output and standard error.
#[derive(Clone, Copy)]
pub(super) struct Output {
    /// The start of every line on standard error: a priority, if the journal reads it.
    prefix: &'static str,
}

impl Output {
    pub fn new(environment: &Environment) -> Self {
        Self { prefix: if environment.journal { "<3>" } else { "" } }
    }

    /// Prints the result on standard output.
    pub fn print<B: Serialize>(self, common: &Common, frame: &Frame<'_, B>, report: &Report<B>) {
        if common.json {
            write_output(&format!("{}\n", frame.to_json()));
        } else {
            write_output(&report.output);
            if !common.quiet && (stdout().is_terminal() || common.verbose > 0) {
                write_output(&report.summary.iter().map(|line| format!("{line}\n")).collect::<String>());
            }
        }
    }

    /// Prints errors and their hints on standard error; with `-vv`, the log has the causes below each.
    pub fn print_failures(self, failures: &[Failure]) {
        let prefix = self.prefix;
        for failure in failures {
            let _ = writeln!(stderr(), "{prefix}error: {}\n{prefix}hint: {}", failure.message, failure.hint);
            failure.causes().for_each(|cause| debug!("caused by: {cause}"));
        }
    }
}

/// True if a user reads standard error: a terminal, neither quiet nor full of log lines.
pub(super) fn is_watched(common: &Common) -> bool {
    stderr().is_terminal() && !common.quiet && common.verbose == 0
}

/// Writes to standard output. A reader that went away is no failure: the work is done and recorded.
pub(super) fn write_output(text: &str) {
    let _ = stdout().write_all(text.as_bytes());
}
