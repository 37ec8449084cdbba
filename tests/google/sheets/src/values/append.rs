//! `values.append`: finds the table the range means and writes behind it.
//!
//! The trap lies here: a range that is a whole tab means the last table of the tab, and a gap in its last row makes
//! that table begin behind the gap, so that the new row lands columns to the right.

use serde_json::{Map, Value, json};

use crate::batch::dimensions;
use crate::place;
use crate::query::Query;
use crate::range::{self, Dimension, Rect};
use crate::sheet::Sheet;
use crate::{ApiError, Call, Spreadsheet, schema};

use super::selected;
use super::update::{PARAMETERS, check_range, echo, input_option};
use super::write::Block;

/// `POST /values/{range}:append`.
pub fn append(book: &mut Spreadsheet, call: &Call<'_>, range: &str) -> Result<Value, ApiError> {
    let query = Query::of(call.query, &[&PARAMETERS[..], &["insertDataOption"]].concat())?;
    let message = schema::read("ValueRange", call.body.unwrap_or(&json!({})), "data")?;
    let option = input_option(query)?;
    let echo = echo(query, &message)?;
    let insert =
        query.choice("insertDataOption", "AppendValuesRequest.InsertDataOption", "insert_data_option")?;
    let at = book.locate(range)?;
    check_range(book, range, &message, &at)?;
    let block = Block::read(&message)?;
    let asked = place::fit(&book.sheets[at.sheet], &at.bounds)?;
    let table = find_table(&book.sheets[at.sheet], &asked);
    let (top, left) = table.map_or((asked.top, asked.left), |table| (table.bottom, table.left));
    make_room(book, at.sheet, &block, (top, left), insert.as_deref() == Some("INSERT_ROWS"))?;
    let (rows, columns) = block.extent();
    let target = Rect::new(top..top + rows.max(1), left..left + columns.max(1));
    if rows > 0 {
        book.may_edit(at.sheet, &target, call.caller)?;
    }
    let written = block.enter(&mut book.sheets[at.sheet], top, left, option);
    let mut answer = Map::new();
    answer.insert("spreadsheetId".to_owned(), Value::from(book.id.as_str()));
    if let Some(table) = table {
        answer
            .insert("tableRange".to_owned(), Value::from(range::echo(&book.sheets[at.sheet].title, &table)));
    }
    answer.insert("updates".to_owned(), written.message(book, at.sheet, &written.range, echo));
    selected(query, &Value::Object(answer))
}

/// Grows the grid as far as the data needs it; `INSERT_ROWS` moves down what stands in the way.
fn make_room(
    book: &mut Spreadsheet,
    sheet: usize,
    block: &Block,
    (top, left): (u32, u32),
    insert_rows: bool,
) -> Result<(), ApiError> {
    let (rows, columns) = block.extent();
    let target = &book.sheets[sheet];
    let inserted = if insert_rows && top < target.rows { block.height() } else { 0 };
    let height = (target.rows + inserted).max(top + rows);
    let width = target.columns.max(left + columns);
    book.may_resize(sheet, height, width)?;
    if inserted > 0 {
        dimensions::insert(book, sheet, Dimension::Rows, &(top..top + inserted));
    }
    let target = &mut book.sheets[sheet];
    (target.rows, target.columns) = (height, width);
    Ok(())
}

/// The table a range means: the one of its last cell with a value, or, when it has none, the one that encloses its
/// first cell.
fn find_table(sheet: &Sheet, asked: &Rect) -> Option<Rect> {
    let last = sheet.cells.filled(asked.rows()).rev().find_map(|(row, cells)| {
        let inside = cells.get(asked.left as usize..cells.len().min(asked.right as usize))?;
        let column = inside.iter().rposition(crate::cell::Cell::has_value)?;
        Some((row, asked.left + u32::try_from(column).ok()?))
    });
    if let Some((row, column)) = last {
        return Some(table_around(sheet, row, column));
    }
    let corner = Rect::new(asked.top..asked.top + 1, asked.left..asked.left + 1);
    neighbours(&corner, sheet).filter(|(row, column)| sheet.cells.cell(*row, *column).has_value()).find_map(
        |(row, column)| Some(table_around(sheet, row, column)).filter(|table| table.contains(&corner)),
    )
}

/// The smallest rectangle around a cell with no value right beside it, corners included.
fn table_around(sheet: &Sheet, row: u32, column: u32) -> Rect {
    let mut table = Rect::new(row..row + 1, column..column + 1);
    loop {
        let before = table;
        let columns = table.left.saturating_sub(1)..(table.right + 1).min(sheet.columns);
        let in_row = |row: u32| {
            let cells = sheet.cells.row(row);
            let end = cells.len().min(columns.end as usize);
            cells
                .get(columns.start as usize..end)
                .is_some_and(|cells| cells.iter().any(crate::cell::Cell::has_value))
        };
        while table.top > 0 && in_row(table.top - 1) {
            table.top -= 1;
        }
        while table.bottom < sheet.rows && in_row(table.bottom) {
            table.bottom += 1;
        }
        let rows = table.top.saturating_sub(1)..(table.bottom + 1).min(sheet.rows);
        let in_column = |column: u32| rows.clone().any(|row| sheet.cells.cell(row, column).has_value());
        if table.left > 0 && in_column(table.left - 1) {
            table.left -= 1;
        }
        if table.right < sheet.columns && in_column(table.right) {
            table.right += 1;
        }
        if table == before {
            return table;
        }
    }
}

fn neighbours(cell: &Rect, sheet: &Sheet) -> impl Iterator<Item = (u32, u32)> {
    let rows = cell.top.saturating_sub(1)..(cell.bottom + 1).min(sheet.rows);
    let columns = cell.left.saturating_sub(1)..(cell.right + 1).min(sheet.columns);
    rows.flat_map(move |row| columns.clone().map(move |column| (row, column)))
}
