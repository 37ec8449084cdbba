//! Rows that leave a tab and rows that come back, as edits of one atomic request.
//!
//! Pure. Nothing here can lose a cell, whatever people do at that moment: what is deleted is copied in the same request,
//! and every copy goes into rows that the same request inserted.

use chrono::NaiveDate;

use super::Leaving;
use crate::edit::Edit;
use crate::google::Tab;
use crate::shelf::{MARKS, Mark, Place, Shelved, has_header};
use crate::value::Cell;

/// The two tabs between which rows move.
pub struct Between<'a> {
    /// The tab of the bookings.
    pub tab: &'a Tab,
    /// How many columns its grid has by now.
    pub width: u32,
    /// What the other tab is.
    pub place: &'a Place,
    /// The other tab, if there is one already.
    pub shelf: Option<&'a Tab>,
    /// The header that the other tab has above rows of today's columns.
    pub header: &'a [String],
    /// The id that the other tab gets if there is none yet.
    pub new_id: i32,
}

/// Rows leave, the uppermost first in `leaving`.
pub fn leave(between: &Between<'_>, leaving: &[Leaving], day: NaiveDate) -> Vec<Edit> {
    let shelf = between.shelf.map_or(between.new_id, |tab| tab.id);
    let on_shelf = |edit| Edit::On(shelf, Box::new(edit));
    let mut edits = prepare(between, shelf);
    let runs = runs(leaving.iter().map(|row| row.row - 1));
    edits.push(on_shelf(Edit::InsertRows { row: 1, rows: count(leaving) }));
    let mut to = 1;
    for &(row, rows) in &runs {
        edits.push(Edit::CopyRows { row, rows, columns: (0, between.width), to: (shelf, to, 1) });
        to += rows;
    }
    for (row, left) in (1..).zip(leaving) {
        let mark = Mark { day, row: left.row, key: left.key.clone() };
        edits.push(on_shelf(Edit::Write { row, column: 0, cells: vec![Cell::Text(mark.to_string())] }));
    }
    edits.extend(spare_row(between.tab, count(leaving)));
    edits.extend(runs.iter().rev().map(|&(row, rows)| Edit::DeleteRows { row, rows }));
    edits
}

/// Makes the other tab, or gives it today's header above what it holds.
fn prepare(between: &Between<'_>, shelf: i32) -> Vec<Edit> {
    let on_shelf = |edit| Edit::On(shelf, Box::new(edit));
    let columns = between.width + 1;
    let mut edits = Vec::new();
    match between.shelf {
        None => edits.push(Edit::AddTab {
            id: shelf,
            title: between.place.title.clone(),
            grid: (1, columns),
            hidden: !between.place.is_kept,
        }),
        Some(tab) => {
            let lacking = columns.saturating_sub(tab.columns);
            edits.extend((lacking > 0).then(|| on_shelf(Edit::GrowColumns(lacking))));
            if has_header(tab, between.header) {
                return edits;
            }
            edits.push(on_shelf(Edit::InsertRows { row: 0, rows: 1 }));
        }
    }
    edits.push(Edit::CopyRows { row: 0, rows: 1, columns: (0, between.width), to: (shelf, 0, 1) });
    edits.push(on_shelf(Edit::Write { row: 0, column: 0, cells: vec![Cell::Text(MARKS.to_owned())] }));
    edits
}

/// Rows come back from the other tab to where they stood, each in a row of its own.
pub fn come_back(tab: &Tab, shelf: &Tab, rows: &[Shelved]) -> Vec<Edit> {
    let width = shelf.columns - 1;
    let lacking = width.saturating_sub(tab.columns);
    let mut edits: Vec<Edit> = (lacking > 0).then_some(Edit::GrowColumns(lacking)).into_iter().collect();
    let mut back: Vec<&Shelved> = rows.iter().collect();
    back.sort_by_key(|row| row.mark.row);
    for (inserted, shelved) in (0..).zip(back) {
        let row = (shelved.mark.row - 1).clamp(1, tab.rows + inserted);
        let copy =
            Edit::CopyRows { row: shelved.row - 1, rows: 1, columns: (1, width + 1), to: (tab.id, row, 0) };
        edits.extend([Edit::InsertRows { row, rows: 1 }, Edit::On(shelf.id, Box::new(copy))]);
    }
    let gone = runs(rows.iter().map(|row| row.row - 1));
    let on_shelf = |edit| Edit::On(shelf.id, Box::new(edit));
    edits.extend(spare_row(shelf, count(rows)).map(on_shelf));
    edits.extend(gone.iter().rev().map(|&(row, rows)| on_shelf(Edit::DeleteRows { row, rows })));
    edits
}

/// Google refuses to delete every row that is not frozen.
fn spare_row(tab: &Tab, leaving: u32) -> Option<Edit> {
    (tab.rows.saturating_sub(leaving) <= tab.frozen.max(1)).then_some(Edit::GrowRows(1))
}

/// Rows below each other: the first of each run and how many they are.
pub fn runs(rows: impl Iterator<Item = u32>) -> Vec<(u32, u32)> {
    crate::layout::runs(rows.collect()).into_iter().map(|(first, last)| (first, last - first + 1)).collect()
}

fn count<T>(rows: &[T]) -> u32 {
    u32::try_from(rows.len()).unwrap_or(u32::MAX)
}
