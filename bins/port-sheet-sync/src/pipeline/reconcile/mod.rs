//! The rounds of one sheet: snapshot → plan → journal → apply → verify → commit.
//!
//! It strings the steps together. A plan that was not verified is made again from what the sheet holds then.

pub mod move_rows;
pub mod read_and_plan;
pub mod write;

use std::path::PathBuf;

use chrono::Utc;
use shared::config::Sheet;
use shared::run::Context;
use shared::{Failure, Kind, Result};

use crate::apply::freshness;
use crate::apply::put_back::{self, PutBack};
use crate::args::Args;
use crate::google::WriteError;
use crate::journal;
use crate::journal::JournalHeader;
use crate::journal::PendingWrites;
use crate::model::column::Columns;
use crate::model::column::Remembered;
use crate::model::list::first_few;
use crate::plan;
use crate::plan::Plan;
use crate::report::dry_run;
use crate::report::result::DriftedCell;
use crate::report::result::SheetResult;
use crate::rounds::{EarlierRounds, RoundOutcome, Rounds, until_settled};
use crate::sheet::holding_tab::HeldRows;
use crate::sheet::layout::Layout;
use crate::sheet::snapshot::Snapshot;
use crate::sheet::tab::Tab;
use crate::snapshot::spreadsheet::Spreadsheet;
use crate::spool::Spool;
use crate::spool::base;
use crate::spool::base::Base;
use crate::spool::before_image::BeforeImage;
use crate::spool::safety_copy;

/// How many plans are written before the run gives up, if users or the network interfere each time.
const ROUNDS: u32 = 3;

/// How many rows without a key are noted.
const NOTES: usize = 20;

/// What the steps of one sheet share.
pub struct SheetRun<'a> {
    pub context: &'a Context,
    pub sheet: &'a Sheet,
    pub args: &'a Args,
    /// The owned columns.
    pub columns: Columns,
    pub spool: Spool,
    pub spreadsheet: &'a mut Spreadsheet,
    /// The columns of the last verified run.
    pub known: Vec<Remembered>,
    /// The columns whose number formats are set.
    pub formatted: Vec<Remembered>,
    /// What is reported of the run, as far as it got.
    pub result: &'a mut SheetResult,
}

/// What was read and decided in one round.
struct Round {
    /// The file's version before the sheet was read, where it is known.
    version: Option<String>,
    tab: Tab,
    layout: Layout,
    snapshot: Snapshot,
    held: Option<HeldRows>,
    base: Option<Base>,
    pending: PendingWrites,
    before: BeforeImage,
    plan: Plan,
}

impl Rounds for SheetRun<'_> {
    async fn round(&mut self, earlier: EarlierRounds) -> Result<RoundOutcome> {
        if let Err(error) = self.put_back().await {
            return RoundOutcome::of_write(Err(error), false);
        }
        let mut round = self.read_and_plan().await?;
        if earlier.count == 0 {
            self.count(&round);
        } else if !self.spreadsheet.client.is_fenced(round.tab.id) {
            self.note_missing_fence();
        }
        plan::refuse_edits(&self.columns, &round.plan)?;
        if round.plan.is_empty(&round.layout) {
            self.commit(&round)?;
            self.keep_proof(round.version.as_deref(), &round.plan, &round.snapshot)?;
            return Ok(RoundOutcome::Settled);
        }
        if earlier.written == ROUNDS {
            return Err(self.never_settled(&round.plan));
        }
        if earlier.written > 0 && !earlier.planned_leftovers {
            self.result.notes.push(format!("people came in between; repaired: {}", round.plan.extent()));
        }
        match self.write(&mut round).await {
            Ok(RoundOutcome::Settled) => self.commit(&round).map(|()| RoundOutcome::Settled),
            Ok(outcome) => Ok(outcome),
            Err(failure) => {
                let client = &mut self.spreadsheet.client;
                Err(client.explain_refused_write(&self.sheet.tab, failure).await)
            }
        }
    }
}

impl SheetRun<'_> {
    /// Reads, plans and writes until the sheet holds the source. Returns the plan as text in a dry run, which writes nothing.
    ///
    /// # Errors
    /// Whatever keeps the sheet from holding it.
    pub async fn bring_into_step(&mut self) -> Result<String> {
        if self.args.dry_run {
            return self.dry_run().await;
        }
        if !self.is_proven().await? {
            let first_pause = self.context.config.google.first_pause;
            until_settled(self, first_pause).await?;
            if let Some(cell) = &self.sheet.freshness_cell {
                freshness::write(&mut self.spreadsheet.client, cell, Utc::now()).await?;
            }
        }
        Ok(String::new())
    }

    async fn dry_run(&mut self) -> Result<String> {
        let round = self.read_and_plan().await?;
        self.count(&round);
        plan::refuse_edits(&self.columns, &round.plan)?;
        dry_run::plan(self.sheet, &self.columns, &round.layout, &round.plan, &mut self.spool.reader()?)
    }

    /// The first round's plan is the difference between before and after, whatever later rounds had to repeat.
    fn count(&mut self, round: &Round) {
        let (result, plan) = (&mut *self.result, &round.plan);
        result.rejected += plan.held_back;
        result.problems.extend(plan.problems.iter().cloned());
        result.has_undecided_rows = plan.has_undecided_rows;
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

    /// Puts back what a write hit because a column had moved at that moment, in this run or in one that was killed.
    async fn put_back(&mut self) -> Result<(), WriteError> {
        let mut put_back = PutBack {
            client: &mut self.spreadsheet.client,
            title: &self.sheet.tab,
            columns: &self.columns,
            copies: safety_copy::path(&self.context.state.spool(), &self.sheet.name),
            run: &self.context.run,
        };
        let cells = put_back.settle().await?;
        self.result.notes.extend(put_back::note(&cells));
        Ok(())
    }

    fn note_missing_fence(&mut self) {
        let note = "Google did not replace the named range that shows which run wrote last: another run at the same moment would not be noticed";
        if !self.result.notes.iter().any(|known| known == note) {
            self.result.notes.push(note.to_owned());
        }
    }

    fn commit(&mut self, round: &Round) -> Result<()> {
        let missing = round.snapshot.missing.iter().map(|row| row.key.hash).collect();
        base::commit(&self.base_path(), &self.columns, &self.spool, &missing)?;
        journal::commit(&self.journals())?;
        journal::prune(&self.journals(), self.spreadsheet.client.confirmed_now());
        self.result.verified = true;
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
                first_few(&differences, total)
            ),
            "is someone sorting, is a script or a formula filling these columns? The next run tries again",
        )
    }

    fn journal_heading(&self, tab: &Tab) -> JournalHeader {
        JournalHeader::new(self.context, self.sheet, &self.columns, &tab.header)
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
    plan.shown.iter().take(5).filter_map(|update| difference(columns, update)).collect()
}

fn difference(columns: &Columns, update: &plan::RowUpdate) -> Option<String> {
    let (index, cell) = update.changes.first()?;
    let column = &columns.all()[*index];
    Some(format!(
        "row {} ({}), {:?} should be {:?}",
        update.row,
        update.key,
        column.header,
        cell.shown(column.kind)
    ))
}
