//! `values.get` and `values.batchGet`.

use serde_json::{Value, json};

use crate::place::{self, Place};
use crate::query::Query;
use crate::range::{self, Dimension, Rect};
use crate::render::Rendering;
use crate::{ApiError, Call, Spreadsheet};

use super::selected;

const PARAMETERS: [&str; 3] = ["majorDimension", "valueRenderOption", "dateTimeRenderOption"];

/// `GET /values/{range}`.
pub fn get(book: &Spreadsheet, call: &Call<'_>, range: &str) -> Result<Value, ApiError> {
    let query = Query::of(call.query, &PARAMETERS)?;
    let (dimension, rendering) = options(query)?;
    selected(query, value_range(book, &book.locate(range)?, dimension, rendering)?)
}

/// `GET /values:batchGet`; one bad range fails the whole call.
pub fn batch_get(book: &Spreadsheet, call: &Call<'_>) -> Result<Value, ApiError> {
    let query = Query::of(call.query, &[&PARAMETERS[..], &["ranges"]].concat())?;
    let (dimension, rendering) = options(query)?;
    let mut answer = json!({ "spreadsheetId": book.id });
    let mut ranges = Vec::new();
    for range in query.all("ranges") {
        ranges.push(value_range(book, &book.locate(range)?, dimension, rendering)?);
    }
    if !ranges.is_empty() {
        answer["valueRanges"] = Value::Array(ranges);
    }
    selected(query, answer)
}

fn options(query: Query<'_>) -> Result<(Dimension, Rendering), ApiError> {
    let dimension = query.choice("majorDimension", "Dimension", "major_dimension")?;
    let rendering = query.rendering("valueRenderOption", "dateTimeRenderOption")?;
    Ok((Dimension::read(dimension.map(Value::from).as_ref()), rendering))
}

/// The `ValueRange` message of a place.
fn value_range(
    book: &Spreadsheet,
    place: &Place,
    dimension: Dimension,
    rendering: Rendering,
) -> Result<Value, ApiError> {
    let rect = place::fit(&book.sheets[place.sheet], &place.bounds)?;
    Ok(rect_message(book, place.sheet, &rect, dimension, rendering))
}

/// The `ValueRange` message of a rectangle: no `values` when all of it is empty.
pub fn rect_message(
    book: &Spreadsheet,
    sheet: usize,
    rect: &Rect,
    dimension: Dimension,
    rendering: Rendering,
) -> Value {
    let echo = range::echo(&book.sheets[sheet].title, rect);
    let mut message = json!({"range": echo, "majorDimension": dimension.name()});
    let rows = rows(book, sheet, rect, rendering);
    let lines = match dimension {
        Dimension::Rows => rows,
        Dimension::Columns => transposed(&rows),
    };
    if !lines.is_empty() {
        message["values"] = Value::Array(lines.into_iter().map(Value::Array).collect());
    }
    message
}

/// The values of a rectangle, without the empty cells at the end of rows and the empty rows at the end.
fn rows(book: &Spreadsheet, sheet: usize, rect: &Rect, rendering: Rendering) -> Vec<Vec<Value>> {
    let mut rows: Vec<Vec<Value>> = Vec::new();
    for (index, cells) in book.sheets[sheet].cells.filled(rect.rows()) {
        let cells = cells.get(rect.left as usize..cells.len().min(rect.right as usize)).unwrap_or_default();
        let mut values: Vec<Value> = cells.iter().map(|cell| book.rendered(sheet, cell, rendering)).collect();
        trim(&mut values);
        if !values.is_empty() {
            rows.resize((index - rect.top) as usize, Vec::new());
            rows.push(values);
        }
    }
    rows
}

fn trim(values: &mut Vec<Value>) {
    while values.last().is_some_and(|value| value == "") {
        values.pop();
    }
}

fn transposed(rows: &[Vec<Value>]) -> Vec<Vec<Value>> {
    let width = rows.iter().map(Vec::len).max().unwrap_or(0);
    let column = |index: usize| {
        let mut values: Vec<Value> =
            rows.iter().map(|row| row.get(index).cloned().unwrap_or_else(|| "".into())).collect();
        trim(&mut values);
        values
    };
    (0..width).map(column).collect()
}
