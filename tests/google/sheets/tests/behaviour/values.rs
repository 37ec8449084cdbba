//! values.get, update, clear and their batches.

use serde_json::json;

use crate::book::{book, filled};

#[test]
fn null_leaves_a_cell_alone_and_an_empty_text_clears_it() {
    let mut book = filled(5, 5, &json!([["a", "b", "c"]]));
    let answer = book.put("Sheet1!A1:C1", &json!([[null, "", "new"]]));
    assert_eq!(book.read("Sheet1"), json!([["a", "", "new"]]));
    assert_eq!(answer["updatedCells"], 2, "the null is not counted, the empty text is");
    assert_eq!(answer["updatedColumns"], 2);
    assert_eq!(answer["updatedRange"], "Sheet1!A1:C1");
}

#[test]
fn the_updated_range_ends_at_the_last_value_that_is_not_null() {
    let mut book = book(10, 10);
    let answer = book.put("Sheet1!A2:F2", &json!([["1", "2", "3", "4", null, null]]));
    assert_eq!(answer["updatedRange"], "Sheet1!A2:D2");
    let nulls = json!([[null, "x"], [null, null], ["y", null], [null, null]]);
    let answer = book.put("Sheet1!A1:D4", &nulls);
    assert_eq!(answer["updatedRange"], "Sheet1!A1:B3");
    assert_eq!([&answer["updatedRows"], &answer["updatedColumns"], &answer["updatedCells"]], [2, 2, 2]);
}

#[test]
fn ragged_rows_count_cells_together_and_columns_at_the_widest() {
    let answer = book(10, 10).put("Sheet1!A1", &json!([["A1", "B1"], [1, 2, 3, 4]]));
    assert_eq!([&answer["updatedRows"], &answer["updatedColumns"], &answer["updatedCells"]], [2, 4, 6]);
}

#[test]
fn one_cell_is_an_anchor_and_a_range_is_a_limit() {
    let mut book = book(5, 5);
    assert_eq!(book.put("Sheet1!A1", &json!([[1, 2], [3, 4]]))["updatedRange"], "Sheet1!A1:B2");
    let refused = book.try_put("Sheet1!A1:B1", &json!([[1, 2, 3]])).unwrap_err();
    assert_eq!(
        refused.message,
        "Requested writing within range [Sheet1!A1:B1], but tried writing to column [C]"
    );
    let refused = book.try_put("Sheet1!A1:B1", &json!([[1], [2]])).unwrap_err();
    assert_eq!(
        refused.message,
        "Requested writing within range [Sheet1!A1:B1], but tried writing to row [2]"
    );
}

#[test]
fn update_never_grows_the_grid() {
    let mut book = book(1000, 26);
    let refused = book.try_put("Sheet1!A2000", &json!([["x"]])).unwrap_err();
    assert_eq!(refused.message, "Range (Sheet1!A2000) exceeds grid limits. Max rows: 1000, max columns: 26");
    assert!(book.try_put("Sheet1!A1000", &json!([["x"], ["y"]])).is_err(), "nor from an anchor inside it");
}

#[test]
fn the_range_in_the_body_has_to_agree() {
    let mut book = book(1000, 1000);
    let body = json!({"range": "Sheet1!ZZ998", "values": [["x"]]});
    let refused =
        book.call("PUT", "/values/Sheet1!ZZ999", &[("valueInputOption", "RAW")], &body).unwrap_err();
    assert_eq!(refused.message, "Request range[Sheet1!ZZ999] does not match value's range[Sheet1!ZZ998]");
    let body = json!({"range": "'Sheet1'!ZZ999", "values": [["x"]], "majorDimension": null});
    assert!(book.call("PUT", "/values/Sheet1!ZZ999", &[("valueInputOption", "RAW")], &body).is_ok());
}

#[test]
fn empty_cells_and_rows_at_the_end_are_not_sent() {
    let mut book = filled(10, 10, &json!([["A1", "", "C1", ""], [], ["", "B3"], ["", ""]]));
    assert_eq!(book.seen("Sheet1"), json!([["A1", "", "C1"], [], ["", "B3"]]));
    assert_eq!(book.get("/values/D4:E9", &[]), json!({"range": "Sheet1!D4:E9", "majorDimension": "ROWS"}));
}

