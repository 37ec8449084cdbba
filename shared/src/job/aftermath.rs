//! What follows a run's record: the metrics file, the ping, the alerts. Each is bounded, and none of it changes what the
//! run prints or returns.

use std::panic::{AssertUnwindSafe, catch_unwind};

use chrono::Utc;
use futures_util::future::join;
use log::info;

use super::ended::Ended;
use super::{Context, Job, Report, measure};
use crate::alert::{self, Courier, Findings};
use crate::event::{Event, Kind};
use crate::metrics;
use crate::store::Store;
use crate::{Result, monitor};

/// What a job found, subject by subject, for people to hear of.
pub(super) fn findings<J: Job>(context: &Context, report: &Report<J::Body>) -> Findings {
    J::findings(&context.config, report).unwrap_or_else(|| {
        let own = report.failures.iter().min_by_key(|failure| failure.kind).cloned();
        Findings { own, parts: Vec::new() }
    })
}

/// Does all of it. A defect in here is logged, and costs the run nothing else.
pub(super) fn see_to(context: &Context, ended: &Ended<'_>) {
    let seen = catch_unwind(AssertUnwindSafe(|| {
        write_metrics(context, ended).unwrap_or_else(|failure| info!("no metrics are written: {failure}"));
        super::briefly(tell(context, ended))
    }));
    if !matches!(seen, Ok(Ok(()))) {
        info!("run {} has ended, but nobody could be told", ended.run.id);
    }
}

async fn tell(context: &Context, ended: &Ended<'_>) {
    let ping = send_ping(context, &ended.run.id, monitor::after(ended.outcome, ended.exit));
    join(ping, deliver(context, ended)).await;
}

/// Sends a ping; how the monitor took the last one of a run is remembered.
pub(super) async fn send_ping(context: &Context, run: &str, ping: monitor::Ping) {
    let monitor = context.config.monitor(context.job);
    let Some(taken) = monitor::send(monitor, context.job, run, ping).await else { return };
    if let Err(why) = &taken {
        info!("{why}");
    }
    if ping == monitor::Ping::Start {
        return;
    }
    let taken = taken.as_ref().copied().map_err(String::as_str);
    let noted = Store::open(&context.state.database())
        .and_then(|mut store| store.sink_took(&format!("monitor of {}", context.job), taken, Utc::now()));
    noted.unwrap_or_else(|failure| info!("that is not recorded: {failure}"));
}

async fn deliver(context: &Context, ended: &Ended<'_>) {
    let (settings, state) = (&context.config.alert, &context.state);
    let courier = Courier { settings, state, environment: &context.environment };
    let noted = match &ended.unrecorded {
        Some(failure) => Err(failure.clone()),
        None => note(context, ended),
    };
    match noted {
        Ok(()) => courier.deliver().await,
        Err(failure) => alert::tell_unrecorded(courier, context.job, &failure, Utc::now()).await,
    }
}

/// Remembers what was found, with the events that follow.
fn note(context: &Context, ended: &Ended<'_>) -> Result<()> {
    let mut store = Store::open(&context.state.database())?;
    let Findings { own, parts } = &ended.findings;
    let job = alert::Finding::of("job", context.job, own.clone());
    let findings: Vec<_> = std::iter::once(job).chain(parts.iter().cloned()).collect();
    store.observe(&findings, &context.config.alert, ended.finished)?;
    if alert::is_over(&context.state) {
        let text = "the records can be used again".to_owned();
        let (kind, hint) = (Kind::Recovered, "nothing to do".to_owned());
        let event = Event { subject: "state.db".to_owned(), kind, text, hint, once: None };
        store.tell(&[event], ended.finished)?;
    }
    store.forget_old_events(ended.finished)
}

fn write_metrics(context: &Context, ended: &Ended<'_>) -> Result<()> {
    let Some(dir) = &context.config.metrics_dir else { return Ok(()) };
    let mut store = Store::open(&context.state.database())?;
    metrics::write(dir, context.job, &measure::samples(context, ended, &mut store)?)
}
