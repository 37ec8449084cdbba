//! `quota-reset`: closes the past days of every session quota, archives them, and releases the tasks that were held.
//!
//! Nothing waits for it: a day begins by itself, since sessions are counted by day. A second run changes nothing.

mod archive;
mod reset;
mod result;

use std::time::Duration;

use chrono::{NaiveDate, Utc};
use shared::config::Config;
use shared::metrics::Numbers;
use shared::run::{Context, Job, Report};
use shared::{Failure, Kind};

pub use result::Body;

/// The job.
#[derive(Debug)]
pub struct QuotaReset;

/// Its own flags.
#[derive(clap::Args, Clone, Copy, Debug)]
pub struct Args {
    /// Print used, left and held sessions of every quota; close and release nothing
    #[arg(long, conflicts_with = "repair_day")]
    status: bool,
    /// Set the ledger's day to today's date, after its clock was wrong; who did it is recorded
    #[arg(long, value_name = "YYYY-MM-DD")]
    repair_day: Option<NaiveDate>,
}

impl Job for QuotaReset {
    const NAME: &'static str = "quota-reset";
    const ABOUT: &'static str = "Closes the past UTC days of every session quota, archives them, and releases the tasks that were held";
    const EXAMPLE: &'static str = "quota-reset --config /etc/port-jobs/config.toml --status";
    const DEADLINE: Duration = Duration::from_secs(10 * 60);
    type Args = Args;
    type Body = Body;

    fn check(config: &Config, args: &Args) -> Vec<Failure> {
        let shown = config.path.display();
        let mut problems = Vec::new();
        if config.quotas.is_empty() {
            let hint = format!("add a [quota.NAME] table to {shown}; examples/config.toml shows one");
            let message = format!("{shown}: there is no [quota.NAME] table, so nothing to reset");
            problems.push(Failure::new(Kind::Config, message, hint));
        }
        problems.extend(args.repair_day.and_then(not_today));
        problems
    }

    /// Who looks has reset nothing, and must not pass for the schedule.
    fn rehearses(args: &Args) -> bool {
        args.status
    }

    fn numbers(report: &Report<Body>) -> Numbers {
        Numbers { changed: report.body.changed, samples: Vec::new() }
    }

    async fn run(context: &Context, args: &Args) -> Report<Body> {
        reset::run(context, *args).await
    }
}

/// The day that a user gives confirms that the clock is right: so it must be the clock's day.
fn not_today(day: NaiveDate) -> Option<Failure> {
    let today = Utc::now().date_naive();
    (day != today).then(|| {
        let message = format!("--repair-day {day}: the clock shows {today}");
        let hint = "set the clock right first, then give today's date: date -u; timedatectl status";
        Failure::new(Kind::Usage, message, hint)
    })
}
