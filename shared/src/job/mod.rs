//! The spine of every executable: parse → report → config → record → lock → deadline → run → record → exit code.
//!
//! Whatever happens in a run, a panic included, becomes one outcome that is printed, recorded and returned. This is
//! the only module that prints results and failures and the only one that chooses exit codes; what a job says to a person
//! while it waits for them is its own.

mod args;
mod output;

use std::any::Any;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::Duration;

use chrono::{DateTime, Utc};
use log::{debug, info, warn};
use serde::Serialize;
use tokio::signal::unix::{SignalKind, signal};

use crate::config::Config;
use crate::dirs::{Environment, State};
use crate::http::Http;
use crate::oauth::{Asking, Ledger, TokenSource};
use crate::store::{Ending, Outcome, Purpose, Run, Store};
use crate::{Failure, Kind, Result, lock, logging};

pub use args::Common;
use args::{Cli, Parsed};
use output::Output;

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

    /// Does the work.
    fn run(context: &Context, args: &Self::Args) -> impl Future<Output = Report<Self::Body>>;
}

/// What a run may use.
#[derive(Debug)]
pub struct Context {
    /// The executable.
    pub job: &'static str,
    /// The run's ULID.
    pub run: String,
    /// When it started.
    pub started: DateTime<Utc>,
    /// The configuration.
    pub config: Config,
    /// The environment.
    pub environment: Environment,
    /// The state directory.
    pub state: State,
}

impl Context {
    /// A source of access tokens for a credential of the configuration, each refresh recorded under this job's name.
    ///
    /// # Errors
    /// As [`Config::place`] and [`Http::new`].
    pub fn tokens(&self, credential: &str) -> Result<TokenSource> {
        self.tokens_for(credential, Purpose::Work)
    }

    /// The same for another purpose than work.
    ///
    /// # Errors
    /// As [`Context::tokens`].
    pub fn tokens_for(&self, credential: &str, purpose: Purpose) -> Result<TokenSource> {
        let ledger = self.ledger(purpose, Asking::WhenDue);
        let granted = self.environment.credentials_directory.as_deref();
        let place = self.config.place(credential, granted, &self.state.credentials())?;
        let scopes = self.config.credentials.get(credential).map(|entry| entry.scopes.clone());
        let google = &self.config.google;
        let (scopes, locks) = (scopes.unwrap_or_default(), self.state.locks());
        let source = TokenSource::new(place, scopes, locks, Http::new(google.timeout)?, google.first_pause);
        Ok(source.recorded_in(ledger))
    }

    /// Where this job's refreshes are recorded.
    pub fn ledger(&self, purpose: Purpose, asking: Asking) -> Ledger {
        let (database, settings) = (self.state.database(), self.config.token_check.clone());
        Ledger { database, job: self.job, purpose, asking, settings }
    }
}

/// What a run did.
#[derive(Debug)]
pub struct Report<B> {
    /// What failed, one for each thing that did; none for success.
    pub failures: Vec<Failure>,
    /// The job's own part of the JSON result.
    pub body: B,
    /// Output that the flags asked for, such as a dry run's plan; printed unless `--json`.
    pub output: String,
    /// What was done, in a line or a few; printed on a terminal or with `-v`.
    pub summary: Vec<String>,
}

/// What a run answers a monitor, in place of the usual output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plugin {
    /// The one line on standard output.
    pub line: String,
    /// The exit code, of the plugin protocol's.
    pub code: u8,
}

/// How a run ended, before it is printed and recorded.
struct Ended<B> {
    outcome: Outcome,
    report: Report<B>,
}

impl<B: Default> Ended<B> {
    fn failed(failures: Vec<Failure>) -> Self {
        let report = Report { failures, body: B::default(), output: String::new(), summary: Vec::new() };
        Self { outcome: Outcome::Failed, report }
    }

    fn skipped(failure: Failure) -> Self {
        Self { outcome: Outcome::Skipped, ..Self::failed(vec![failure]) }
    }
}

impl<B> From<Report<B>> for Ended<B> {
    fn from(report: Report<B>) -> Self {
        let outcome = if report.failures.is_empty() { Outcome::Ok } else { Outcome::Failed };
        Self { outcome, report }
    }
}

