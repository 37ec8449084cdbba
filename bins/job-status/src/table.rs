//! The status for a terminal, and as metrics. Pure.

use chrono::{DateTime, Utc};
use shared::Failure;
use shared::metrics::{self, Sample};
use shared::store::QuotaSummary;
use shared::time::duration_text;

use crate::result::{Body, JobResult};
use crate::state::State;

const HEADER: [&str; 6] = ["job", "state", "last run", "last success", "last change", "started by"];

/// How many errors of the past are listed.
const ERRORS_SHOWN: usize = 5;

/// Whether colours are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    Plain,
    Ansi,
}

/// The lines.
pub fn lines(body: &Body, wants_colour: bool) -> Vec<String> {
    let colour = if wants_colour { Colour::Ansi } else { Colour::Plain };
    let rows: Vec<[String; 6]> = std::iter::once(HEADER.map(str::to_owned))
        .chain(body.jobs.iter().map(|job| row(job, body.now)))
        .collect();
    let widths: Vec<usize> = (0..HEADER.len())
        .map(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0))
        .collect();
    let states = std::iter::once(None).chain(body.jobs.iter().map(|job| Some(job.state)));
    let jobs = rows.iter().zip(states).map(|(row, state)| line(row, &widths, state, colour));
    jobs.chain(others(body)).collect()
}

fn line(row: &[String; 6], widths: &[usize], state: Option<State>, colour: Colour) -> String {
    let cells = row.iter().zip(widths).enumerate().map(|(column, (cell, width))| {
        let padded = format!("{cell:width$}");
        match (column, state, colour) {
            (1, Some(State::Fresh), Colour::Ansi) => format!("\x1b[32m{padded}\x1b[0m"),
            (1, Some(_), Colour::Ansi) => format!("\x1b[31m{padded}\x1b[0m"),
            _ => padded,
        }
    });
    cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
}

fn row(job: &JobResult, now: DateTime<Utc>) -> [String; 6] {
    let state = job.state.as_str().to_owned();
    let schedule = job.schedule.text().to_owned();
    let [run, success, change] = [job.last_run, job.last_success, job.last_change].map(|time| ago(time, now));
    [job.job.clone(), state, run, success, change, schedule]
}

/// How long ago, as text.
pub fn ago(time: Option<DateTime<Utc>>, now: DateTime<Utc>) -> String {
    time.map_or_else(|| "never".to_owned(), |time| format!("{} ago", duration_text(now - time)))
}

fn others(body: &Body) -> Vec<String> {
    let mut lines = Vec::new();
    for sheet in &body.sheets {
        let word = standing(sheet.error.as_ref(), sheet.last_good);
        lines.push(format!("sheet {:?}: {word}; in step {}", sheet.sheet, ago(sheet.last_good, body.now)));
    }
    for credential in &body.credentials {
        let name = &credential.credential;
        let word = standing(credential.error.as_ref(), credential.last_good);
        lines
            .push(format!("credential {name:?}: {word}; last token {}", ago(credential.last_good, body.now)));
        let forecasts = credential.forecasts.iter();
        lines.extend(forecasts.map(|forecast| format!("  to come: {}; {}", forecast.text, forecast.remedy)));
    }
    lines.extend(body.quotas.iter().map(quota));
    lines.extend(body.host.iter().map(host));
    for error in body.errors.iter().take(ERRORS_SHOWN) {
        let (job, times, last) = (&error.job, error.times, ago(Some(error.last), body.now));
        lines.push(format!("{times} × {job}, last {last}: {}", error.error.message));
    }
    lines
}

/// The state of a sheet or a credential, in words. One that was not tried yet neither works nor fails.
pub fn standing(error: Option<&Failure>, last_good: Option<DateTime<Utc>>) -> &'static str {
    match (error, last_good) {
        (Some(_), _) => "fails",
        (None, Some(_)) => "works",
        (None, None) => "not seen yet",
    }
}

/// A quota in a line.
pub fn quota(quota: &QuotaSummary) -> String {
    let QuotaSummary { quota, per_day, used, waiting, needs_you, .. } = quota;
    format!(
        "quota {quota:?}: {used} of {per_day} sessions of the day are used; {waiting} tasks wait, {needs_you} for a person"
    )
}

/// The machine in a line.
pub fn host(host: &crate::host::Host) -> String {
    format!(
        "machine: disk {}, memory {}, load {}",
        percent(host.disk_free_bytes, host.disk_bytes),
        percent(host.memory_available_kib, host.memory_kib),
        host.load.map_or_else(|| "unknown".to_owned(), |load| format!("{load:.2}"))
    )
}

fn percent(free: Option<u64>, all: Option<u64>) -> String {
    match (free, all) {
        (Some(free), Some(all)) if all > 0 => format!("{} % free", free.saturating_mul(100) / all),
        _ => "unknown".to_owned(),
    }
}

/// The states as metrics: 1 for the one that holds.
pub fn samples(body: &Body) -> Vec<Sample> {
    let states = body.jobs.iter().flat_map(|job| {
        State::ALL.map(|state| {
            let labels = [("executable", job.job.as_str()), ("state", state.as_str())];
            Sample::new(metrics::STATE, &labels, f64::from(u8::from(job.state == state)))
        })
    });
    let failing = body.credentials.iter().map(|credential| {
        let labels = [("executable", "job-status"), ("credential", credential.credential.as_str())];
        Sample::new(metrics::CREDENTIAL_FAILING, &labels, f64::from(u8::from(credential.error.is_some())))
    });
    states.chain(failing).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::Schedule;

    #[test]
    fn only_the_state_is_coloured_and_only_when_it_is_wanted() {
        let job = JobResult {
            job: "j".into(),
            state: State::Late,
            error: None,
            every_seconds: 60,
            last_run: None,
            last_success: None,
            last_change: None,
            consecutive_failures: 0,
            schedule: Schedule::NoneSeen,
            days: Vec::new(),
        };
        let body = Body { jobs: vec![job], ..Body::default() };
        let plain = lines(&body, false);
        assert_eq!(plain[1], "j    late   never     never         never        none seen");
        let coloured = lines(&body, true);
        assert_eq!(coloured[0], plain[0]);
        assert_eq!(coloured[1], plain[1].replace("late ", "\x1b[31mlate \x1b[0m"));
    }
}
