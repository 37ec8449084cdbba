//! `port-sheet-sync`: booking records from the booking system into a shared Google Sheet, verified.
//!
//! This crate holds the whole job; `main.rs` only starts it. Direction: `sync` and `rounds` string the steps together, `plan`,
//! `layout`, `value` and `column` decide and touch nothing, `google` is the only one that knows Google's client.

mod a1;
mod apply;
mod base;
mod block;
mod column;
mod comparison;
mod csv_file;
mod edit;
mod fast_path;
mod fill;
mod freshness;
mod google;
mod history;
mod journal;
mod layout;
mod mirror;
mod overlap;
mod people;
mod plan;
mod progress;
mod proof;
mod removal;
mod result;
mod rounds;
mod rows;
mod shelf;
mod show;
mod snapshot;
mod source;
mod spool;
mod stray;
mod sync;
mod told;
mod undo;
mod value;
mod verify;
mod warning;
mod workbook;

use std::time::Duration;

use shared::alert::Findings;
use shared::config::Config;
use shared::job::{Context, Job, Report};
use shared::metrics::Numbers;
use shared::{Failure, Kind};
use tokio::time::Instant;

use workbook::Workbooks;

pub use result::{Body, SheetResult};

/// The job.
#[derive(Debug)]
pub struct PortSheetSync;

/// Its own flags.
#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    /// Sync only this sheet of the configuration
    #[arg(long, value_name = "NAME")]
    sheet: Option<String>,
    /// Print what would be written, and write nothing
    #[arg(long)]
    dry_run: bool,
    /// List the runs that wrote to the sheets, newest first
    #[arg(long, conflicts_with_all = ["undo", "dry_run", "allow_shrink"])]
    history: bool,
    /// Put back what a run changed, where nobody changed it since; --history lists the runs
    #[arg(long, value_name = "RUN", conflicts_with = "allow_shrink")]
    undo: Option<String>,
    /// Accept this once that the source lost more bookings than max-shrink allows
    #[arg(long)]
    allow_shrink: bool,
}

impl Job for PortSheetSync {
    const NAME: &'static str = "port-sheet-sync";
    const ABOUT: &'static str =
        "Brings bookings into the Google Sheet that people work from, and reads back that they arrived";
    const EXAMPLE: &'static str = "port-sheet-sync --config /etc/port-jobs/config.toml --dry-run";
    /// Under the schedule's half hour, so that a hanging run never meets the next one.
    const DEADLINE: Duration = Duration::from_secs(25 * 60);
    type Args = Args;
    type Body = Body;

    fn check(config: &Config, args: &Args) -> Vec<Failure> {
        let shown = config.path.display();
        if config.sheets.is_empty() {
            let hint = format!("add a [sheet.NAME] table to {shown}; examples/config.toml shows one");
            return vec![Failure::new(
                Kind::Config,
                format!("{shown}: there is no [sheet.NAME] table, so nothing to sync"),
                hint,
            )];
        }
        match &args.sheet {
            Some(name) if !config.sheets.contains_key(name) => {
                let known = config.sheets.keys().cloned().collect::<Vec<_>>().join(", ");
                let message = format!("{shown} has no sheet {name:?}; it has {known}");
                vec![Failure::new(Kind::Usage, message, "port-sheet-sync --sheet NAME")]
            }
            _ => Vec::new(),
        }
    }

    /// A list of past runs is no run of the schedule either, and an undo brings no booking.
    fn rehearses(args: &Args) -> bool {
        args.dry_run || args.history || args.undo.is_some()
    }

    fn findings(config: &Config, report: &Report<Body>) -> Option<Findings> {
        told::findings(config, report)
    }

    fn numbers(report: &Report<Body>) -> Numbers {
        told::numbers(report)
    }

    async fn run(context: &Context, args: &Args) -> Report<Body> {
        let mut report = Report {
            failures: Vec::new(),
            body: Body { dry_run: args.dry_run, sheets: Vec::new(), runs: None },
            output: String::new(),
            summary: Vec::new(),
        };
        let wanted = |name: &str| args.sheet.as_ref().is_none_or(|only| only == name);
        let sheets: Vec<_> = context.config.sheets.values().filter(|sheet| wanted(&sheet.name)).collect();
        let deadline = context.config.job(Self::NAME).deadline.unwrap_or(Self::DEADLINE);
        // A little before the deadline that would end the whole run, so that what is done is still reported.
        let end = Instant::now() + deadline - deadline / 50;
        if args.history {
            history::list(context, &sheets, &mut report);
        } else if let Some(run) = &args.undo {
            match undo::sheet_of(context, &sheets, run) {
                Ok(sheet) => add(&mut report, sync::undo(context, sheet, run, args, end).await),
                Err(failure) => report.failures.push(failure),
            }
        } else {
            let mut workbooks = Workbooks::of(&sheets);
            for (done, sheet) in sheets.iter().enumerate() {
                let left = u32::try_from(sheets.len() - done).unwrap_or(u32::MAX);
                let share = end.saturating_duration_since(Instant::now()) / left;
                let (result, text) = sync::sync(context, sheet, args, &mut workbooks, share).await;
                report.summary.extend(result.summary());
                add(&mut report, (result, text));
            }
        }
        report
    }
}

fn add(report: &mut Report<Body>, (result, text): (SheetResult, String)) {
    report.output.push_str(&text);
    report.failures.extend(result.error.clone());
    report.body.sheets.push(result);
}
