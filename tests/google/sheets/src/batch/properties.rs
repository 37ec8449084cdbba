//! updateSheetProperties and updateSpreadsheetProperties.

use serde_json::{Value, json};

use crate::mask::Mask;
use crate::range::{Dimension, index, sheet_id};
use crate::sheet::Sheet;
use crate::{ApiError, Spreadsheet, schema};

use super::{Reply, colors, dimensions, fields, sheets};

/// `updateSheetProperties`.
pub fn update_sheet(book: &mut Spreadsheet, body: &Value, caller: &str) -> Reply {
    let mut mask = fields(body, "SheetProperties")?;
    colors::widen(&mut mask);
    let mut given = body.get("properties").cloned().unwrap_or_else(|| json!({}));
    let at = book
        .position(sheet_id(&given))
        .ok_or_else(|| ApiError::invalid(format!("No sheet with id: {}", sheet_id(&given))))?;
    if let Some(given) = given.as_object_mut() {
        colors::complete(given);
    }
    let before = book.sheets[at].properties_message(at);
    let mut after = before.as_object().cloned().unwrap_or_default();
    mask.copy(&mut after, given.as_object().unwrap_or(&serde_json::Map::new()));
    // A sheet's id cannot be changed, whatever the mask says.
    after.insert("sheetId".to_owned(), before["sheetId"].clone());
    let after = Value::Object(after);
    check(book, at, &after)?;
    resize(book, at, &mask, &after, caller)?;
    take_over(&mut book.sheets[at], &after);
    after["title"].as_str().unwrap_or_default().clone_into(&mut book.sheets[at].title);
    if mask.field("index").is_some() {
        move_tab(book, at, index(&after, "index").unwrap_or(0) as usize);
    }
    Ok(None)
}

fn check(book: &Spreadsheet, at: usize, after: &Value) -> Result<(), ApiError> {
    let title = after["title"].as_str().unwrap_or_default();
    if title.is_empty() {
        return Err(ApiError::invalid("Sheet title must not be empty."));
    }
    sheets::check_title(book, title, Some(at))?;
    let hides = after["hidden"] == true && !book.sheets[at].hidden();
    let visible = book.sheets.iter().filter(|sheet| !sheet.hidden()).count();
    if hides && visible == 1 {
        return Err(ApiError::invalid("You can't hide all the sheets in a document."));
    }
    Ok(())
}

/// New row and column counts. The rows are checked against the limit with the columns as they were, as Google does.
fn resize(
    book: &mut Spreadsheet,
    at: usize,
    mask: &Mask,
    after: &Value,
    caller: &str,
) -> Result<(), ApiError> {
    if mask.field("gridProperties").is_none() {
        return Ok(());
    }
    let grid = &after["gridProperties"];
    for (dimension, name) in [(Dimension::Rows, "rowCount"), (Dimension::Columns, "columnCount")] {
        let (count, frozen) = (index(grid, name).unwrap_or(0), frozen_count(grid, dimension));
        if count == 0 {
            return Err(dimensions::all_gone(dimension));
        }
        if frozen >= count && frozen > 0 {
            let noun = dimension.noun();
            return Err(ApiError::invalid(format!("You can't freeze all visible {noun}s on the sheet.")));
        }
        resize_to(book, at, dimension, count, caller)?;
    }
    Ok(())
}

fn resize_to(
    book: &mut Spreadsheet,
    at: usize,
    dimension: Dimension,
    count: u32,
    caller: &str,
) -> Result<(), ApiError> {
    let sheet = &book.sheets[at];
    let extent = sheet.extent(dimension);
    if count < extent {
        book.may_edit(at, &sheet.grid().with_span(dimension, count..extent), caller)?;
        dimensions::delete(book, at, dimension, &(count..extent));
        return Ok(());
    }
    let grown = sheet.grid().with_span(dimension, 0..count);
    book.may_resize(at, grown.bottom, grown.right)?;
    (book.sheets[at].rows, book.sheets[at].columns) = (grown.bottom, grown.right);
    Ok(())
}

fn frozen_count(grid: &Value, dimension: Dimension) -> u32 {
    let name = match dimension {
        Dimension::Rows => "frozenRowCount",
        Dimension::Columns => "frozenColumnCount",
    };
    index(grid, name).unwrap_or(0)
}

/// Takes over what a `SheetProperties` message says besides id, title, place and size.
pub fn take_over(sheet: &mut Sheet, message: &Value) {
    let mut properties = message.as_object().cloned().unwrap_or_default();
    colors::complete(&mut properties);
    for name in ["sheetId", "title", "index"] {
        properties.remove(name);
    }
    if let Some(Value::Object(grid)) = properties.get_mut("gridProperties") {
        grid.remove("rowCount");
        grid.remove("columnCount");
    }
    properties.entry("sheetType").or_insert_with(|| Value::from("GRID"));
    sheet.properties = properties;
}

/// A new index counts with the tab still in its old place, so moving right needs one more than the place wanted.
fn move_tab(book: &mut Spreadsheet, from: usize, to: usize) {
    let to = to.min(book.sheets.len());
    let to = if to > from { to - 1 } else { to };
    let sheet = book.sheets.remove(from);
    book.sheets.insert(to, sheet);
}

/// `updateSpreadsheetProperties`.
pub fn update_spreadsheet(book: &mut Spreadsheet, body: &Value) -> Reply {
    let mask = fields(body, "SpreadsheetProperties")?;
    let empty = serde_json::Map::new();
    let given = body.get("properties").and_then(Value::as_object).unwrap_or(&empty);
    let mut properties = book.properties.as_object().cloned().unwrap_or_default();
    mask.copy(&mut properties, given);
    for name in ["title", "locale", "timeZone", "autoRecalc"] {
        if properties.get(name).and_then(Value::as_str).is_none_or(str::is_empty) {
            let kept = book.properties[name].clone();
            properties.insert(name.to_owned(), kept);
        }
    }
    book.properties = schema::print("SpreadsheetProperties", Value::Object(properties));
    Ok(None)
}
