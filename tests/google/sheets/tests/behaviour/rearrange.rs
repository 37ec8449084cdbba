//! sortRange, copyPaste, cutPaste, findReplace, insertRange, deleteRange, mergeCells.

use serde_json::{Value, json};

use crate::book::{book, filled, grid};

#[test]
fn sorting_keeps_rows_together_and_blanks_last() {
    let mut book =
        filled(9, 3, &json!([["head", "x"], ["b", 2], ["", 9], ["a", 1], [3, 4], [true, 5], ["B", 6]]));
    let sort = |order: &str| json!([{"sortRange": {"range": grid(1, 9, 0, 2), "sortSpecs": [{"dimensionIndex": 0, "sortOrder": order}]}}]);
    book.batch(&sort("ASCENDING"));
    let up = json!([["head", "x"], [3, 4], ["a", 1], ["b", 2], ["B", 6], [true, 5], ["", 9]]);
    assert_eq!(book.read("Sheet1"), up);
    book.batch(&sort("DESCENDING"));
    assert_eq!(book.read("A2:A8"), json!([[true], ["b"], ["B"], ["a"], [3]]), "blank ones stay last");
}

#[test]
fn a_sort_has_further_columns_for_ties() {
    let mut book = filled(4, 3, &json!([["a", 1, "x"], ["a", 3, "y"], ["b", 2, "z"]]));
    let specs = json!([{"dimensionIndex": 0, "sortOrder": "DESCENDING"}, {"dimensionIndex": 1, "sortOrder": "DESCENDING"}]);
    book.batch(&json!([{"sortRange": {"range": {"sheetId": 0}, "sortSpecs": specs}}]));
    assert_eq!(book.read("C1:C3"), json!([["z"], ["y"], ["x"]]));
}

#[test]
fn a_copied_formula_moves_and_a_copied_value_stays() {
    let mut book = filled(6, 6, &json!([[1], [2]]));
    book.type_in("B1", &json!([["=A1*10"]]));
    let copy = |kind: &str, left: u32| json!({"copyPaste": {"source": grid(0, 1, 1, 2), "destination": grid(0, 2, left, left + 1), "pasteType": kind}});
    book.batch(&json!([copy("PASTE_NORMAL", 1), copy("PASTE_VALUES", 3)]));
    assert_eq!(book.read("B1:D2"), json!([[10, "", 10], [20, "", 10]]), "a taller destination is filled");
}

#[test]
fn a_whole_row_can_be_copied_to_another_tab() {
    let mut book = filled(3, 3, &json!([["a", "b", "c"]]));
    book.batch(&json!([{"addSheet": {"properties": {"sheetId": 7, "title": "Archive", "gridProperties": {"rowCount": 2, "columnCount": 3}}}}]));
    let source = json!({"sheetId": 0, "startRowIndex": 0, "endRowIndex": 1});
    let destination = json!({"sheetId": 7, "startRowIndex": 1, "endRowIndex": 2});
    book.batch(&json!([
        {"copyPaste": {"source": source, "destination": destination}},
        {"deleteDimension": {"range": crate::book::span("ROWS", 0, 1)}}
    ]));
    assert_eq!(book.read("Archive"), json!([[], ["a", "b", "c"]]));
    assert!(book.read("Sheet1").is_null());
}

#[test]
fn transposing_swaps_rows_and_columns() {
    let mut book = filled(5, 5, &json!([["a", "b"], ["c", "d"], ["e", "f"]]));
    let request =
        json!({"source": grid(0, 3, 0, 2), "destination": grid(3, 4, 0, 1), "pasteOrientation": "TRANSPOSE"});
    book.batch(&json!([{ "copyPaste": request }]));
    assert_eq!(book.read("A4:C5"), json!([["a", "c", "e"], ["b", "d", "f"]]));
}

