//! New spreadsheets: as Drive makes them, as a test asks for them, and as `spreadsheets.create` describes them.

use std::sync::LazyLock;

use serde_json::{Value, json};

use crate::batch::cells::{CellWriter, write_rows};
use crate::batch::sheets;
use crate::mask::Mask;
use crate::sheet::Sheet;
use crate::{ApiError, Spreadsheet, Tab, schema};

/// `SpreadsheetProperties` of a new file, without its title.
static DEFAULTS: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("defaults.json")).unwrap_or_else(|_| json!({})));

/// A spreadsheet with these tabs.
pub fn with_tabs(id: &str, title: &str, tabs: &[Tab]) -> Spreadsheet {
    let mut book = empty(id, title);
    for tab in tabs {
        let sheet = if book.sheets.is_empty() { 0 } else { book.mint_id() };
        book.sheets.push(Sheet::new(sheet, &tab.title, tab.rows, tab.columns));
    }
    book
}

/// A spreadsheet as a `Spreadsheet` message describes it.
pub fn from_message(id: &str, body: &Value) -> Result<Spreadsheet, ApiError> {
    let message = schema::read("Spreadsheet", body, "")?;
    let given = message.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
    let mut book = empty(id, "Untitled spreadsheet");
    for (name, value) in given {
        book.properties[&name] = value;
    }
    book.properties = schema::print("SpreadsheetProperties", book.properties.take());
    for (index, sheet) in message["sheets"].as_array().into_iter().flatten().enumerate() {
        add_sheet(&mut book, sheet).map_err(|error| error.within(&format!("sheets[{index}]")))?;
    }
    if book.sheets.is_empty() {
        book.sheets.push(Sheet::new(0, "Sheet1", 1000, 26));
    }
    for named in message["namedRanges"].as_array().into_iter().flatten() {
        crate::batch::names::add(&mut book, named)?;
    }
    Ok(book)
}

fn add_sheet(book: &mut Spreadsheet, sheet: &Value) -> Result<(), ApiError> {
    let mut properties = sheet.get("properties").cloned().unwrap_or_else(|| json!({}));
    if book.sheets.is_empty() && properties.get("sheetId").is_none() {
        properties["sheetId"] = Value::from(0);
    }
    let at = sheets::insert(book, &properties)?;
    for data in sheet["data"].as_array().into_iter().flatten() {
        let corner = |name: &str| crate::range::index(data, name).unwrap_or(0);
        let writer = CellWriter::new(&Mask::All);
        write_rows(
            &mut book.sheets[at],
            corner("startRow"),
            corner("startColumn"),
            &data["rowData"],
            &writer,
        )?;
    }
    Ok(())
}

fn empty(id: &str, title: &str) -> Spreadsheet {
    let mut properties = json!({ "title": title });
    for (name, value) in DEFAULTS.as_object().into_iter().flatten() {
        properties[name] = value.clone();
    }
    Spreadsheet {
        id: id.to_owned(),
        properties,
        sheets: Vec::new(),
        named_ranges: Vec::new(),
        metadata: Vec::new(),
        minted: 0,
    }
}
