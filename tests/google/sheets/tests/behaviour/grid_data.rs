//! spreadsheets.get: cells, and masks in every notation.

use serde_json::json;

use crate::book::{book, filled, grid};

#[test]
fn a_plain_get_has_no_cells_and_a_mask_that_names_them_has() {
    let mut book = filled(3, 3, &json!([["a"]]));
    assert!(book.get("", &[])["sheets"][0].get("data").is_none());
    assert!(
        book.get("", &[("ranges", "A1")])["sheets"][0].get("data").is_none(),
        "ranges alone do not unlock them"
    );
    assert!(book.get("", &[("includeGridData", "true")])["sheets"][0].get("data").is_some());
    let masked = book.get("", &[("fields", "sheets.data.rowData"), ("includeGridData", "False")]);
    assert_eq!(masked["sheets"][0]["data"][0]["rowData"][0]["values"][0]["formattedValue"], "a");
}

#[test]
fn masks_have_three_notations() {
    let mut book = book(3, 3);
    let expected = json!({"sheets": [{"properties": {"sheetId": 0, "title": "Sheet1"}}]});
    for mask in [
        "sheets.properties.sheetId,sheets.properties.title",
        "sheets/properties/sheetId,sheets/properties/title",
        "sheets(properties(sheetId,title))",
        "sheets.properties(sheetId,title)",
        "sheets.properties.sheet_id, sheets.properties.title",
    ] {
        assert_eq!(book.get("", &[("fields", mask)]), expected, "{mask}");
    }
    assert_eq!(book.get("", &[("fields", "namedRanges")]), json!({}), "what is not there is not shown");
}

#[test]
fn a_cell_shows_what_was_entered_and_what_it_amounts_to() {
    let mut book = book(3, 3);
    book.type_in("B2", &json!([["=1/4"]]));
    let values = book.get("", &[("ranges", "B2"), ("includeGridData", "true")]);
    let data = &values["sheets"][0]["data"][0];
    assert_eq!([&data["startRow"], &data["startColumn"]], [1, 1]);
    let cell = &data["rowData"][0]["values"][0];
    assert_eq!(cell["userEnteredValue"], json!({"formulaValue": "=1/4"}));
    assert_eq!(cell["effectiveValue"], json!({"numberValue": 0.25}));
    assert_eq!(cell["formattedValue"], "0.25");
    assert_eq!(cell["effectiveFormat"]["horizontalAlignment"], "RIGHT");
    let order: Vec<&String> = cell.as_object().unwrap().keys().collect();
    assert_eq!(order, ["userEnteredValue", "effectiveValue", "formattedValue", "effectiveFormat"]);
}

#[test]
fn a_link_shows_its_label_and_tells_its_target() {
    let mut book = book(3, 3);
    book.type_in("A1", &json!([["=HYPERLINK(\"https://example.com\", \"the berth\")"]]));
    let read = book.get("", &[("fields", "sheets.data.rowData.values(formattedValue,hyperlink)")]);
    let cell = json!({"formattedValue": "the berth", "hyperlink": "https://example.com"});
    assert_eq!(read["sheets"][0]["data"][0]["rowData"][0]["values"][0], cell);
}

#[test]
fn blank_cells_before_others_are_empty_messages() {
    let mut book = book(5, 5);
    let note = |row: u32, column: u32| json!({"repeatCell": {"range": grid(row, row + 1, column, column + 1), "cell": {"note": "n"}, "fields": "note"}});
    book.batch(&json!([note(0, 0), note(2, 1)]));
    let read = book.get("", &[("fields", "sheets.data.rowData.values.note")]);
    let rows = json!([{"values": [{"note": "n"}]}, {}, {"values": [{}, {"note": "n"}]}]);
    assert_eq!(read["sheets"][0]["data"][0]["rowData"], rows);
}

#[test]
fn hidden_rows_say_so_in_their_metadata() {
    let mut book = book(3, 2);
    let hide = json!({"range": crate::book::span("ROWS", 1, 2), "properties": {"hiddenByUser": true}, "fields": "hiddenByUser"});
    book.batch(&json!([{ "updateDimensionProperties": hide }]));
    let read = book.get("", &[("fields", "sheets.data.rowMetadata")]);
    let rows = json!([{"pixelSize": 21}, {"hiddenByUser": true, "pixelSize": 21}, {"pixelSize": 21}]);
    assert_eq!(read["sheets"][0]["data"][0]["rowMetadata"], rows);
}