#[test]
fn columns_are_transposed_both_ways() {
    let mut book = book(5, 5);
    let body = json!({"majorDimension": "COLUMNS", "values": [["a1", "a2"], ["b1", null, "b3"]]});
    let answer = book.call("PUT", "/values/A1", &[("valueInputOption", "RAW")], &body).unwrap().body;
    assert_eq!(answer["updatedRange"], "Sheet1!A1:B3");
    assert_eq!(book.read("Sheet1"), json!([["a1", "b1"], ["a2"], ["", "b3"]]));
    let read = book.get("/values/A1:C3", &[("majorDimension", "COLUMNS")]);
    assert_eq!(read["values"], json!([["a1", "a2"], ["b1", "", "b3"]]));
}

#[test]
fn renderings_differ_in_types_dates_and_formulas() {
    let mut book = book(5, 5);
    book.type_in("A1", &json!([["53", "true", "2020-01-01", "2,000,000.01", "=4/2"]]));
    let read = |book: &mut crate::book::Book, query: &[(&str, &str)]| {
        book.get("/values/A1:E1", query)["values"][0].clone()
    };
    assert_eq!(read(&mut book, &[]), json!(["53", "TRUE", "2020-01-01", "2,000,000.01", "2"]));
    let unformatted = ("valueRenderOption", "UNFORMATTED_VALUE");
    assert_eq!(read(&mut book, &[unformatted]), json!([53, true, 43831, 2_000_000.01, 2]));
    let dates = ("dateTimeRenderOption", "FORMATTED_STRING");
    assert_eq!(read(&mut book, &[unformatted, dates]), json!([53, true, "2020-01-01", 2_000_000.01, 2]));
    assert_eq!(
        read(&mut book, &[("valueRenderOption", "FORMULA")]),
        json!([53, true, 43831, 2_000_000.01, "=4/2"])
    );
}

#[test]
fn a_batch_get_answers_in_the_order_asked_and_fails_as_one() {
    let mut book = filled(5, 5, &json!([["a", "b"]]));
    let answer = book.get("/values:batchGet", &[("ranges", "B1"), ("ranges", "A1"), ("ranges", "C1")]);
    assert_eq!(answer["valueRanges"][0]["values"], json!([["b"]]));
    assert_eq!(answer["valueRanges"][1]["range"], "Sheet1!A1");
    assert!(answer["valueRanges"][2].get("values").is_none());
    let query = [("ranges", "A1"), ("ranges", "Nope!A1")];
    assert!(book.call("GET", "/values:batchGet", &query, &json!(null)).is_err());
}

#[test]
fn a_batch_update_totals_distinct_columns() {
    let mut book = book(5, 5);
    let data =
        json!([{"range": "A1:D1", "values": [[1, 2, 3, 4]]}, {"range": "A3:D3", "values": [[1, 2, 3, 4]]}]);
    let body = json!({"valueInputOption": "RAW", "data": data});
    let answer = book.call("POST", "/values:batchUpdate", &[], &body).unwrap().body;
    assert_eq!(answer["totalUpdatedColumns"], 4);
    assert_eq!(
        [&answer["totalUpdatedRows"], &answer["totalUpdatedCells"], &answer["totalUpdatedSheets"]],
        [2, 8, 1]
    );
    assert_eq!(answer["responses"][1]["updatedRange"], "Sheet1!A3:D3");
}

#[test]
fn the_values_come_back_when_they_are_asked_for() {
    let mut book = book(5, 5);
    let query = [("valueInputOption", "RAW"), ("includeValuesInResponse", "true")];
    let answer = book.call("PUT", "/values/A1:C1", &query, &json!({"values": [[1, "x"]]})).unwrap().body;
    let data = json!({"range": "Sheet1!A1:C1", "majorDimension": "ROWS", "values": [["1", "x"]]});
    assert_eq!(answer["updatedData"], data, "the range is the one asked for, not the one updated");
}

#[test]
fn clearing_takes_values_and_leaves_formats() {
    let mut book = book(5, 5);
    book.type_in("A1", &json!([["2020-01-01"]]));
    let answer = book.call("POST", "/values/'Sheet1':clear", &[], &json!(null)).unwrap().body;
    assert_eq!(answer, json!({"spreadsheetId": "book", "clearedRange": "Sheet1!A1:E5"}));
    book.put("A1", &json!([[43831]]));
    assert_eq!(book.seen("A1"), json!([["2020-01-01"]]));
}
