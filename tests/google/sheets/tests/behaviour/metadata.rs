//! Developer metadata.

use serde_json::{Value, json};

use crate::book::{Book, book, span};

fn create(book: &mut Book, key: &str, location: &Value) -> Value {
    let metadata =
        json!({"metadataKey": key, "metadataValue": "v", "location": location, "visibility": "DOCUMENT"});
    let reply = book.batch(&json!([{"createDeveloperMetadata": {"developerMetadata": metadata}}]));
    reply[0]["createDeveloperMetadata"]["developerMetadata"].clone()
}

fn found(book: &mut Book, lookup: &Value) -> Vec<Value> {
    let body = json!({"dataFilters": [{"developerMetadataLookup": lookup}]});
    let answer = book.call("POST", "/developerMetadata:search", &[], &body).unwrap().body;
    let matched = answer["matchedDeveloperMetadata"].as_array().cloned().unwrap_or_default();
    matched.into_iter().map(|one| one["developerMetadata"]["metadataKey"].clone()).collect()
}

#[test]
fn it_is_found_by_key_id_and_place() {
    let mut book = book(5, 5);
    let sheet = create(&mut book, "tab", &json!({"sheetId": 0}));
    create(&mut book, "row", &json!({"dimensionRange": span("ROWS", 2, 3)}));
    create(&mut book, "file", &json!({"spreadsheet": true}));
    assert_eq!(sheet["location"]["locationType"], "SHEET");
    assert_eq!(found(&mut book, &json!({"metadataKey": "row"})), ["row"]);
    assert_eq!(found(&mut book, &json!({"locationType": "SPREADSHEET"})), ["file"]);
    assert_eq!(found(&mut book, &json!({"metadataId": sheet["metadataId"]})), ["tab"]);
    assert_eq!(book.get(&format!("/developerMetadata/{}", sheet["metadataId"]), &[]), sheet);
    assert_eq!(book.call("GET", "/developerMetadata/1", &[], &Value::Null).unwrap_err().code, 404);
    assert_eq!(book.get("", &[])["developerMetadata"][0]["metadataKey"], "file");
}

#[test]
fn it_follows_its_row_and_goes_with_it() {
    let mut book = book(5, 5);
    create(&mut book, "row", &json!({"dimensionRange": span("ROWS", 2, 3)}));
    book.batch(&json!([{"deleteDimension": {"range": span("ROWS", 0, 1)}}]));
    let place = json!({"metadataLocation": {"dimensionRange": span("ROWS", 1, 2)}});
    assert_eq!(found(&mut book, &place), ["row"]);
    book.batch(&json!([{"deleteDimension": {"range": span("ROWS", 1, 2)}}]));
    assert!(found(&mut book, &json!({"metadataKey": "row"})).is_empty());
}

#[test]
fn it_is_changed_and_deleted_by_lookup() {
    let mut book = book(5, 5);
    create(&mut book, "tab", &json!({"sheetId": 0}));
    let filter = json!({"developerMetadataLookup": {"metadataKey": "tab"}});
    let update = json!({"dataFilters": [filter], "developerMetadata": {"metadataValue": "new"}, "fields": "metadataValue"});
    let reply = book.batch(&json!([{ "updateDeveloperMetadata": update }]));
    assert_eq!(reply[0]["updateDeveloperMetadata"]["developerMetadata"][0]["metadataValue"], "new");
    let reply = book.batch(&json!([{"deleteDeveloperMetadata": {"dataFilter": filter}}]));
    assert_eq!(reply[0]["deleteDeveloperMetadata"]["deletedDeveloperMetadata"][0]["metadataKey"], "tab");
    assert!(found(&mut book, &json!({"metadataKey": "tab"})).is_empty());
}
