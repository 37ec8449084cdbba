//! The column guard: a write that finds out where the columns were when Google applied it.
//!
//! Google cannot be asked to write only if a column is where it was. So the request that writes first copies the rows that
//! it changes into a hidden tab, the safety copy, and its response has row 1. If a column had moved,
//! [`crate::apply::put_back`] puts back what was written over. Otherwise the copy is deleted.

use std::collections::BTreeMap;
use std::path::PathBuf;

use log::info;
use shared::{Kind, Result};

use crate::google::Client;
use crate::google::WriteError;
use crate::model::operation::{CellPlace, Copied, Grid, Operation};
use crate::model::span::{Span, spans};
use crate::plan::moved_columns::is_in_place;
use crate::sheet::owned_row::is_blank;
use crate::sheet::tab::Tab;
use crate::spool::safety_copy::{self, MovedRows, PlannedCell, SafetyCopy};

/// How many rows keep their numbers in the copy. Formulas in it then read as in the sheet: a copied formula follows its cell, and one
/// that points above row 1 is lost.
const ROWS_IN_PLACE: u32 = 5_000;

/// Where the rows of a longer sheet begin in the copy, so that formulas which point to rows above keep pointing somewhere.
const FIRST_ROW: u32 = 2_000;

/// How many columns users may insert at that instant without any being left out of the copy.
pub(super) const SPARE_COLUMNS: u32 = 20;

/// What a guarded write needs to know of its tab.
pub struct ColumnGuard<'a> {
    /// The title of the tab.
    pub title: &'a str,
    /// The tab as the write was planned.
    pub tab: &'a Tab,
    /// Where the list of safety copies is.
    pub copies: PathBuf,
    /// The run, which names the hidden tab.
    pub run: &'a str,
}

/// Where the columns were when a write was applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum ColumnsThen {
    /// Where the write was planned.
    InPlace,
    /// Elsewhere: what was written over must be put back.
    Moved,
}

impl ColumnGuard<'_> {
    /// Carries out all of these operations or none, in one request.
    ///
    /// # Errors
    /// As [`Client::edit`]; [`Kind::Io`] when the safety copy cannot be noted, and then nothing was sent.
    pub async fn edit(&self, client: &mut Client, edits: &[Operation]) -> Result<ColumnsThen, WriteError> {
        let copy = planned(self.tab, edits);
        if copy.writes.is_empty() && copy.formats.is_empty() && copy.added.is_empty() {
            return client.edit(self.tab.id, edits).await.map(|()| ColumnsThen::InPlace);
        }
        self.edit_with(client, edits, copy).await
    }

    /// The same for rows that leave for another tab: row 1 at that instant says which columns they have there.
    ///
    /// # Errors
    /// As [`ColumnGuard::edit`].
    pub async fn move_out(
        &self,
        client: &mut Client,
        edits: &[Operation],
        moved: MovedRows,
    ) -> Result<ColumnsThen, WriteError> {
        let copy = SafetyCopy { moved: Some(moved), ..planned(self.tab, &[]) };
        self.edit_with(client, edits, copy).await
    }

    async fn edit_with(
        &self,
        client: &mut Client,
        edits: &[Operation],
        mut copy: SafetyCopy,
    ) -> Result<ColumnsThen, WriteError> {
        let mut copies = safety_copy::load(&self.copies)?;
        let hidden = self.hidden(client, &mut copy);
        copies.push(copy);
        safety_copy::store(&self.copies, &copies)?;
        let copying = hidden.iter().flat_map(|hidden| copying(self.tab, hidden, copies.last()));
        let all: Vec<Operation> = copying.chain(edits.iter().cloned()).collect();
        let claimed = copies.last().map(claimed).unwrap_or_default();
        let sent = client.edit_and_look(self.tab, self.title, &all, &claimed).await;
        let look = match sent {
            Ok(look) => look,
            Err(WriteError::OutcomeUnknown(failure)) => return Err(WriteError::OutcomeUnknown(failure)),
            Err(refused) => {
                copies.pop();
                safety_copy::store(&self.copies, &copies)?;
                return Err(refused);
            }
        };
        let Some(mut copy) = copies.pop() else { return Ok(ColumnsThen::InPlace) };
        copy.taken = taken(&copy, &claimed, &look.columns);
        if copy.taken.is_empty() && is_in_place(&copy, &look.header) {
            if let Some(hidden) = hidden {
                remove(client, hidden.id).await?;
            }
            safety_copy::store(&self.copies, &copies)?;
            return Ok(ColumnsThen::InPlace);
        }
        info!("columns moved while the sheet was written: row 1 was {:?}", look.header);
        copy.seen = copy.title.is_empty().then_some(look.header);
        copies.push(copy);
        safety_copy::store(&self.copies, &copies)?;
        Ok(ColumnsThen::Moved)
    }

    /// The hidden tab for the rows that are written over; `None` when there are none.
    fn hidden(&self, client: &Client, copy: &mut SafetyCopy) -> Option<HiddenTab> {
        // Rows that the same request adds hold nothing yet.
        let known = 2..=self.tab.rows;
        let mut rows: Vec<u32> =
            copy.writes.iter().map(|cell| cell.row).filter(|row| known.contains(row)).collect();
        rows.sort_unstable();
        rows.dedup();
        if copy.writes.is_empty() && copy.formats.is_empty() && copy.moved.is_none() {
            return None;
        }
        let last = rows.last().copied().unwrap_or(1);
        copy.rows = match last <= ROWS_IN_PLACE {
            true => rows.iter().map(|row| (*row, *row)).collect(),
            false => rows.iter().copied().zip(FIRST_ROW..).collect(),
        };
        let of_formats =
            if copy.formats.is_empty() || self.tab.rows > ROWS_IN_PLACE { 1 } else { self.tab.rows };
        let last = copy.rows.last().map_or(1, |(_, row)| *row).max(of_formats);
        let name = format!("port-jobs safety copy {}-{}", self.run, client.requests().1);
        copy.title.clone_from(&name);
        let grid = Grid { rows: last, columns: self.tab.columns + SPARE_COLUMNS };
        Some(HiddenTab { id: id_of(&name), title: name, grid })
    }
}

