//! The rounds of one sheet: snapshot → plan → journal → apply → verify → commit.
//!
//! It strings the steps together. A plan that was not verified is made again from what the sheet holds then.

mod moves;
mod read;
mod write;

use std::path::PathBuf;
use std::time::SystemTime;

use log::info;
use shared::config::Sheet;
use shared::job::Context;
use shared::{Failure, Kind, Result, retry};
use tokio::time::sleep;

use crate::base::{self, Base};
use crate::column::{Columns, Remembered};
use crate::google::Tab;
use crate::journal::{self, Heading, Intended};
use crate::layout::Layout;
use crate::plan::{self, Plan, several};
use crate::result::{DriftedCell, SheetResult};
use crate::shelf::Shelf;
use crate::snapshot::Snapshot;
use crate::spool::Spool;
use crate::stray::Before;
use crate::workbook::Workbook;
use crate::{Args, show};

/// How often a plan is made and written before giving up, when people or the network keep coming in between.
const ROUNDS: u32 = 3;

/// How many rows without a key are noted.
const NOTES: usize = 20;

/// What the steps of one sheet share.
pub struct SheetRun<'a> {
    /// The run.
    pub context: &'a Context,
    /// The configuration.
    pub sheet: &'a Sheet,
    /// The flags.
    pub args: &'a Args,
    /// The owned columns.
    pub columns: Columns,
    /// The source.
    pub spool: Spool,
    /// The spreadsheet.
    pub workbook: &'a mut Workbook,
    /// The columns of the last verified run.
    pub known: Vec<Remembered>,
    /// The columns whose number formats are set.
    pub formatted: Vec<Remembered>,
    /// Whether the first plan was counted.
    pub counted: bool,
    /// Whether the round before left something to the next one on purpose.
    pub unfinished: bool,
}

/// What was read and decided in one round.
struct Round {
    /// The file's version before the sheet was read, where it is known.
    version: Option<String>,
    tab: Tab,
    layout: Layout,
    snapshot: Snapshot,
    shelf: Option<Shelf>,
    base: Option<Base>,
    intended: Intended,
    before: Before,
    plan: Plan,
}

/// What became of a written plan.
enum Outcome {
    /// The sheet was seen to hold it.
    Verified,
    /// The sheet must be read again: a large plan, or people came in between.
    Written,
    /// It is not known whether it was written.
    InDoubt(Failure),
}

impl SheetRun<'_> {
    /// Reads, plans and writes until the sheet was seen to hold the source. The text is a dry run's plan.
    ///
    /// # Errors
    /// Whatever keeps the sheet from holding it.
    pub async fn rounds(&mut self, result: &mut SheetResult, text: &mut String) -> Result<()> {
        let mut pauses = retry::pauses(self.context.config.google.first_pause);
        let mut written = 0;
        loop {
            let mut round = self.read_and_plan(result).await?;
            self.count(&round, result);
            plan::refuse_edits(&self.columns, &round.plan)?;
            if self.args.dry_run {
                let mut rows = self.spool.reader()?;
                *text = show::plan(self.sheet, &self.columns, &round.layout, &round.plan, &mut rows)?;
                return Ok(());
            }
            if round.plan.is_empty(&round.layout) {
                self.commit(&round, result)?;
                return self.keep_proof(round.version.as_deref(), &round.plan, &round.snapshot);
            }
            if written == ROUNDS {
                return Err(self.never_settled(&round.plan));
            }
            if written > 0 && !std::mem::take(&mut self.unfinished) {
                result.notes.push(format!("people came in between; repaired: {}", round.plan.extent()));
            }
            let outcome = match self.write(&mut round).await {
                Ok(outcome) => outcome,
                Err(failure) => {
                    return Err(self.workbook.client.explain_refused_write(&self.sheet.tab, failure).await);
                }
            };
            match outcome {
                Outcome::Verified => return self.commit(&round, result),
                Outcome::Written => written += 1,
                Outcome::InDoubt(failure) => {
                    let Some(pause) = pauses.next() else { return Err(failure) };
                    info!("{failure}; it may have been done all the same, so the sheet is read again");
                    sleep(pause).await;
                }
            }
        }
    }

    /// The first round's plan is the difference between before and after, whatever later rounds had to repeat.
    fn count(&mut self, round: &Round, result: &mut SheetResult) {
        if std::mem::replace(&mut self.counted, true) {
            return;
        }
        let plan = &round.plan;
        result.rejected += plan.held_back;
        result.problems.extend(plan.problems.iter().cloned());
        let blank = round.snapshot.blank_keys.iter().take(NOTES);
        result.notes.extend(
            blank.map(|row| format!("row {row} has cells in owned columns but no key; it was left alone")),
        );
        let more = round.snapshot.blank_keys.len().saturating_sub(NOTES);
        if let Some(last) = round.snapshot.blank_keys.last().filter(|_| more > 0) {
            result.notes.push(format!("so have {more} more rows, down to row {last}"));
        }
        result.notes.extend(plan.notes.iter().cloned());
        result.drifted = plan.drifted;
        result.drifts = plan.drifts.iter().map(|drift| DriftedCell::new(&self.columns, drift)).collect();
        result.added = plan.adds.len() as u64 + plan.come_back;
        result.updated = plan.updates.len() as u64;
        result.removed = (plan.flags.len() + plan.removals.len()) as u64;
        result.cells_written = plan.cells(self.columns.count());
        result.unchanged = result.source_rows.saturating_sub(result.rejected + result.added + result.updated);
    }

    fn commit(&self, round: &Round, result: &mut SheetResult) -> Result<()> {
        base::commit(&self.base_path(), &self.columns, &self.spool, &round.snapshot)?;
        journal::commit(&self.journals())?;
        journal::prune(&self.journals(), SystemTime::now());
        result.verified = true;
        Ok(())
    }

    fn never_settled(&self, plan: &Plan) -> Failure {
        let differences = differences(&self.columns, plan);
        let total = (plan.updates.len() + plan.adds.len()) as u64;
        Failure::new(
            Kind::Data,
            format!(
                "after {ROUNDS} rounds the sheet still does not hold what was written ({}): {}",
                plan.extent(),
                several(&differences, total)
            ),
            "is someone sorting, is a script or a formula filling these columns? The next run tries again",
        )
    }

    fn journal_heading(&self, tab: &Tab) -> Heading {
        Heading::new(self.context, self.sheet, &self.columns, &tab.header)
    }

    fn base_path(&self) -> PathBuf {
        base::path(&self.context.state.spool(), &self.sheet.name)
    }

    fn differing_path(&self) -> PathBuf {
        self.context.state.spool().join(format!("{}.differing", self.sheet.name))
    }

    fn before_path(&self) -> PathBuf {
        self.context.state.spool().join(format!("{}.before", self.sheet.name))
    }

    /// Where this sheet's journals are.
    pub fn journals(&self) -> PathBuf {
        self.context.state.journal().join(&self.sheet.name)
    }
}

fn differences(columns: &Columns, plan: &Plan) -> Vec<String> {
    let change = |update: &plan::RowUpdate| {
        let (index, cell) = update.changes.first()?;
        let column = &columns.all()[*index];
        Some(format!(
            "row {} ({}), {:?} should be {:?}",
            update.row,
            update.key,
            column.header,
            cell.shown(column.kind)
        ))
    };
    plan.shown.iter().take(5).filter_map(change).collect()
}
