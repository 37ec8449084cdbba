//! Whatever is asked, the answer is an answer or a refusal, and a refusal changes nothing.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::book::{OWNER, book, cases};

fn number() -> impl Strategy<Value = Value> {
    prop_oneof![6 => (0i64..12).prop_map(Value::from), 1 => Just(json!(-1)), 1 => Just(json!(2_000_000_000)), 2 => Just(Value::Null)]
}

fn range() -> impl Strategy<Value = Value> {
    (number(), number(), number(), number()).prop_map(|(top, bottom, left, right)| {
        json!({"sheetId": 0, "startRowIndex": top, "endRowIndex": bottom, "startColumnIndex": left, "endColumnIndex": right})
    })
}

fn span() -> impl Strategy<Value = Value> {
    (prop_oneof![Just("ROWS"), Just("COLUMNS")], number(), number()).prop_map(|(dimension, start, end)| {
        json!({"sheetId": 0, "dimension": dimension, "startIndex": start, "endIndex": end})
    })
}

fn on_cells() -> impl Strategy<Value = Value> {
    let cell = prop_oneof![
        Just(json!({})),
        Just(json!({"userEnteredValue": {"numberValue": 1}, "note": "n"})),
        Just(json!({"userEnteredValue": {"formulaValue": "=A1+SUM(B2:$C$4)&\"x\""}}))
    ];
    (range(), range(), span(), cell, number()).prop_flat_map(|(one, other, span, cell, number)| {
        let rows = json!([{"values": [cell, {}, cell]}, {}, {"values": [cell]}]);
        let start = json!({"sheetId": 0, "rowIndex": number, "columnIndex": other["startRowIndex"]});
        let shift = span["dimension"].clone();
        prop::sample::select(vec![
            json!({"updateCells": {"range": one, "rows": rows, "fields": "*"}}),
            json!({"updateCells": {"start": start, "rows": rows, "fields": "userEnteredValue"}}),
            json!({"appendCells": {"sheetId": 0, "rows": rows, "fields": "userEnteredValue,note"}}),
            json!({"repeatCell": {"range": one, "cell": cell, "fields": "userEnteredValue"}}),
            json!({"copyPaste": {"source": one, "destination": other}}),
            json!({"copyPaste": {"source": one, "destination": other, "pasteOrientation": "TRANSPOSE", "pasteType": "PASTE_VALUES"}}),
            json!({"cutPaste": {"source": one, "destination": start}}),
            json!({"sortRange": {"range": one, "sortSpecs": [{"dimensionIndex": number}]}}),
            json!({"insertRange": {"range": one, "shiftDimension": shift}}),
            json!({"deleteRange": {"range": one, "shiftDimension": shift}}),
            json!({"findReplace": {"find": "1", "replacement": "2", "range": one}}),
            json!({"mergeCells": {"range": one, "mergeType": "MERGE_ROWS"}}),
            json!({"unmergeCells": {"range": one}}),
            json!({"addProtectedRange": {"protectedRange": {"range": one}}}),
            json!({"setBasicFilter": {"filter": {"range": one}}}),
        ])
    })
}

fn on_spans() -> impl Strategy<Value = Value> {
    (span(), number()).prop_flat_map(|(span, number)| {
        prop::sample::select(vec![
            json!({"insertDimension": {"range": span, "inheritFromBefore": true}}),
            json!({"insertDimension": {"range": span}}),
            json!({"deleteDimension": {"range": span}}),
            json!({"appendDimension": {"sheetId": 0, "dimension": span["dimension"], "length": number}}),
            json!({"moveDimension": {"source": span, "destinationIndex": number}}),
            json!({"updateDimensionProperties": {"range": span, "properties": {"pixelSize": 3}, "fields": "pixelSize"}}),
            json!({"autoResizeDimensions": {"dimensions": span}}),
            json!({"addDimensionGroup": {"range": span}}),
            json!({"deleteDimensionGroup": {"range": span}}),
            json!({"duplicateSheet": {"sourceSheetId": number, "insertSheetIndex": number}}),
            json!({"updateSheetProperties": {"properties": {"sheetId": 0, "index": number, "gridProperties": {"rowCount": number}}, "fields": "index,gridProperties.rowCount"}}),
        ])
    })
}

proptest! {
    #![proptest_config(cases(300))]
    #[test]
    fn no_batch_breaks_the_spreadsheet(batch in prop::collection::vec(prop_oneof![on_cells(), on_spans()], 1..8)) {
        let mut book = book(10, 10);
        book.put("A1", &json!([[1, "b", true], [], ["x", 12, "", "end"]]));
        for request in batch {
            let before = book.all();
            match book.try_batch(&json!([request])) {
                Ok(replies) => prop_assert_eq!(replies.as_array().map(Vec::len), Some(1)),
                Err(error) => {
                    prop_assert_eq!(error.code, 400);
                    prop_assert_eq!(book.all(), before, "{}", request);
                }
            }
            let sheet = &book.all()["sheets"][0];
            prop_assert!(sheet["data"][0]["rowData"].as_array().map_or(0, Vec::len) as u64 <= sheet["properties"]["gridProperties"]["rowCount"].as_u64().unwrap());
        }
        prop_assert!(book.model.html().contains("</html>"));
        prop_assert_eq!(book.caller, OWNER);
    }

    #[test]
    fn no_range_and_no_text_breaks_it(range in "['A-Z0-9:!$]{0,8}", text in "[-+=0-9A-C$%,.:/ '\"()Tpm]{0,12}") {
        let mut book = book(10, 10);
        let path = percent_encoding::utf8_percent_encode(&range, percent_encoding::NON_ALPHANUMERIC).to_string();
        if let Err(error) = book.call("GET", &format!("/values/{path}"), &[], &Value::Null) {
            prop_assert!(error.code == 400, "{}", error.message);
        }
        book.type_in("B2", &json!([[text]]));
        book.seen("A1:C3");
    }
}
