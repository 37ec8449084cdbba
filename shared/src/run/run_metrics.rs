//! The samples of a run's metrics file: the job's own, and those that every job has.

use chrono::{DateTime, TimeDelta, Utc};

use super::Context;
use crate::Result;
use crate::metrics::{self, Metric, Sample};
use crate::run::report::FinishedRun;
use crate::store::{CredentialStats, QuotaSummary, Store};
use crate::sys::counters;

/// All samples, each labelled with the executable.
pub(super) fn samples(context: &Context, ended: &FinishedRun<'_>, store: &mut Store) -> Result<Vec<Sample>> {
    let mut samples = clocks(context, ended, store)?;
    samples.extend(counts(&counters::read()));
    samples.extend(store.credential_stats(ended.finished)?.iter().flat_map(credential));
    samples.extend(
        store.sinks()?.iter().map(|sink| {
            Sample::new(metrics::SINK_FAILURES, &[("sink", &sink.name)], f64::from(sink.failures))
        }),
    );
    samples.extend(store.quota_summaries()?.iter().flat_map(quota));
    samples.extend(ended.numbers.samples.iter().cloned());
    let executable = ("executable", context.job.to_owned());
    Ok(samples
        .into_iter()
        .map(|sample| Sample { labels: [vec![executable.clone()], sample.labels].concat(), ..sample })
        .collect())
}

fn one(metric: Metric, value: f64) -> Sample {
    Sample::new(metric, &[], value)
}

fn clocks(context: &Context, ended: &FinishedRun<'_>, store: &mut Store) -> Result<Vec<Sample>> {
    let summary = store.run_summary(context.job)?;
    let every = context.config.every(context.job);
    let samples = [
        Some(one(metrics::LAST_RUN, since_1970(ended.finished))),
        Some(one(metrics::EXIT, f64::from(ended.exit))),
        Some(one(metrics::DURATION, (ended.finished - ended.run.started).as_seconds_f64())),
        Some(one(metrics::FAILURES, f64::from(summary.failures))),
        summary.last_success.map(|at| one(metrics::LAST_SUCCESS, since_1970(at))),
        summary.last_change.map(|at| one(metrics::LAST_CHANGE, since_1970(at))),
        every.map(|every| one(metrics::INTERVAL, every.as_secs_f64())),
    ];
    Ok(samples.into_iter().flatten().collect())
}

fn counts(counters: &counters::Counters) -> Vec<Sample> {
    let margin = counters.refresh_margin.map(TimeDelta::seconds);
    let mut samples = vec![
        one(metrics::RETRIES, metrics::count(counters.retries)),
        one(metrics::UNAUTHENTICATED, metrics::count(counters.unauthenticated)),
    ];
    samples.extend(margin.map(|left| one(metrics::REFRESH_MARGIN, left.as_seconds_f64())));
    samples
}

fn credential(stats: &CredentialStats) -> Vec<Sample> {
    let name = ("credential", stats.credential.as_str());
    let (good, bad) = ([name, ("result", "good")], [name, ("result", "bad")]);
    let is_failing = f64::from(u8::from(stats.is_failing));
    let recovery = stats.recovery.map(TimeDelta::as_seconds_f64);
    let mut samples = vec![
        Sample::new(metrics::REFRESHES, &good, f64::from(stats.good)),
        Sample::new(metrics::REFRESHES, &bad, f64::from(stats.bad)),
        Sample::new(metrics::CREDENTIAL_FAILING, &[name], is_failing),
        Sample::new(metrics::RECOVERY_ACTIVATIONS, &[name], f64::from(stats.activations)),
    ];
    samples.extend(recovery.map(|seconds| Sample::new(metrics::RECOVERY_SECONDS, &[name], seconds)));
    samples
}

fn quota(quota: &QuotaSummary) -> [Sample; 2] {
    let name = [("quota", quota.quota.as_str())];
    [
        Sample::new(metrics::QUOTA_USED, &name, f64::from(quota.used)),
        Sample::new(metrics::QUOTA_PER_DAY, &name, f64::from(quota.per_day)),
    ]
}

fn since_1970(time: DateTime<Utc>) -> f64 {
    (time - DateTime::UNIX_EPOCH).as_seconds_f64()
}
