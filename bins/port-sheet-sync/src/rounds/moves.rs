//! The part of a round in which rows leave the tab or come back.

use shared::config::OnMissing;

use super::{Round, SheetRun};
use crate::google::{Tab, Trouble};
use crate::journal;
use crate::layout::Layout;
use crate::removal::Mover;
use crate::shelf::{self, Place, Shelf};

impl SheetRun<'_> {
    /// What is known of removed rows: looked at when a removal was not seen to its end, and when an archived booking may
    /// be back.
    pub(super) async fn shelf(&mut self, tab: &Tab, layout: &Layout) -> shared::Result<Option<Shelf>> {
        let in_doubt = journal::removals_in_doubt(&self.journals())?;
        let pending = journal::has_pending_rows(&self.journals());
        let archives = self.sheet.on_missing == OnMissing::Archive;
        let may_be_back = archives && self.spool.index.values().any(|entry| entry.row == 0);
        let places = [
            pending.then(|| Place::passing(&self.sheet.tab)),
            (archives && (pending || may_be_back)).then(|| Place::of(self.sheet)),
        ];
        let header = shelf::header(tab, layout);
        for place in places.iter().flatten() {
            let found =
                shelf::look(&mut self.workbook.client, place, &self.columns, &header, &in_doubt).await?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// Moves rows; yes when everything that was removed was seen to be right.
    pub(super) async fn move_rows(&mut self, round: &Round) -> Result<bool, Trouble> {
        let (journals, heading, plan) = (self.journals(), self.journal_heading(&round.tab), &round.plan);
        let place = match &round.shelf {
            Some(shelf) if plan.purge || !plan.returns.is_empty() => shelf.place.clone(),
            _ => Place::of(self.sheet),
        };
        let mut mover = Mover {
            client: &mut self.workbook.client,
            title: &self.sheet.tab,
            tab: &round.tab,
            columns: &self.columns,
            layout: &round.layout,
            place,
            journals,
            heading: &heading,
            day: self.context.started.date_naive(),
        };
        match &round.shelf {
            Some(shelf) if plan.purge => mover.purge(shelf).await.map(|()| false),
            Some(shelf) if !plan.returns.is_empty() => {
                mover.bring_back(&shelf.tab, &plan.returns).await.map(|()| false)
            }
            _ => mover.remove(&plan.removals).await,
        }
    }
}