/// The `main` of an executable.
pub fn main<J: Job>() -> ExitCode {
    let environment = Environment::read();
    let out = Output::of(&environment);
    let run = Run { id: ulid::Ulid::generate().to_string(), job: J::NAME, started: Utc::now() };
    let cli = match args::parse::<J>() {
        Parsed::Run(cli) => cli,
        Parsed::Answered(code) => return code,
        Parsed::Refused(failure, common) => {
            return finish::<J>(out, &common, None, &run, Ended::failed(vec![failure]), None);
        }
    };
    logging::start(&environment, cli.common.verbose, cli.common.quiet);
    let mut store = None;
    let ended = begin::<J>(&cli, environment, &run, &mut store);
    finish::<J>(out, &cli.common, Some(&cli.args), &run, ended, store)
}

/// Everything up to the lock. The store is handed out so that a failure after it was opened is recorded.
fn begin<J: Job>(
    cli: &Cli<J::Args>,
    environment: Environment,
    run: &Run,
    store: &mut Option<Store>,
) -> Ended<J::Body> {
    let config = match environment.config_file(cli.common.config.as_deref()) {
        Ok(path) => match Config::load(&path, J::NAME) {
            Ok(config) => config,
            Err(failures) => {
                *store = known_store(&cli.common, &environment, &path, run);
                return Ended::failed(failures);
            }
        },
        Err(failure) => return Ended::failed(vec![failure]),
    };
    let problems = J::check(&config, &cli.args);
    if !problems.is_empty() {
        return Ended::failed(problems);
    }
    if cli.common.check_config {
        let output = format!("{} is valid\n", config.path.display());
        return Report { failures: Vec::new(), body: J::Body::default(), output, summary: Vec::new() }.into();
    }
    let state =
        State::at(environment.state_dir(cli.common.state_dir.as_deref(), config.state_dir.as_deref()));
    match state.create().and_then(|()| Store::open(&state.database())) {
        Ok(opened) => *store = Some(opened),
        Err(failure) => return Ended::failed(vec![failure]),
    }
    if let Some(Err(failure)) = store.as_mut().map(|store| store.start_run(run)) {
        return Ended::failed(vec![failure]);
    }
    let context =
        Context { job: J::NAME, run: run.id.clone(), started: run.started, config, environment, state };
    guarded::<J>(cli, &context)
}

/// The run records of earlier runs, for a run whose configuration is broken: even that is not to pass unrecorded. Nothing
/// is made for it, and `--check-config` touches nothing.
fn known_store(common: &Common, environment: &Environment, config: &Path, run: &Run) -> Option<Store> {
    let configured = Config::state_dir_in(config);
    let state = State::at(environment.state_dir(common.state_dir.as_deref(), configured.as_deref()));
    if common.check_config || !state.database().is_file() {
        return None;
    }
    let mut store = Store::open(&state.database()).ok()?;
    store.start_run(run).ok().map(|()| store)
}

/// Runs the job on its own runtime; a panic becomes a failure.
fn guarded<J: Job>(cli: &Cli<J::Args>, context: &Context) -> Ended<J::Body> {
    static PANIC: Mutex<Option<String>> = Mutex::new(None);
    std::panic::set_hook(Box::new(|panic| {
        if let Ok(mut message) = PANIC.lock() {
            *message = Some(panic.to_string());
        }
    }));
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return Ended::failed(vec![Failure::bug(format!("no runtime: {error}"))]),
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
    tokio::select! {
        report = J::run(context, &cli.args) => report.into(),
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
    }
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

/// Records, prints and turns the outcome into an exit code.
fn finish<J: Job>(
    out: Output,
    common: &Common,
    args: Option<&J::Args>,
    run: &Run,
    mut ended: Ended<J::Body>,
    store: Option<Store>,
) -> ExitCode {
    let finished = Utc::now();
    if let Some(Err(failure)) = store.map(|store| record::<J>(store, run, finished, &ended)) {
        ended.report.failures.push(failure);
        ended.outcome = Outcome::Failed;
    }
    let frame = output::Frame::new(run, finished, ended.outcome, &ended.report);
    info!("run {} ended with exit code {}", run.id, frame.exit);
    if let Some(plugin) = args.and_then(|args| J::plugin(args, &ended.report)) {
        output::asked_for(&format!("{}\n", plugin.line));
        return ExitCode::from(plugin.code);
    }
    out.print(common, &frame, &ended.report);
    ExitCode::from(frame.exit)
}

fn record<J: Job>(
    mut store: Store,
    run: &Run,
    finished: DateTime<Utc>,
    ended: &Ended<J::Body>,
) -> Result<()> {
    let frame = output::Frame::new(run, finished, ended.outcome, &ended.report);
    let result = frame.to_json();
    let ending =
        Ending { finished, outcome: ended.outcome, exit: frame.exit, failure: frame.error, result: &result };
    store.end_run(&run.id, &ending).inspect_err(|failure| warn!("the run could not be recorded: {failure}"))
}
