//! The job under its lock, its deadline and the signals. A panic, a signal and the deadline are failures like any other.

use std::any::Any;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Mutex;

use futures_util::future::join;
use log::debug;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{Context, Job, finish, runtime};
use crate::notify::monitor::Ping;
use crate::run::args::Cli;
use crate::run::report::Ending;
use crate::sys::lock;
use crate::{Failure, Kind, Result, oauth};

/// Runs the job on a runtime of its own. A panic becomes a failure.
pub(super) fn run<J: Job>(cli: &Cli<J::Args>, context: &Context) -> Ending<J::Body> {
    static PANIC: Mutex<Option<String>> = Mutex::new(None);
    std::panic::set_hook(Box::new(|panic| {
        if let Ok(mut message) = PANIC.lock() {
            *message = Some(panic.to_string());
        }
    }));
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(failure) => return Ending::failed(vec![failure]),
    };
    let ending = catch_unwind(AssertUnwindSafe(|| runtime.block_on(locked::<J>(cli, context))));
    ending.unwrap_or_else(|_: Box<dyn Any + Send>| {
        let message = PANIC.lock().ok().and_then(|mut message| message.take()).unwrap_or_default();
        Ending::failed(vec![Failure::bug(message)])
    })
}

/// Takes the job's lock, starts the deadline and runs.
async fn locked<J: Job>(cli: &Cli<J::Args>, context: &Context) -> Ending<J::Body> {
    let settings = context.config.job(J::NAME);
    let wait = cli.common.lock_wait.or(settings.lock_wait).unwrap_or_default();
    let path = lock::file_for(&context.state.locks(), J::NAME);
    let acquired = async {
        if J::ALONE { lock::acquire(&path, wait, context.started).await.map(Some) } else { Ok(None) }
    };
    let _lock = match acquired.await {
        Ok(lock) => lock,
        // Without a state directory there is no lock file, and nothing that a lock would protect.
        Err(_) if context.unrecorded.is_some() => None,
        Err(failure) if failure.kind == Kind::Busy => {
            return Ending::skipped(failure.within("another run is under way"));
        }
        Err(failure) => return Ending::failed(vec![failure]),
    };
    let deadline = settings.deadline.unwrap_or(J::DEADLINE);
    debug!("run {} begins; it may take {}", context.run, humantime::format_duration(deadline));
    let stopped = match stop_signal() {
        Ok(stopped) => stopped,
        Err(failure) => return Ending::failed(vec![failure]),
    };
    let start = async {
        if !J::rehearses(&cli.args) {
            finish::send_ping(context, &context.run, Ping::Start).await;
        }
    };
    let mut run = pin!(join(J::run(context, &cli.args), start));
    let ending = tokio::select! {
        (report, ()) = &mut run => return report.into(),
        () = tokio::time::sleep(deadline) => Ending::failed(vec![Failure::new(
            Kind::Busy,
            format!("the deadline of {} passed before the run was done", humantime::format_duration(deadline)),
            format!("{}; if this repeats, raise deadline under [job.{}] or run with -v to see where the time goes", J::UNFINISHED, J::NAME),
        )]),
        name = stopped => Ending::failed(vec![Failure::new(
            Kind::Busy,
            format!("stopped by {name} before the run was done"),
            format!("nothing is lost: {}", J::UNFINISHED),
        )]),
    };
    oauth::finish_refreshes(run).await;
    ending
}

/// Resolves to the name of the signal with which a user or systemd stops the run.
fn stop_signal() -> Result<impl Future<Output = &'static str>> {
    let (mut terminate, mut interrupt) = (listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => "SIGTERM",
            _ = interrupt.recv() => "SIGINT",
        }
    })
}

fn listen(kind: SignalKind) -> Result<Signal> {
    signal(kind).map_err(|error| Failure::bug(format!("cannot listen for signals: {error}")).caused_by(error))
}
