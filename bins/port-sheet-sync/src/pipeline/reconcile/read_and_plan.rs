//! The part of a round in which the sheet is read and the plan made: snapshot, base, journal, plan.
//!
//! It writes nothing to the sheet.

use std::collections::HashSet;

use log::info;
use shared::Result;

use crate::journal::PendingWrites;
use crate::model::column::KeyHash;
use crate::pipeline::reconcile::Round;
use crate::pipeline::reconcile::SheetRun;
use crate::pipeline::row_facts::RowFactsReader;
use crate::plan;
use crate::plan::PlanFacts;
use crate::plan::key_edits;
use crate::plan::key_edits::{Evidence, Undecided};
use crate::plan::misplaced;
use crate::sheet::layout::Layout;
use crate::sheet::snapshot::Snapshot;
use crate::sheet::tab::Tab;
use crate::snapshot::chunks::{TRIES, never_still};
use crate::snapshot::human;
use crate::snapshot::reader::View;
use crate::spool::base::Base;
use crate::spool::base::BaseRow;
use crate::spool::before_image::BeforeImage;
use crate::spool::row_file;

impl SheetRun<'_> {
    /// Reads the sheet, base and journals, and makes the plan.
    pub(super) async fn read_and_plan(&mut self) -> Result<Round> {
        let version = self.version_before_reading().await?;
        let (tab, mut layout, mut snapshot) = self.snapshot().await?;
        let (known, mut base) = self.look_up(&snapshot)?.unzip();
        // Only rows that differ, or have no booking, raise the question who wrote them.
        let questioned = in_question(&snapshot).collect();
        let is_in_question = !(snapshot.differing.is_empty()
            && snapshot.irregular.is_empty()
            && snapshot.flagged_others.is_empty());
        let pending = match is_in_question {
            true => PendingWrites::read(&self.journals(), &self.columns, &questioned)?,
            false => PendingWrites::default(),
        };
        let undecided = self.settle_key_edits(&mut snapshot, known.as_ref(), base.as_mut(), &pending)?;
        let before = match pending.is_empty() {
            true => BeforeImage::default(),
            false => BeforeImage::read(&self.before_path(), &self.columns)?,
        };
        let held = self.held(&tab, &layout).await?;
        let facts = PlanFacts {
            held: held.as_ref(),
            sheet: self.sheet,
            columns: &self.columns,
            spool: &self.spool,
            snapshot: &snapshot,
            base: known.as_ref(),
            added: pending.added(),
            undecided: &undecided,
            formatted: &self.formatted,
            shown_as: &tab.shown_as,
            allow_shrink: self.args.allow_shrink,
            today: self.context.started.date_naive(),
        };
        let mut rows = self.comparison(base.as_mut(), &pending, &before)?;
        let mut plan = plan::make(&facts, &mut layout, |row| rows.update(&self.spool, row))?;
        let (irregular, differing) = (&snapshot.irregular, self.differing_path());
        plan.repairs = misplaced::repairs(&self.columns, &pending, &before, irregular, &differing)?;
        plan.unflags.extend(misplaced::flags(&pending, &snapshot.flagged_others));
        Ok(Round { version, tab, layout, snapshot, held, base, pending, before, plan })
    }

    /// Gives rows whose key cell a user edited back to their bookings.
    fn settle_key_edits(
        &mut self,
        snapshot: &mut Snapshot,
        known: Option<&BaseRow>,
        base: Option<&mut Base>,
        pending: &PendingWrites,
    ) -> Result<Undecided> {
        if !key_edits::is_possible(snapshot) {
            return Ok(Undecided::default());
        }
        let was_booking = |key: &KeyHash| {
            known.is_some_and(|known| known.live_rows.contains_key(key)) || pending.added().contains(key)
        };
        let edits = key_edits::recognise(Evidence {
            columns: &self.columns,
            spool: &self.spool,
            snapshot,
            base,
            was_booking: &was_booking,
            differing: row_file::reopen(&self.differing_path())?,
            source: self.spool.reader()?,
        })?;
        snapshot.claim(&edits.recognised, &mut self.spool);
        Ok(edits.undecided)
    }

    /// Reads the sheet; again when rows or columns move meanwhile.
    async fn snapshot(&mut self) -> Result<(Tab, Layout, Snapshot)> {
        for _ in 0..TRIES {
            let tab = self.spreadsheet.tab(&self.sheet.tab).await?;
            let layout = Layout::find(self.sheet, &self.columns, &tab.header, tab.columns, &self.known)?;
            layout.refuse_merged_headers(self.sheet, &tab.merged)?;
            let differing = self.differing_path();
            let people = human::path(&self.context.state.spool(), &self.sheet.name);
            let view = View {
                sheet: self.sheet,
                tab: &tab,
                columns: &self.columns,
                layout: &layout,
                differing,
                people,
            };
            if let Some(snapshot) =
                crate::snapshot::reader::take(&mut self.spreadsheet.client, &view, &mut self.spool).await?
            {
                return Ok((tab, layout, snapshot));
            }
            info!("rows or columns moved while the sheet was read; reading again");
        }
        Err(never_still(&self.sheet.tab, "nothing was written; the next run tries again"))
    }

    fn comparison<'r>(
        &'r self,
        base: Option<&'r mut Base>,
        pending: &'r PendingWrites,
        before: &'r BeforeImage,
    ) -> Result<RowFactsReader<'r>> {
        RowFactsReader::open(&self.columns, pending, before, base, &self.spool, &self.differing_path())
    }

    /// The rows in question as the base has them; the base is not read if no row is in question.
    fn look_up(&self, snapshot: &Snapshot) -> Result<Option<(BaseRow, Base)>> {
        let mut wanted: HashSet<KeyHash> = in_question(snapshot).collect();
        if key_edits::is_possible(snapshot) && !self.known.is_empty() {
            wanted.extend(key_edits::without_a_row(&self.spool));
        }
        if wanted.is_empty() {
            return Ok(None);
        }
        Base::look_up(&self.base_path(), &self.spool.heading.home, &self.columns, &wanted)
    }
}

/// Rows that differ, and rows whose booking is not in the source.
fn in_question(snapshot: &Snapshot) -> impl Iterator<Item = KeyHash> {
    let differing = snapshot.differing.iter().map(|row| row.key);
    differing.chain(snapshot.missing.iter().map(|row| row.key.hash))
}
