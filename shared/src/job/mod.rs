//! The spine of every executable: parse → report → config → record → lock → deadline → run → record → print → metrics →
//! ping and alerts → exit code.
//!
//! Whatever happens in a run, a panic included, becomes one outcome that is printed, recorded and returned. This is
//! the only module that prints results and failures and the only one that chooses exit codes; what a job says to a person
//! while it waits for them is its own.

mod aftermath;
mod args;
mod context;
mod measure;
mod news;
mod output;
mod report;
mod scene;

use std::any::Any;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::future::join;
use log::{debug, info};
use serde::Serialize;
use tokio::signal::unix::{SignalKind, signal};

use crate::alert::{Courier, Findings};
use crate::config::Config;
use crate::dirs::Environment;
use crate::metrics::Numbers;
use crate::monitor::Ping;
use crate::store::{Ending, Outcome, Run, Store};
use crate::{Failure, Kind, Result, lock, logging, oauth};

pub use args::Common;
use args::{Cli, Parsed};
pub use context::Context;
use output::Output;
use report::Ended;
pub use report::{Plugin, Report};
use scene::{Scene, open_records, remember};

/// One executable: what it is called, what it takes and what it does.
pub trait Job {
    /// The executable's name, also that of its lock and of its `[job.NAME]` table.
    const NAME: &'static str;
    /// One line for `--help`.
    const ABOUT: &'static str;
    /// The example at the end of `--help`.
    const EXAMPLE: &'static str;
    /// How long a run may take unless the configuration says otherwise.
    const DEADLINE: Duration;
    /// Whether it runs even when its records cannot be used: [`Context::unrecorded`] then says why.
    const RUNS_UNRECORDED: bool = false;
    /// What becomes of work that was stopped or ran out of time, for the hint.
    const UNFINISHED: &'static str = "the next run goes on from here";
    /// Whether one run at a time may be under way. A job for which this is false takes turns in the store instead.
    const ALONE: bool = true;
    /// Its own flags.
    type Args: clap::Args;
    /// What its JSON result holds beside the frame; the default is what a run that never began answers.
    type Body: Serialize + Default;

    /// What is wrong with the configuration or the flags for this job, beyond what every job refuses.
    fn check(config: &Config, args: &Self::Args) -> Vec<Failure>;

    /// The line and the exit code that a monitor's plugin protocol wants, if the flags ask for it. They take the place
    /// of everything else that is printed and returned; the record stays what it is.
    fn plugin(_args: &Self::Args, _report: &Report<Self::Body>) -> Option<Plugin> {
        None
    }

    /// Whether the run does not do the work of the schedule: it only shows what it would do, looks without trying, or
    /// serves a person who sees how it ends. It then counts for no clock, and nobody outside hears of it.
    fn rehearses(_args: &Self::Args) -> bool {
        false
    }

    /// What was found of each subject that people hear of on its own. None leaves all of it to the job's own.
    fn findings(_config: &Config, _report: &Report<Self::Body>) -> Option<Findings> {
        None
    }

    /// What the run did, in numbers.
    fn numbers(_report: &Report<Self::Body>) -> Numbers {
        Numbers::default()
    }

    /// Whether failures are printed that a run of this schedule printed already; without it a schedule that mails what is
    /// printed mails news only. Exit code, record and result are the same either way.
    fn prints_repeats(_args: &Self::Args) -> bool {
        true
    }

    /// Does the work.
    fn run(context: &Context, args: &Self::Args) -> impl Future<Output = Report<Self::Body>>;
}

/// The `main` of an executable.
pub fn main<J: Job>() -> ExitCode {
    let environment = Environment::read();
    let out = Output::of(&environment);
    let id = ulid::Ulid::generate().to_string();
    let mut run = Run { id, job: J::NAME, started: Utc::now(), rehearsal: false, only_news: false };
    let cli = match args::parse::<J>() {
        Parsed::Run(cli) => cli,
        Parsed::Answered(code) => return code,
        Parsed::Refused(failure, common) => {
            return finish::<J>(out, &common, None, &run, Ended::failed(vec![failure]), Scene::default());
        }
    };
    run.rehearsal = J::rehearses(&cli.args);
    run.only_news = !J::prints_repeats(&cli.args);
    logging::start(&environment, cli.common.verbose, cli.common.quiet);
    let mut scene = Scene::default();
    let ended = begin::<J>(&cli, environment, &run, &mut scene);
    finish::<J>(out, &cli.common, Some(&cli.args), &run, ended, scene)
}

