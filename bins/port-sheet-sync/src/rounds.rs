//! The rounds of one sheet: snapshot → plan → journal → apply → verify → commit.
//!
//! It strings the steps together. A plan that was not verified is made again from what the sheet holds then.

mod moves;

use std::collections::HashSet;
use std::path::PathBuf;
use std::time::SystemTime;

use log::info;
use shared::config::Sheet;
use shared::job::Context;
use shared::{Failure, Kind, Result, retry};
use tokio::time::sleep;

use crate::apply::{self, Target, Written};
use crate::base::{self, Base, Known};
use crate::column::{Columns, KeyHash, Remembered};
use crate::comparison::Comparison;
use crate::google::{Tab, Trouble};
use crate::journal::{Heading, Intended, Journal};
use crate::layout::Layout;
use crate::plan::{self, Facts, Plan, several};
use crate::result::{DriftedCell, SheetResult};
use crate::shelf::{Shelf, Shelved};
use crate::snapshot::{self, Differing, Snapshot, View};
use crate::spool::Spool;
use crate::stray::{self, Before};
use crate::workbook::Workbook;
use crate::{Args, journal, people, show, verify};

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

    async fn read_and_plan(&mut self, result: &mut SheetResult) -> Result<Round> {
        let version = self.version_before_reading(result).await?;
        let (tab, mut layout, snapshot) = self.snapshot().await?;
        let (known, mut base) = self.look_up(&snapshot)?.unzip();
        // Only rows that differ raise the question who wrote them.
        let is_in_base =
            |key: &KeyHash| known.as_ref().is_some_and(|known| known.live_rows.contains_key(key));
        let added = snapshot.differing.iter().map(|row| row.key).filter(|key| !is_in_base(key)).collect();
        let is_in_question = !(snapshot.differing.is_empty()
            && snapshot.irregular.is_empty()
            && snapshot.flagged_others.is_empty());
        let intended = if !is_in_question {
            Intended::default()
        } else {
            Intended::read(&self.journals(), &self.columns, &added)?
        };
        let before = match intended.is_empty() {
            true => Before::default(),
            false => Before::read(&self.before_path(), &self.columns)?,
        };
        let shelf = self.shelf(&tab, &layout).await?;
        let facts = Facts {
            shelf: shelf.as_ref(),
            sheet: self.sheet,
            columns: &self.columns,
            spool: &self.spool,
            snapshot: &snapshot,
            base: known.as_ref(),
            formatted: &self.formatted,
            allow_shrink: self.args.allow_shrink,
            today: self.context.started.date_naive(),
        };
        let mut rows = self.comparison(base.as_mut(), &intended, &before)?;
        let mut plan = plan::make(&facts, &mut layout, |row| rows.update(&self.spool, row))?;
        let (irregular, differing) = (&snapshot.irregular, self.differing_path());
        plan.strays = stray::repairs(&self.columns, &intended, &before, irregular, &differing)?;
        plan.unflags.extend(stray::flags(&intended, &snapshot.flagged_others));
        Ok(Round { version, tab, layout, snapshot, shelf, base, intended, before, plan })
    }

    /// Reads the sheet; again when people move things about meanwhile.
    async fn snapshot(&mut self) -> Result<(Tab, Layout, Snapshot)> {
        for _ in 0..ROUNDS {
            let tab = self.workbook.tab(&self.sheet.tab).await?;
            let layout = Layout::find(self.sheet, &self.columns, &tab.header, tab.columns, &self.known)?;
            layout.refuse_merged_headers(self.sheet, &tab.merged)?;
            let differing = self.differing_path();
            let people = people::path(&self.context.state.spool(), &self.sheet.name);
            let view = View {
                sheet: self.sheet,
                tab: &tab,
                columns: &self.columns,
                layout: &layout,
                differing,
                people,
            };
            if let Some(snapshot) = snapshot::take(&mut self.workbook.client, &view, &mut self.spool).await? {
                return Ok((tab, layout, snapshot));
            }
            info!("rows or columns moved while the sheet was read; reading again");
        }
        Err(Failure::new(
            Kind::Busy,
            format!(
                "people moved rows or columns of tab {:?} each time it was read, {ROUNDS} times",
                self.sheet.tab
            ),
            "nothing was written; the next run tries again",
        ))
    }

    fn comparison<'r>(
        &'r self,
        base: Option<&'r mut Base>,
        intended: &'r Intended,
        before: &'r Before,
    ) -> Result<Comparison<'r>> {
        Comparison::open(&self.columns, intended, before, base, &self.spool, &self.differing_path())
    }

    /// What the base says about the rows in question; nothing is read when there is no question.
    fn look_up(&self, snapshot: &Snapshot) -> Result<Option<(Known, Base)>> {
        let differing = snapshot.differing.iter().map(|row| row.key);
        let wanted: HashSet<KeyHash> =
            differing.chain(snapshot.missing.iter().map(|row| row.key.hash)).collect();
        if wanted.is_empty() {
            return Ok(None);
        }
        Base::look_up(&self.base_path(), &self.spool.heading.home, &self.columns, &wanted)
    }

    /// Journals and writes a plan, and looks whether it arrived: rows come back alone, then cells are written, then rows
    /// leave.
    async fn write(&mut self, round: &mut Round) -> Result<Outcome> {
        let plan = &round.plan;
        let comes_back = !plan.returns.is_empty() || plan.purge;
        self.unfinished = comes_back && !plan.returns.iter().any(Shelved::is_wrong);
        if !comes_back && plan.has_cells(&round.layout) {
            let outcome = self.write_cells(round).await?;
            if round.plan.removals.is_empty() || !matches!(outcome, Outcome::Verified) {
                self.unfinished = !round.plan.removals.is_empty();
                return Ok(outcome);
            }
        }
        match self.move_rows(round).await {
            Ok(true) => Ok(Outcome::Verified),
            Ok(false) => Ok(Outcome::Written),
            Err(Trouble::Unknown(failure)) => Ok(Outcome::InDoubt(failure)),
            Err(Trouble::Refused(failure)) => Err(failure),
        }
    }

    fn journal_heading(&self, tab: &Tab) -> Heading {
        Heading::new(self.context, self.sheet, &self.columns, &tab.header)
    }

    async fn write_cells(&mut self, round: &mut Round) -> Result<Outcome> {
        if !journal::has_pending_cells(&self.journals())? {
            Before::keep(&self.differing_path(), &self.before_path())?;
        }
        let journal = Journal::of_cells(
            &self.journals(),
            &self.journal_heading(&round.tab),
            self.workbook.client.requests().1,
        )?;
        let path = journal.path();
        let Round { version, tab, layout, snapshot, base, intended, before, plan, .. } = round;
        let mut spooled = self.spool.reader()?;
        let mut rows = Comparison::open(
            &self.columns,
            intended,
            before,
            base.as_mut(),
            &self.spool,
            &self.differing_path(),
        )?;
        let update = |row: &Differing| rows.update(&self.spool, row);
        journal::write(journal, &self.columns, plan, &layout.added, update, &mut spooled)?;
        let target = Target { sheet: self.sheet, tab, columns: &self.columns, layout, snapshot };
        let applied_before = self.workbook.client.applied();
        let update = |row: &Differing| rows.update(&self.spool, row);
        let written = apply::apply(&mut self.workbook.client, &target, plan, update, &mut spooled).await;
        match written {
            Ok(Written::Atomically(updates)) => {
                self.formatted = self.columns.remembered();
                // Reading all of a small sheet again costs little, and only that proves anything to the next run.
                if version.is_some() && snapshot::is_one_read(tab, layout, &self.spool) {
                    return Ok(Outcome::Written);
                }
                let seen =
                    verify::is_written(&mut self.workbook.client, &target, plan, &updates, &self.spool)
                        .await?;
                Ok(if seen { Outcome::Verified } else { Outcome::Written })
            }
            Ok(Written::InBulk) => {
                self.formatted = self.columns.remembered();
                Ok(Outcome::Written)
            }
            Err(Trouble::Unknown(failure)) => Ok(Outcome::InDoubt(failure)),
            Err(Trouble::Refused(failure)) => {
                if self.workbook.client.applied() == applied_before {
                    journal::withdraw(&path)?;
                }
                Err(failure)
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
