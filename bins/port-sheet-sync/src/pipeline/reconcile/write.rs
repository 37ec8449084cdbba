//! The part of a round in which a plan is journaled and written, and read back if that takes one request.

use shared::Result;

use crate::apply;
use crate::apply::Target;
use crate::apply::Written;
use crate::apply::guard::ColumnGuard;
use crate::google::WriteError;
use crate::journal;
use crate::journal::Journal;
use crate::pipeline::reconcile::Round;
use crate::pipeline::reconcile::SheetRun;
use crate::pipeline::row_facts::RowFactsReader;
use crate::rounds::RoundOutcome;
use crate::sheet::holding_tab::HeldRow;
use crate::spool::before_image::BeforeImage;
use crate::spool::safety_copy;
use crate::verify;

impl SheetRun<'_> {
    /// Journals and writes a plan, and looks whether it arrived: rows come back alone, then cells are written, then rows
    /// leave.
    pub(super) async fn write(&mut self, round: &mut Round) -> Result<RoundOutcome> {
        let plan = &round.plan;
        let comes_back = !plan.returns.is_empty() || plan.purge;
        let planned_leftovers = comes_back && !plan.returns.iter().any(HeldRow::is_wrong);
        if !comes_back && plan.has_cells(&round.layout) {
            let outcome = self.write_cells(round).await?;
            if round.plan.removals.is_empty() || !matches!(outcome, RoundOutcome::Settled) {
                return Ok(outcome);
            }
        }
        let moved = self.move_rows(round).await;
        let outcome = moved.map(|is_settled| match is_settled {
            true => RoundOutcome::Settled,
            false => RoundOutcome::Again { planned_leftovers },
        });
        RoundOutcome::of_write(outcome, planned_leftovers)
    }

    async fn write_cells(&mut self, round: &mut Round) -> Result<RoundOutcome> {
        if !journal::has_pending_cells(&self.journals())? {
            BeforeImage::keep(&self.differing_path(), &self.before_path())?;
        }
        let journal = Journal::of_cells(
            &self.journals(),
            &self.journal_heading(&round.tab),
            self.spreadsheet.client.requests().1,
        )?;
        let path = journal.path();
        let planned_leftovers = !round.plan.removals.is_empty();
        let Round { version, tab, layout, snapshot, base, pending, before, plan, .. } = round;
        let mut spooled = self.spool.reader()?;
        let mut rows = RowFactsReader::open(
            &self.columns,
            pending,
            before,
            base.as_mut(),
            &self.spool,
            &self.differing_path(),
        )?;
        apply::journal::write(
            journal,
            &self.columns,
            plan,
            &layout.added,
            |row| rows.update(&self.spool, row),
            &mut spooled,
        )?;
        let guard = ColumnGuard {
            title: &self.sheet.tab,
            tab,
            copies: safety_copy::path(&self.context.state.spool(), &self.sheet.name),
            run: &self.context.run,
        };
        let target = Target { sheet: self.sheet, tab, columns: &self.columns, layout, snapshot, guard };
        let applied_before = self.spreadsheet.client.applied();
        let client = &mut self.spreadsheet.client;
        let written =
            apply::apply(client, &target, plan, |row| rows.update(&self.spool, row), &mut spooled).await;
        match written {
            Ok(Written::Atomically(updates)) => {
                self.formatted = self.columns.remembered();
                // Reading all of a small sheet again costs little, and only that proves anything to the next run.
                if version.is_some() && crate::snapshot::reader::is_one_read(tab, layout, &self.spool) {
                    return Ok(RoundOutcome::Again { planned_leftovers });
                }
                let seen =
                    verify::is_written(&mut self.spreadsheet.client, &target, plan, &updates, &self.spool)
                        .await?;
                Ok(if seen { RoundOutcome::Settled } else { RoundOutcome::Again { planned_leftovers } })
            }
            Ok(Written::IntoMovedColumns) => Ok(RoundOutcome::Again { planned_leftovers: false }),
            Ok(Written::InBulk) => {
                self.formatted = self.columns.remembered();
                Ok(RoundOutcome::Again { planned_leftovers })
            }
            Err(error) => {
                let is_unapplied = self.spreadsheet.client.applied() == applied_before;
                if is_unapplied && !matches!(error, WriteError::OutcomeUnknown(_)) {
                    journal::withdraw(&path)?;
                }
                RoundOutcome::of_write(Err(error), planned_leftovers)
            }
        }
    }
}
