//! `values.clear` and `values.batchClear`: values go, formats and notes stay.

use serde_json::{Value, json};

use crate::place;
use crate::query::Query;
use crate::range;
use crate::{ApiError, Call, Spreadsheet, schema};

use super::selected;

/// `POST /values/{range}:clear`.
pub fn clear(book: &mut Spreadsheet, call: &Call<'_>, text: &str) -> Result<Value, ApiError> {
    let query = Query::of(call.query, &[])?;
    schema::read("ClearValuesRequest", call.body.unwrap_or(&json!({})), "")?;
    let cleared = clear_range(book, call, text)?;
    selected(query, json!({"spreadsheetId": book.id, "clearedRange": cleared}))
}

/// `POST /values:batchClear`.
pub fn batch_clear(book: &mut Spreadsheet, call: &Call<'_>) -> Result<Value, ApiError> {
    let query = Query::of(call.query, &[])?;
    let request = schema::read("BatchClearValuesRequest", call.body.unwrap_or(&json!({})), "")?;
    let mut answer = json!({ "spreadsheetId": book.id });
    let mut cleared = Vec::new();
    for text in request["ranges"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        cleared.push(clear_range(book, call, text)?);
    }
    if !cleared.is_empty() {
        answer["clearedRanges"] = Value::from(cleared);
    }
    selected(query, answer)
}

fn clear_range(book: &mut Spreadsheet, call: &Call<'_>, text: &str) -> Result<String, ApiError> {
    let place = book.locate(text)?;
    let rect = place::fit(&book.sheets[place.sheet], &place.bounds)?;
    book.may_edit(place.sheet, &rect, call.caller)?;
    let sheet = &mut book.sheets[place.sheet];
    sheet.clear_values(&rect);
    Ok(range::echo(&sheet.title, &rect))
}
