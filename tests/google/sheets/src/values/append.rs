//! `values.append`: writes behind the table that the range means, growing the grid.

use serde_json::{Value, json};

use crate::batch::dimensions;
use crate::place;
use crate::query::Query;
use crate::range::{self, Dimension, Rect};
use crate::{ApiError, Call, Spreadsheet, schema};

use super::update::{PARAMETERS, check_range, echo, input_option};
use super::write::Block;
use super::{selected, table};

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
    let table = table::find(&book.sheets[at.sheet], &asked);
    let (top, left) = table.map_or((asked.top, asked.left), |table| (table.bottom, table.left));
    make_room(book, at.sheet, &block, (top, left), insert.as_deref() == Some("INSERT_ROWS"))?;
    let (rows, columns) = block.extent();
    if rows > 0 {
        book.may_edit(at.sheet, &Rect::new(top..top + rows, left..left + columns), call.caller)?;
    }
    let written = block.enter(&mut book.sheets[at.sheet], top, left, option);
    let mut answer = json!({ "spreadsheetId": book.id });
    if let Some(table) = table {
        answer["tableRange"] = Value::from(range::echo(&book.sheets[at.sheet].title, &table));
    }
    answer["updates"] = written.message(book, at.sheet, &written.range, echo);
    selected(query, answer)
}

/// Grows the grid as far as the data needs it; `INSERT_ROWS` moves down what is in the way.
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
