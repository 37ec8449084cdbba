//! updateCells, appendCells, repeatCell.

use serde_json::{Value, json};

use crate::book::{book, filled, grid, span};

fn text(value: &str) -> Value {
    json!({"userEnteredValue": {"stringValue": value}})
}

#[test]
fn an_empty_cell_with_the_value_in_the_mask_is_cleared() {
    let mut book = filled(5, 5, &json!([["a", "b", "c"]]));
    let rows = json!([{"values": [text("A"), {}, text("C")]}]);
    let request = json!({"range": grid(0, 1, 0, 3), "rows": rows, "fields": "userEnteredValue"});
    book.batch(&json!([{ "updateCells": request }]));
    assert_eq!(book.read("Sheet1"), json!([["A", "", "C"]]), "a person's cell in the middle would be gone");
}

#[test]
fn cells_of_the_range_without_data_are_cleared() {
    let mut book = filled(5, 5, &json!([["a", "b"], ["c", "d"]]));
    let request =
        json!({"range": grid(0, 2, 0, 2), "rows": [{"values": [text("A")]}], "fields": "userEnteredValue"});
    book.batch(&json!([{ "updateCells": request }]));
    assert_eq!(book.read("Sheet1"), json!([["A"]]));
    book.put("C3", &json!([["far"]]));
    book.batch(&json!([{"updateCells": {"range": {"sheetId": 0}, "fields": "userEnteredValue"}}]));
    assert!(book.read("Sheet1").is_null(), "no rows at all clear the whole tab");
}

#[test]
fn from_a_start_only_the_cells_sent_are_written() {
    let mut book = filled(5, 5, &json!([["a", "b"], ["c", "d"]]));
    let start = json!({"sheetId": 0, "rowIndex": 1, "columnIndex": 0});
    book.batch(&json!([{"updateCells": {"start": start, "rows": [{"values": [text("C")]}], "fields": "*"}}]));
    assert_eq!(book.read("Sheet1"), json!([["a", "b"], ["C", "d"]]));
}

#[test]
fn data_beyond_the_range_is_refused() {
    let mut book = book(5, 5);
    let wide = json!({"range": grid(0, 1, 0, 1), "rows": [{"values": [{}, {}]}], "fields": "note"});
    let message = "Attempting to write column: 1, beyond the last requested column of: 0";
    assert_eq!(
        book.refusal(&json!({ "updateCells": wide })),
        format!("Invalid requests[0].updateCells: {message}")
    );
    let tall = json!({"range": grid(0, 1, 0, 1), "rows": [{}, {}], "fields": "note"});
    let message = "Attempting to write row: 1, beyond the last requested row of: 0";
    assert_eq!(
        book.refusal(&json!({ "updateCells": tall })),
        format!("Invalid requests[0].updateCells: {message}")
    );
}

#[test]
fn the_value_alone_keeps_the_format_and_a_star_resets_it() {
    let mut book = book(5, 5);
    book.type_in("A1", &json!([["2020-01-01"]]));
    let cell = json!([{"values": [{"userEnteredValue": {"numberValue": 43832}}]}]);
    book.batch(
        &json!([{"updateCells": {"range": grid(0, 1, 0, 1), "rows": cell, "fields": "userEnteredValue"}}]),
    );
    assert_eq!(book.seen("A1"), json!([["2020-01-02"]]));
    book.batch(&json!([{"updateCells": {"range": grid(0, 1, 0, 1), "rows": cell, "fields": "*"}}]));
    assert_eq!(book.seen("A1"), json!([["43832"]]));
}

