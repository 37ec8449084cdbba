//! Google's sentences.

use serde_json::{Value, json};

use crate::book::{Book, book, filled};

fn put(book: &mut Book, query: &[(&str, &str)], body: &Value) -> sheets_model::ApiError {
    book.call("PUT", "/values/A1", query, body).unwrap_err()
}

const RAW: (&str, &str) = ("valueInputOption", "RAW");

#[test]
fn values_have_to_be_a_list_of_lists() {
    let mut book = book(5, 5);
    let error = put(&mut book, &[RAW], &json!({"values": "A1:D4"}));
    let message = "Invalid value at 'data.values' (type.googleapis.com/google.protobuf.ListValue), \"A1:D4\"";
    assert_eq!((error.code, error.status, error.message.as_str()), (400, "INVALID_ARGUMENT", message));
    let violation = json!({"field": "data.values", "description": message});
    let detail =
        json!({"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": [violation]});
    assert_eq!(error.details, [detail]);
    let error = put(&mut book, &[RAW], &json!({"values": ["x"]}));
    let message = "Invalid value at 'data.values[0]' (type.googleapis.com/google.protobuf.ListValue), \"x\"";
    assert_eq!(error.message, message);
    let error = put(&mut book, &[RAW], &json!({"values": [["ok"], ["a", ["x"]]]}));
    assert!(error.message.starts_with("Invalid values[1][1]: list_value {"), "{}", error.message);
}

#[test]
fn how_to_read_the_input_has_no_default() {
    let mut book = book(5, 5);
    let error = put(&mut book, &[], &json!({"values": [["x"]]}));
    assert_eq!(error.message, "'valueInputOption' is required but not specified");
    let error = book.call("POST", "/values:batchUpdate", &[], &json!({"data": []})).unwrap_err();
    assert_eq!(error.message, "'valueInputOption' is required but not specified");
}

#[test]
fn enums_and_parameters_are_checked() {
    let mut book = book(5, 5);
    let error = book.call("GET", "/values/A1", &[("majorDimension", "DIAGONAL")], &Value::Null).unwrap_err();
    let message = "Invalid value at 'major_dimension' (type.googleapis.com/google.apps.sheets.v4.Dimension), \"DIAGONAL\"";
    assert_eq!(error.message, message);
    let error = book.call("GET", "/values/A1", &[("rangez", "x")], &Value::Null).unwrap_err();
    assert!(
        error
            .message
            .starts_with("Invalid JSON payload received. Unknown name \"rangez\": Cannot bind query")
    );
    assert!(
        book.call("GET", "/values/A1", &[("alt", "json"), ("prettyPrint", "false")], &Value::Null).is_ok()
    );
}

#[test]
fn unknown_names_are_reported_where_they_stand() {
    let mut book = book(5, 5);
    let error = book.try_batch(&json!([{"frobnicate": {}}])).unwrap_err();
    let message =
        "Invalid JSON payload received. Unknown name \"frobnicate\" at 'requests[0]': Cannot find field.";
    assert_eq!(error.message, message);
    assert_eq!(
        error.details[0]["fieldViolations"],
        json!([{"field": "requests[0]", "description": message}])
    );
    let cell = json!({"range": {"sheetId": 0, "startRow": 1}, "cell": {}, "fields": "*"});
    let error = book.try_batch(&json!([{ "repeatCell": cell }])).unwrap_err();
    let place = "requests[0].repeat_cell.range";
    let message =
        format!("Invalid JSON payload received. Unknown name \"startRow\" at '{place}': Cannot find field.");
    assert_eq!(error.message, message);
}

#[test]
fn a_batch_says_which_request_it_is() {
    let mut book = book(5, 5);
    assert_eq!(book.try_batch(&json!([])).unwrap_err().message, "Must specify at least one request.");
    let insert = json!({"insertDimension": {"range": {"sheetId": 99, "dimension": "ROWS", "startIndex": 0, "endIndex": 1}}});
    assert_eq!(book.refusal(&insert), "Invalid requests[0].insertDimension: No grid with id: 99");
    let repeat = json!({"repeatCell": {"range": {"sheetId": 0}, "cell": {}}});
    let message = "At least one field must be listed in 'fields'. (Use '*' to indicate all fields.)";
    assert_eq!(book.refusal(&repeat), format!("Invalid requests[0].repeatCell: {message}"));
    assert_eq!(
        book.refusal(&json!({"addChart": {}})),
        "Invalid requests[0].addChart: This request is not part of the model."
    );
}

#[test]
fn paths_that_do_not_exist_are_not_found() {
    let mut book = filled(5, 5, &json!([["a"]]));
    for (method, rest) in [
        ("GET", "/nothing"),
        ("POST", ""),
        ("PUT", "/values:batchGet"),
        ("DELETE", "/values/A1"),
        ("POST", "/values/A1"),
    ] {
        assert_eq!(book.call(method, rest, &[], &json!({})).unwrap_err().code, 404, "{method} {rest}");
    }
    assert!(book.call("GET", "/", &[], &Value::Null).is_ok(), "a slash at the end does no harm");
    let error = book.call("GET", "", &[("fields", "sheets.nothing")], &Value::Null).unwrap_err();
    assert_eq!(error.message, "Request contains an invalid argument.");
}
