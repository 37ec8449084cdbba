//! A plan as a list of operations, in the order in which they must be applied.
//!
//! It sends nothing.

use std::collections::BTreeMap;

use shared::Result;

use crate::apply::Target;
use crate::apply::count;
use crate::apply::landing::Landing;
use crate::model::cell::Cell;
use crate::model::cell::number_format;
use crate::model::operation::Operation;
use crate::model::span::spans;
use crate::plan::ColumnFormat;
use crate::plan::Plan;
use crate::plan::RowUpdate;
use crate::sheet::layout::Layout;
use crate::spool::row_file;

/// The whole plan as one list of operations.
pub(super) fn atomic_edits(
    target: &Target<'_>,
    plan: &Plan,
    updates: &[RowUpdate],
    added: Vec<Vec<Cell>>,
    landing: Landing,
) -> Vec<Operation> {
    let mut edits = header_edits(target);
    edits.extend(format_edits(plan));
    let changed = updates.iter().chain(&plan.repairs);
    edits.extend(changed.flat_map(|update| cell_edits(target.layout, update.row, &update.changes)));
    edits.extend(flag_edits(target, plan));
    edits.extend(room_edits(target, lacking_rows(target, added.len())));
    edits.extend(added_edits(target, added, landing));
    edits
}

/// New rows where they land.
pub(super) fn added_edits(target: &Target<'_>, added: Vec<Vec<Cell>>, landing: Landing) -> Vec<Operation> {
    match landing {
        _ if added.is_empty() => Vec::new(),
        Landing::BelowEverything => vec![Operation::Append(added)],
        Landing::BelowTheBookings => (target.snapshot.last_row + 1..)
            .zip(added)
            .flat_map(|(row, cells)| row_edits(target.layout, row, &cells))
            .collect(),
    }
}

/// A whole row, in the owned columns only.
fn row_edits(layout: &Layout, row: u32, cells: &[Cell]) -> Vec<Operation> {
    let owned: Vec<(usize, Cell)> = layout
        .columns
        .iter()
        .enumerate()
        .map(|(index, column)| (index, cells.get(*column as usize).cloned().unwrap_or(Cell::Empty)))
        .collect();
    cell_edits(layout, row, &owned)
}

/// How many rows the grid lacks for so many new ones.
pub(super) fn lacking_rows(target: &Target<'_>, added: usize) -> u32 {
    count(added).saturating_sub(target.tab.rows.saturating_sub(target.snapshot.last_row))
}

/// More rows, with the number formats of those above. Growing never removes anything.
pub(super) fn room_edits(target: &Target<'_>, lacking: u32) -> Vec<Operation> {
    if lacking == 0 {
        return Vec::new();
    }
    std::iter::once(Operation::GrowRows(lacking)).chain(new_row_formats(target)).collect()
}

/// New headers, and the columns of the grid that they need.
pub(super) fn header_edits(target: &Target<'_>) -> Vec<Operation> {
    let lacking = target.layout.width().saturating_sub(target.tab.columns);
    let grow = (lacking > 0).then_some(Operation::GrowColumns(lacking));
    let headers = target.layout.added.iter().map(|(column, text)| Operation::Write {
        row: 1,
        column: *column,
        cells: vec![Cell::Text(text.clone())],
    });
    grow.into_iter().chain(headers).collect()
}

/// The number formats of columns that the sync takes over.
pub(super) fn format_edits(plan: &Plan) -> impl Iterator<Item = Operation> {
    let formats = plan.formats.iter();
    formats.map(|&ColumnFormat { column, format }| Operation::NumberFormat { column, from_row: 2, format })
}

/// The number formats of rows that are about to be added to the grid; the rows above keep the formats that users chose.
fn new_row_formats(target: &Target<'_>) -> Vec<Operation> {
    let columns = target.layout.columns.iter().enumerate();
    columns
        .filter_map(|(index, &column)| {
            let format = number_format(target.columns.kind(index))?;
            let format = Some(format);
            Some(Operation::NumberFormat { column, from_row: target.tab.rows + 1, format })
        })
        .collect()
}

/// Changed cells, one write for each run of neighbours.
pub(super) fn cell_edits(layout: &Layout, row: u32, changes: &[(usize, Cell)]) -> Vec<Operation> {
    let cells: BTreeMap<u32, &Cell> =
        changes.iter().map(|(index, cell)| (layout.columns[*index], cell)).collect();
    spans(cells.keys().copied().collect(), 0)
        .into_iter()
        .map(|span| Operation::Write {
            row,
            column: span.first,
            cells: cells.range(span.first..=span.last).map(|(_, cell)| (*cell).clone()).collect(),
        })
        .collect()
}

pub(super) fn flag_edits(target: &Target<'_>, plan: &Plan) -> Vec<Operation> {
    let Some(status) = target.layout.status else { return Vec::new() };
    let mut edits = Vec::new();
    let flags = plan.flags.iter().map(|flag| (flag.row, Cell::Text(plan.flag_text.clone()), true));
    let unflags = plan.unflags.iter().map(|flagged| (flagged.row, Cell::Empty, false));
    for (row, cell, struck) in flags.chain(unflags) {
        edits.push(Operation::Write { row, column: status, cells: vec![cell] });
        for columns in spans(target.layout.columns.clone(), 0) {
            edits.push(Operation::Strike { row, columns, struck });
        }
    }
    edits
}

/// New rows, from column A to the last owned column; human columns in between stay blank.
pub(super) fn added_rows(
    target: &Target<'_>,
    plan: &Plan,
    spool: &mut row_file::RowReader,
) -> Result<Vec<Vec<Cell>>> {
    plan.adds.iter().map(|offset| Ok(whole_row(target.layout, spool.row_at(*offset)?.1))).collect()
}

pub(super) fn whole_row(layout: &Layout, cells: Vec<Cell>) -> Vec<Cell> {
    let width = layout.columns.iter().max().map_or(0, |last| *last as usize + 1);
    let mut row = vec![Cell::Empty; width];
    for (column, cell) in layout.columns.iter().zip(cells) {
        row[*column as usize] = cell;
    }
    row
}
