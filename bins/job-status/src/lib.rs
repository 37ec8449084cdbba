//! `job-status`: is every job fresh and healthy, and if not, what must be done?
//!
//! Direction: `look` reads the records and the machine, `state`, `errors` and `days` decide and touch nothing, `table`,
//! `nagios` and `page` show. It runs also when the records cannot be used, and says so.

mod credential;
mod days;
mod errors;
mod host;
mod jobs;
mod look;
mod nagios;
mod page;
mod result;
mod schedule;
mod sheet;
mod state;
mod table;

use std::path::PathBuf;
use std::time::Duration;

use shared::alert::Findings;
use shared::config::Config;
use shared::metrics;
use shared::run::{Context, Job, Plugin, Report};
use shared::sys::atomic_file;
use shared::{Failure, Kind};

pub use result::Body;

/// The job.
#[derive(Debug)]
pub struct JobStatus;

/// Its own flags.
#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    /// Write the status as one HTML page to this file
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Print one line for Nagios and end with its exit codes: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN
    #[arg(long, conflicts_with_all = ["prometheus", "json"])]
    nagios: bool,
    /// Print the states as metrics in the text format of Prometheus
    #[arg(long, conflicts_with = "json")]
    prometheus: bool,
    /// Report that this systemd unit failed, unless its job has said so itself; for OnFailure=
    #[arg(long, value_name = "UNIT")]
    failed_unit: Option<String>,
    /// Look for timers and crontabs below this directory
    #[arg(long, value_name = "DIR", default_value = "/")]
    root: PathBuf,
}

impl Job for JobStatus {
    const NAME: &'static str = "job-status";
    const ABOUT: &'static str =
        "Is every job fresh and healthy? A table, JSON, one line for Nagios, metrics, or a page";
    const EXAMPLE: &'static str =
        "job-status --config /etc/port-jobs/config.toml --html /var/lib/port-jobs/status.html";
    const DEADLINE: Duration = Duration::from_secs(2 * 60);
    const RUNS_UNRECORDED: bool = true;
    const UNFINISHED: &'static str = "the next run looks at all of it again";
    type Args = Args;
    type Body = Body;

    fn check(config: &Config, args: &Args) -> Vec<Failure> {
        let shown = config.path.display();
        if args.html.as_ref().is_some_and(|file| file.file_name().is_none()) {
            return vec![Failure::new(
                Kind::Usage,
                "--html needs the name of a file",
                "job-status --html status.html",
            )];
        }
        if !jobs::expected(config).is_empty() {
            return Vec::new();
        }
        let message =
            format!("{shown}: there is no sheet, credential or quota, so no job is expected to run");
        let hint = format!("add a [sheet.NAME] table to {shown}; examples/config.toml shows one");
        vec![Failure::new(Kind::Config, message, hint)]
    }

    fn findings(_config: &Config, report: &Report<Body>) -> Option<Findings> {
        // The jobs have reported their own failures.
        report
            .body
            .looked
            .then(|| Findings { own: report.body.own.clone(), parts: report.body.findings.clone() })
    }

    fn plugin(args: &Args, report: &Report<Body>) -> Option<Plugin> {
        args.nagios.then(|| nagios::plugin(report))
    }

    async fn run(context: &Context, args: &Args) -> Report<Body> {
        let mut body = look::look(context, args);
        let mut failures = body.failures();
        if let Some(path) = &args.html
            && let Err(failure) = write_page(path, &body)
        {
            body.own = Some(failure.clone());
            failures.push(failure);
        }
        let output = if args.prometheus { metrics::text(&table::samples(&body)) } else { String::new() };
        let summary = table::lines(&body, context.environment.wants_colour());
        Report { failures, body, output, summary }
    }
}

/// Readable for everybody, since a web server is another user.
fn write_page(path: &std::path::Path, body: &Body) -> shared::Result<()> {
    let draft = atomic_file::Draft::new(&std::path::absolute(path).unwrap_or_else(|_| path.to_owned()))?;
    draft.write(page::render(body).as_bytes())?;
    draft.commit_readable()
}
