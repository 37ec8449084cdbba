//! Every job that the configuration asks for: its records, its lock and its schedule, judged.

use std::path::Path;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use shared::config::{Config, SHIPPED, Shipped};
use shared::job::Context;
use shared::lock::{self, file_for};
use shared::store::{Past, Record, Store};
use shared::{Failure, Result};

use crate::result::JobResult;
use crate::state::{Seen, State, judge};
use crate::{days, schedule};

/// A job, and its runs of the last days.
pub struct Looked {
    pub result: JobResult,
    pub records: Vec<Record>,
}

/// The jobs that are expected to run by themselves, and how often. This one is left out: whoever reads it sees it run.
pub fn expected(config: &Config) -> Vec<(Shipped, Duration)> {
    let is_used = |name: &str| match name {
        "port-sheet-sync" => !config.sheets.is_empty(),
        "token-check" => !config.credentials.is_empty(),
        "quota-reset" => !config.quotas.is_empty(),
        "session-run" => config.session_run.is_some(),
        _ => false,
    };
    let every = |shipped: Shipped| Some((shipped, config.every(shipped.name)?));
    SHIPPED.into_iter().filter(|shipped| is_used(shipped.name)).filter_map(every).collect()
}

/// Looks at one job in the records.
pub fn look(
    context: &Context,
    store: &mut Store,
    (shipped, every): (Shipped, Duration),
    root: &Path,
    now: DateTime<Utc>,
) -> Result<Looked> {
    let job = shipped.name;
    let records = store.runs(job, now - TimeDelta::days(days::SHOWN))?;
    let past = store.past(job)?;
    let schedule = schedule::of(job, root);
    let deadline = context.config.job(job).deadline.unwrap_or(shipped.deadline);
    let seen = Seen {
        job,
        records: &records,
        past,
        is_locked: lock::is_held(&file_for(&context.state.locks(), job)),
        is_alone: shipped.is_alone,
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
    Ok(Looked { result, records })
}

/// A job whose records cannot be read.
pub fn unknown((shipped, every): (Shipped, Duration), root: &Path) -> JobResult {
    result(shipped.name, every, State::Unknown, None, Past::default(), root)
}

fn result(
    job: &str,
    every: Duration,
    state: State,
    error: Option<Failure>,
    past: Past,
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
