//! Writing a block of values into a rectangle, shared by update and append.
//!
//! Counts as Google counts: a `null` leaves its cell alone and is not counted, `""` clears its cell and is.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::input::{self, InputOption};
use crate::range::{self, Dimension, Rect};
use crate::render::Rendering;
use crate::rows::cell_mut;
use crate::sheet::Sheet;
use crate::{ApiError, Spreadsheet};

use super::get::rect_message;

/// Values by row, with `null` where a cell must be left alone.
pub struct Block {
    rows: Vec<Vec<Value>>,
}

/// What a write touched.
pub struct Written {
    /// Distinct rows.
    pub rows: BTreeSet<u32>,
    /// Distinct columns.
    pub columns: BTreeSet<u32>,
    /// Cells.
    pub cells: u64,
    /// From the start to the last value that is not null.
    pub range: Rect,
}

/// How an answer shows the values as they are after the write, if it does.
#[derive(Clone, Copy)]
pub struct Echo {
    /// The rendering.
    pub rendering: Rendering,
    /// Rows or columns.
    pub dimension: Dimension,
}

impl Block {
    /// Reads a `ValueRange` message's values, which are by rows or by columns.
    pub fn read(message: &Value) -> Result<Self, ApiError> {
        let empty = Vec::new();
        let lines = message.get("values").and_then(Value::as_array).unwrap_or(&empty);
        for (line, values) in lines.iter().enumerate() {
            for (index, value) in values.as_array().into_iter().flatten().enumerate() {
                check(value).map_err(|error| nested(error, line, index))?;
            }
        }
        let lines: Vec<&[Value]> = lines.iter().filter_map(Value::as_array).map(Vec::as_slice).collect();
        Ok(match Dimension::read(message.get("majorDimension")) {
            Dimension::Rows => Self { rows: lines.iter().map(|line| line.to_vec()).collect() },
            Dimension::Columns => Self { rows: transposed(&lines) },
        })
    }

    /// Rows and columns up to the last value that is not null.
    pub fn extent(&self) -> (u32, u32) {
        let width =
            |row: &Vec<Value>| row.iter().rposition(|value| !value.is_null()).map_or(0, |last| last + 1);
        let rows = self.rows.iter().rposition(|row| width(row) > 0).map_or(0, |last| last + 1);
        let columns = self.rows.iter().map(width).max().unwrap_or(0);
        (u32::try_from(rows).unwrap_or(u32::MAX), u32::try_from(columns).unwrap_or(u32::MAX))
    }

    /// How many rows were sent, blank ones at the end included.
    pub fn height(&self) -> u32 {
        u32::try_from(self.rows.len()).unwrap_or(u32::MAX)
    }

    /// Enters the values from a corner on. The grid is large enough; the caller has seen to it.
    pub fn enter(&self, sheet: &mut Sheet, top: u32, left: u32, option: InputOption) -> Written {
        let (rows, columns) = self.extent();
        let range = Rect::new(top..top + rows.max(1), left..left + columns.max(1));
        let mut written = Written { rows: BTreeSet::new(), columns: BTreeSet::new(), cells: 0, range };
        for (row, values) in (top..).zip(&self.rows) {
            let given = || (left..).zip(values).filter(|(_, value)| !value.is_null());
            if given().next().is_none() {
                continue;
            }
            sheet.cells.edit(row, |cells| {
                for (column, value) in given() {
                    option.enter(value, cell_mut(cells, column));
                    written.columns.insert(column);
                    written.cells += 1;
                }
            });
            written.rows.insert(row);
        }
        written
    }
}

impl Written {
    /// The `UpdateValuesResponse` message; `asked` is the range whose values are shown, where they are.
    pub fn message(&self, book: &Spreadsheet, sheet: usize, asked: &Rect, echo: Option<Echo>) -> Value {
        let mut message = Map::new();
        message.insert("spreadsheetId".to_owned(), Value::from(book.id.as_str()));
        message.insert(
            "updatedRange".to_owned(),
            Value::from(range::echo(&book.sheets[sheet].title, &self.range)),
        );
        let counts = [
            ("updatedRows", self.rows.len() as u64),
            ("updatedColumns", self.columns.len() as u64),
            ("updatedCells", self.cells),
        ];
        for (name, count) in counts.into_iter().filter(|(_, count)| *count > 0) {
            message.insert(name.to_owned(), Value::from(count));
        }
        if let Some(echo) = echo {
            let data = rect_message(book, sheet, asked, echo.dimension, echo.rendering);
            message.insert("updatedData".to_owned(), data);
        }
        Value::Object(message)
    }
}

fn check(value: &Value) -> Result<(), ApiError> {
    match value {
        Value::String(text) => input::check_length(text),
        Value::Array(_) | Value::Object(_) => Err(ApiError::invalid(proto_text(value))),
        _ => Ok(()),
    }
}

/// A list or object in the place of a cell is refused by its position; a text too long is not.
fn nested(error: ApiError, line: usize, index: usize) -> ApiError {
    if error.message.contains("_value {") { error.within(&format!("values[{line}][{index}]")) } else { error }
}

/// A `google.protobuf.Value` in the text form of Google's complaints.
fn proto_text(value: &Value) -> String {
    match value {
        Value::Array(items) => {
            let items: String =
                items.iter().map(|item| format!("  values {{\n    {}\n  }}\n", proto_text(item))).collect();
            format!("list_value {{\n{items}}}\n")
        }
        Value::Object(fields) => {
            let field = |(key, value): (&String, &Value)| {
                format!(
                    "  fields {{\n    key: {}\n    value {{\n      {}\n    }}\n  }}\n",
                    json!(key),
                    proto_text(value)
                )
            };
            format!("struct_value {{\n{}}}\n", fields.iter().map(field).collect::<String>())
        }
        Value::String(_) => format!("string_value: {value}"),
        Value::Number(_) => format!("number_value: {value}"),
        Value::Bool(_) => format!("bool_value: {value}"),
        Value::Null => "null_value: NULL_VALUE".to_owned(),
    }
}

/// Columns as rows; what a shorter column lacks is left alone.
fn transposed(lines: &[&[Value]]) -> Vec<Vec<Value>> {
    let height = lines.iter().map(|line| line.len()).max().unwrap_or(0);
    let row =
        |index: usize| lines.iter().map(|line| line.get(index).cloned().unwrap_or(Value::Null)).collect();
    (0..height).map(row).collect()
}