#[test]
fn one_part_of_a_format_leaves_the_others() {
    let mut book = book(5, 5);
    let format = |format: Value, fields: &str| json!([{"repeatCell": {"range": grid(0, 1, 0, 1), "cell": {"userEnteredFormat": format}, "fields": fields}}]);
    book.batch(&format(
        json!({"textFormat": {"bold": true}, "backgroundColor": {"red": 1}}),
        "userEnteredFormat",
    ));
    let strike = json!({"textFormat": {"strikethrough": true}});
    book.batch(&format(strike, "userEnteredFormat.textFormat.strikethrough"));
    let read = book.get("", &[("fields", "sheets.data.rowData.values.userEnteredFormat")]);
    let both = json!({
        "backgroundColor": {"red": 1},
        "textFormat": {"bold": true, "strikethrough": true},
        "backgroundColorStyle": {"rgbColor": {"red": 1}}
    });
    assert_eq!(read["sheets"][0]["data"][0]["rowData"][0]["values"][0]["userEnteredFormat"], both);
    book.batch(&format(json!({}), "userEnteredFormat(backgroundColor,textFormat)"));
    assert_eq!(book.get("", &[("fields", "sheets.data.rowData")]), json!({"sheets": [{"data": [{}]}]}));
}

#[test]
fn appended_cells_go_below_the_last_data_of_the_whole_tab() {
    let mut book = filled(4, 5, &json!([["a"], ["b"], ["", "", "a person's note"]]));
    let rows = json!([{"values": [text("c"), {}, text("e")]}, {"values": [text("f")]}]);
    let reply =
        book.batch(&json!([{"appendCells": {"sheetId": 0, "rows": rows, "fields": "userEnteredValue"}}]));
    assert_eq!(reply, json!([{}]));
    let all = json!([["a"], ["b"], ["", "", "a person's note"], ["c", "", "e"], ["f"]]);
    assert_eq!(book.read("Sheet1"), all, "from column A on, growing the grid");
    assert_eq!(book.all()["sheets"][0]["properties"]["gridProperties"]["rowCount"], 5);
}

#[test]
fn formats_and_notes_are_not_data() {
    let mut book = filled(9, 2, &json!([["a"]]));
    let cell = json!({"note": "here", "userEnteredFormat": {"textFormat": {"bold": true}}});
    book.batch(&json!([{"repeatCell": {"range": grid(1, 6, 0, 1), "cell": cell, "fields": "note,userEnteredFormat"}}]));
    book.batch(&json!([{"appendCells": {"sheetId": 0, "rows": [{"values": [text("b")]}], "fields": "userEnteredValue"}}]));
    assert_eq!(book.read("Sheet1"), json!([["a"], ["b"]]));
}

#[test]
fn appended_cells_do_not_widen_the_grid() {
    let mut book = book(5, 2);
    let rows = json!([{"values": [text("a"), text("b"), text("c")]}]);
    let message = book.refusal(&json!({"appendCells": {"sheetId": 0, "rows": rows, "fields": "*"}}));
    let expected = "Attempting to write column: 2, beyond the last requested column of: 1";
    assert_eq!(message, format!("Invalid requests[0].appendCells: {expected}"));
}

#[test]
fn a_repeated_formula_moves_its_relative_references() {
    let mut book = filled(5, 5, &json!([[1, 10], [2, 20], [3, 30]]));
    let cell = json!({"userEnteredValue": {"formulaValue": "=A1+$B$1"}});
    book.batch(
        &json!([{"repeatCell": {"range": grid(0, 3, 2, 3), "cell": cell, "fields": "userEnteredValue"}}]),
    );
    assert_eq!(book.read("C1:C3"), json!([[11], [12], [13]]));
}

#[test]
fn appending_behind_rows_that_were_deleted_in_the_same_batch_closes_the_gap() {
    let mut book = filled(9, 2, &json!([["a"], ["b"], ["c"]]));
    book.batch(&json!([
        {"deleteDimension": {"range": span("ROWS", 2, 3)}},
        {"appendCells": {"sheetId": 0, "rows": [{"values": [text("d")]}], "fields": "userEnteredValue"}}
    ]));
    assert_eq!(book.read("Sheet1"), json!([["a"], ["b"], ["d"]]));
}
