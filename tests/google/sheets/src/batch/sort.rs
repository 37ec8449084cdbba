//! sortRange: rows of a range by the values of some of its columns.

use std::cmp::Ordering;

use serde_json::Value;

use crate::cell::{Cell, Entered};
use crate::formula::{Computed, shift};
use crate::range::{Rect, index};
use crate::rows::cell_mut;
use crate::{ApiError, Spreadsheet};

use super::Reply;

/// One row of the range: where it was, its cells, and what it is sorted by.
struct Row {
    from: u32,
    cells: Vec<Cell>,
    keys: Vec<Computed>,
}

/// `sortRange`: numbers, then text, then truth values; blank cells come last either way round.
pub fn request(book: &mut Spreadsheet, body: &Value, caller: &str) -> Reply {
    let (at, rect) = book.grid_place(body.get("range"))?;
    book.may_edit(at, &rect, caller)?;
    let specs = body["sortSpecs"].as_array().map_or(&[][..], Vec::as_slice);
    let columns: Vec<u32> = specs.iter().map(|spec| index(spec, "dimensionIndex").unwrap_or(0)).collect();
    if columns.is_empty() {
        return Err(ApiError::invalid("At least one sort specification is required."));
    }
    if let Some(outside) = columns.iter().find(|column| !rect.columns().contains(column)) {
        return Err(ApiError::invalid(format!("dimensionIndex {outside} is outside of the range to sort.")));
    }
    let descending: Vec<bool> = specs.iter().map(|spec| spec["sortOrder"] == "DESCENDING").collect();
    let mut rows = read(book, at, &rect, &columns);
    rows.sort_by(|one, other| {
        let keys = one.keys.iter().zip(&other.keys).zip(&descending);
        keys.map(|((one, other), descending)| compare(one, other, *descending))
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    });
    for (row, sorted) in (rect.top..).zip(rows) {
        book.sheets[at].cells.edit(row, |cells| {
            for (column, cell) in rect.columns().zip(sorted.cells) {
                *cell_mut(cells, column) = moved(cell, i64::from(row) - i64::from(sorted.from));
            }
        });
    }
    Ok(None)
}

/// The rows down to the last that holds anything; the blank ones behind it stay where they are.
fn read(book: &Spreadsheet, at: usize, rect: &Rect, columns: &[u32]) -> Vec<Row> {
    let cells = &book.sheets[at].cells;
    let last = cells.filled(rect.rows()).next_back().map_or(rect.top, |(row, _)| row + 1);
    let row = |from: u32| Row {
        from,
        cells: rect.columns().map(|column| cells.cell(from, column).clone()).collect(),
        keys: columns.iter().map(|column| book.computed(at, cells.cell(from, *column))).collect(),
    };
    (rect.top..last).map(row).collect()
}

/// A formula continues looking at its own row.
fn moved(mut cell: Cell, down: i64) -> Cell {
    if let Entered::Formula(formula) = &cell.value {
        cell.value = Entered::Formula(shift::moved(formula, down, 0).into());
    }
    cell
}

fn compare(one: &Computed, other: &Computed, descending: bool) -> Ordering {
    let blank = |value: &Computed| *value == Computed::Empty;
    let order = match (one, other) {
        _ if blank(one) || blank(other) => return blank(one).cmp(&blank(other)),
        (Computed::Number(one), Computed::Number(other)) => one.total_cmp(other),
        (Computed::Text(one), Computed::Text(other)) => one.to_lowercase().cmp(&other.to_lowercase()),
        (Computed::Bool(one), Computed::Bool(other)) => one.cmp(other),
        (one, other) => rank(one).cmp(&rank(other)),
    };
    if descending { order.reverse() } else { order }
}

fn rank(value: &Computed) -> u8 {
    match value {
        Computed::Number(_) => 0,
        Computed::Text(_) => 1,
        Computed::Bool(_) => 2,
        Computed::Error(_) => 3,
        Computed::Empty => 4,
    }
}
