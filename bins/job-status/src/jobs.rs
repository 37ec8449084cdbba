//! Every job that the configuration asks for: its records, its lock and its schedule, judged.

use std::path::Path;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use shared::config::{Config, EXECUTABLES, Executable};
use shared::run::Context;
use shared::store::{RunRecord, RunSummary, Store};
use shared::sys::lock::{self, file_for};
use shared::{Failure, Result};

use crate::result::JobResult;
use crate::state::{Seen, State, judge};
use crate::{days, schedule};

/// A job, and its runs of the last days.
pub struct InspectedJob {
    pub result: JobResult,
    pub records: Vec<RunRecord>,
}

/// A job that is expected to run by itself, and how often.
#[derive(Clone, Copy)]
pub struct ExpectedJob {
    executable: Executable,
    every: Duration,
}

impl ExpectedJob {
    pub fn name(self) -> &'static str {
        self.executable.name
    }
}

/// The jobs that are expected to run by themselves. This job is left out: its reader sees it run.
pub fn expected(config: &Config) -> Vec<ExpectedJob> {
    let used = EXECUTABLES.into_iter().filter(|executable| is_used(config, executable.name));
    used.filter_map(|executable| Some(ExpectedJob { executable, every: config.every(executable.name)? }))
        .collect()
}

fn is_used(config: &Config, name: &str) -> bool {
    match name {
        "port-sheet-sync" => !config.sheets.is_empty(),
        "token-check" => !config.credentials.is_empty(),
        "quota-reset" => !config.quotas.is_empty(),
        "session-run" => config.session_run.is_some(),
        _ => false,
    }
}

/// Inspects one job in the records.
pub fn inspect_job(
    context: &Context,
    store: &mut Store,
    expected: ExpectedJob,
    root: &Path,
    now: DateTime<Utc>,
) -> Result<InspectedJob> {
    let ExpectedJob { executable, every } = expected;
    let job = executable.name;
    let records = store.runs(job, now - TimeDelta::days(days::SHOWN))?;
    let past = store.run_summary(job)?;
    let schedule = schedule::of(job, root);
    let deadline = context.config.job(job).deadline.unwrap_or(executable.deadline);
    let seen = Seen {
        job,
        records: &records,
        past,
        is_locked: lock::is_held(&file_for(&context.state.locks(), job)),
        is_alone: executable.is_alone,
        every,
        deadline,
        start: &schedule.start(job),
    };
    let (state, error) = judge(&seen, now);
    let result = JobResult {
        last_run: records.last().map(|record| record.started),
        days: days::of(&records, deadline, now),
        ..result(job, every, state, error, past, root)
    };
    Ok(InspectedJob { result, records })
}

/// A job whose records cannot be read.
pub fn unknown(expected: ExpectedJob, root: &Path) -> JobResult {
    result(expected.executable.name, expected.every, State::Unknown, None, RunSummary::default(), root)
}

fn result(
    job: &str,
    every: Duration,
    state: State,
    error: Option<Failure>,
    past: RunSummary,
    root: &Path,
) -> JobResult {
    JobResult {
        job: job.to_owned(),
        state,
        error,
        every_seconds: every.as_secs(),
        last_run: None,
        last_success: past.last_success,
        last_change: past.last_change,
        consecutive_failures: past.failures,
        schedule: schedule::of(job, root),
        days: Vec::new(),
    }
}
