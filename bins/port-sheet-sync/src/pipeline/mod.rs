//! One sheet within its share of the deadline: source into the spool, rounds until the sheet holds it, bad rows reported.

pub mod double_bookings;
pub mod fast_path;
pub mod reconcile;
pub mod row_facts;

use std::pin::pin;
use std::time::Duration;

use shared::config::Sheet;
use shared::run::Context;
use shared::{Failure, Kind, Result, oauth};
use tokio::time::{Instant, timeout_at};

use crate::args::Args;
use crate::ingest::Ingested;
use crate::ingest::fill;
use crate::mirror;
use crate::model::list::first_few;
use crate::pipeline::reconcile::SheetRun;
use crate::progress::Progress;
use crate::report::result::SheetResult;
use crate::snapshot::spreadsheet::Spreadsheets;
use crate::source::SourceAccess;
use crate::spool;
use crate::spool::Spool;
use crate::spool::base;
use crate::spool::row_file::Header;

/// Syncs one sheet within its share of the deadline; every failure ends up in the result, so that the next sheet has its
/// turn. The text is a dry run's plan.
pub async fn sync<'a>(
    context: &Context,
    sheet: &'a Sheet,
    args: &Args,
    spreadsheets: &mut Spreadsheets<'a>,
    share: Duration,
) -> (SheetResult, String) {
    let share = TimeShare { length: share, end: Instant::now() + share };
    let result = SheetResult::new(&sheet.name);
    let mut sync = SheetSync { context, sheet, args, share, result, dry_run: String::new() };
    if let Err(failure) = sync.run(spreadsheets).await {
        sync.result.fail(failure.within(format_args!("sheet {:?}", sheet.name)));
    }
    (sync.result, sync.dry_run)
}

/// A sheet's share of the deadline.
#[derive(Clone, Copy)]
struct TimeShare {
    length: Duration,
    end: Instant,
}

impl TimeShare {
    /// Does as much of some work as fits into it.
    async fn spent_on<T>(self, work: impl Future<Output = Result<T>>) -> Result<T> {
        let mut work = pin!(work);
        if let Ok(done) = timeout_at(self.end, &mut work).await {
            return done;
        }
        oauth::finish_refreshes(work).await;
        Err(self.late())
    }

    fn late(self) -> Failure {
        let length = self.length.as_secs_f64();
        Failure::new(
            Kind::Busy,
            format!("the deadline passed before the run was done: this sheet had {length:.1} s"),
            "the next run continues from here; if this repeats, raise deadline under [job.port-sheet-sync] or run with -v to see where the time goes",
        )
    }
}

/// One sheet on its way through the steps.
struct SheetSync<'c, 'a> {
    context: &'c Context,
    sheet: &'a Sheet,
    args: &'c Args,
    share: TimeShare,
    result: SheetResult,
    /// The plan of a dry run, as text.
    dry_run: String,
}

impl<'a> SheetSync<'_, 'a> {
    async fn run(&mut self, spreadsheets: &mut Spreadsheets<'a>) -> Result<()> {
        let path = base::path(&self.context.state.spool(), &self.sheet.name);
        let last = base::heading(&path, &spool::home(self.sheet))?;
        let ingested = self.ingest(last.as_ref()).await?;
        self.check_double_bookings(&ingested)?;
        let spreadsheet = spreadsheets.open(self.context, self.sheet, self.args.purpose(), self.share.end)?;
        let progress = Progress::new(self.context.is_watched, &self.sheet.name);
        spreadsheet.client.begin(self.share.end, progress);
        let before = spreadsheet.client.requests();
        let known = last.map(|last| last.columns).unwrap_or_default();
        let mut run = SheetRun {
            context: self.context,
            sheet: self.sheet,
            args: self.args,
            columns: ingested.columns,
            spool: ingested.spool,
            spreadsheet,
            formatted: known.clone(),
            known,
            result: &mut self.result,
        };
        let done = self.share.spent_on(run.bring_into_step()).await;
        let after = run.spreadsheet.client.requests();
        (run.result.reads, run.result.writes) = (after.0 - before.0, after.1 - before.1);
        self.dry_run = mirrored(&run, done)?;
        report_bad_rows(&run.spool, run.result, self.args)
    }

    async fn ingest(&mut self, last: Option<&Header>) -> Result<Ingested> {
        let access = SourceAccess {
            sheet: &self.sheet.name,
            spool: self.context.state.spool(),
            credentials: self.context.state.credentials(),
            granted: self.context.environment.credentials_directory.as_deref(),
            end: self.share.end,
        };
        let filled = self.share.spent_on(fill(&access, self.sheet, last)).await;
        self.result.source_failed = filled.is_err();
        let ingested = filled?;
        self.result.source_rows = ingested.spool.source_rows;
        self.result.rejected = ingested.spool.rejected;
        self.result.problems.clone_from(&ingested.spool.problems);
        Ok(ingested)
    }

    fn check_double_bookings(&mut self, ingested: &Ingested) -> Result<()> {
        let checked = double_bookings::check(self.context, self.sheet, self.args, ingested)?;
        self.result.overlaps = checked.overlaps;
        self.result.notes.extend(checked.note);
        checked.refusal.map_or(Ok(()), Err)
    }
}

/// While the sheet is out of reach, the mirror holds its rows; afterwards it is removed, so that only the sheet does.
fn mirrored<T>(run: &SheetRun<'_>, done: Result<T>) -> Result<T> {
    let state = &run.context.state;
    if run.result.verified {
        let removed = mirror::remove(state, &run.sheet.name);
        return done.and_then(|done| removed.map(|()| done));
    }
    let today = run.context.started.date_naive();
    done.map_err(|failure| {
        if run.args.dry_run || !mirror::is_due(&failure, run.spreadsheet.client.was_answered()) {
            return failure;
        }
        let mirror = match mirror::write(state, run.sheet, &run.columns, &run.spool, today) {
            Ok(path) => format!("the rows as they should be are in {}", path.display()),
            Err(why) => format!("the mirror was not refreshed: {why}"),
        };
        // Google ends its sentences.
        let message = failure.message.trim_end_matches('.');
        Failure { message: format!("{message}; {mirror}"), ..failure }
    })
}

/// Good rows are in the sheet by now; the bad ones still make the run fail.
fn report_bad_rows(spool: &Spool, result: &SheetResult, args: &Args) -> Result<()> {
    if result.rejected == 0 && result.problems.is_empty() {
        return Ok(());
    }
    let count = result.rejected.max(result.problems.len() as u64);
    let problems = first_few(&result.problems, count);
    let rows = if count == 1 { "1 row".to_owned() } else { format!("{count} rows") };
    let others = if args.dry_run { "the others could be" } else { "the others are in step" };
    let hint = if spool.rejected == 0 && result.has_undecided_rows {
        "in the sheet, write the key of its booking into each of these rows".to_owned()
    } else if spool.rejected == 0 {
        "in the sheet, delete all but one row of each of these bookings".to_owned()
    } else {
        format!(
            "correct them in the source; all refused rows of the source are listed in {}",
            spool.rejected_path.display()
        )
    };
    Err(Failure::new(Kind::Data, format!("{rows} could not be used, {others}: {problems}"), hint))
}