#[test]
fn cutting_leaves_nothing_behind() {
    let mut book = filled(5, 5, &json!([["a", "b"]]));
    let destination = json!({"sheetId": 0, "rowIndex": 0, "columnIndex": 1});
    book.batch(&json!([{"cutPaste": {"source": grid(0, 1, 0, 2), "destination": destination, "pasteType": "PASTE_NORMAL"}}]));
    assert_eq!(book.read("Sheet1"), json!([["", "a", "b"]]));
}

#[test]
fn found_text_is_replaced_and_counted() {
    let mut book = filled(5, 5, &json!([["ship", "Ship ship"], ["other", 12]]));
    book.type_in("A3", &json!([["=LEN(\"ship\")"]]));
    let find = json!({"find": "ship", "replacement": "boat", "allSheets": true});
    let reply = book.batch(&json!([{ "findReplace": find }]));
    let counts = json!({"valuesChanged": 2, "rowsChanged": 1, "sheetsChanged": 1, "occurrencesChanged": 3});
    assert_eq!(reply[0]["findReplace"], counts);
    assert_eq!(book.read("A1:B3"), json!([["boat", "boat boat"], ["other", 12], [4]]));
    let regex = json!({"find": "b(o+)at", "replacement": "$1", "searchByRegex": true, "sheetId": 0, "matchEntireCell": true});
    book.batch(&json!([{ "findReplace": regex }]));
    assert_eq!(book.read("A1:B1"), json!([["o", "boat boat"]]));
    let none = book.batch(&json!([{"findReplace": {"find": "nothing", "allSheets": true}}]));
    assert_eq!(none, json!([{"findReplace": {}}]));
}

#[test]
fn ranges_are_inserted_and_deleted_within_their_columns() {
    let start = json!([["a", "1"], ["b", "2"], ["c", "3"]]);
    let shift = |kind: &str, dimension: &str| {
        let mut book = filled(4, 3, &start);
        book.batch(&json!([{kind: {"range": grid(1, 2, 0, 1), "shiftDimension": dimension}}]));
        book.read("Sheet1")
    };
    assert_eq!(shift("insertRange", "ROWS"), json!([["a", "1"], ["", "2"], ["b", "3"], ["c"]]));
    assert_eq!(shift("deleteRange", "ROWS"), json!([["a", "1"], ["c", "2"], ["", "3"]]));
    assert_eq!(shift("insertRange", "COLUMNS"), json!([["a", "1"], ["", "b", "2"], ["c", "3"]]));
    assert_eq!(shift("deleteRange", "COLUMNS"), json!([["a", "1"], ["2"], ["c", "3"]]));
}

#[test]
fn merging_keeps_the_first_value_and_never_cuts_a_merge() {
    let mut book = filled(5, 5, &json!([["a", "b"], ["c", "d"]]));
    book.batch(&json!([{"mergeCells": {"range": grid(0, 2, 0, 2), "mergeType": "MERGE_ALL"}}]));
    assert_eq!(book.read("Sheet1"), json!([["a"]]));
    let cut: Value = json!({"unmergeCells": {"range": grid(0, 1, 0, 2)}});
    let message = "You must select all cells in a merged range to merge or unmerge them.";
    assert_eq!(book.refusal(&cut), format!("Invalid requests[0].unmergeCells: {message}"));
}

#[test]
fn filters_are_kept_and_dropped() {
    let mut book = book(5, 5);
    let reply = book.batch(&json!([
        {"setBasicFilter": {"filter": {"range": grid(0, 5, 0, 2)}}},
        {"addFilterView": {"filter": {"title": "Mine", "range": grid(0, 5, 0, 2)}}}
    ]));
    let id = reply[1]["addFilterView"]["filter"]["filterViewId"].clone();
    assert_eq!(book.all()["sheets"][0]["filterViews"][0]["title"], "Mine");
    book.batch(&json!([{"clearBasicFilter": {"sheetId": 0}}, {"deleteFilterView": {"filterId": id}}]));
    let sheet = book.all()["sheets"][0].clone();
    assert!(sheet.get("basicFilter").is_none() && sheet.get("filterViews").is_none());
}
