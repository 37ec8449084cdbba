//! `values.update` and `values.batchUpdate`. They never grow the grid.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::a1::column_name;
use crate::input::InputOption;
use crate::place::{self, Place};
use crate::query::Query;
use crate::range::{Dimension, Rect};
use crate::render::{DateRender, Rendering, ValueRender};
use crate::{ApiError, Call, Spreadsheet, schema};

use super::selected;
use super::write::{Block, Echo, Written};

/// Query parameters of the methods that write values.
pub const PARAMETERS: [&str; 4] = [
    "valueInputOption",
    "includeValuesInResponse",
    "responseValueRenderOption",
    "responseDateTimeRenderOption",
];

/// `PUT /values/{range}`.
pub fn update(book: &mut Spreadsheet, call: &Call<'_>, range: &str) -> Result<Value, ApiError> {
    let query = Query::of(call.query, &PARAMETERS)?;
    let message = schema::read("ValueRange", call.body.unwrap_or(&json!({})), "data")?;
    let option = input_option(query)?;
    let echo = echo(query, &message)?;
    let place = book.locate(range)?;
    check_range(book, range, &message, &place)?;
    let (written, asked) = write(book, &place, &message, option, call.caller)?;
    selected(query, written.message(book, place.sheet, &asked, echo))
}

/// The query's `valueInputOption`.
pub fn input_option(query: Query<'_>) -> Result<InputOption, ApiError> {
    let name = query.choice("valueInputOption", "ValueInputOption", "value_input_option")?;
    InputOption::read(name.as_deref())
}

/// Whether and how the query wants the values back.
pub fn echo(query: Query<'_>, message: &Value) -> Result<Option<Echo>, ApiError> {
    let rendering = query.rendering("responseValueRenderOption", "responseDateTimeRenderOption")?;
    let dimension = Dimension::read(message.get("majorDimension"));
    Ok(query.flag("includeValuesInResponse").then_some(Echo { rendering, dimension }))
}

/// A range in the body has to say the same as the one in the path.
pub fn check_range(book: &Spreadsheet, range: &str, message: &Value, place: &Place) -> Result<(), ApiError> {
    let Some(inner) = message.get("range").and_then(Value::as_str).filter(|inner| !inner.is_empty()) else {
        return Ok(());
    };
    if book.locate(inner)? == *place {
        return Ok(());
    }
    Err(ApiError::invalid(format!("Request range[{range}] does not match value's range[{inner}]")))
}

fn write(
    book: &mut Spreadsheet,
    place: &Place,
    message: &Value,
    option: InputOption,
    caller: &str,
) -> Result<(Written, Rect), ApiError> {
    let block = Block::read(message)?;
    let sheet = &book.sheets[place.sheet];
    let asked = place::fit(sheet, &place.bounds)?;
    let (rows, columns) = block.extent();
    let target = Rect::new(asked.top..asked.top + rows.max(1), asked.left..asked.left + columns.max(1));
    if !sheet.grid().contains(&target) {
        return Err(place::beyond(sheet, &target.text()));
    }
    if !place.bounds.is_cell() && !asked.contains(&target) {
        return Err(overflow(&crate::range::echo(&sheet.title, &asked), &asked, &target));
    }
    if rows > 0 {
        book.may_edit(place.sheet, &target, caller)?;
    }
    let written = block.enter(&mut book.sheets[place.sheet], asked.top, asked.left, option);
    let shown = if place.bounds.is_cell() { written.range } else { asked };
    Ok((written, shown))
}

/// A range of more than one cell is a limit.
fn overflow(range: &str, asked: &Rect, target: &Rect) -> ApiError {
    let place = if target.right > asked.right {
        format!("column [{}]", column_name(asked.right))
    } else {
        format!("row [{}]", asked.bottom + 1)
    };
    ApiError::invalid(format!("Requested writing within range [{range}], but tried writing to {place}"))
}

/// `POST /values:batchUpdate`: all of it or nothing.
pub fn batch_update(book: &mut Spreadsheet, call: &Call<'_>) -> Result<Value, ApiError> {
    let query = Query::of(call.query, &[])?;
    let request = schema::read("BatchUpdateValuesRequest", call.body.unwrap_or(&json!({})), "")?;
    let option = InputOption::read(request["valueInputOption"].as_str())?;
    let rendering = Rendering {
        values: ValueRender::read(request["responseValueRenderOption"].as_str()),
        dates: DateRender::read(request["responseDateTimeRenderOption"].as_str()),
    };
    let wants_values = request["includeValuesInResponse"] == true;
    let mut totals = Totals::default();
    let mut parts = Vec::new();
    for (index, data) in request["data"].as_array().into_iter().flatten().enumerate() {
        let name = |error: ApiError| error.within(&format!("data[{index}]"));
        let range = data["range"].as_str().unwrap_or_default();
        let place = book.locate(range).map_err(name)?;
        let (written, asked) = write(book, &place, data, option, call.caller).map_err(name)?;
        totals.add(place.sheet, &written);
        parts.push((place.sheet, written, asked, Dimension::read(data.get("majorDimension"))));
    }
    let echo = |dimension: Dimension| wants_values.then_some(Echo { rendering, dimension });
    let responses =
        parts.iter().map(|(sheet, written, asked, way)| written.message(book, *sheet, asked, echo(*way)));
    let answer = totals.message(book, responses.collect());
    selected(query, answer)
}

/// Distinct rows and columns of each tab, over all parts of a batch.
#[derive(Default)]
struct Totals {
    rows: BTreeSet<(usize, u32)>,
    columns: BTreeSet<(usize, u32)>,
    sheets: BTreeSet<usize>,
    cells: u64,
}

impl Totals {
    fn add(&mut self, sheet: usize, written: &Written) {
        self.rows.extend(written.rows.iter().map(|row| (sheet, *row)));
        self.columns.extend(written.columns.iter().map(|column| (sheet, *column)));
        self.cells += written.cells;
        if written.cells > 0 {
            self.sheets.insert(sheet);
        }
    }

    fn message(&self, book: &Spreadsheet, responses: Vec<Value>) -> Value {
        let mut message = Map::new();
        message.insert("spreadsheetId".to_owned(), Value::from(book.id.as_str()));
        let totals = [
            ("totalUpdatedRows", self.rows.len() as u64),
            ("totalUpdatedColumns", self.columns.len() as u64),
            ("totalUpdatedCells", self.cells),
            ("totalUpdatedSheets", self.sheets.len() as u64),
        ];
        for (name, total) in totals.into_iter().filter(|(_, total)| *total > 0) {
            message.insert(name.to_owned(), Value::from(total));
        }
        if !responses.is_empty() {
            message.insert("responses".to_owned(), Value::Array(responses));
        }
        Value::Object(message)
    }
}
