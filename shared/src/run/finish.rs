//! What follows the job: the record, what is printed, the metrics file, the ping and the alerts.
//!
//! Metrics, ping and alerts have limits of their own, and none of them changes what is printed or the exit code.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use chrono::{DateTime, Utc};
use futures_util::future::join;
use log::info;
use serde::Serialize;

use super::output::{Frame, Output, write_output};
use super::report::{Ending, FinishedRun};
use super::setup::Resources;
use super::{Common, Context, Job, Report, briefly, repeat, run_metrics};
use crate::Result;
use crate::alert::event::{Event, EventKind};
use crate::alert::{self, Findings};
use crate::metrics;
use crate::notify::{self, Dispatcher, monitor};
use crate::outcome::Outcome;
use crate::store::{Run, RunEnd, Store};

/// Records and prints the ending, reports it to others, and returns the exit code. `args` is missing when the command
/// line could not be parsed.
pub(super) fn finish<J: Job>(
    output: Output,
    common: &Common,
    args: Option<&J::Args>,
    run: &Run,
    mut ending: Ending<J::Body>,
    resources: Resources,
) -> ExitCode {
    let finished = Utc::now();
    let Resources { mut store, context } = resources;
    let unrecorded = store.as_mut().and_then(|store| record::<J>(store, run, finished, &ending).err());
    if let Some(failure) = &unrecorded {
        ending.report.failures.push(failure.clone());
        ending.outcome = Outcome::Failed;
    }
    let frame = Frame::new(run, finished, ending.outcome, &ending.report);
    info!("run {} ended with exit code {}", run.id, frame.exit);
    let plugin = args.and_then(|args| J::plugin(args, &ending.report));
    match &plugin {
        Some(plugin) => write_output(&format!("{}\n", plugin.line)),
        None => {
            output.print(common, &frame, &ending.report);
            if !is_repeat(store.as_mut(), run, &frame) {
                output.print_failures(&ending.report.failures);
            }
        }
    }
    if let Some(context) = context.filter(|_| !run.rehearsal) {
        let unrecorded = unrecorded.or_else(|| context.unrecorded.clone());
        let findings = findings::<J>(&context, &ending.report);
        let (outcome, exit, numbers) = (ending.outcome, frame.exit, J::numbers(&ending.report));
        after_run(&context, &FinishedRun { run, finished, outcome, exit, findings, numbers, unrecorded });
    }
    ExitCode::from(plugin.map_or(frame.exit, |plugin| plugin.code))
}

fn record<J: Job>(
    store: &mut Store,
    run: &Run,
    finished: DateTime<Utc>,
    ending: &Ending<J::Body>,
) -> Result<()> {
    let frame = Frame::new(run, finished, ending.outcome, &ending.report);
    let (result, changed) = (frame.to_json(), J::numbers(&ending.report).changed);
    let (outcome, exit, failure) = (ending.outcome, frame.exit, frame.error);
    store.end_run(&run.id, &RunEnd { finished, outcome, exit, failure, changed, result: &result })
}

/// True if the run prints new failures only and has none.
fn is_repeat<B: Serialize>(store: Option<&mut Store>, run: &Run, frame: &Frame<'_, B>) -> bool {
    let store = store.filter(|_| run.only_news);
    let printed = store.and_then(|store| store.result_printed_before(run).ok().flatten());
    printed.is_some_and(|printed| !repeat::is_new(&printed, &frame.to_json()))
}

/// What the job found, by subject. A job without findings of its own has one: its most serious failure.
fn findings<J: Job>(context: &Context, report: &Report<J::Body>) -> Findings {
    J::findings(&context.config, report).unwrap_or_else(|| {
        let own = report.failures.iter().min_by_key(|failure| failure.kind).cloned();
        Findings { own, parts: Vec::new() }
    })
}

/// Writes the metrics file, pings and sends alerts. A panic in here is logged and does not change the run's result.
fn after_run(context: &Context, ended: &FinishedRun<'_>) {
    let done = catch_unwind(AssertUnwindSafe(|| {
        write_metrics(context, ended).unwrap_or_else(|failure| info!("no metrics are written: {failure}"));
        briefly(notify(context, ended))
    }));
    if !matches!(done, Ok(Ok(()))) {
        info!("run {} ended, but its alerts could not be sent", ended.run.id);
    }
}

async fn notify(context: &Context, ended: &FinishedRun<'_>) {
    let ping = send_ping(context, &ended.run.id, monitor::after(ended.outcome, ended.exit));
    join(ping, deliver(context, ended)).await;
}

/// Sends a ping. The result of a ping at the end of a run is recorded; that of a start is not.
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
    let recorded = Store::open(&context.state.database()).and_then(|mut store| {
        store.record_delivery(&format!("monitor of {}", context.job), taken, Utc::now())
    });
    recorded.unwrap_or_else(|failure| info!("could not record the ping: {failure}"));
}

async fn deliver(context: &Context, ended: &FinishedRun<'_>) {
    let (settings, state) = (&context.config.alert, &context.state);
    let dispatcher = Dispatcher { settings, state, environment: &context.environment };
    let recorded = match &ended.unrecorded {
        Some(failure) => Err(failure.clone()),
        None => record_findings(context, ended),
    };
    match recorded {
        Ok(()) => dispatcher.deliver().await,
        Err(failure) => notify::report_unrecorded(dispatcher, context.job, &failure, Utc::now()).await,
    }
}

/// Records the findings and the events that follow from them.
fn record_findings(context: &Context, ended: &FinishedRun<'_>) -> Result<()> {
    let mut store = Store::open(&context.state.database())?;
    let Findings { own, parts } = &ended.findings;
    let job = alert::Finding::new("job", context.job, own.clone());
    let findings: Vec<_> = std::iter::once(job).chain(parts.iter().cloned()).collect();
    store.record_findings(&findings, &context.config.alert, ended.finished)?;
    if notify::are_records_back(&context.state) {
        let text = "the records can be used again".to_owned();
        let (kind, hint) = (EventKind::Recovered, "nothing to do".to_owned());
        let event = Event { subject: "state.db".to_owned(), kind, text, hint, dedup_key: None };
        store.record_events(&[event], ended.finished)?;
    }
    store.forget_old_events(ended.finished)
}

fn write_metrics(context: &Context, ended: &FinishedRun<'_>) -> Result<()> {
    let Some(dir) = &context.config.metrics_dir else { return Ok(()) };
    let mut store = Store::open(&context.state.database())?;
    metrics::write(dir, context.job, &run_metrics::samples(context, ended, &mut store)?)
}
