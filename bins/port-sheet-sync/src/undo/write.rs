//! The changes of an undo, journaled and sent.
//!
//! What is to be done is decided before.

use std::collections::HashSet;

use serde_json::json;

use super::Undo;
use super::ground::Ground;
use super::net::Moved;
use super::plan::{Plan, Put};
use super::rearrange::rearrange;
use crate::edit::Edit;
use crate::google::{Trouble, WholeCell};
use crate::journal::{self, Journal, Line};
use crate::layout::runs;
use crate::removal::{Mover, entered, spans};
use crate::shelf::{self, Place, Shelved};
use crate::snapshot::MissingRow;
use crate::value::Cell;
use crate::{a1, base};

/// How many cells go in one request of values.
const CELLS_A_REQUEST: usize = 2_000;

/// How many edits go in one request: the client's types take some kilobytes each.
const EDITS_A_REQUEST: usize = 500;

type Sent<T> = Result<T, Trouble>;

impl Undo<'_> {
    /// Rows that were taken away and not seen to be the right ones: wrong ones come back, the others are gone for good.
    pub(super) async fn settle_removals(&mut self, ground: &Ground) -> Sent<bool> {
        if !journal::has_pending_rows(&self.journals()) {
            return Ok(false);
        }
        for place in self.places() {
            let header = shelf::header(&ground.tab, &ground.layout);
            let layout = ground.layout.written();
            let found = shelf::look(&mut self.client, &place, &self.columns, &layout, &header).await?;
            let Some(shelf) = found else { continue };
            let wrong: Vec<Shelved> = shelf.rows.iter().filter(|row| !row.is_right()).cloned().collect();
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

    /// Cells with their old values: owned ones raw, status cells with their strike-through.
    pub(super) async fn write_cells(&mut self, puts: &[Put], ground: Ground) -> Sent<()> {
        let mut journal = Journal::of_cells(&self.journals(), &self.heading, self.client.requests().1)?;
        for put in puts {
            journal.put(&self.line(put))?;
        }
        journal.commit()?;
        let layout = &ground.layout;
        let cells: Vec<_> = puts
            .iter()
            .filter_map(|put| {
                let column = layout.columns[put.column?];
                let range = a1::range(&self.sheet.tab, (column, column), (put.row, put.row));
                Some((range, vec![vec![put.new.to_json()]]))
            })
            .collect();
        let statuses: Vec<Edit> = puts
            .iter()
            .filter(|put| put.column.is_none())
            .flat_map(|put| status_edits(put, layout.status, &layout.columns))
            .collect();
        self.last = Some((puts.to_vec(), ground));
        let tab = self.last.as_ref().map_or(0, |(_, ground)| ground.tab.id);
        for cells in cells.chunks(CELLS_A_REQUEST) {
            self.client.write(cells).await?;
        }
        for edits in statuses.chunks(EDITS_A_REQUEST) {
            self.client.edit(tab, edits).await?;
        }
        Ok(())
    }

    fn line(&self, put: &Put) -> Line {
        let (row, key) = (put.row, put.key.clone());
        match (put.column, &put.new) {
            (Some(column), _) => {
                let header = self.columns.all()[column].header.clone();
                Line::Change { row, key, header, old: put.old.clone(), new: put.new.clone() }
            }
            (None, Cell::Empty) => Line::Unflag { row, key, old: put.old.clone() },
            (None, text) => Line::Flag { row, key, new: text.shown(shared::config::Type::Text) },
        }
    }

    /// Rows come back: from the archive, or, where they are not there, as the journal has them.
    pub(super) async fn put_back(&mut self, returns: Vec<(String, Moved)>, ground: &Ground) -> Sent<()> {
        self.tried.extend(returns.iter().map(|(key, _)| key.clone()));
        let mut journaled: Vec<(String, Moved)> = Vec::new();
        let mut archives: HashSet<String> = HashSet::new();
        for (key, moved) in returns {
            archives.extend(moved.archive.clone());
            journaled.push((key, moved));
        }
        for title in archives {
            let place = Place { title, is_kept: true };
            let header = shelf::header(&ground.tab, &ground.layout);
            let layout = ground.layout.written();
            let found = shelf::look(&mut self.client, &place, &self.columns, &layout, &header).await?;
            let Some(shelf) = found else { continue };
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
        let width = ground.tab.columns.max(1) as usize;
        for rows in journaled.chunks((CELLS_A_REQUEST / width).clamp(1, EDITS_A_REQUEST / 2)) {
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
            self.in_use.extend(lost);
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
        self.in_use.retain(|told| told.ends_with("its column is gone"));
        let width = ground.tab.columns.max(1) as usize;
        let mut free = Vec::new();
        for rows in std::mem::take(&mut plan.removals).chunks((4_000 / width).clamp(1, 200)) {
            let numbers = rows.iter().map(|(row, _)| row.row);
            let found = self.client.whole_rows(&self.sheet.tab, &spans(numbers)).await?;
            for ((row, moved), cells) in rows.iter().zip(found) {
                if self.is_untouched(entered(cells), moved.as_ref(), ground) {
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
    fn is_untouched(&self, cells: Vec<WholeCell>, moved: Option<&Moved>, ground: &Ground) -> bool {
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
                (0..)
                    .zip(&cells)
                    .filter(|(column, _)| !owned.contains(column))
                    .all(|(_, cell)| value(Some(cell)).is_null() && note(Some(cell)).is_none())
            }
        }
    }

    /// Headers that the run cleared come first: without them no booking is found.
    pub(super) async fn write_headers(&mut self, ground: &Ground) -> Sent<bool> {
        let is_blank = |column: u32| {
            ground.tab.header.get(column as usize).is_none_or(String::is_empty) && column < ground.tab.columns
        };
        let cleared = self.net.headers.iter().filter(|(column, (old, new))| {
            new.is_empty() && is_blank(**column) && !ground.tab.header.contains(old)
        });
        let headers: Vec<(u32, String, String)> =
            cleared.map(|(column, (old, _))| (*column, String::new(), old.clone())).collect();
        self.change_headers(&headers, ground).await
    }

    /// Headers that the run added go last: the status column's when nothing is left below it, the owned ones' when no
    /// booking is left at all.
    pub(super) async fn clear_headers(&mut self, ground: &Ground) -> Sent<bool> {
        let is_first_load = ground.is_empty()
            && self
                .columns
                .all()
                .iter()
                .all(|column| self.net.headers.values().any(|(_, new)| *new == column.header));
        let goes = |text: &str| text == self.then.status || is_first_load;
        let added: HashSet<&String> = self.net.headers.values().map(|(_, new)| new).collect();
        let headers: Vec<(u32, String, String)> = (0..)
            .zip(&ground.tab.header)
            .filter(|(column, text)| {
                !text.is_empty() && added.contains(text) && goes(text) && !ground.filled.contains(column)
            })
            .map(|(column, text)| (column, text.clone(), String::new()))
            .collect();
        let changed = self.change_headers(&headers, ground).await?;
        if changed && is_first_load {
            base::forget(&base::path(&self.context.state.spool(), &self.sheet.name))?;
        }
        Ok(changed)
    }

    async fn change_headers(&mut self, headers: &[(u32, String, String)], ground: &Ground) -> Sent<bool> {
        if headers.is_empty() {
            return Ok(false);
        }
        let mut journal = Journal::of_cells(&self.journals(), &self.heading, self.client.requests().1)?;
        let mut edits = Vec::new();
        for (column, old, new) in headers {
            let (column, text) = (*column, Cell::Text(new.clone()));
            journal.put(&Line::Header { column, old: old.clone(), new: new.clone() })?;
            let cell = if new.is_empty() { Cell::Empty } else { text };
            edits.push(Edit::Write { row: 0, column, cells: vec![cell] });
        }
        journal.commit()?;
        self.client.edit(ground.tab.id, &edits).await.map(|()| true)
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

fn status_edits(put: &Put, status: Option<u32>, columns: &[u32]) -> Vec<Edit> {
    let Some(column) = status else { return Vec::new() };
    let (row, struck) = (put.row - 1, put.new != Cell::Empty);
    let strike = |(first, last): (u32, u32)| Edit::Strike { row, columns: (first, last + 1), struck };
    let write = Edit::Write { row, column, cells: vec![put.new.clone()] };
    std::iter::once(write).chain(runs(columns.to_vec()).into_iter().map(strike)).collect()
}
