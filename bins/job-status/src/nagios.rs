//! The one line and the exit code of a Nagios plugin. Pure.

use chrono::{DateTime, Utc};
use shared::run::nagios::{Level, line};
use shared::run::{Plugin, Report};

use crate::result::{Body, JobResult, outside};
use crate::state::State;

/// The line and the code for a monitor.
pub fn plugin(report: &Report<Body>) -> Plugin {
    let body = &report.body;
    let level = match (body.looked && body.records.is_none(), report.failures.is_empty()) {
        (false, _) => Level::Unknown,
        (true, true) => {
            if has_forecast(body) {
                Level::Warning
            } else {
                Level::Ok
            }
        }
        (true, false) if body.jobs.iter().any(|job| is_undone(job, body.now)) => Level::Critical,
        (true, false) => Level::from_failures(&report.failures),
    };
    let worst = report.failures.iter().min_by_key(|failure| failure.kind);
    let text = match worst {
        Some(failure) => {
            let (words, hint) = outside(failure, &body.alert);
            format!("{words}; {hint}")
        }
        None => body
            .credentials
            .iter()
            .find_map(|credential| Some((credential, credential.forecasts.first()?)))
            .map_or_else(
                || format!("{} jobs are fresh", body.jobs.len()),
                |(_, forecast)| format!("{}; {}", forecast.text, forecast.remedy),
            ),
    };
    let fresh = body.jobs.iter().filter(|job| job.state == State::Fresh).count();
    let mut numbers = format!("jobs={} fresh={fresh} failures={};;0", body.jobs.len(), report.failures.len());
    for job in &body.jobs {
        let age = job.last_success.map(|at| (body.now - at).num_seconds());
        let (warn, critical) = (job.every_seconds * 3 / 2, job.every_seconds * 5 / 2);
        numbers.extend(age.map(|age| format!(" '{}_age'={age}s;{warn};{critical}", job.job)));
    }
    line("JOBS", level, &text, &numbers)
}

/// What may pass is no longer a warning once the work has not been done for two and a half intervals.
fn is_undone(job: &JobResult, now: DateTime<Utc>) -> bool {
    let age = job.last_success.map(|at| (now - at).to_std().unwrap_or_default().as_secs());
    job.state != State::Fresh && age.is_none_or(|age| age > job.every_seconds * 5 / 2)
}

fn has_forecast(body: &Body) -> bool {
    body.credentials.iter().any(|credential| !credential.forecasts.is_empty())
}
