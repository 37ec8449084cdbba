//! `session-run`: takes one ready task under the quota, runs the agent command, records the outcome. One shot.
//!
//! Direction: `queue` finds a task and claims it, `session` runs it, `outcome` decides what came of it and touches
//! nothing, `queue_commands` serves a user. Several runs may be in progress; they take turns in the ledger.

mod queue_commands;
mod outcome;
mod output;
mod session_dir;
mod queue;
mod result;
mod session;

use std::time::Duration;

use shared::config::Config;
use shared::metrics::Numbers;
use shared::run::{Context, Job, Report};
use shared::sessions::dashboard::{bad_id, is_id};
use shared::{Failure, Kind};

pub use result::{Body, SessionResult};

/// The job.
#[derive(Debug)]
pub struct SessionRun;

/// Its own flags.
#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    /// Add a task and end: a JSON object, or text for {"prompt": TEXT}; - reads standard input
    #[arg(long, value_name = "TASK", conflicts_with_all = ["list", "cancel", "retry"])]
    add: Option<String>,
    /// The id of the task that is added; a second one of the same id is refused
    #[arg(long, value_name = "ID", requires = "add")]
    id: Option<String>,
    /// Print the queue and end
    #[arg(long, conflicts_with_all = ["cancel", "retry"])]
    list: bool,
    /// Cancel a task that is not running, and end
    #[arg(long, value_name = "ID", conflicts_with = "retry")]
    cancel: Option<String>,
    /// Let a task run again that failed or needed a decision, and end
    #[arg(long, value_name = "ID")]
    retry: Option<String>,
}

impl Args {
    fn asks_for_the_queue(&self) -> bool {
        self.add.is_some() || self.list || self.cancel.is_some() || self.retry.is_some()
    }
}

impl Job for SessionRun {
    const NAME: &'static str = "session-run";
    const ABOUT: &'static str =
        "Takes one ready task under the session quota, runs the agent command, and records what came of it";
    const EXAMPLE: &'static str =
        "session-run --config /etc/port-jobs/config.toml --add 'Tidy the berth plan'";
    const DEADLINE: Duration = Duration::from_secs(65 * 60);
    const UNFINISHED: &'static str = "the session counts, what it started was killed, and its task is taken up again once its lease has run out";
    const ALONE: bool = false;
    type Args = Args;
    type Body = Body;

    fn check(config: &Config, args: &Args) -> Vec<Failure> {
        let mut problems: Vec<Failure> =
            args.id.iter().filter(|id| !is_id(id)).map(|id| bad_id(id)).collect();
        let shown = config.path.display();
        let Some(run) = &config.session_run else {
            let hint = format!("add a [session-run] table to {shown}; examples/config.toml shows one");
            let message = format!("{shown}: there is no [session-run] table, so nothing to run");
            problems.push(Failure::new(Kind::Config, message, hint));
            return problems;
        };
        let whole = config.job(Self::NAME).deadline.unwrap_or(Self::DEADLINE);
        if run.deadline.saturating_add(run.grace) >= whole {
            let whole = humantime::format_duration(whole);
            let message = format!("{shown}: session-run.deadline and grace do not fit into a run's {whole}");
            let hint = "raise deadline under [job.session-run], and TimeoutStartSec= of the unit";
            problems.push(Failure::new(Kind::Config, message, hint));
        }
        problems
    }

    /// Who uses the queue has run nothing, and must not pass for the schedule.
    fn rehearses(args: &Args) -> bool {
        args.asks_for_the_queue()
    }

    fn numbers(report: &Report<Body>) -> Numbers {
        Numbers { changed: report.body.session.is_some(), samples: Vec::new() }
    }

    async fn run(context: &Context, args: &Args) -> Report<Body> {
        let Some(settings) = &context.config.session_run else {
            return result::report(Body::default(), vec![Failure::bug("no [session-run] after the check")]);
        };
        if args.asks_for_the_queue() {
            return queue_commands::serve(context, settings, args).await;
        }
        queue::serve(context, settings).await
    }
}
