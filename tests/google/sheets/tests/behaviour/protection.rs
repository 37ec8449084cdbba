//! Protected ranges.

use serde_json::{Value, json};

use crate::book::{Book, OWNER, filled, grid, span};

const REFUSAL: &str = "You are trying to edit a protected cell or object. Please contact the spreadsheet owner to remove protection if you need to edit.";

/// A tab whose first row is kept for the owner, in the eyes of someone else.
fn protected(more: &Value) -> Book {
    let mut book = filled(5, 3, &json!([["id", "name"], ["1", "a"]]));
    let mut range = json!({"range": grid(0, 1, 0, 3), "description": "the head"});
    for (name, value) in more.as_object().unwrap() {
        range[name] = value.clone();
    }
    book.batch(&json!([{"addProtectedRange": {"protectedRange": range}}]));
    book.caller = "robot@example.com";
    book
}

#[test]
fn somebody_else_is_refused_everywhere() {
    let mut book = protected(&json!({}));
    assert_eq!(book.try_put("A1", &json!([["x"]])).unwrap_err().message, REFUSAL);
    assert_eq!(book.call("POST", "/values/A1:B2:clear", &[], &json!(null)).unwrap_err().message, REFUSAL);
    let cell = json!({"repeatCell": {"range": grid(0, 2, 0, 1), "cell": {}, "fields": "userEnteredValue"}});
    assert_eq!(book.refusal(&cell), format!("Invalid requests[0].repeatCell: {REFUSAL}"));
    for request in [
        json!({"deleteDimension": {"range": span("ROWS", 0, 1)}}),
        json!({"deleteDimension": {"range": span("COLUMNS", 0, 1)}}),
        json!({"sortRange": {"range": {"sheetId": 0}, "sortSpecs": [{"dimensionIndex": 0}]}}),
        json!({"mergeCells": {"range": grid(0, 1, 0, 2)}}),
        json!({"copyPaste": {"source": grid(1, 2, 0, 1), "destination": grid(0, 1, 0, 1)}}),
        json!({"findReplace": {"find": "id", "replacement": "x", "allSheets": true}}),
    ] {
        assert!(book.refusal(&request).ends_with(REFUSAL), "{request}");
    }
}

#[test]
fn the_rest_of_the_tab_is_free_and_the_batch_is_not() {
    let mut book = protected(&json!({}));
    book.put("A2", &json!([["2"]]));
    book.append("A1", &json!([["3", "c"]]));
    let before = book.all();
    let write = |row: u32| json!({"repeatCell": {"range": grid(row, row + 1, 0, 1), "cell": {"note": "n"}, "fields": "note"}});
    assert!(book.try_batch(&json!([write(1), write(0)])).is_err());
    assert_eq!(book.all(), before);
    book.batch(&json!([{"insertDimension": {"range": span("ROWS", 1, 2)}}]));
}

#[test]
fn no_row_is_put_between_two_that_are_protected() {
    let mut book = protected(&json!({"range": grid(0, 3, 0, 3)}));
    assert!(book.refusal(&json!({"insertDimension": {"range": span("ROWS", 1, 2)}})).ends_with(REFUSAL));
    book.batch(&json!([{"insertDimension": {"range": span("ROWS", 3, 4)}}]));
}

#[test]
fn a_protection_can_follow_a_named_range() {
    let mut book = filled(5, 3, &json!([["a"], ["b"]]));
    let named = json!({"namedRangeId": "head", "name": "Head", "range": grid(0, 1, 0, 1)});
    book.batch(&json!([
        {"addNamedRange": {"namedRange": named}},
        {"addProtectedRange": {"protectedRange": {"namedRangeId": "head"}}}
    ]));
    book.caller = "robot@example.com";
    assert!(book.try_put("A1", &json!([["x"]])).is_err());
    assert!(book.try_put("A2", &json!([["x"]])).is_ok());
}

#[test]
fn editors_warnings_and_open_parts_let_in() {
    assert!(
        protected(&json!({"editors": {"users": ["robot@example.com"]}}))
            .try_put("A1", &json!([["x"]]))
            .is_ok()
    );
    assert!(protected(&json!({"warningOnly": true})).try_put("A1", &json!([["x"]])).is_ok());
    let mut open = protected(&json!({"unprotectedRanges": [grid(0, 1, 1, 2)]}));
    assert!(open.try_put("B1", &json!([["x"]])).is_ok());
    assert!(open.try_put("A1", &json!([["x"]])).is_err());
}

#[test]
fn whoever_protects_becomes_an_editor_and_others_cannot_unprotect() {
    let mut book = protected(&json!({}));
    let range = book.all()["sheets"][0]["protectedRanges"][0].clone();
    assert_eq!(range["editors"], json!({"users": [OWNER]}));
    assert!(range.get("requestingUserCanEdit").is_none(), "false is not printed");
    let delete = json!({"deleteProtectedRange": {"protectedRangeId": range["protectedRangeId"]}});
    assert!(book.refusal(&delete).ends_with(REFUSAL));
    book.caller = OWNER;
    let update = json!({"updateProtectedRange": {"protectedRange": {"protectedRangeId": range["protectedRangeId"], "warningOnly": true}, "fields": "warningOnly"}});
    book.batch(&json!([update]));
    book.caller = "robot@example.com";
    assert!(book.try_put("A1", &json!([["x"]])).is_ok());
}
