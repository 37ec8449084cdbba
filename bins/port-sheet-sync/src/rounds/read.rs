//! The part of a round in which the sheet is read and the plan made: snapshot, base, journal, plan.
//!
//! It writes nothing to the sheet.

use std::collections::HashSet;

use log::info;
use shared::{Failure, Kind, Result};

use super::{ROUNDS, Round, SheetRun};
use crate::base::{Base, Known};
use crate::column::KeyHash;
use crate::comparison::Comparison;
use crate::google::Tab;
use crate::journal::Intended;
use crate::layout::Layout;
use crate::people;
use crate::plan::{self, Facts};
use crate::result::SheetResult;
use crate::snapshot::{self, Snapshot, View};
use crate::stray::{self, Before};

impl SheetRun<'_> {
    /// Reads the sheet and what else is known, and decides what is to be done.
    pub(super) async fn read_and_plan(&mut self, result: &mut SheetResult) -> Result<Round> {
        let version = self.version_before_reading(result).await?;
        let (tab, mut layout, snapshot) = self.snapshot().await?;
        let (known, mut base) = self.look_up(&snapshot)?.unzip();
        // Only rows that differ, or have no booking, raise the question who wrote them.
        let is_in_base =
            |key: &KeyHash| known.as_ref().is_some_and(|known| known.live_rows.contains_key(key));
        let questioned = in_question(&snapshot).filter(|key| !is_in_base(key)).collect();
        let is_in_question = !(snapshot.differing.is_empty()
            && snapshot.irregular.is_empty()
            && snapshot.flagged_others.is_empty());
        let intended = match is_in_question {
            true => Intended::read(&self.journals(), &self.columns, &questioned)?,
            false => Intended::default(),
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
            added: intended.added(),
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
        let wanted: HashSet<KeyHash> = in_question(snapshot).collect();
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
