//! Tabs and their properties, and new spreadsheets.

use serde_json::{Value, json};
use sheets_model::Spreadsheet;

use crate::book::{Book, OWNER, book, filled};

fn titles(book: &mut Book) -> Vec<String> {
    let sheets = book.get("", &[("fields", "sheets.properties.title")])["sheets"].clone();
    sheets
        .as_array()
        .unwrap()
        .iter()
        .map(|sheet| sheet["properties"]["title"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_new_tab_answers_with_all_its_properties() {
    let mut book = book(5, 5);
    let reply = book.batch(&json!([{"addSheet": {}}]));
    let properties = &reply[0]["addSheet"]["properties"];
    assert_eq!(properties["title"], "Sheet2");
    assert_eq!(properties["gridProperties"], json!({"rowCount": 1000, "columnCount": 26}));
    assert!(properties["sheetId"].as_i64().unwrap() > 0);
    let mut other = crate::book::book(5, 5);
    assert_eq!(other.batch(&json!([{"addSheet": {}}])), reply, "ids look random and are not");
}

#[test]
fn a_new_tab_can_be_used_in_the_same_batch() {
    let mut book = book(5, 5);
    let rows = json!([{"values": [{"userEnteredValue": {"stringValue": "x"}}]}]);
    book.batch(&json!([
        {"addSheet": {"properties": {"sheetId": 9, "title": "New", "index": 0}}},
        {"appendCells": {"sheetId": 9, "rows": rows, "fields": "*"}}
    ]));
    assert_eq!(titles(&mut book), ["New", "Sheet1"]);
    assert_eq!(book.read("New"), json!([["x"]]));
}

#[test]
fn a_title_is_used_once_whatever_its_case() {
    let mut book = book(5, 5);
    let message = book.refusal(&json!({"addSheet": {"properties": {"title": "Sheet1"}}}));
    let expected = "A sheet with the name \"Sheet1\" already exists. Please enter another name.";
    assert_eq!(message, format!("Invalid requests[0].addSheet: {expected}"));
    assert!(book.try_batch(&json!([{"addSheet": {"properties": {"title": "SHEET1"}}}])).is_err());
}

#[test]
fn the_last_visible_tab_stays() {
    let mut book = book(5, 5);
    let delete = json!({"deleteSheet": {"sheetId": 0}});
    let last = "Invalid requests[0].deleteSheet: You can't remove all the sheets in a document.";
    assert_eq!(book.refusal(&delete), last);
    book.batch(&json!([{"addSheet": {"properties": {"title": "Behind", "hidden": true}}}]));
    let visible = "Invalid requests[0].deleteSheet: You can't remove all the visible sheets in a document.";
    assert_eq!(book.refusal(&delete), visible);
    let hide =
        json!({"updateSheetProperties": {"properties": {"sheetId": 0, "hidden": true}, "fields": "hidden"}});
    let hidden = "Invalid requests[0].updateSheetProperties: You can't hide all the sheets in a document.";
    assert_eq!(book.refusal(&hide), hidden);
}

#[test]
fn a_tab_moves_with_its_index_counted_before_the_move() {
    let mut book = book(5, 5);
    book.batch(
        &json!([{"addSheet": {"properties": {"title": "B"}}}, {"addSheet": {"properties": {"title": "C"}}}]),
    );
    let to = |index: u32| json!([{"updateSheetProperties": {"properties": {"sheetId": 0, "index": index}, "fields": "index"}}]);
    book.batch(&to(1));
    assert_eq!(titles(&mut book), ["Sheet1", "B", "C"], "one more than the place it has is the place it has");
    book.batch(&to(2));
    assert_eq!(titles(&mut book), ["B", "Sheet1", "C"]);
    book.batch(&to(0));
    assert_eq!(titles(&mut book), ["Sheet1", "B", "C"]);
}

#[test]
fn a_duplicate_has_the_cells_and_no_protection() {
    let mut book = filled(5, 5, &json!([["a"]]));
    let protected = json!({"range": {"sheetId": 0}});
    book.batch(&json!([{"addProtectedRange": {"protectedRange": protected}}, {"duplicateSheet": {"sourceSheetId": 0, "insertSheetIndex": 1}}]));
    assert_eq!(titles(&mut book), ["Sheet1", "Copy of Sheet1"]);
    assert_eq!(book.read("'Copy of Sheet1'"), json!([["a"]]));
    book.put("'Copy of Sheet1'!A1", &json!([["b"]]));
    assert_eq!(book.read("Sheet1"), json!([["a"]]), "they share nothing that can be written");
    assert!(book.all()["sheets"][1].get("protectedRanges").is_none());
}

#[test]
fn only_masked_properties_change() {
    let mut book = book(5, 5);
    let properties = json!({"sheetId": 0, "title": "New", "gridProperties": {"frozenRowCount": 1, "rowCount": 9}, "tabColor": {"red": 1}});
    let update =
        |fields: &str| json!([{"updateSheetProperties": {"properties": properties, "fields": fields}}]);
    book.batch(&update("gridProperties.frozenRowCount,tabColor"));
    let grid = json!({"rowCount": 5, "columnCount": 5, "frozenRowCount": 1});
    let sheet = book.all()["sheets"][0]["properties"].clone();
    assert_eq!((&sheet["title"], &sheet["gridProperties"]), (&json!("Sheet1"), &grid));
    assert_eq!(sheet["tabColorStyle"], json!({"rgbColor": {"red": 1}}));
    book.batch(&update("title"));
    assert_eq!(titles(&mut book), ["New"]);
}

#[test]
fn a_smaller_grid_loses_what_was_outside() {
    let mut book = filled(4, 4, &json!([["a", "b"], ["c", "d"], ["e"]]));
    let resize = |rows: u32, columns: u32| {
        let grid = json!({"rowCount": rows, "columnCount": columns});
        json!([{"updateSheetProperties": {"properties": {"sheetId": 0, "gridProperties": grid}, "fields": "gridProperties(rowCount,columnCount)"}}])
    };
    book.batch(&resize(2, 1));
    book.batch(&resize(5, 5));
    assert_eq!(book.read("Sheet1"), json!([["a"], ["c"]]));
}

#[test]
fn the_answer_can_hold_the_spreadsheet() {
    let mut book = filled(3, 3, &json!([["a"]]));
    let body = json!({
        "requests": [{"updateSpreadsheetProperties": {"properties": {"title": "Renamed"}, "fields": "title"}}],
        "includeSpreadsheetInResponse": true, "responseIncludeGridData": true, "responseRanges": ["A1"]
    });
    let answer = book.call("POST", ":batchUpdate", &[], &body).unwrap().body;
    assert_eq!(answer["updatedSpreadsheet"]["properties"]["title"], "Renamed");
    assert_eq!(
        answer["updatedSpreadsheet"]["sheets"][0]["data"][0]["rowData"][0]["values"][0]["formattedValue"],
        "a"
    );
    assert_eq!(book.model.title(), "Renamed");
}

#[test]
fn a_spreadsheet_is_created_as_described() {
    let body = json!({
        "properties": {"title": "Made"},
        "sheets": [
            {"properties": {"title": "One", "gridProperties": {"rowCount": 3, "columnCount": 2, "frozenRowCount": 1}},
             "data": [{"startRow": 1, "rowData": [{"values": [{"userEnteredValue": {"numberValue": 5}}]}]}]},
            {"properties": {"title": "Two"}}
        ]
    });
    let mut book = Book { model: Spreadsheet::create("made", &body).unwrap(), caller: OWNER };
    assert_eq!(titles(&mut book), ["One", "Two"]);
    assert_eq!(book.read("One"), json!([[], [5]]));
    assert_eq!(book.get("", &[])["properties"]["locale"], "en_US");
    let untitled = Spreadsheet::create("plain", &json!({})).unwrap();
    assert_eq!(untitled.title(), "Untitled spreadsheet");
    let twice = json!({"sheets": [{"properties": {"title": "A"}}, {"properties": {"title": "a"}}]});
    assert!(Spreadsheet::create("twice", &twice).is_err());
    let unknown: Value = json!({"propertys": {}});
    let refused = Spreadsheet::create("unknown", &unknown).unwrap_err();
    assert_eq!(
        refused.message,
        "Invalid JSON payload received. Unknown name \"propertys\": Cannot find field."
    );
}
