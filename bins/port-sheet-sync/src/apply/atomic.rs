//! A plan as a list of edits, in the order in which they must be made.
//!
//! Nothing is sent here.

use shared::Result;

use super::{Target, count};
use crate::edit::Edit;
use crate::layout::{Layout, runs};
use crate::plan::{Plan, RowUpdate};
use crate::rows;
use crate::spool::Entry;
use crate::value::{Cell, number_format};

/// The whole plan as one list of edits.
pub(super) fn atomic_edits(
    target: &Target<'_>,
    plan: &Plan,
    updates: &[RowUpdate],
    added: Vec<Vec<Cell>>,
) -> Vec<Edit> {
    let mut edits = header_edits(target);
    edits.extend(format_edits(plan));
    let changed = updates.iter().chain(&plan.strays);
    edits.extend(changed.flat_map(|update| cell_edits(target.layout, update.row, &update.changes)));
    edits.extend(flag_edits(target, plan));
    edits.extend(room_edits(target, lacking_rows(target, added.len())));
    if !added.is_empty() {
        edits.push(Edit::Append(added));
    }
    edits
}

/// How many rows the grid lacks for so many new ones.
pub(super) fn lacking_rows(target: &Target<'_>, added: usize) -> u32 {
    count(added).saturating_sub(target.tab.rows.saturating_sub(target.snapshot.last_row))
}

/// More rows, with the number formats of those above. Growing never removes anything.
pub(super) fn room_edits(target: &Target<'_>, lacking: u32) -> Vec<Edit> {
    if lacking == 0 {
        return Vec::new();
    }
    std::iter::once(Edit::GrowRows(lacking)).chain(new_row_formats(target)).collect()
}

/// New headers, and the columns of the grid that they need.
pub(super) fn header_edits(target: &Target<'_>) -> Vec<Edit> {
    let lacking = target.layout.width().saturating_sub(target.tab.columns);
    let grow = (lacking > 0).then_some(Edit::GrowColumns(lacking));
    let write = |(column, text): &(u32, String)| Edit::Write {
        row: 0,
        column: *column,
        cells: vec![Cell::Text(text.clone())],
    };
    grow.into_iter().chain(target.layout.added.iter().map(write)).collect()
}

/// The number formats of columns that the sync takes over.
pub(super) fn format_edits(plan: &Plan) -> impl Iterator<Item = Edit> {
    plan.formats.iter().map(|&(column, format)| Edit::NumberFormat { column, from_row: 1, format })
}

/// The number formats of rows that are about to be added to the grid; those above keep what people chose.
fn new_row_formats(target: &Target<'_>) -> Vec<Edit> {
    let format = |(index, &column): (usize, &u32)| {
        let format = number_format(target.columns.kind(index))?;
        Some(Edit::NumberFormat { column, from_row: target.tab.rows, format })
    };
    target.layout.columns.iter().enumerate().filter_map(format).collect()
}

/// Changed cells, one write for each run of neighbours.
pub(super) fn cell_edits(layout: &Layout, row: u32, changes: &[(usize, Cell)]) -> Vec<Edit> {
    let cell_at = |column: u32| {
        changes.iter().find(|(index, _)| layout.columns[*index] == column).map(|(_, cell)| cell.clone())
    };
    let positions = changes.iter().map(|(index, _)| layout.columns[*index]).collect();
    let write = |(first, last): (u32, u32)| Edit::Write {
        row: row - 1,
        column: first,
        cells: (first..=last).filter_map(cell_at).collect(),
    };
    runs(positions).into_iter().map(write).collect()
}

pub(super) fn flag_edits(target: &Target<'_>, plan: &Plan) -> Vec<Edit> {
    let Some(status) = target.layout.status else { return Vec::new() };
    let mut edits = Vec::new();
    let flags = plan.flags.iter().map(|flag| (flag.row, Cell::Text(plan.flag_text.clone()), true));
    let unflags = plan.unflags.iter().map(|flagged| (flagged.row, Cell::Empty, false));
    for (row, cell, struck) in flags.chain(unflags) {
        edits.push(Edit::Write { row: row - 1, column: status, cells: vec![cell] });
        let strike =
            |(first, last): (u32, u32)| Edit::Strike { row: row - 1, columns: (first, last + 1), struck };
        edits.extend(runs(target.layout.columns.clone()).into_iter().map(strike));
    }
    edits
}

/// New rows, from column A to the last owned column; human columns in between stay blank.
pub(super) fn added_rows(
    target: &Target<'_>,
    plan: &Plan,
    spool: &mut rows::Reader,
) -> Result<Vec<Vec<Cell>>> {
    let row = |entry: &Entry| Ok(whole_row(target.layout, spool.row_at(entry.offset)?.1));
    plan.adds.iter().map(row).collect()
}

pub(super) fn whole_row(layout: &Layout, cells: Vec<Cell>) -> Vec<Cell> {
    let width = layout.columns.iter().max().map_or(0, |last| *last as usize + 1);
    let mut row = vec![Cell::Empty; width];
    for (column, cell) in layout.columns.iter().zip(cells) {
        row[*column as usize] = cell;
    }
    row
}
