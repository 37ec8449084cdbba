//! Which cells `values.append` takes for a table.
//!
//! The trap lies here: a range that is a whole tab means the last table of the tab, and a gap in its last row makes
//! that table begin behind the gap, so that the new row lands columns to the right.

use std::ops::Range;

use crate::cell::Cell;
use crate::range::Rect;
use crate::sheet::Sheet;

/// The table a range means: the one of its last cell with a value, or, when it has none, the one that encloses its
/// first cell.
pub fn find(sheet: &Sheet, asked: &Rect) -> Option<Rect> {
    let last = sheet.cells.filled(asked.rows()).rev().find_map(|(row, cells)| {
        let inside = cells.get(asked.left as usize..cells.len().min(asked.right as usize))?;
        let column = inside.iter().rposition(Cell::has_value)?;
        Some((row, asked.left + u32::try_from(column).ok()?))
    });
    if let Some((row, column)) = last {
        return Some(around(sheet, row, column));
    }
    let corner = Rect::new(asked.top..asked.top + 1, asked.left..asked.left + 1);
    let (rows, columns) = (beside(&corner.rows(), sheet.rows), beside(&corner.columns(), sheet.columns));
    let neighbours = rows.flat_map(|row| columns.clone().map(move |column| (row, column)));
    let mut filled = neighbours.filter(|(row, column)| sheet.cells.cell(*row, *column).has_value());
    filled.find_map(|(row, column)| Some(around(sheet, row, column)).filter(|table| table.contains(&corner)))
}

/// A span with one more at either side, within `0..end`.
fn beside(span: &Range<u32>, end: u32) -> Range<u32> {
    span.start.saturating_sub(1)..(span.end + 1).min(end)
}

/// The smallest rectangle around a cell with no value right beside it, corners included.
fn around(sheet: &Sheet, row: u32, column: u32) -> Rect {
    let mut table = Rect::new(row..row + 1, column..column + 1);
    loop {
        let before = table;
        let columns = beside(&table.columns(), sheet.columns);
        while table.top > 0 && row_has_value(sheet, table.top - 1, &columns) {
            table.top -= 1;
        }
        while table.bottom < sheet.rows && row_has_value(sheet, table.bottom, &columns) {
            table.bottom += 1;
        }
        let rows = beside(&table.rows(), sheet.rows);
        let has_value = |column: u32| sheet.cells.filled(rows.clone()).any(|(_, cells)| holds(cells, column));
        if table.left > 0 && has_value(table.left - 1) {
            table.left -= 1;
        }
        if table.right < sheet.columns && has_value(table.right) {
            table.right += 1;
        }
        if table == before {
            return table;
        }
    }
}

fn row_has_value(sheet: &Sheet, row: u32, columns: &Range<u32>) -> bool {
    let cells = sheet.cells.row(row);
    let inside = cells.get(columns.start as usize..cells.len().min(columns.end as usize));
    inside.is_some_and(|cells| cells.iter().any(Cell::has_value))
}

fn holds(cells: &[Cell], column: u32) -> bool {
    cells.get(column as usize).is_some_and(Cell::has_value)
}
