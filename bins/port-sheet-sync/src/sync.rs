//! One sheet within its share of the deadline: source into the spool, rounds until the sheet holds it, bad rows reported.

use std::pin::pin;
use std::time::Duration;

use chrono::Utc;
use shared::config::Sheet;
use shared::job::Context;
use shared::{Failure, Kind, Result, oauth};
use tokio::time::{Instant, timeout_at};

use crate::fill::fill;
use crate::plan::several;
use crate::progress::Progress;
use crate::result::SheetResult;
use crate::rounds::SheetRun;
use crate::source::Access;
use crate::spool::{self, Spool};
use crate::workbook::{Workbooks, connect};
use crate::{Args, base, freshness, mirror, warning};

/// Syncs one sheet within its share of the deadline; every failure ends up in the result, so that the next sheet has its
/// turn. The text is a dry run's plan.
pub async fn sync<'a>(
    context: &Context,
    sheet: &'a Sheet,
    args: &Args,
    workbooks: &mut Workbooks<'a>,
    share: Duration,
) -> (SheetResult, String) {
    let mut result = SheetResult::new(&sheet.name);
    let mut text = String::new();
    let share = Share { length: share, end: Instant::now() + share };
    let done = try_sync(context, sheet, args, (workbooks, share), &mut result, &mut text).await;
    if let Err(failure) = done {
        result.fail(failure.within(format_args!("sheet {:?}", sheet.name)));
    }
    (result, text)
}

/// Undoes a run of one sheet.
pub async fn undo(
    context: &Context,
    sheet: &Sheet,
    run: &str,
    args: &Args,
    end: Instant,
) -> (SheetResult, String) {
    let mut result = SheetResult::new(&sheet.name);
    let undone = async {
        let client = connect(context, sheet, args, end)?;
        crate::undo::undo(context, sheet, run, args.dry_run, client, &mut result).await
    };
    match undone.await {
        Ok(text) => (result, text),
        Err(failure) => {
            result.fail(failure.within(format_args!("sheet {:?}", sheet.name)));
            (result, String::new())
        }
    }
}

/// A sheet's share of the deadline.
#[derive(Clone, Copy)]
struct Share {
    length: Duration,
    end: Instant,
}

impl Share {
    /// Does as much of some work as fits into it.
    async fn spent_on<T>(self, work: impl Future<Output = Result<T>>) -> Result<T> {
        let mut work = pin!(work);
        if let Ok(done) = timeout_at(self.end, &mut work).await {
            return done;
        }
        oauth::keep_rotated(work).await;
        Err(self.late())
    }

    fn late(self) -> Failure {
        let length = self.length.as_secs_f64();
        Failure::new(
            Kind::Busy,
            format!("the deadline passed before the run was done: this sheet had {length:.1} s"),
            "the next run goes on from here; if this repeats, raise deadline under [job.port-sheet-sync] or run with -v to see where the time goes",
        )
    }
}

async fn try_sync<'a>(
    context: &Context,
    sheet: &'a Sheet,
    args: &Args,
    (workbooks, share): (&mut Workbooks<'a>, Share),
    result: &mut SheetResult,
    text: &mut String,
) -> Result<()> {
    let last = base::heading(&base::path(&context.state.spool(), &sheet.name), &spool::home(sheet))?;
    let access = Access {
        sheet: &sheet.name,
        spool: context.state.spool(),
        credentials: context.state.credentials(),
        granted: context.environment.credentials_directory.as_deref(),
        end: share.end,
    };
    let filled = share.spent_on(fill(&access, sheet, last.as_ref())).await;
    result.source_failed = filled.is_err();
    let (spool, columns) = filled?;
    result.source_rows = spool.source_rows;
    result.rejected = spool.rejected;
    result.problems.clone_from(&spool.problems);
    warning::about_double_bookings(context, sheet, args, (&columns, &spool), result)?;
    let workbook = workbooks.open(context, sheet, args, share.end)?;
    workbook.client.begin(share.end, Progress::new(context.is_watched, &sheet.name));
    let before = workbook.client.requests();
    let formatted = last.map(|last| last.columns).unwrap_or_default();
    let known = formatted.clone();
    let mut run = SheetRun {
        context,
        sheet,
        args,
        columns,
        spool,
        workbook,
        known,
        formatted,
        counted: false,
        unfinished: false,
    };
    let done = share.spent_on(bring_into_step(&mut run, result, text)).await;
    let after = run.workbook.client.requests();
    (result.reads, result.writes) = (after.0 - before.0, after.1 - before.1);
    mirrored(&run, result, done)?;
    report_bad_rows(&run.spool, result, args)
}

async fn bring_into_step(run: &mut SheetRun<'_>, result: &mut SheetResult, text: &mut String) -> Result<()> {
    if run.is_proven(result).await? {
        return Ok(());
    }
    run.rounds(result, text).await?;
    match &run.sheet.freshness_cell {
        Some(cell) if !run.args.dry_run => freshness::write(&mut run.workbook.client, cell, Utc::now()).await,
        _ => Ok(()),
    }
}

/// While the sheet is out of reach people find its rows in the mirror, and nowhere else afterwards.
fn mirrored(run: &SheetRun<'_>, result: &SheetResult, done: Result<()>) -> Result<()> {
    let state = &run.context.state;
    if result.verified {
        return done.and(mirror::remove(state, &run.sheet.name));
    }
    let today = run.context.started.date_naive();
    done.map_err(|failure| {
        if run.args.dry_run || !mirror::is_due(&failure, run.workbook.client.was_answered()) {
            return failure;
        }
        let told = match mirror::write(state, run.sheet, &run.columns, &run.spool, today) {
            Ok(path) => format!("the rows as they should stand are in {}", path.display()),
            Err(why) => format!("the mirror was not refreshed: {why}"),
        };
        // Google ends its sentences.
        let message = failure.message.trim_end_matches('.');
        Failure { message: format!("{message}; {told}"), ..failure }
    })
}

/// Good rows are in the sheet by now; the bad ones still make the run fail.
fn report_bad_rows(spool: &Spool, result: &SheetResult, args: &Args) -> Result<()> {
    if result.rejected == 0 && result.problems.is_empty() {
        return Ok(());
    }
    let count = result.rejected.max(result.problems.len() as u64);
    let told = several(&result.problems, count);
    let rows = if count == 1 { "1 row".to_owned() } else { format!("{count} rows") };
    let others = if args.dry_run { "the others could be" } else { "the others are in step" };
    let hint = if spool.rejected == 0 {
        "in the sheet, delete all but one row of each of these bookings".to_owned()
    } else {
        format!(
            "mend them where they come from; all refused rows of the source are listed in {}",
            spool.rejected_path.display()
        )
    };
    Err(Failure::new(Kind::Data, format!("{rows} could not be used, {others}: {told}"), hint))
}
