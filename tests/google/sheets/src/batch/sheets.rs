//! Tabs come and go: addSheet, deleteSheet, duplicateSheet.

use serde_json::{Value, json};

use crate::range::{index, sheet_id};
use crate::sheet::Sheet;
use crate::{ApiError, Spreadsheet};

use super::{Reply, properties};

/// `addSheet`.
pub fn add(book: &mut Spreadsheet, body: &Value) -> Reply {
    let properties = body.get("properties").cloned().unwrap_or_else(|| json!({}));
    let at = insert(book, &properties)?;
    Ok(Some(json!({"properties": book.sheets[at].properties_message(at)})))
}

/// Adds a tab as a `SheetProperties` message describes it, and returns its position.
pub fn insert(book: &mut Spreadsheet, properties: &Value) -> Result<usize, ApiError> {
    book.may_add_tab()?;
    let title = properties["title"].as_str().filter(|title| !title.is_empty()).map(str::to_owned);
    let title = title.unwrap_or_else(|| free_title(book));
    check_title(book, &title, None)?;
    let grid = &properties["gridProperties"];
    let size = |name: &str, usual: u32| index(grid, name).filter(|size| *size > 0).unwrap_or(usual);
    let (rows, columns) = (size("rowCount", 1000), size("columnCount", 26));
    book.may_resize(usize::MAX, rows, columns)?;
    let id = new_id(book, properties.get("sheetId"))?;
    let mut sheet = Sheet::new(id, &title, rows, columns);
    properties::take_over(&mut sheet, properties);
    let at = index(properties, "index").map_or(book.sheets.len(), |at| (at as usize).min(book.sheets.len()));
    book.sheets.insert(at, sheet);
    Ok(at)
}

/// The id asked for, if no tab has it, or a new one.
fn new_id(book: &mut Spreadsheet, asked: Option<&Value>) -> Result<i32, ApiError> {
    let Some(id) = asked.and_then(Value::as_i64).and_then(|id| i32::try_from(id).ok()) else {
        return Ok(book.mint_id());
    };
    if id < 0 {
        return Err(ApiError::invalid("SheetId must be non-negative."));
    }
    match book.position(id) {
        Some(_) => Err(ApiError::invalid(format!(
            "A sheet with the id {id} already exists. Please enter another id."
        ))),
        None => Ok(id),
    }
}

/// Two tabs may not have one title, however it is capitalised.
pub fn check_title(book: &Spreadsheet, title: &str, except: Option<usize>) -> Result<(), ApiError> {
    let folded = title.to_lowercase();
    let taken = |(at, sheet): (usize, &Sheet)| Some(at) != except && sheet.title.to_lowercase() == folded;
    if book.sheets.iter().enumerate().any(taken) {
        let message = format!("A sheet with the name \"{title}\" already exists. Please enter another name.");
        return Err(ApiError::invalid(message));
    }
    Ok(())
}

fn free_title(book: &Spreadsheet) -> String {
    let free = |title: &String| check_title(book, title, None).is_ok();
    (book.sheets.len() + 1..).map(|number| format!("Sheet{number}")).find(free).unwrap_or_default()
}

fn sheet_position(book: &Spreadsheet, id: i32) -> Result<usize, ApiError> {
    book.position(id).ok_or_else(|| ApiError::invalid(format!("No sheet with id: {id}")))
}

/// `deleteSheet`: the last tab stays, and so does the last that is visible.
pub fn delete(book: &mut Spreadsheet, body: &Value, caller: &str) -> Reply {
    let at = sheet_position(book, sheet_id(body))?;
    let others = || book.sheets.iter().enumerate().filter(|(other, _)| *other != at);
    if others().next().is_none() {
        return Err(ApiError::invalid("You can't remove all the sheets in a document."));
    }
    if others().all(|(_, sheet)| sheet.hidden()) {
        return Err(ApiError::invalid("You can't remove all the visible sheets in a document."));
    }
    book.may_edit(at, &book.sheets[at].grid(), caller)?;
    let sheet = book.sheets.remove(at);
    book.named_ranges.retain(|named| sheet_id(&named["range"]) != sheet.id);
    book.forget_metadata_of(sheet.id);
    Ok(None)
}

/// `duplicateSheet`: everything on the tab but its protections, under a new id.
pub fn duplicate(book: &mut Spreadsheet, body: &Value) -> Reply {
    let source = body["sourceSheetId"].as_i64().and_then(|id| i32::try_from(id).ok()).unwrap_or(0);
    let from = sheet_position(book, source)?;
    book.may_add_tab()?;
    book.may_grow(book.sheets[from].size())?;
    let title = match body["newSheetName"].as_str().filter(|title| !title.is_empty()) {
        Some(title) => title.to_owned(),
        None => copy_title(book, &book.sheets[from].title),
    };
    check_title(book, &title, None)?;
    let id = new_id(book, body.get("newSheetId"))?;
    let mut sheet = Sheet { id, title, protected: Vec::new(), ..book.sheets[from].clone() };
    for message in sheet.filter_views.iter_mut().chain(&mut sheet.basic_filter) {
        message["range"]["sheetId"] = Value::from(id);
    }
    let at = index(body, "insertSheetIndex").map_or(0, |at| (at as usize).min(book.sheets.len()));
    book.sheets.insert(at, sheet);
    Ok(Some(json!({"properties": book.sheets[at].properties_message(at)})))
}

fn copy_title(book: &Spreadsheet, title: &str) -> String {
    let first = format!("Copy of {title}");
    let mut titles = std::iter::once(first.clone()).chain((2..).map(|number| format!("{first} {number}")));
    titles.find(|title| check_title(book, title, None).is_ok()).unwrap_or_default()
}
