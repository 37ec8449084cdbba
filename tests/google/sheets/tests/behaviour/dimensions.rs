//! Rows and columns.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::book::{Book, book, cases, filled, grid, span};

fn size(book: &mut Book) -> (Value, Value) {
    let grid = &book.all()["sheets"][0]["properties"]["gridProperties"];
    (grid["rowCount"].clone(), grid["columnCount"].clone())
}

#[test]
fn a_deletion_moves_what_the_next_one_means() {
    let rows = json!([["0"], ["1"], ["2"], ["3"], ["4"]]);
    let delete = |index: u32| json!({"deleteDimension": {"range": span("ROWS", index, index + 1)}});
    let mut down = filled(5, 1, &rows);
    down.batch(&json!([delete(1), delete(3)]));
    assert_eq!(down.read("Sheet1"), json!([["0"], ["2"], ["3"]]), "the second hit row 4, not row 3");
    let mut up = filled(5, 1, &rows);
    up.batch(&json!([delete(3), delete(1)]));
    assert_eq!(up.read("Sheet1"), json!([["0"], ["2"], ["4"]]), "from the bottom up they mean what they say");
    assert_eq!(size(&mut up), (json!(3), json!(1)));
}

#[test]
fn inserted_rows_and_columns_move_the_rest_away() {
    let mut book = filled(4, 3, &json!([["a", "b"], ["c", "d"]]));
    book.batch(&json!([
        {"insertDimension": {"range": span("ROWS", 1, 3)}},
        {"insertDimension": {"range": span("COLUMNS", 1, 2), "inheritFromBefore": true}}
    ]));
    assert_eq!(book.read("Sheet1"), json!([["a", "", "b"], [], [], ["c", "", "d"]]));
    assert_eq!(size(&mut book), (json!(6), json!(4)));
}

#[test]
fn an_insertion_at_the_end_needs_a_row_to_look_like() {
    let mut book = book(3, 3);
    let request = json!({"insertDimension": {"range": span("ROWS", 3, 4)}});
    let message = "range.startIndex must be less than the grid size (3) if inheritFromBefore is false.";
    assert_eq!(book.refusal(&request), format!("Invalid requests[0].insertDimension: {message}"));
    book.batch(&json!([{"insertDimension": {"range": span("ROWS", 3, 4), "inheritFromBefore": true}}]));
    assert_eq!(size(&mut book).0, 4);
}

#[test]
fn new_rows_take_the_format_of_their_neighbour_and_no_value() {
    let mut book = book(5, 2);
    book.type_in("A2", &json!([["2020-01-01"]]));
    book.batch(&json!([{"insertDimension": {"range": span("ROWS", 2, 3), "inheritFromBefore": true}}]));
    assert!(book.read("A3").is_null());
    book.put("A3", &json!([[43832]]));
    assert_eq!(book.seen("A3"), json!([["2020-01-02"]]));
}

#[test]
fn not_everything_can_be_deleted() {
    let mut book = book(3, 3);
    let delete = |start: u32, end: u32| json!({"deleteDimension": {"range": span("ROWS", start, end)}});
    let all = "Invalid requests[0].deleteDimension: You can't delete all the rows on the sheet.";
    assert_eq!(book.refusal(&delete(0, 3)), all);
    let beyond =
        "Cannot delete a row that doesn't exist. Tried to delete row index 3 but there are only 3 rows.";
    assert_eq!(book.refusal(&delete(3, 4)), format!("Invalid requests[0].deleteDimension: {beyond}"));
    let freeze = json!({"properties": {"sheetId": 0, "gridProperties": {"frozenRowCount": 1}}, "fields": "gridProperties.frozenRowCount"});
    book.batch(&json!([{ "updateSheetProperties": freeze }]));
    let frozen = "Sorry, it is not possible to delete all non-frozen rows.";
    assert_eq!(book.refusal(&delete(1, 3)), format!("Invalid requests[0].deleteDimension: {frozen}"));
}

#[test]
fn what_lies_on_the_grid_moves_with_it() {
    let mut book = book(10, 10);
    book.batch(&json!([
        {"mergeCells": {"range": grid(4, 6, 0, 2), "mergeType": "MERGE_ALL"}},
        {"addProtectedRange": {"protectedRange": {"range": grid(4, 6, 0, 2)}}},
        {"addDimensionGroup": {"range": span("ROWS", 4, 6)}},
        {"updateDimensionProperties": {"range": span("ROWS", 4, 5), "properties": {"pixelSize": 50}, "fields": "pixelSize"}},
        {"deleteDimension": {"range": span("ROWS", 0, 2)}},
        {"insertDimension": {"range": span("ROWS", 3, 4)}}
    ]));
    let sheet = book.all()["sheets"][0].clone();
    let moved = grid(2, 5, 0, 2);
    assert_eq!(sheet["merges"][0]["startRowIndex"], moved["startRowIndex"]);
    assert_eq!(sheet["merges"][0]["endRowIndex"], moved["endRowIndex"]);
    assert_eq!(sheet["protectedRanges"][0]["range"]["endRowIndex"], 5);
    assert_eq!(sheet["rowGroups"][0]["range"], json!({"dimension": "ROWS", "startIndex": 2, "endIndex": 5}));
    assert_eq!(sheet["data"][0]["rowMetadata"][2]["pixelSize"], 50);
    book.batch(&json!([{"deleteDimension": {"range": span("ROWS", 2, 5)}}]));
    let sheet = book.all()["sheets"][0].clone();
    assert!(
        sheet.get("merges").is_none()
            && sheet.get("protectedRanges").is_none()
            && sheet.get("rowGroups").is_none()
    );
}