/// Everything up to the lock. The scene is handed out so that a failure after it was set is recorded and told.
fn begin<J: Job>(
    cli: &Cli<J::Args>,
    environment: Environment,
    run: &Run,
    scene: &mut Scene,
) -> Ended<J::Body> {
    let common = &cli.common;
    let path = match environment.config_file(common.config.as_deref()) {
        Ok(path) => path,
        Err(failure) => return Ended::failed(vec![failure]),
    };
    let context = |config| Context::of(J::NAME, run, common, environment, config);
    let config = match Config::load(&path, J::NAME) {
        Ok(config) => config,
        Err(failures) => {
            remember(common, run, Some(context(Config::of_alerts(&path))), scene);
            return Ended::failed(failures);
        }
    };
    let problems = J::check(&config, &cli.args);
    if !problems.is_empty() {
        let is_usage = problems.iter().all(|problem| problem.kind == Kind::Usage);
        remember(common, run, (!is_usage).then(|| context(config)), scene);
        return Ended::failed(problems);
    }
    if common.check_config {
        return Report::answer(format!("{} is valid\n", config.path.display())).into();
    }
    let context = context(config);
    if common.test_alert {
        return test_alert::<J>(&context).into();
    }
    open_records(run, context, scene);
    match &scene.context {
        Some(Context { unrecorded: Some(failure), .. }) if !J::RUNS_UNRECORDED => {
            Ended::failed(vec![failure.clone()])
        }
        Some(context) => guarded::<J>(cli, context),
        None => Ended::failed(vec![Failure::bug("a run without a scene")]),
    }
}

/// A marked test through each sink.
fn test_alert<J: Job>(context: &Context) -> Report<J::Body> {
    let (settings, state) = (&context.config.alert, &context.state);
    let courier = Courier { settings, state, environment: &context.environment };
    let (lines, failures) = match briefly(courier.test(J::NAME)) {
        Ok(told) => told,
        Err(failure) => (Vec::new(), vec![failure]),
    };
    let output = lines.iter().map(|line| format!("{line}\n")).collect();
    Report { failures, ..Report::answer(output) }
}

fn runtime() -> Result<tokio::runtime::Runtime> {
    let built = tokio::runtime::Builder::new_current_thread().enable_all().build();
    built.map_err(|error| Failure::bug(format!("no runtime: {error}")))
}

/// Runs what has its own limits to its end, and waits for nothing that it leaves behind, such as a name that cannot be
/// resolved.
fn briefly<T>(work: impl Future<Output = T>) -> Result<T> {
    let runtime = runtime()?;
    let done = runtime.block_on(work);
    runtime.shutdown_background();
    Ok(done)
}

/// Runs the job on its own runtime; a panic becomes a failure.
fn guarded<J: Job>(cli: &Cli<J::Args>, context: &Context) -> Ended<J::Body> {
    static PANIC: Mutex<Option<String>> = Mutex::new(None);
    std::panic::set_hook(Box::new(|panic| {
        if let Ok(mut message) = PANIC.lock() {
            *message = Some(panic.to_string());
        }
    }));
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(failure) => return Ended::failed(vec![failure]),
    };
    let ended = catch_unwind(AssertUnwindSafe(|| runtime.block_on(locked::<J>(cli, context))));
    ended.unwrap_or_else(|_: Box<dyn Any + Send>| {
        let message = PANIC.lock().ok().and_then(|mut message| message.take()).unwrap_or_default();
        Ended::failed(vec![Failure::bug(message)])
    })
}

