//! Rows that the run took away come back, and rows that it added go.
//!
//! What is to be done is decided before; how rows move safely is [`crate::removal`]'s.

use std::collections::HashSet;

use serde_json::json;

use super::ground::Ground;
use super::net::Moved;
use super::plan::Plan;
use super::{Sent, Undo};
use crate::edit::{Edit, WholeCell};
use crate::journal::{self, Journal, Line};
use crate::plan::refuse_rows_that_cannot_come_back;
use crate::removal::rearrange::rearrange;
use crate::removal::{Mover, entered, rows_a_request, spans};
use crate::shelf::{self, Place, Shelved};
use crate::snapshot::MissingRow;

impl Undo<'_> {
    /// Rows that were taken away and not seen to be the right ones: wrong ones come back, the others are gone for good.
    pub(super) async fn settle_removals(&mut self, ground: &Ground) -> Sent<bool> {
        if !journal::has_pending_rows(&self.journals()) {
            return Ok(false);
        }
        let in_doubt = journal::removals_in_doubt(&self.journals())?;
        for place in self.places() {
            let header = shelf::header(&ground.tab, &ground.layout);
            let client = &mut self.client;
            let found = shelf::look(client, &place, &self.columns, &header, &in_doubt).await?;
            let Some(shelf) = found else { continue };
            refuse_rows_that_cannot_come_back(&shelf, &self.sheet.tab)?;
            let wrong: Vec<Shelved> = shelf.rows.iter().filter(|row| row.is_wrong()).cloned().collect();
            let is_kept = place.is_kept;
            if !wrong.is_empty() {
                self.mover(ground, place).bring_back(&shelf.tab, &wrong).await?;
                return Ok(true);
            }
            if !is_kept {
                self.mover(ground, place).purge(&shelf).await?;
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Where rows of the run went, came from or may go to.
    fn places(&self) -> Vec<Place> {
        let moved = self.net.removed.values().chain(self.net.returned.values());
        let archives: HashSet<&String> = moved.filter_map(|moved| moved.archive.as_ref()).collect();
        let kept = archives.into_iter().map(|title| Place { title: title.clone(), is_kept: true });
        kept.chain([Place::passing(&self.sheet.tab)]).collect()
    }

    /// Rows come back: from the archive, or, where they are not there, as the journal has them.
    pub(super) async fn put_back(&mut self, returns: Vec<(String, Moved)>, ground: &Ground) -> Sent<()> {
        self.tried.extend(returns.iter().map(|(key, _)| key.clone()));
        let archives: HashSet<String> =
            returns.iter().filter_map(|(_, moved)| moved.archive.clone()).collect();
        let mut journaled = returns;
        for title in archives {
            let place = Place { title, is_kept: true };
            let header = shelf::header(&ground.tab, &ground.layout);
            let (client, in_doubt) = (&mut self.client, HashSet::new());
            let found = shelf::look(client, &place, &self.columns, &header, &in_doubt).await?;
            let Some(shelf) = found.filter(|shelf| shelf.has_todays_columns) else { continue };
            let mut wanted: HashSet<String> = journaled
                .iter()
                .filter(|(_, moved)| moved.archive.as_ref() == Some(&place.title))
                .map(|(key, _)| key.clone())
                .collect();
            let mut there = Vec::new();
            for shelved in shelf.rows.iter().filter(|row| row.is_right()) {
                if wanted.remove(&shelved.mark.key) {
                    there.push(shelved.clone());
                }
            }
            journaled.retain(|(key, _)| !there.iter().any(|shelved| shelved.mark.key == *key));
            if !there.is_empty() {
                self.mover(ground, place).bring_back(&shelf.tab, &there).await?;
                // The numbers of rows have moved; the others follow in the next round.
                self.tried.retain(|key| !journaled.iter().any(|(waiting, _)| waiting == key));
                return Ok(());
            }
        }
        journaled.sort_by_key(|(_, moved)| moved.row);
        for rows in journaled.chunks(rows_a_request(ground.tab.columns)) {
            self.insert(rows, ground).await?;
        }
        Ok(())
    }

    async fn insert(&mut self, rows: &[(String, Moved)], ground: &Ground) -> Sent<()> {
        let mut journal = Journal::of_rows(&self.journals(), &self.heading, self.client.requests().1)?;
        let mut edits = Vec::new();
        for (inserted, (key, moved)) in (0..).zip(rows) {
            let (cells, lost) = rearrange(&moved.cells, &self.then.header, &ground.tab.header);
            let lost = lost.iter().map(|header| format!("{key}, {header:?}: its column is gone"));
            self.lost.extend(lost);
            let row = (moved.row - 1).clamp(1, ground.tab.rows + inserted);
            let line = (row + 1, key.clone(), cells.clone());
            journal.put(&Line::Return {
                row: line.0,
                key: line.1,
                wrong: false,
                archive: None,
                cells: line.2,
            })?;
            edits.extend([Edit::InsertRows { row, rows: 1 }, Edit::Restore { row, cells }]);
        }
        self.mover(ground, Place::passing(&self.sheet.tab)).send(journal, &edits).await
    }

    /// Rows go: those that the run added, and those that it brought back.
    pub(super) async fn take_away(
        &mut self,
        removals: Vec<(MissingRow, Option<Moved>)>,
        ground: &Ground,
    ) -> Sent<()> {
        let archive = removals.iter().find_map(|(_, moved)| moved.as_ref()?.archive.clone());
        let goes = |moved: &Option<Moved>| moved.as_ref().and_then(|moved| moved.archive.clone()) == archive;
        let rows: Vec<MissingRow> =
            removals.iter().filter(|(_, moved)| goes(moved)).map(|(row, _)| row.clone()).collect();
        let place = match archive {
            Some(title) => Place { title, is_kept: true },
            None => Place::passing(&self.sheet.tab),
        };
        self.mover(ground, place).remove(&rows).await.map(drop)
    }

    /// Leaves rows alone beside which people wrote since.
    pub(super) async fn keep_rows_in_use(&mut self, plan: &mut Plan, ground: &Ground) -> Sent<()> {
        self.in_use.clear();
        let mut free = Vec::new();
        for rows in std::mem::take(&mut plan.removals).chunks(rows_a_request(ground.tab.columns)) {
            let numbers = rows.iter().map(|(row, _)| row.row);
            let found = self.client.whole_rows(&self.sheet.tab, &spans(numbers)).await?;
            for ((row, moved), cells) in rows.iter().zip(found) {
                if self.is_untouched(&entered(cells), moved.as_ref(), ground) {
                    free.push((row.clone(), moved.clone()));
                } else {
                    let (row, key) = (row.row, &row.key.text);
                    self.in_use.push(format!("row {row} ({key}): people wrote in it since"));
                }
            }
        }
        plan.removals = free;
        Ok(())
    }

    /// A row that the run added holds nothing of people's; one that it brought back holds what it held then. Formulas are
    /// not compared: they follow their row.
    fn is_untouched(&self, cells: &[WholeCell], moved: Option<&Moved>, ground: &Ground) -> bool {
        let value = |cell: Option<&WholeCell>| {
            let value = cell.and_then(|cell| cell.get("userEnteredValue")).cloned().unwrap_or_default();
            if value.get("formulaValue").is_some() { json!("a formula") } else { value }
        };
        let note = |cell: Option<&WholeCell>| cell.and_then(|cell| cell.get("note")).cloned();
        match moved {
            Some(moved) => {
                let (then, _) = rearrange(&moved.cells, &self.then.header, &ground.tab.header);
                (0..cells.len().max(then.len())).all(|at| {
                    value(cells.get(at)) == value(then.get(at)) && note(cells.get(at)) == note(then.get(at))
                })
            }
            None => {
                let owned: HashSet<u32> = ground.layout.columns.iter().copied().collect();
                (0..).zip(cells).all(|(column, cell)| {
                    (owned.contains(&column) || value(Some(cell)).is_null()) && note(Some(cell)).is_none()
                })
            }
        }
    }

    fn mover<'m>(&'m mut self, ground: &'m Ground, place: Place) -> Mover<'m> {
        Mover {
            client: &mut self.client,
            title: &self.sheet.tab,
            tab: &ground.tab,
            columns: &self.columns,
            layout: &ground.layout,
            place,
            journals: self.context.state.journal().join(&self.sheet.name),
            heading: &self.heading,
            day: self.context.started.date_naive(),
        }
    }
}