#[test]
fn a_moved_row_counts_its_destination_before_the_move() {
    let mut book = filled(4, 1, &json!([["a"], ["b"], ["c"], ["d"]]));
    book.batch(&json!([{"moveDimension": {"source": span("ROWS", 0, 1), "destinationIndex": 3}}]));
    assert_eq!(book.read("Sheet1"), json!([["b"], ["c"], ["a"], ["d"]]));
    book.batch(&json!([{"moveDimension": {"source": span("ROWS", 2, 4), "destinationIndex": 0}}]));
    assert_eq!(book.read("Sheet1"), json!([["a"], ["d"], ["b"], ["c"]]));
}

#[test]
fn columns_are_deleted_and_moved_alike() {
    let mut book = filled(3, 4, &json!([["a", "b", "c", "d"], ["1", "2"]]));
    book.batch(&json!([{"moveDimension": {"source": span("COLUMNS", 3, 4), "destinationIndex": 0}}]));
    assert_eq!(book.read("Sheet1"), json!([["d", "a", "b", "c"], ["", "1", "2"]]));
    book.batch(&json!([{"deleteDimension": {"range": span("COLUMNS", 1, 3)}}]));
    assert_eq!(book.read("Sheet1"), json!([["d", "c"]]));
}

/// One change to the rows of a tab.
#[derive(Clone, Debug)]
enum Change {
    Insert(u32, u32),
    Delete(u32, u32),
    Write(u32, u32),
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        (0u32..6000, 1u32..3000).prop_map(|(at, count)| Change::Insert(at, count)),
        (0u32..6000, 1u32..2500).prop_map(|(at, count)| Change::Delete(at, count)),
        (0u32..6000, 1u32..9).prop_map(|(at, value)| Change::Write(at, value)),
    ]
}

proptest! {
    #![proptest_config(cases(40))]
    #[test]
    fn rows_behave_like_a_list_of_rows(changes in proptest::collection::vec(change(), 1..12)) {
        let mut book = book(4000, 1);
        let mut list: Vec<u32> = vec![0; 4000];
        for change in changes {
            let length = list.len() as u32;
            match change {
                Change::Insert(at, count) if at < length => {
                    book.batch(&json!([{"insertDimension": {"range": span("ROWS", at, at + count)}}]));
                    list.splice(at as usize..at as usize, std::iter::repeat_n(0, count as usize));
                }
                Change::Delete(at, count) if at + count < length => {
                    book.batch(&json!([{"deleteDimension": {"range": span("ROWS", at, at + count)}}]));
                    list.drain(at as usize..(at + count) as usize);
                }
                Change::Write(at, value) if at < length => {
                    book.put(&format!("A{}", at + 1), &json!([[value]]));
                    list[at as usize] = value;
                }
                _ => {}
            }
        }
        let last = list.iter().rposition(|value| *value > 0).map_or(0, |last| last + 1);
        let expected: Vec<Value> = list[..last].iter().map(|value| if *value > 0 { json!([value]) } else { json!([]) }).collect();
        let read = book.read("Sheet1");
        prop_assert_eq!(read.as_array().cloned().unwrap_or_default(), expected);
        prop_assert_eq!(size(&mut book).0, list.len());
    }
}

#[test]
fn formulas_go_on_meaning_the_same_cells() {
    let mut book = filled(9, 9, &json!([[1], [2], [3], [4]]));
    book.batch(&json!([{"addSheet": {"properties": {"title": "Other sheet"}}}]));
    book.type_in("C1", &json!([["=SUM(A1:A4)"], ["=$A$3*2"], ["=\"A3\"&LEN(A4)"], ["=SUM(A:A)"]]));
    book.type_in("'Other sheet'!A1", &json!([["=Sheet1!A4+'Other sheet'!B4"]]));
    let formulas = |book: &mut Book, range: &str| {
        book.get(&format!("/values/{range}"), &[("valueRenderOption", "FORMULA")])["values"].clone()
    };
    book.batch(&json!([{"insertDimension": {"range": span("ROWS", 2, 4)}}, {"insertDimension": {"range": span("COLUMNS", 0, 1)}}]));
    assert_eq!(
        formulas(&mut book, "D1:D6"),
        json!([["=SUM(B1:B6)"], ["=$B$5*2"], [], [], ["=\"A3\"&LEN(B6)"], ["=SUM(B:B)"]])
    );
    assert_eq!(formulas(&mut book, "'Other%20sheet'!A1"), json!([["=Sheet1!B6+'Other sheet'!B4"]]));
    book.batch(&json!([{"deleteDimension": {"range": span("ROWS", 4, 6)}}]));
    assert_eq!(formulas(&mut book, "D1:D6"), json!([["=SUM(B1:B4)"], ["=#REF!*2"]]));
    assert_eq!(book.read("D1:D2"), json!([[3], ["#REF!"]]));
}