/// Takes the job's lock, starts the deadline and runs.
async fn locked<J: Job>(cli: &Cli<J::Args>, context: &Context) -> Ended<J::Body> {
    let settings = context.config.job(J::NAME);
    let wait = cli.common.lock_wait.or(settings.lock_wait).unwrap_or_default();
    let path = lock::file_for(&context.state.locks(), J::NAME);
    let acquired = async {
        if J::ALONE { lock::acquire(&path, wait, context.started).await.map(Some) } else { Ok(None) }
    };
    let _lock = match acquired.await {
        Ok(lock) => lock,
        // Where there is no place for a lock there is nothing to protect either.
        Err(_) if context.unrecorded.is_some() => None,
        Err(failure) if failure.kind == Kind::Busy => {
            return Ended::skipped(failure.within("another run is under way"));
        }
        Err(failure) => return Ended::failed(vec![failure]),
    };
    let deadline = settings.deadline.unwrap_or(J::DEADLINE);
    debug!("run {} begins; it may take {}", context.run, humantime::format_duration(deadline));
    let stopped = match stop_signal() {
        Ok(stopped) => stopped,
        Err(failure) => return Ended::failed(vec![failure]),
    };
    let start = async {
        if !J::rehearses(&cli.args) {
            aftermath::send_ping(context, &context.run, Ping::Start).await;
        }
    };
    let mut run = pin!(join(J::run(context, &cli.args), start));
    let ended = tokio::select! {
        (report, ()) = &mut run => return report.into(),
        () = tokio::time::sleep(deadline) => Ended::failed(vec![Failure::new(
            Kind::Busy,
            format!("the deadline of {} passed before the run was done", humantime::format_duration(deadline)),
            format!("{}; if this repeats, raise deadline under [job.{}] or run with -v to see where the time goes", J::UNFINISHED, J::NAME),
        )]),
        name = stopped => Ended::failed(vec![Failure::new(
            Kind::Busy,
            format!("stopped by {name} before the run was done"),
            format!("nothing is lost: {}", J::UNFINISHED),
        )]),
    };
    oauth::keep_rotated(run).await;
    ended
}

/// Ends when a person or systemd stops the run.
fn stop_signal() -> Result<impl Future<Output = &'static str>> {
    let listen =
        |kind| signal(kind).map_err(|error| Failure::bug(format!("cannot listen for signals: {error}")));
    let (mut terminate, mut interrupt) = (listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => "SIGTERM",
            _ = interrupt.recv() => "SIGINT",
        }
    })
}

/// Records, prints, tells whoever is to hear of it, and turns the outcome into an exit code.
fn finish<J: Job>(
    out: Output,
    common: &Common,
    args: Option<&J::Args>,
    run: &Run,
    mut ended: Ended<J::Body>,
    scene: Scene,
) -> ExitCode {
    let finished = Utc::now();
    let Scene { mut store, context } = scene;
    let unrecorded = store.as_mut().and_then(|store| record::<J>(store, run, finished, &ended).err());
    if let Some(failure) = &unrecorded {
        ended.report.failures.push(failure.clone());
        ended.outcome = Outcome::Failed;
    }
    let frame = output::Frame::new(run, finished, ended.outcome, &ended.report);
    info!("run {} ended with exit code {}", run.id, frame.exit);
    let plugin = args.and_then(|args| J::plugin(args, &ended.report));
    match &plugin {
        Some(plugin) => output::asked_for(&format!("{}\n", plugin.line)),
        None => {
            out.print(common, &frame, &ended.report);
            if !is_repeat(store.as_mut(), run, &frame) {
                out.complain(&ended.report.failures);
            }
        }
    }
    if let Some(context) = context.filter(|_| !run.rehearsal) {
        let unrecorded = unrecorded.or_else(|| context.unrecorded.clone());
        let findings = aftermath::findings::<J>(&context, &ended.report);
        let (outcome, exit, numbers) = (ended.outcome, frame.exit, J::numbers(&ended.report));
        aftermath::see_to(
            &context,
            &aftermath::Ended { run, finished, outcome, exit, findings, numbers, unrecorded },
        );
    }
    ExitCode::from(plugin.map_or(frame.exit, |plugin| plugin.code))
}

/// Whether a run that prints news only has none.
fn is_repeat<B: Serialize>(store: Option<&mut Store>, run: &Run, frame: &output::Frame<'_, B>) -> bool {
    let told = store.filter(|_| run.only_news).and_then(|store| store.result_told_before(run).ok().flatten());
    told.is_some_and(|told| !news::is_new(&told, &frame.to_json()))
}

fn record<J: Job>(
    store: &mut Store,
    run: &Run,
    finished: DateTime<Utc>,
    ended: &Ended<J::Body>,
) -> Result<()> {
    let frame = output::Frame::new(run, finished, ended.outcome, &ended.report);
    let (result, changed) = (frame.to_json(), J::numbers(&ended.report).changed);
    let (outcome, exit, failure) = (ended.outcome, frame.exit, frame.error);
    let ending = Ending { finished, outcome, exit, failure, changed, result: &result };
    store.end_run(&run.id, &ending)
}
