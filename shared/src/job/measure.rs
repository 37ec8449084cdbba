//! A run's numbers for its metrics file, beside those that the job itself gives.

use chrono::{DateTime, TimeDelta, Utc};

use super::Context;
use super::ended::Ended;
use crate::Result;
use crate::metrics::{self, Metric, Sample};
use crate::store::{Allowance, Fared, Store};
use crate::tally;

/// All of them, each labelled with the executable.
pub(super) fn samples(context: &Context, ended: &Ended<'_>, store: &mut Store) -> Result<Vec<Sample>> {
    let mut samples = clocks(context, ended, store)?;
    samples.extend(counts(&tally::so_far()));
    samples.extend(store.fared(ended.finished)?.iter().flat_map(credential));
    samples.extend(
        store.sinks()?.iter().map(|sink| {
            Sample::new(metrics::SINK_FAILURES, &[("sink", &sink.name)], f64::from(sink.failures))
        }),
    );
    samples.extend(store.allowances()?.iter().flat_map(quota));
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

fn clocks(context: &Context, ended: &Ended<'_>, store: &mut Store) -> Result<Vec<Sample>> {
    let past = store.past(context.job)?;
    let every = context.config.every(context.job);
    let samples = [
        Some(one(metrics::LAST_RUN, since_1970(ended.finished))),
        Some(one(metrics::EXIT, f64::from(ended.exit))),
        Some(one(metrics::DURATION, (ended.finished - ended.run.started).as_seconds_f64())),
        Some(one(metrics::FAILURES, f64::from(past.failures))),
        past.last_success.map(|at| one(metrics::LAST_SUCCESS, since_1970(at))),
        past.last_change.map(|at| one(metrics::LAST_CHANGE, since_1970(at))),
        every.map(|every| one(metrics::INTERVAL, every.as_secs_f64())),
    ];
    Ok(samples.into_iter().flatten().collect())
}

fn counts(tally: &tally::Tally) -> Vec<Sample> {
    let margin = tally.refresh_margin.map(TimeDelta::seconds);
    let mut samples = vec![
        one(metrics::RETRIES, metrics::count(tally.retries)),
        one(metrics::UNAUTHENTICATED, metrics::count(tally.unauthenticated)),
    ];
    samples.extend(margin.map(|left| one(metrics::REFRESH_MARGIN, left.as_seconds_f64())));
    samples
}

fn credential(fared: &Fared) -> Vec<Sample> {
    let name = ("credential", fared.credential.as_str());
    let of = |metric, value| Sample::new(metric, &[name], value);
    let refreshes =
        |result, number| Sample::new(metrics::REFRESHES, &[name, ("result", result)], f64::from(number));
    let mut samples = vec![
        refreshes("good", fared.good),
        refreshes("bad", fared.bad),
        of(metrics::CREDENTIAL_FAILING, f64::from(u8::from(fared.is_failing))),
        of(metrics::RECOVERY_ACTIVATIONS, f64::from(fared.activations)),
    ];
    samples.extend(fared.recovery.map(|length| of(metrics::RECOVERY_SECONDS, length.as_seconds_f64())));
    samples
}

fn quota(allowance: &Allowance) -> [Sample; 2] {
    let name = [("quota", allowance.quota.as_str())];
    [
        Sample::new(metrics::QUOTA_USED, &name, f64::from(allowance.used)),
        Sample::new(metrics::QUOTA_PER_DAY, &name, f64::from(allowance.per_day)),
    ]
}

fn since_1970(time: DateTime<Utc>) -> f64 {
    (time - DateTime::UNIX_EPOCH).as_seconds_f64()
}
