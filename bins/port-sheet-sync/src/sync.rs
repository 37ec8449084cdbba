//! One sheet within its share of the deadline: source into the spool, rounds until the sheet holds it, bad rows reported.

use std::time::Duration;

use shared::config::Sheet;
use shared::job::Context;
use shared::store::Purpose;
use shared::{Failure, Kind, Result};
use tokio::time::timeout;

use crate::google::Client;
use crate::plan::several;
use crate::result::SheetResult;
use crate::rounds::SheetRun;
use crate::spool::{self, Spool};
use crate::{Args, base};

/// Syncs one sheet within its share of the deadline; every failure ends up in the result, so that the next sheet has its
/// turn. The text is a dry run's plan.
pub async fn sync(context: &Context, sheet: &Sheet, args: &Args, share: Duration) -> (SheetResult, String) {
    let mut result = SheetResult::new(&sheet.name);
    let mut text = String::new();
    let done = timeout(share, try_sync(context, sheet, args, &mut result, &mut text)).await;
    if let Err(failure) = done.unwrap_or_else(|_| Err(late(share))) {
        result.fail(failure.within(format_args!("sheet {:?}", sheet.name)));
    }
    (result, text)
}

/// Undoes a run of one sheet.
pub async fn undo(context: &Context, sheet: &Sheet, run: &str, args: &Args) -> (SheetResult, String) {
    let mut result = SheetResult::new(&sheet.name);
    let undone = async {
        let client = client(context, sheet, args)?;
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

fn late(share: Duration) -> Failure {
    Failure::new(
        Kind::Busy,
        format!("the deadline passed before the run was done: this sheet had {:.1} s", share.as_secs_f64()),
        "the next run goes on from here; if this repeats, raise deadline under [job.port-sheet-sync] or run with -v to see where the time goes",
    )
}

async fn try_sync(
    context: &Context,
    sheet: &Sheet,
    args: &Args,
    result: &mut SheetResult,
    text: &mut String,
) -> Result<()> {
    let last = base::heading(&base::path(&context.state.spool(), &sheet.name), &spool::home(sheet))?;
    let (spool, columns) = spool::fill(&context.state.spool(), sheet, last.as_ref())?;
    result.source_rows = spool.source_rows;
    result.rejected = spool.rejected;
    result.problems.clone_from(&spool.problems);
    let client = client(context, sheet, args)?;
    let formatted = last.map(|last| last.columns).unwrap_or_default();
    let known = formatted.clone();
    let mut run = SheetRun {
        context,
        sheet,
        args,
        columns,
        spool,
        client,
        known,
        formatted,
        counted: false,
        unfinished: false,
    };
    let done = run.rounds(result, text).await;
    (result.reads, result.writes) = run.client.requests();
    done?;
    report_bad_rows(&run.spool, result, args)
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

/// A connection to the sheet's spreadsheet.
///
/// # Errors
/// When the credential cannot be used.
pub fn client(context: &Context, sheet: &Sheet, args: &Args) -> Result<Client> {
    // A dry run is not held up by a dead credential, so nothing is to start it again later.
    let purpose = if args.dry_run { Purpose::Look } else { Purpose::Work };
    let tokens = context.tokens_for(&sheet.credential, purpose)?;
    Client::new(&context.config.google, tokens, &sheet.spreadsheet)
}
