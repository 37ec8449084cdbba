//! Reads the records and the machine, and collects the findings that a job cannot report about itself.

use chrono::{DateTime, TimeDelta, Utc};
use shared::alert::Finding;
use shared::config::Monitor;
use shared::run::Context;
use shared::store::{SinkState, Store};
use shared::time::timestamp;
use shared::{Failure, Kind, Result};

use crate::host::Host;
use crate::result::Body;
use crate::state::State;
use crate::{Args, credential, errors, jobs, sheet};

/// A unit that failed within this time of its job's last record has said so itself.
const SAID_SO: TimeDelta = TimeDelta::minutes(5);

/// Collects everything. A part that cannot be read is a failure in the result; the rest is there.
pub fn look(context: &Context, args: &Args) -> Body {
    let now = Utc::now();
    let alert = context.config.alert.clone();
    let mut body = Body { now, alert, looked: true, ..Body::default() };
    let host = Host::look(context.state.root(), now);
    let read = match &context.unrecorded {
        Some(failure) => Err(failure.clone()),
        None => Store::open(&context.state.database())
            .and_then(|mut store| look_in(context, args, &mut store, &mut body)),
    };
    let newest = body.jobs.iter().filter_map(|job| job.last_run).max();
    let findings = host.findings(context.state.root(), newest);
    body.others.extend(findings.iter().filter_map(|finding| finding.failure.clone()));
    body.findings.extend(findings);
    body.host = Some(host);
    if let Err(failure) = read {
        let expected = jobs::expected(&context.config);
        body.jobs = expected.into_iter().map(|job| jobs::unknown(job, &args.root)).collect();
        body.records = Some(failure);
    }
    body
}

fn look_in(context: &Context, args: &Args, store: &mut Store, body: &mut Body) -> Result<()> {
    let now = body.now;
    for job in jobs::expected(&context.config) {
        let mut looked = jobs::inspect_job(context, store, job, &args.root, now)?;
        if !context.had_records {
            let place = context.state.database();
            let nothing = format!("; there were no records at {}", place.display());
            looked.result.error.iter_mut().for_each(|failure| failure.message.push_str(&nothing));
        }
        body.errors.extend(errors::of(job.name(), &looked.records));
        body.findings.extend(finding(store, &looked.result, now)?);
        body.jobs.push(looked.result);
    }
    body.errors.sort_by_key(|error| std::cmp::Reverse(error.last));
    let every = context.config.every("port-sheet-sync").unwrap_or_default();
    for name in context.config.sheets.keys() {
        body.sheets.push(sheet::look(store, name, every, now)?);
    }
    for name in context.config.credentials.keys() {
        body.credentials.push(credential::look(store, name)?);
    }
    body.quotas = store.quota_summaries()?;
    body.sinks = store.sinks()?.into_iter().filter(|sink| is_used(context, sink)).collect();
    body.others.extend(body.sinks.iter().filter_map(failing_sink));
    if let Some(unit) = &args.failed_unit {
        let failed = failed_unit(unit, body);
        body.others.extend(failed.iter().filter_map(|finding| finding.failure.clone()));
        body.findings.extend(failed);
    }
    Ok(())
}

/// What a job cannot report about itself: that it does not run, or no longer. A job that has never run is given time after the
/// first record of any, so that an installation is finished in peace.
fn finding(store: &mut Store, job: &crate::result::JobResult, now: DateTime<Utc>) -> Result<Option<Finding>> {
    let grace = TimeDelta::try_seconds(i64::try_from(job.every_seconds * 3 / 2).unwrap_or(i64::MAX));
    let grace = grace.unwrap_or(TimeDelta::MAX);
    let is_told = match job.state {
        State::Late | State::Died | State::Hung => true,
        State::NeverRan => store.first_run()?.is_some_and(|first| now - first > grace),
        State::Fresh | State::Failing | State::Unknown => false,
    };
    let failure_key = Some(job.state.as_str());
    Ok(is_told.then(|| Finding { failure_key, ..Finding::new("job", &job.job, job.error.clone()) }))
}

/// The unit of `OnFailure=`: if its job has not recorded a failure itself, it could not even start, or was killed.
fn failed_unit(unit: &str, body: &Body) -> Option<Finding> {
    let name = unit.strip_suffix(".service").unwrap_or(unit);
    let job = body.jobs.iter().find(|job| job.job == name);
    if job.is_some_and(|job| {
        job.state != State::Fresh && job.last_run.is_some_and(|at| body.now - at < SAID_SO)
    }) {
        return None;
    }
    let failure = Failure::new(
        Kind::Unavailable,
        format!("job {name:?}: systemd could not run {unit}"),
        format!("see why: systemctl status {unit}; journalctl -u {unit} -n 20"),
    );
    Some(Finding { failure_key: Some("not-started"), ..Finding::new("job", name, Some(failure)) })
}

/// Sinks and monitors that the configuration no longer has are left out.
fn is_used(context: &Context, state: &SinkState) -> bool {
    let is_sink = context.config.alert.sinks.iter().any(|sink| sink.name == state.name);
    let job = state.name.strip_prefix("monitor of ");
    is_sink || job.is_some_and(|job| *context.config.monitor(job) != Monitor::None)
}

fn failing_sink(sink: &SinkState) -> Option<Failure> {
    let since = sink.failing_since?;
    let error = sink.error.as_deref().unwrap_or("it does not answer");
    let text = format!(
        "{:?} takes nothing since {} ({} times): {error}",
        sink.name,
        timestamp(since),
        sink.failures
    );
    Some(Failure::new(
        Kind::Unavailable,
        text,
        "alerts wait for it and nothing is lost; to try it: job-status --test-alert",
    ))
}
