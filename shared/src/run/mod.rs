//! The life of a run: args → setup → guard → finish → output.
//!
//! `args` parses the command line. `setup` reads the configuration and opens the records. `guard` runs the job under its
//! lock, its deadline and the signals. `finish` records the ending, writes the metrics file, pings and sends alerts.
//! `output` prints.
//!
//! Whatever happens in a run, a panic included, becomes one outcome that is printed, recorded and returned. Only this
//! module prints results and failures, and only it chooses exit codes. A job prints itself only what it asks of a user
//! who is present.

mod args;
mod context;
mod finish;
mod guard;
pub mod nagios;
mod output;
mod repeat;
mod report;
mod run_metrics;
mod setup;

use std::future::Future;
use std::process::ExitCode;
use std::time::Duration;

use chrono::Utc;
use serde::Serialize;

use crate::alert::Findings;
use crate::config::Config;
use crate::metrics::Numbers;
use crate::store::Run;
use crate::sys::dirs::Environment;
use crate::sys::logging;
use crate::{Failure, Result};

pub use args::Common;
use args::Parsed;
pub use context::Context;
use output::Output;
use report::Ending;
pub use report::{Plugin, Report};
use setup::Resources;

/// One executable: its name, its flags, and what it does.
pub trait Job {
    /// The executable's name, also that of its lock and of its `[job.NAME]` table.
    const NAME: &'static str;
    /// One line for `--help`.
    const ABOUT: &'static str;
    /// The example at the end of `--help`.
    const EXAMPLE: &'static str;
    /// How long a run may take unless the configuration has another limit.
    const DEADLINE: Duration;
    /// Whether the job runs although its records cannot be used. [`Context::unrecorded`] then has the reason.
    const RUNS_UNRECORDED: bool = false;
    /// What becomes of work that was stopped or ran out of time, for the hint.
    const UNFINISHED: &'static str = "the next run continues from here";
    /// Whether only one run at a time is allowed. A job for which this is false takes turns in the store instead.
    const ALONE: bool = true;
    /// The flags beside [`Common`].
    type Args: clap::Args;
    /// The job's part of the JSON result. The default is that of a run that never began.
    type Body: Serialize + Default;

    /// The problems of configuration and flags that only this job has.
    fn check(config: &Config, args: &Self::Args) -> Vec<Failure>;

    /// The line and the exit code of a monitor's plugin protocol, if the flags ask for it. They replace everything else
    /// that is printed, and the exit code; the record is the same either way.
    fn plugin(_args: &Self::Args, _report: &Report<Self::Body>) -> Option<Plugin> {
        None
    }

    /// True if the run does not do the work of the schedule: it only shows what it would do, looks without trying, or
    /// serves a user who sees how it ends. Such a run sends no ping and no alert, and does not count as a success.
    fn rehearses(_args: &Self::Args) -> bool {
        false
    }

    /// What was found of each subject that has alerts of its own. `None` makes the job the only subject.
    fn findings(_config: &Config, _report: &Report<Self::Body>) -> Option<Findings> {
        None
    }

    /// What the run did, in numbers.
    fn numbers(_report: &Report<Self::Body>) -> Numbers {
        Numbers::default()
    }

    /// Whether to print a failure that the previous run already printed. False lets cron mail a failure once and not
    /// with every run. Exit code, record and result are the same either way.
    fn prints_repeats(_args: &Self::Args) -> bool {
        true
    }

    /// Does the work.
    fn run(context: &Context, args: &Self::Args) -> impl Future<Output = Report<Self::Body>>;
}

/// The `main` of an executable.
pub fn main<J: Job>() -> ExitCode {
    let environment = Environment::read();
    let output = Output::new(&environment);
    let id = ulid::Ulid::generate().to_string();
    let mut run = Run { id, job: J::NAME, started: Utc::now(), rehearsal: false, only_news: false };
    let mut resources = Resources::default();
    let cli = match args::parse::<J>() {
        Parsed::Run(cli) => cli,
        Parsed::Printed(code) => return code,
        Parsed::Invalid(failure, common) => {
            let ending = Ending::failed(vec![failure]);
            return finish::finish::<J>(output, &common, None, &run, ending, resources);
        }
    };
    run.rehearsal = J::rehearses(&cli.args);
    run.only_news = !J::prints_repeats(&cli.args);
    logging::start(&environment, cli.common.verbose, cli.common.quiet);
    let ending = match setup::prepare::<J>(&cli, environment, &run, &mut resources) {
        Ok(context) => guard::run::<J>(&cli, context),
        Err(ending) => ending,
    };
    finish::finish::<J>(output, &cli.common, Some(&cli.args), &run, ending, resources)
}

fn runtime() -> Result<tokio::runtime::Runtime> {
    let built = tokio::runtime::Builder::new_current_thread().enable_all().build();
    built.map_err(|error| Failure::bug(format!("no runtime: {error}")).caused_by(error))
}

/// Runs work that has its own limits, and does not wait for what it leaves behind, such as a name that does not resolve.
fn briefly<T>(work: impl Future<Output = T>) -> Result<T> {
    let runtime = runtime()?;
    let done = runtime.block_on(work);
    runtime.shutdown_background();
    Ok(done)
}
