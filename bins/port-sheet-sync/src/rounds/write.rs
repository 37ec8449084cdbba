//! The part of a round in which a plan is journaled and written, and looked at where that takes one request.
//!
//! What is to be written was decided before.

use shared::Result;

use super::{Outcome, Round, SheetRun};
use crate::apply::{self, Target, Written};
use crate::comparison::Comparison;
use crate::google::Trouble;
use crate::journal::{self, Journal};
use crate::shelf::Shelved;
use crate::snapshot::{self, Differing};
use crate::stray::Before;
use crate::verify;

impl SheetRun<'_> {
    /// Journals and writes a plan, and looks whether it arrived: rows come back alone, then cells are written, then rows
    /// leave.
    pub(super) async fn write(&mut self, round: &mut Round) -> Result<Outcome> {
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
}