/// The hidden tab of a safety copy.
struct HiddenTab {
    id: i32,
    title: String,
    grid: Grid,
}

/// What some operations write over in a tab, and what they add.
fn planned(tab: &Tab, edits: &[Operation]) -> SafetyCopy {
    let mut copy = SafetyCopy {
        title: String::new(),
        rows: Vec::new(),
        header: tab.header.clone(),
        writes: Vec::new(),
        formats: Vec::new(),
        added: Vec::new(),
        seen: None,
        taken: Vec::new(),
        moved: None,
    };
    for edit in edits {
        match edit {
            Operation::Write { row, column, cells } => {
                let cells = (*column..).zip(cells);
                copy.writes.extend(cells.map(|(column, cell)| PlannedCell {
                    row: *row,
                    column,
                    new: Some(cell.clone()),
                }));
            }
            Operation::WriteBlock { row, column, rows } => {
                for (row, cells) in (*row..).zip(rows) {
                    copy.writes.extend((*column..).zip(cells).map(|(column, cell)| PlannedCell {
                        row,
                        column,
                        new: Some(cell.clone()),
                    }));
                }
            }
            Operation::Strike { row, columns, .. } => {
                copy.writes.extend(columns.iter().map(|column| PlannedCell { row: *row, column, new: None }));
            }
            // Of the rows that the same request adds, nothing can be written over.
            Operation::NumberFormat { column, from_row, .. } if *from_row <= tab.rows => {
                copy.formats.push(*column)
            }
            Operation::Append(rows) => copy.added.extend(rows.iter().cloned()),
            Operation::On(_, edit) => match &**edit {
                Operation::CopyRows { to, what: Copied::Format, .. } if to.tab == tab.id => {
                    copy.formats.push(to.column);
                }
                Operation::CopyRows { to, .. } if to.tab == tab.id => {
                    copy.writes.push(PlannedCell { row: to.row, column: to.column, new: None });
                }
                _ => {}
            },
            _ => {}
        }
    }
    copy
}

/// The columns without a header that get one.
pub(super) fn claimed(copy: &SafetyCopy) -> Vec<u32> {
    let headers = copy.writes.iter().filter(|cell| cell.row == 1);
    let is_blank = |column: &u32| copy.header.get(*column as usize).is_none_or(String::is_empty);
    headers.map(|cell| cell.column).filter(is_blank).collect()
}

/// The claimed columns that hold more than what was written into them.
pub(super) fn taken(copy: &SafetyCopy, claimed: &[u32], found: &[Vec<serde_json::Value>]) -> Vec<u32> {
    let mut taken = Vec::new();
    for (column, values) in claimed.iter().zip(found) {
        let added = copy
            .added
            .iter()
            .filter_map(|row| row.get(*column as usize))
            .filter(|cell| **cell != crate::model::cell::Cell::Empty);
        let written = copy.writes.iter().filter(|cell| cell.column == *column && cell.new.is_some());
        let rows: std::collections::BTreeSet<u32> = written.map(|cell| cell.row).collect();
        let others = (1..).zip(values).filter(|(row, value)| !is_blank(Some(value)) && !rows.contains(row));
        if others.count() > added.count() {
            taken.push(*column);
        }
    }
    taken
}

/// The operations that copy what will be written over, ahead of the write.
fn copying(tab: &Tab, hidden: &HiddenTab, copy: Option<&SafetyCopy>) -> Vec<Operation> {
    let Some(copy) = copy else { return Vec::new() };
    let HiddenTab { id, title, grid } = hidden;
    let mut operations = vec![Operation::AddTab { id: *id, title: title.clone(), grid: *grid, hidden: true }];
    let to_row =
        |rows: Span, row: u32| Operation::CopyAllColumns { rows, to: CellPlace { tab: *id, row, column: 0 } };
    operations.push(to_row(Span::one(1), 1));
    let places: BTreeMap<u32, u32> = copy.rows.iter().copied().collect();
    for rows in spans(places.keys().copied().collect(), 0) {
        operations.push(to_row(rows, places.get(&rows.first).copied().unwrap_or(rows.first)));
    }
    if tab.rows > 1 && tab.rows <= ROWS_IN_PLACE {
        let known = copy.formats.iter().filter(|column| **column < tab.columns);
        operations.extend(known.map(|&column| Operation::CopyRows {
            rows: Span::new(2, tab.rows),
            columns: Span::one(column),
            to: CellPlace { tab: *id, row: 2, column },
            what: Copied::Format,
        }));
    }
    operations
}

/// Removes the hidden tab of a safety copy that is not needed. A tab that is not there any more is as good.
///
/// # Errors
/// [`WriteError::OutcomeUnknown`] when that is not known.
pub async fn remove(client: &mut Client, hidden: i32) -> Result<(), WriteError> {
    match client.delete_tab(hidden).await {
        Err(WriteError::Rejected(failure)) if failure.kind == Kind::Data => {
            info!("the hidden tab of a safety copy could not be removed: {failure}");
            Ok(())
        }
        other => other,
    }
}

/// The id of a tab with this title: one that no other tab has, as far as chance goes.
pub fn id_of(title: &str) -> i32 {
    let mut bytes = [0; 4];
    bytes.copy_from_slice(&blake3::hash(title.as_bytes()).as_bytes()[..4]);
    i32::from_le_bytes(bytes) & i32::MAX
}
