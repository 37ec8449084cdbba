//! `port-sheet-sync`: booking records from the booking system into a shared Google Sheet, verified.
//!
//! `pipeline` runs one sheet through the steps that have a number here: source → spool → snapshot → plan → journal →
//! apply → verify → commit. The list is in the order of imports: each module knows only those above it.

mod model; //          cells, columns, keys
mod args; //           the flags
mod progress; //       the line on a terminal
mod source; //         1 source: the bookings, record by record
mod spool; //          2 spool: the files in which they are kept. 8 commit: the spool becomes the base
mod ingest; //         2 spool: source into spool, typed, keyed, checked
mod double_booking; // bookings of one resource whose times overlap. Pure
mod sheet; //          what a sheet holds, as plain data. Pure
mod journal; //        5 journal: old and new values, before they are written
mod google; //         the Sheets and Drive APIs: the only module that names Google's client
mod plan; //           4 plan: decide what to write. Pure
mod snapshot; //       3 snapshot: read what the sheet holds
mod apply; //          6 apply: write the plan
mod report; //         the result, the findings, a dry run, the history
mod mirror; //         the rows as they should be, while the sheet is out of reach
mod verify; //         7 verify: read back what was written
mod rounds; //         the loop that a sync and an undo share: until the sheet is settled
mod undo; //           takes back what a run wrote
mod pipeline; //       one sheet, from source to commit

use std::time::Duration;

use shared::alert::Findings;
use shared::config::Config;
use shared::metrics::Numbers;
use shared::run::{Context, Job, Report};
use shared::{Failure, Kind};
use tokio::time::Instant;

use crate::snapshot::spreadsheet::Spreadsheets;

use crate::args::Args;
pub use crate::report::result::Body;
pub use crate::report::result::SheetResult;
use crate::report::{findings, history};

/// The job.
#[derive(Debug)]
pub struct PortSheetSync;

impl Job for PortSheetSync {
    const NAME: &'static str = "port-sheet-sync";
    const ABOUT: &'static str =
        "Copies bookings into the shared Google Sheet, and reads back that they arrived";
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
        findings::findings(config, report)
    }

    fn numbers(report: &Report<Body>) -> Numbers {
        findings::numbers(report)
    }

    async fn run(context: &Context, args: &Args) -> Report<Body> {
        let mut report = Report {
            failures: Vec::new(),
            body: Body { dry_run: args.dry_run, sheets: Vec::new(), runs: None },
            output: String::new(),
            summary: Vec::new(),
        };
        let all = context.config.sheets.values();
        let sheets: Vec<_> =
            all.filter(|sheet| args.sheet.as_ref().is_none_or(|only| *only == sheet.name)).collect();
        let deadline = context.config.job(Self::NAME).deadline.unwrap_or(Self::DEADLINE);
        // A little before the deadline that would end the whole run, so that what is done is still reported.
        let end = Instant::now() + deadline - deadline / 50;
        if args.history {
            history::list(context, &sheets, &mut report);
        } else if let Some(run) = &args.undo {
            match undo::sheet_of(context, &sheets, run) {
                Ok(sheet) => {
                    let (result, text) = undo::undo(context, sheet, run, args, end).await;
                    add(&mut report, result, &text);
                }
                Err(failure) => report.failures.push(failure),
            }
        } else {
            let mut spreadsheets = Spreadsheets::of(&sheets);
            for (done, sheet) in sheets.iter().enumerate() {
                let left = u32::try_from(sheets.len() - done).unwrap_or(u32::MAX);
                let share = end.saturating_duration_since(Instant::now()) / left;
                let (result, text) = pipeline::sync(context, sheet, args, &mut spreadsheets, share).await;
                report.summary.extend(result.summary());
                add(&mut report, result, &text);
            }
        }
        report
    }
}

fn add(report: &mut Report<Body>, result: SheetResult, text: &str) {
    report.output.push_str(text);
    report.failures.extend(result.error.clone());
    report.body.sheets.push(result);
}
