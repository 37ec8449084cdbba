//! `--undo RUN`: restores what a run changed, except where it was changed again since, and reports the exceptions.
//!
//! It runs in the rounds of a sync: read, plan, journal, write, until the plan is empty. So it can be killed at any
//! point and started again, and an undo can itself be undone. What a run did is read from its journals alone.

pub mod current;
pub mod effect;
pub mod headers;
pub mod plan;
pub mod rows;
pub mod write;

use std::path::PathBuf;

use shared::config::Sheet;
use shared::run::Context;
use shared::{Failure, Kind, Result};
use tokio::time::Instant;

use crate::args::Args;
use crate::google::Client;
use crate::google::WriteError;
use crate::journal;
use crate::journal::JournalHeader;
use crate::journal::past;
use crate::model::column::Columns;
use crate::model::list::first_few;
use crate::report::result::SheetResult;
use crate::rounds::{EarlierRounds, RoundOutcome, Rounds, until_settled};
use crate::snapshot::spreadsheet::connect;
use crate::spool::proof;
use crate::undo::current::CurrentSheet;
use crate::undo::effect::RunEffect;
use crate::undo::plan::CellWrite;
use crate::undo::plan::UndoPlan;
use crate::undo::plan::repairs;

/// How many rounds an undo has: each kind of change needs its own, and users may interfere.
const ROUNDS: u32 = 12;

/// How many of the things that are left as they are the result lists.
const LISTED: usize = 200;

type WriteResult<T> = Result<T, WriteError>;

struct Undo<'a> {
    context: &'a Context,
    sheet: &'a Sheet,
    client: Client,
    columns: Columns,
    heading: JournalHeader,
    /// The header of the run's journals.
    then: JournalHeader,
    effect: RunEffect,
    result: &'a mut SheetResult,
    /// Bookings whose row was put back.
    tried: Vec<String>,
    /// The writes of the previous round, and the sheet before them.
    last: Option<(Vec<CellWrite>, CurrentSheet)>,
    /// Rows in which users wrote since.
    in_use: Vec<String>,
    /// Cells of returned rows whose column is gone.
    lost: Vec<String>,
    /// How many things are left as they are.
    left: usize,
}

/// Undoes a run of one sheet. The text is for the terminal.
pub async fn undo(
    context: &Context,
    sheet: &Sheet,
    run: &str,
    args: &Args,
    end: Instant,
) -> (SheetResult, String) {
    let mut result = SheetResult::new(&sheet.name);
    let undone = match connect(context, sheet, args.purpose(), end) {
        Ok(client) => try_undo(context, sheet, run, args.dry_run, client, &mut result).await,
        Err(failure) => Err(failure),
    };
    let text = undone.unwrap_or_else(|failure| {
        result.fail(failure.within(format_args!("sheet {:?}", sheet.name)));
        String::new()
    });
    (result, text)
}

async fn try_undo(
    context: &Context,
    sheet: &Sheet,
    run: &str,
    dry_run: bool,
    client: Client,
    result: &mut SheetResult,
) -> Result<String> {
    let mut undo = Undo::new(context, sheet, run, client, result)?;
    let done = if dry_run {
        undo.dry_run().await
    } else {
        proof::revoke(&proof::path(&context.state.spool(), &sheet.name))?;
        until_settled(&mut undo, context.config.google.first_pause).await
    };
    (undo.result.reads, undo.result.writes) = undo.client.requests();
    done?;
    Ok(summary(run, dry_run, undo.left, undo.result))
}

fn unknown(run: &str) -> Failure {
    Failure::new(
        Kind::Usage,
        format!("no journal of a run {run:?} is left; they are kept for 90 days"),
        "the runs that can be undone: port-sheet-sync --history",
    )
}

impl Rounds for Undo<'_> {
    async fn round(&mut self, earlier: EarlierRounds) -> Result<RoundOutcome> {
        if earlier.count == ROUNDS {
            return Err(Failure::new(
                Kind::Data,
                format!("after {ROUNDS} rounds the sheet still does not hold what was put back"),
                "is someone sorting, or is a script writing? type the same command again",
            ));
        }
        let has_written = self.write_round().await;
        let outcome = has_written.map(|has_written| match has_written {
            true => RoundOutcome::Again { planned_leftovers: false },
            false => RoundOutcome::Settled,
        });
        let outcome = RoundOutcome::of_write(outcome, false)?;
        if matches!(outcome, RoundOutcome::Settled) {
            journal::commit_run(&self.journals(), &self.context.run)?;
            self.result.verified = true;
        }
        Ok(outcome)
    }
}

impl<'a> Undo<'a> {
    fn new(
        context: &'a Context,
        sheet: &'a Sheet,
        run: &str,
        client: Client,
        result: &'a mut SheetResult,
    ) -> Result<Self> {
        let (then, lines) =
            past::of_run(&journal::journals(context, sheet), run)?.ok_or_else(|| unknown(run))?;
        if then.home != crate::spool::home(sheet) {
            return Err(Failure::new(
                Kind::Data,
                format!("run {run} wrote to another spreadsheet or tab than the configuration names today"),
                format!("set spreadsheet = and tab = of sheet {:?} back for the undo", sheet.name),
            ));
        }
        let columns = Columns::of_a_run(&then.columns, &then.key)?;
        let headers: Vec<String> = then.columns.iter().map(|column| column.header.clone()).collect();
        let heading = JournalHeader {
            undoes: Some(run.to_owned()),
            ..JournalHeader::new(context, sheet, &columns, &then.header)
        };
        Ok(Self {
            context,
            sheet,
            client,
            columns,
            heading,
            then,
            effect: RunEffect::of(lines, &headers),
            result,
            tried: Vec::new(),
            last: None,
            in_use: Vec::new(),
            lost: Vec::new(),
            left: 0,
        })
    }

