//! `spreadsheets.get`, and the same message where a batch answers with the spreadsheet.
//!
//! Builds it from the state; cells are `grid_data`'s part.

use serde_json::{Map, Value, json};

use crate::mask::Mask;
use crate::place::{self, Place};
use crate::query::Query;
use crate::range::{Dimension, Rect};
use crate::{ApiError, Call, Spreadsheet, grid_data, protect, schema};

/// What of the spreadsheet is asked for.
pub struct Wanted<'a> {
    /// The response mask.
    pub mask: &'a Mask,
    /// The ranges; none means every tab.
    pub places: Vec<Place>,
    /// Whether cells are wanted.
    pub grid_data: bool,
    /// Who asks.
    pub caller: &'a str,
}

/// `GET /v4/spreadsheets/{id}`.
pub fn get(book: &Spreadsheet, call: &Call<'_>) -> Result<Value, ApiError> {
    let known = ["ranges", "includeGridData", "excludeTablesInBandedRanges", "commentsViewMode"];
    let query = Query::of(call.query, &known)?;
    let mask = query.mask("Spreadsheet")?;
    let places = query.all("ranges").map(|range| book.locate(range)).collect::<Result<_, _>>()?;
    // With a mask, Google does not look at includeGridData: the mask alone says whether cells are meant.
    let masked = query.one("fields").is_some();
    let wanted = Wanted {
        grid_data: if masked { named(&mask) } else { query.flag("includeGridData") },
        mask: &mask,
        places,
        caller: call.caller,
    };
    Ok(mask.select(message(book, &wanted)?))
}

fn named(mask: &Mask) -> bool {
    mask.field("sheets").and_then(|sheets| sheets.field("data")).is_some()
}

/// The `Spreadsheet` message.
pub fn message(book: &Spreadsheet, wanted: &Wanted<'_>) -> Result<Value, ApiError> {
    let sheets = sheets(book, wanted)?;
    let message = json!({
        "spreadsheetId": book.id,
        "properties": book.properties,
        "sheets": sheets,
        "namedRanges": book.named_ranges,
        "spreadsheetUrl": format!("https://docs.google.com/spreadsheets/d/{}/edit", book.id),
        "developerMetadata": book.metadata_at(|location| location["spreadsheet"] == true),
    });
    let Value::Object(message) = message else { return Ok(message) };
    Ok(Value::Object(
        message
            .into_iter()
            .filter(|(_, value)| value.as_array().is_none_or(|list| !list.is_empty()))
            .collect(),
    ))
}

fn sheets(book: &Spreadsheet, wanted: &Wanted<'_>) -> Result<Vec<Value>, ApiError> {
    let mut sheets = Vec::new();
    let inner = wanted.mask.field("sheets");
    for (index, sheet) in book.sheets.iter().enumerate() {
        let mut rects = Vec::new();
        for place in wanted.places.iter().filter(|place| place.sheet == index) {
            rects.push(place::fit(sheet, &place.bounds)?);
        }
        if rects.is_empty() && !wanted.places.is_empty() {
            continue;
        }
        if rects.is_empty() {
            rects.push(sheet.grid());
        }
        let data = inner.and_then(|mask| mask.field("data")).filter(|_| wanted.grid_data);
        let data = data.map(|mask| grid_data(book, index, &rects, mask));
        sheets.push(sheet_message(book, index, data, wanted.caller));
    }
    Ok(sheets)
}

fn grid_data(book: &Spreadsheet, sheet: usize, rects: &[Rect], mask: &Mask) -> Value {
    Value::Array(rects.iter().map(|rect| grid_data::message(book, sheet, rect, mask)).collect())
}

/// The `Sheet` message of the tab at `index`.
fn sheet_message(book: &Spreadsheet, index: usize, data: Option<Value>, caller: &str) -> Value {
    let sheet = &book.sheets[index];
    let merges: Vec<Value> = sheet.merges.iter().map(|merge| merge.message(sheet.id)).collect();
    let protected: Vec<Value> =
        sheet.protected.iter().map(|range| protected_message(range, caller)).collect();
    let mut message = Map::new();
    message.insert("properties".to_owned(), sheet.properties_message(index));
    message.extend(data.map(|data| ("data".to_owned(), data)));
    let lists = [
        ("merges", merges),
        ("filterViews", sheet.filter_views.clone()),
        ("protectedRanges", protected),
        ("basicFilter", sheet.basic_filter.iter().cloned().collect()),
        (
            "developerMetadata",
            book.metadata_at(|location| location["sheetId"].as_i64() == Some(sheet.id.into())),
        ),
        ("rowGroups", sheet.group_messages(Dimension::Rows)),
        ("columnGroups", sheet.group_messages(Dimension::Columns)),
    ];
    for (name, mut list) in lists {
        if !list.is_empty() {
            let value = if name == "basicFilter" { list.swap_remove(0) } else { Value::Array(list) };
            message.insert(name.to_owned(), value);
        }
    }
    Value::Object(message)
}

/// A protected range as one caller sees it.
fn protected_message(range: &Value, caller: &str) -> Value {
    let mut message = range.clone();
    message["requestingUserCanEdit"] = Value::Bool(protect::allows(range, caller));
    schema::print("ProtectedRange", message)
}
