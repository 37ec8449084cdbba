//! What a run did: as the job reports it, as it ended, and as it is when it is over.

use chrono::{DateTime, Utc};

use crate::Failure;
use crate::alert::Findings;
use crate::metrics::Numbers;
use crate::outcome::Outcome;
use crate::store::Run;

/// What a job did.
#[derive(Debug)]
pub struct Report<B> {
    /// Empty for success.
    pub failures: Vec<Failure>,
    /// The job's own part of the JSON result.
    pub body: B,
    /// Output that the flags asked for, such as a dry run's plan; printed unless `--json`.
    pub output: String,
    /// What was done, in a line or a few; printed on a terminal or with `-v`.
    pub summary: Vec<String>,
}

/// The line and the exit code for a monitor that runs the executable as a plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plugin {
    /// Printed on standard output, without a line break.
    pub line: String,
    /// A code of the plugin protocol, not of [`crate::Kind`].
    pub code: u8,
}

/// How a run ended, before it is recorded and printed.
pub(super) struct Ending<B> {
    pub outcome: Outcome,
    pub report: Report<B>,
}

/// A run that is recorded and printed, for metrics, ping and alerts.
pub(super) struct FinishedRun<'a> {
    pub run: &'a Run,
    pub finished: DateTime<Utc>,
    pub outcome: Outcome,
    pub exit: u8,
    pub findings: Findings,
    pub numbers: Numbers,
    /// Why the run could not be recorded.
    pub unrecorded: Option<Failure>,
}

impl<B: Default> Report<B> {
    pub(super) fn from_output(output: String) -> Self {
        Self { failures: Vec::new(), body: B::default(), output, summary: Vec::new() }
    }
}

impl<B: Default> Ending<B> {
    pub fn failed(failures: Vec<Failure>) -> Self {
        Self { outcome: Outcome::Failed, report: Report { failures, ..Report::from_output(String::new()) } }
    }

    pub fn skipped(failure: Failure) -> Self {
        Self { outcome: Outcome::Skipped, ..Self::failed(vec![failure]) }
    }
}

impl<B> From<Report<B>> for Ending<B> {
    fn from(report: Report<B>) -> Self {
        let outcome = if report.failures.is_empty() { Outcome::Ok } else { Outcome::Failed };
        Self { outcome, report }
    }
}
