//! Saving and loading.

use serde_json::json;
use sheets_model::Spreadsheet;

use crate::book::{Book, OWNER, filled, grid, span};

#[test]
fn a_saved_spreadsheet_is_the_same_when_loaded() {
    let mut book = filled(9, 5, &json!([["a", 1, 2.5, true], [], ["", "", ""], ["é🌵"]]));
    book.type_in("A5", &json!([["2020-01-01", "=SUM(B1:C1)"]]));
    book.batch(&json!([
        {"repeatCell": {"range": grid(6, 7, 2, 3), "cell": {"note": "n"}, "fields": "note"}},
        {"mergeCells": {"range": grid(7, 8, 0, 2)}},
        {"addProtectedRange": {"protectedRange": {"range": grid(0, 1, 0, 1)}}},
        {"addNamedRange": {"namedRange": {"name": "Name", "range": grid(0, 1, 0, 1)}}},
        {"addDimensionGroup": {"range": span("ROWS", 1, 3)}},
        {"updateDimensionProperties": {"range": span("ROWS", 1, 3), "properties": {"pixelSize": 9}, "fields": "pixelSize"}},
        {"createDeveloperMetadata": {"developerMetadata": {"metadataKey": "k", "location": {"sheetId": 0}, "visibility": "PROJECT"}}}
    ]));
    let text = serde_json::to_string(&book.model).unwrap();
    let model: Spreadsheet = serde_json::from_str(&text).unwrap();
    let mut loaded = Book { model, caller: OWNER };
    assert_eq!(loaded.all().to_string(), book.all().to_string());
    let add = json!([{"addSheet": {}}]);
    assert_eq!(loaded.batch(&add), book.batch(&add), "even the next id");
}

#[test]
fn plain_values_are_saved_as_plain_json() {
    let book = filled(3, 3, &json!([["a", 1, true], ["", "b"]]));
    let saved = serde_json::to_value(&book.model).unwrap();
    assert_eq!(saved["sheets"][0]["cells"], json!([["a", 1.0, true], [null, "b"]]));
}