    async fn read(&mut self) -> Result<CurrentSheet> {
        let spill = self.context.state.spool().join(format!("{}.undo", self.sheet.name));
        let current =
            CurrentSheet::read(&mut self.client, self.sheet, &self.columns, &self.then, &spill).await?;
        // Rows are journaled in the columns of today.
        self.heading.header.clone_from(&current.tab.header);
        Ok(current)
    }

    async fn dry_run(&mut self) -> Result<()> {
        let mut current = self.read().await?;
        let mut plan = plan::make(&self.effect, &self.columns, &mut current, &self.tried)?;
        self.refuse_a_missing_key(&plan, &current, true)?;
        self.keep_rows_in_use(&mut plan, &current).await?;
        self.count(&plan);
        Ok(())
    }

    /// Reads, plans and writes; false if the plan is empty.
    async fn write_round(&mut self) -> WriteResult<bool> {
        self.settle_copies().await?;
        let mut current = self.read().await?;
        if self.settle_removals(&current).await? || self.write_headers(&current).await? {
            return Ok(true);
        }
        let mut plan = plan::make(&self.effect, &self.columns, &mut current, &self.tried)?;
        self.refuse_a_missing_key(&plan, &current, false)?;
        if let Some((last, mut before)) = self.last.take() {
            let repairs = repairs(&last, &mut before, &mut current)?;
            if !repairs.is_empty() {
                let note = format!("people came in between; repaired: {} cells", repairs.len());
                self.result.notes.push(note);
                self.write_cells(&repairs, current).await?;
                return Ok(true);
            }
        }
        self.keep_rows_in_use(&mut plan, &current).await?;
        self.count(&plan);
        self.carry_out(plan, current).await
    }

    /// Writes one kind of change, since each moves the rows that the next one is about.
    async fn carry_out(&mut self, plan: UndoPlan, current: CurrentSheet) -> WriteResult<bool> {
        if !plan.puts.is_empty() {
            self.write_cells(&plan.puts, current).await?;
        } else if !plan.returns.is_empty() {
            self.put_back(plan.returns, &current).await?;
        } else if !plan.removals.is_empty() {
            self.take_away(plan.removals, &current).await?;
        } else {
            return self.clear_headers(&current).await;
        }
        Ok(true)
    }

    /// The first plan is the difference between before and after; what is left is reported as in the last plan.
    fn count(&mut self, plan: &UndoPlan) {
        let result = &mut *self.result;
        if result.problems.is_empty() && result.cells_written + result.added + result.removed == 0 {
            result.cells_written = plan.puts.len() as u64;
            result.added = plan.returns.len() as u64;
            result.removed = plan.removals.len() as u64;
            let mut rows: Vec<u32> = plan.puts.iter().map(|put| put.row).collect();
            rows.dedup();
            result.updated = rows.len() as u64;
        }
        result.problems = plan.left.iter().chain(&self.in_use).chain(&self.lost).cloned().collect();
        self.left = result.problems.len();
        if self.left > LISTED {
            result.problems.truncate(LISTED);
            result.problems.push(format!("and {} more", self.left - LISTED));
        }
    }

    fn journals(&self) -> PathBuf {
        journal::journals(self.context, self.sheet)
    }
}

fn summary(run: &str, dry_run: bool, left: usize, result: &SheetResult) -> String {
    let done = if dry_run { "would be undone; nothing was written" } else { "is undone" };
    let mut text = format!(
        "{}: run {run} {done}: {} cells put back, {} rows put back, {} rows taken away, {left} things left as they are\n",
        result.sheet, result.cells_written, result.added, result.removed,
    );
    for left in &result.problems {
        text.push_str(&format!("  ! {left}\n"));
    }
    text.push_str("  The next sync brings the source's bookings again: change them there first, or stop the schedule.\n");
    text
}

/// The sheet that a run wrote to, when no `--sheet` names it.
///
/// # Errors
/// [`Kind::Usage`] when there is none, or several.
pub fn sheet_of<'a>(context: &Context, sheets: &[&'a Sheet], run: &str) -> Result<&'a Sheet> {
    let mut found = Vec::new();
    for sheet in sheets {
        if past::of_run(&journal::journals(context, sheet), run)?.is_some() {
            found.push(*sheet);
        }
    }
    match found[..] {
        [] => Err(unknown(run)),
        [sheet] => Ok(sheet),
        _ => {
            let names: Vec<String> = found.iter().map(|sheet| sheet.name.clone()).collect();
            Err(Failure::new(
                Kind::Usage,
                format!("run {run} wrote to several sheets: {}", first_few(&names, names.len() as u64)),
                format!("undo one at a time: port-sheet-sync --undo {run} --sheet {}", names[0]),
            ))
        }
    }
}
