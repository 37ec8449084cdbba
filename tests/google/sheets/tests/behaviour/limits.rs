//! How big a spreadsheet may become.

use serde_json::{Value, json};

use crate::book::{Book, book};

const CELLS: &str =
    "This action would increase the number of cells in the workbook above the limit of 10000000 cells.";

fn resize(book: &mut Book, rows: u32, columns: u32) -> Result<Value, sheets_model::ApiError> {
    let grid = json!({"rowCount": rows, "columnCount": columns});
    let properties = json!({"sheetId": 0, "gridProperties": grid});
    let fields = "gridProperties/rowCount,gridProperties/columnCount";
    book.try_batch(&json!([{"updateSheetProperties": {"properties": properties, "fields": fields}}]))
}

#[test]
fn ten_million_cells_are_the_most() {
    let mut book = book(1000, 26);
    assert!(resize(&mut book, 384_615, 26).is_ok());
    let refused = resize(&mut book, 384_616, 26).unwrap_err();
    assert_eq!(refused.message, format!("Invalid requests[0].updateSheetProperties: {CELLS}"));
    let add = json!({"addSheet": {"properties": {"gridProperties": {"rowCount": 11, "columnCount": 1}}}});
    assert_eq!(book.refusal(&add), format!("Invalid requests[0].addSheet: {CELLS}"));
}

#[test]
fn new_rows_are_checked_with_the_old_columns() {
    let mut book = book(1000, 26);
    assert!(resize(&mut book, 1_000_000, 2).is_err(), "1,000,000 × 26 is too many, though × 2 would not be");
    assert!(resize(&mut book, 1000, 2).is_ok());
    assert!(resize(&mut book, 1_000_000, 2).is_ok());
}

#[test]
fn every_way_to_grow_is_checked() {
    let mut book = book(1_000_000, 10);
    for request in [
        json!({"appendDimension": {"sheetId": 0, "dimension": "ROWS", "length": 1}}),
        json!({"insertDimension": {"range": crate::book::span("COLUMNS", 0, 1)}}),
        json!({"duplicateSheet": {"sourceSheetId": 0}}),
    ] {
        assert!(book.refusal(&request).ends_with(CELLS), "{request}");
    }
    book.put("A1000000", &json!([["last"]]));
    let body = json!({"values": [["one more"]]});
    let refused = book.call("POST", "/values/A1:append", &[("valueInputOption", "RAW")], &body);
    assert!(refused.is_ok(), "A1 is empty and no table: it writes there");
    let refused =
        book.call("POST", "/values/A1000000:append", &[("valueInputOption", "RAW")], &body).unwrap_err();
    assert_eq!(refused.message, CELLS);
}

#[test]
fn a_cell_takes_fifty_thousand_characters() {
    let mut book = book(5, 5);
    let fits = "é".repeat(50_000);
    book.put("A1", &json!([[fits]]));
    let message = "Your input contains more than the maximum of 50000 characters in a single cell.";
    let long = "é".repeat(50_001);
    assert_eq!(book.try_put("A1", &json!([[long]])).unwrap_err().message, message);
    let cell = json!({"userEnteredValue": {"stringValue": long}});
    let request =
        json!({"repeatCell": {"range": crate::book::grid(0, 1, 0, 1), "cell": cell, "fields": "*"}});
    assert_eq!(book.refusal(&request), format!("Invalid requests[0].repeatCell: {message}"));
}

#[test]
fn two_hundred_tabs_and_a_hundred_thousand_requests() {
    let mut book = book(1, 1);
    let tab = json!({"addSheet": {"properties": {"gridProperties": {"rowCount": 1, "columnCount": 1}}}});
    book.batch(&json!(vec![tab.clone(); 199]));
    assert!(book.try_batch(&json!([tab])).is_err());
    let nothing = json!({"clearBasicFilter": {"sheetId": 0}});
    let refused = book.try_batch(&json!(vec![nothing; 100_001])).unwrap_err();
    assert_eq!(refused.message, "Cannot exceed 100000 requests in a single batch.");
}

#[test]
fn columns_end_at_zzz() {
    let mut book = book(1, 1);
    assert!(resize(&mut book, 1, 18_278).is_ok());
    book.put("ZZZ1", &json!([["last"]]));
    assert!(resize(&mut book, 1, 18_279).is_err());
}

/// A tab of ten million cells is a tab like any other: a request costs what it touches.
#[test]
fn the_largest_tab_is_workable() {
    let mut book = book(10_000_000, 1);
    for row in [10_000_000_u32, 5_000_000, 1] {
        book.put(&format!("A{row}"), &json!([[row]]));
    }
    for _ in 0..20 {
        book.put("A7000000", &json!([["again"]]));
        book.batch(&json!([{"deleteDimension": {"range": crate::book::span("ROWS", 1, 2)}}]));
    }
    assert_eq!(book.read("A9999980"), json!([[10_000_000]]));
    assert_eq!(book.read("A4999980"), json!([[5_000_000]]));
}
