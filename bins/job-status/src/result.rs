//! The result of a run: lists of jobs, sheets, credentials, sinks, the machine, and errors.

use chrono::{DateTime, Utc};
use serde::Serialize;
use shared::alert::Finding;
use shared::alert::subject::public;
use shared::config::Alert;
use shared::store::{QuotaSummary, SinkState};
use shared::{Failure, Kind};

use crate::days::Day;
use crate::errors::Repeated;
use crate::host::Host;
use crate::schedule::Schedule;
use crate::state::State;

/// The job's part of the JSON result.
#[derive(Debug, Default, Serialize)]
pub struct Body {
    /// Every job that the configuration asks for.
    pub jobs: Vec<JobResult>,
    /// Every sheet.
    pub sheets: Vec<SheetSummary>,
    /// Every credential.
    pub credentials: Vec<CredentialSummary>,
    /// Every quota of sessions, where there is a ledger of them.
    pub quotas: Vec<QuotaSummary>,
    /// Every sink of alerts and every monitor, as far as they were used.
    pub sinks: Vec<SinkState>,
    /// The machine; none for a run that never began.
    pub host: Option<Host>,
    /// Errors of the last 30 days, the latest first, repeated ones once.
    pub errors: Vec<Repeated>,
    /// Why the records could not be used.
    pub records: Option<Failure>,
    /// When this was found.
    #[serde(skip)]
    pub now: DateTime<Utc>,
    /// What else failed: the machine, sinks, what cannot be read.
    #[serde(skip)]
    pub others: Vec<Failure>,
    /// What failed of this job itself.
    #[serde(skip)]
    pub own: Option<Failure>,
    /// Findings that no other job reports.
    #[serde(skip)]
    pub findings: Vec<Finding>,
    /// What may leave the machine.
    #[serde(skip)]
    pub alert: Alert,
    /// Whether anything was looked at.
    #[serde(skip)]
    pub looked: bool,
}

/// One job.
#[derive(Debug, Serialize)]
pub struct JobResult {
    /// The executable.
    pub job: String,
    /// Its state.
    pub state: State,
    /// What is wrong and what to do.
    pub error: Option<Failure>,
    /// How often it is expected to run, in seconds.
    pub every_seconds: u64,
    /// When its last run started.
    pub last_run: Option<DateTime<Utc>>,
    /// When its last success ended.
    pub last_success: Option<DateTime<Utc>>,
    /// When a run last changed something.
    pub last_change: Option<DateTime<Utc>>,
    /// Runs in a row that failed or were skipped.
    pub consecutive_failures: u32,
    /// What starts it, as far as can be seen.
    pub schedule: Schedule,
    /// Its last 30 days.
    #[serde(skip)]
    pub days: Vec<Day>,
}

/// One sheet.
#[derive(Debug, Serialize)]
pub struct SheetSummary {
    /// Its name in the configuration.
    pub sheet: String,
    /// When it was last seen to be in step.
    pub last_good: Option<DateTime<Utc>>,
    /// What is wrong and what to do.
    pub error: Option<Failure>,
}

/// One credential.
#[derive(Debug, Serialize)]
pub struct CredentialSummary {
    /// Its name in the configuration.
    pub credential: String,
    /// When this authorization was first seen.
    pub obtained: Option<DateTime<Utc>>,
    /// When it last gave a token.
    pub last_good: Option<DateTime<Utc>>,
    /// What is wrong and what to do.
    pub error: Option<Failure>,
    /// What it will die of, and the remedy.
    pub forecasts: Vec<ForecastSummary>,
}

/// One thing that will end a credential.
#[derive(Debug, Serialize)]
pub struct ForecastSummary {
    /// What.
    pub text: String,
    /// What helps.
    pub remedy: String,
}

/// A failure and its remedy as they may be shown outside this machine. A text that quotes bookings is replaced by a
/// text that names the subject only.
pub fn outside(failure: &Failure, settings: &Alert) -> (String, String) {
    if failure.kind != Kind::Data {
        return (failure.message.clone(), failure.hint.clone());
    }
    let subject = failure.message.split_once(": ").map_or("the content", |(subject, _)| subject);
    let (words, hint) = public(failure, subject, settings);
    (format!("{subject}: {words}"), hint)
}

impl Body {
    /// Everything that is wrong.
    pub fn failures(&self) -> Vec<Failure> {
        let jobs = self.jobs.iter().filter_map(|job| job.error.as_ref());
        let sheets = self.sheets.iter().filter_map(|sheet| sheet.error.as_ref());
        let credentials = self.credentials.iter().filter_map(|credential| credential.error.as_ref());
        self.records
            .iter()
            .chain(jobs)
            .chain(sheets)
            .chain(credentials)
            .chain(&self.others)
            .cloned()
            .collect()
    }
}
