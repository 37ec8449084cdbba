//! What a run did, and how it ended, before either is printed and recorded.

use crate::Failure;
use crate::store::Outcome;

/// What a run did.
#[derive(Debug)]
pub struct Report<B> {
    /// What failed, one for each thing that did; none for success.
    pub failures: Vec<Failure>,
    /// The job's own part of the JSON result.
    pub body: B,
    /// Output that the flags asked for, such as a dry run's plan; printed unless `--json`.
    pub output: String,
    /// What was done, in a line or a few; printed on a terminal or with `-v`.
    pub summary: Vec<String>,
}

/// What a run answers a monitor, in place of the usual output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plugin {
    /// The one line on standard output.
    pub line: String,
    /// The exit code, of the plugin protocol's.
    pub code: u8,
}

/// How a run ended, before it is printed and recorded.
pub(super) struct Ended<B> {
    pub outcome: Outcome,
    pub report: Report<B>,
}

impl<B: Default> Report<B> {
    /// Only an answer.
    pub(super) fn answer(output: String) -> Self {
        Self { failures: Vec::new(), body: B::default(), output, summary: Vec::new() }
    }
}

impl<B: Default> Ended<B> {
    pub fn failed(failures: Vec<Failure>) -> Self {
        Self { outcome: Outcome::Failed, report: Report { failures, ..Report::answer(String::new()) } }
    }

    pub fn skipped(failure: Failure) -> Self {
        Self { outcome: Outcome::Skipped, ..Self::failed(vec![failure]) }
    }
}

impl<B> From<Report<B>> for Ended<B> {
    fn from(report: Report<B>) -> Self {
        let outcome = if report.failures.is_empty() { Outcome::Ok } else { Outcome::Failed };
        Self { outcome, report }
    }
}
