//! values.append and its trap.

use serde_json::json;

use crate::book::{book, filled};

#[test]
fn a_gap_in_the_last_row_shifts_the_next_one_to_the_right() {
    let mut book = book(1000, 26);
    let row = json!([["x", "", "z"]]);
    let first = book.append("'Sheet1'", &row);
    assert_eq!(first["updates"]["updatedRange"], "Sheet1!A1:C1");
    assert!(first.get("tableRange").is_none(), "there was no table");
    let second = book.append("'Sheet1'", &row);
    assert_eq!(second["tableRange"], "Sheet1!C1");
    assert_eq!(second["updates"]["updatedRange"], "Sheet1!C2:E2");
}

#[test]
fn anchored_at_a1_it_stays_in_column_a() {
    let mut book = filled(1000, 26, &json!([["x", "", "z"]]));
    let answer = book.append("'Sheet1'!A1", &json!([["x", "", "z"]]));
    assert_eq!(answer["tableRange"], "Sheet1!A1");
    assert_eq!(answer["updates"]["updatedRange"], "Sheet1!A2:C2");
}

/// The example of Google's guide: tables A1:C2 and B4:D6.
#[test]
fn the_range_chooses_the_table() {
    let values = json!([
        ["x", "y", "z"],
        ["x", "y", "z"],
        [],
        ["", "x", "y"],
        ["", "", "y", "z"],
        ["", "x", "y", "z"]
    ]);
    for (range, start) in [
        ("Sheet1", "B7"),
        ("B4", "B7"),
        ("C5:D5", "B7"),
        ("B2:D4", "B7"),
        ("A3:G10", "B7"),
        ("A1", "A3"),
        ("E4", "E4"),
        ("A4", "A4"),
        ("D4", "B7"),
    ] {
        let mut book = filled(20, 10, &values);
        let answer = book.append(range, &json!([["new"]]));
        assert_eq!(answer["updates"]["updatedRange"], format!("Sheet1!{start}"), "{range}");
    }
}

#[test]
fn it_writes_over_what_follows_unless_rows_are_inserted() {
    let values = json!([["head"], [], ["below"]]);
    let mut book = filled(5, 2, &values);
    book.append("A1", &json!([["one"], ["two"]]));
    assert_eq!(book.read("Sheet1"), json!([["head"], ["one"], ["two"]]));

    let mut book = filled(5, 2, &values);
    let query = [("valueInputOption", "RAW"), ("insertDataOption", "INSERT_ROWS")];
    book.call("POST", "/values/A1:append", &query, &json!({"values": [["one"], ["two"]]})).unwrap();
    assert_eq!(book.read("Sheet1"), json!([["head"], ["one"], ["two"], [], ["below"]]));
    assert_eq!(book.all()["sheets"][0]["properties"]["gridProperties"]["rowCount"], 7);
}

#[test]
fn it_grows_the_grid_when_the_data_passes_its_end() {
    let mut book = filled(2, 2, &json!([["a", "b"], ["c", "d"]]));
    let answer = book.append("A1", &json!([["e", "f", "g"]]));
    assert_eq!(answer["updates"]["updatedRange"], "Sheet1!A3:C3");
    let grid = &book.all()["sheets"][0]["properties"]["gridProperties"];
    assert_eq!([&grid["rowCount"], &grid["columnCount"]], [3, 3]);
}

#[test]
fn nulls_are_left_out_of_the_counts() {
    let mut book = filled(9, 9, &json!([["id", "name", "a", "b", "c", "d"]]));
    let answer = book.append("A1", &json!([["3", "Liz", "", null, "some text", null]]));
    let updates = &answer["updates"];
    assert_eq!(updates["updatedRange"], "Sheet1!A2:E2");
    assert_eq!([&updates["updatedRows"], &updates["updatedColumns"], &updates["updatedCells"]], [1, 4, 4]);
}
