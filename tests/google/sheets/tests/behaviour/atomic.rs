//! All or nothing.

use serde_json::json;

use crate::book::{filled, grid, span};

#[test]
fn a_refused_request_undoes_the_whole_batch() {
    let mut book = filled(5, 5, &json!([["a", "b"], ["c", "d"]]));
    let before = book.all();
    let rows = json!([{"values": [{"userEnteredValue": {"stringValue": "x"}}]}]);
    let refused = book.try_batch(&json!([
        {"updateCells": {"range": grid(0, 1, 0, 1), "rows": rows, "fields": "*"}},
        {"deleteDimension": {"range": span("ROWS", 0, 1)}},
        {"addSheet": {"properties": {"title": "New"}}},
        {"appendCells": {"sheetId": 0, "rows": rows, "fields": "*"}},
        {"addProtectedRange": {"protectedRange": {"range": grid(0, 1, 0, 1)}}},
        {"deleteDimension": {"range": span("ROWS", 90, 91)}}
    ]));
    assert!(refused.unwrap_err().message.starts_with("Invalid requests[5].deleteDimension: "));
    assert_eq!(book.all(), before);
}

#[test]
fn a_refused_value_range_undoes_the_others() {
    let mut book = filled(5, 5, &json!([["a"]]));
    let data = json!([{"range": "A1", "values": [["changed"]]}, {"range": "Sheet2!A1", "values": [["x"]]}]);
    let body = json!({"valueInputOption": "RAW", "data": data});
    let refused = book.call("POST", "/values:batchUpdate", &[], &body).unwrap_err();
    assert_eq!(refused.message, "Invalid data[1]: Unable to parse range: Sheet2!A1");
    assert_eq!(book.read("Sheet1"), json!([["a"]]));
}

#[test]
fn reading_changes_nothing_and_says_so() {
    let mut book = filled(5, 5, &json!([["a"]]));
    assert!(!book.call("GET", "", &[], &json!(null)).unwrap().changed);
    assert!(!book.call("GET", "/values/A1", &[], &json!(null)).unwrap().changed);
    let body = json!({"values": [["b"]]});
    assert!(book.call("PUT", "/values/A1", &[("valueInputOption", "RAW")], &body).unwrap().changed);
}
