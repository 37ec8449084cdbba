//! The part of a round in which rows leave the tab or come back.

use shared::config::OnMissing;

use crate::apply::rows::RowMover;
use crate::google::WriteError;
use crate::journal;
use crate::pipeline::reconcile::Round;
use crate::pipeline::reconcile::SheetRun;
use crate::sheet::holding_tab;
use crate::sheet::holding_tab::HeldRows;
use crate::sheet::holding_tab::HoldingTab;
use crate::sheet::layout::Layout;
use crate::sheet::tab::Tab;
use crate::snapshot;
use crate::spool::safety_copy;

impl SheetRun<'_> {
    /// What is known of removed rows: looked at when a removal was not seen to its end, and when an archived booking may
    /// be back.
    pub(super) async fn held(&mut self, tab: &Tab, layout: &Layout) -> shared::Result<Option<HeldRows>> {
        let in_doubt = journal::removals_in_doubt(&self.journals())?;
        let pending = journal::has_pending_rows(&self.journals());
        let archives = self.sheet.on_missing == OnMissing::Archive;
        let may_be_back = archives && self.spool.index.values().any(|entry| entry.row == 0);
        let places = [
            pending.then(|| HoldingTab::temporary(&self.sheet.tab)),
            (archives && (pending || may_be_back)).then(|| HoldingTab::of(self.sheet)),
        ];
        let header = holding_tab::header(tab, layout);
        for place in places.iter().flatten() {
            let found = snapshot::holding_tab::read(
                &mut self.spreadsheet.client,
                place,
                &self.columns,
                &header,
                &in_doubt,
            )
            .await?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// Moves rows; yes when everything that was removed was seen to be right.
    pub(super) async fn move_rows(&mut self, round: &Round) -> Result<bool, WriteError> {
        let (journals, heading, plan) = (self.journals(), self.journal_heading(&round.tab), &round.plan);
        let place = match &round.held {
            Some(held) if plan.purge || !plan.returns.is_empty() => held.place.clone(),
            _ => HoldingTab::of(self.sheet),
        };
        let mut mover = RowMover {
            client: &mut self.spreadsheet.client,
            title: &self.sheet.tab,
            tab: &round.tab,
            columns: &self.columns,
            layout: &round.layout,
            place,
            journals,
            copies: safety_copy::path(&self.context.state.spool(), &self.sheet.name),
            heading: &heading,
            day: self.context.started.date_naive(),
        };
        match &round.held {
            Some(held) if plan.purge => mover.purge(held).await.map(|()| false),
            Some(held) if !plan.returns.is_empty() => {
                mover.bring_back(&held.tab, &plan.returns).await.map(|()| false)
            }
            _ => mover.remove(&plan.removals).await,
        }
    }
}
