//! A person edits the cell that identifies a booking: the row stays that booking's, with the notes beside it.

use serde_json::{Value, json};
use support::World;

use crate::world;

const HEADER: &str = "booking_id,vessel,arrival,nights";

/// Three bookings, a note beside each.
fn synced(policy: &str) -> World {
    let world = world().policy(policy).build();
    world.run(&[]).exit(0);
    for row in 2..5 {
        world.person_writes(&format!("F{row}"), format!("note {row}"));
    }
    world.clear_requests();
    world
}

/// Each row's key and note, from the top.
fn keys_and_notes(world: &World) -> Vec<(Value, Value)> {
    let at = |row: &Vec<Value>, column: usize| row.get(column).cloned().unwrap_or(json!(""));
    world.rows().iter().skip(1).map(|row| (at(row, 0), at(row, 5))).collect()
}

fn as_synced() -> Vec<(Value, Value)> {
    (2..5).map(|row| (json!(format!("B-10{}", row - 1)), json!(format!("note {row}")))).collect()
}

#[test]
fn an_edited_key_is_drift_and_is_restored() {
    for typed in [json!("B-101x"), json!(""), json!("101"), json!(77), json!("B-103")] {
        let world = synced("on-edit = \"restore\"");
        world.person_writes("A2", typed.clone());
        let run = world.run(&["--json"]);
        let sheet = run.exit(0).sheet();
        let counts = ["drifted", "added", "updated", "cells_written"].map(|name| sheet[name].clone());
        assert_eq!(counts, [1, 0, 1, 1].map(Value::from), "{typed}");
        assert_eq!(sheet["drifts"][0]["header"], json!("Booking"), "{typed}");
        assert_eq!(keys_and_notes(&world), as_synced(), "{typed}");
        assert_eq!(world.run(&["--json"]).exit(0).sheet()["drifted"], json!(0));
    }
}

#[test]
fn an_edited_key_is_kept_where_the_configuration_says_so() {
    let world = synced("on-edit = \"keep\"");
    world.person_writes("A3", "private");
    for _ in 0..2 {
        let run = world.run(&["--json"]);
        assert_eq!((&run.exit(0).sheet()["drifted"], &run.sheet()["added"]), (&json!(1), &json!(0)));
    }
    assert_eq!(world.counts().writes, 0);
    world.write_source(&[
        HEADER,
        "B-101,Alma,2026-05-13,3",
        "B-102,Borea II,2026-05-14,2",
        "B-103,Cirrus,2026-05-15,5",
    ]);
    world.run(&["--json"]).exit(0);
    assert_eq!(
        world.rows()[2][..2],
        [json!("private"), json!("Borea II")],
        "its other cells follow the booking"
    );
    assert_eq!(world.rows().len(), 4);
}

#[test]
fn an_edited_key_stops_everything_where_the_configuration_says_so() {
    for typed in ["B-101x", ""] {
        let world = synced("on-edit = \"fail\"");
        world.person_writes("A2", typed);
        let run = world.run(&["--json"]);
        run.exit(65).error(&format!("row 2 (B-101), \"Booking\": {typed:?} where the source says \"B-101\""));
        assert_eq!((&run.sheet()["drifted"], world.counts().writes), (&json!(1), 0));
    }
}

/// The other cells of that row changed as well: the row is where the booking's row was.
#[test]
fn a_row_with_another_edit_is_known_by_its_place() {
    let world = synced("on-edit = \"restore\"");
    world.person_writes("A3", "B-999");
    world.person_writes("B3", "Anna");
    let run = world.run(&["--json"]);
    assert_eq!((&run.exit(0).sheet()["drifted"], &run.sheet()["added"]), (&json!(2), &json!(0)));
    assert_eq!(keys_and_notes(&world), as_synced());
}

#[test]
fn a_whole_column_of_keys_is_restored() {
    let world = synced("on-edit = \"restore\"");
    for row in 2..5 {
        world.person_writes(&format!("A{row}"), "");
    }
    let run = world.run(&["--json"]);
    assert_eq!((&run.exit(0).sheet()["drifted"], &run.sheet()["added"]), (&json!(3), &json!(0)));
    assert_eq!(keys_and_notes(&world), as_synced());
}

/// A row that a person copied and gave a key of its own is that person's: the booking still has its row.
#[test]
fn a_copy_under_another_key_is_a_row_of_its_own() {
    let world = synced("on-edit = \"restore\"");
    for (cell, value) in
        [("A6", json!("mine")), ("B6", json!("Alma")), ("C6", json!(46155)), ("D6", json!(3))]
    {
        world.person_writes(cell, value);
    }
    let run = world.run(&["--json"]);
    assert_eq!(run.exit(0).sheet()["drifted"], json!(0));
    assert_eq!(world.rows()[5][0], json!("mine"));
}

const ALIKE: [&str; 4] =
    [HEADER, "B-101,Alma,2026-05-13,3", "B-102,Borea,2026-05-14,2", "B-103,Alma,2026-05-13,3"];

/// Two bookings alike but for their keys, both edited, and moved since: a guess could give one the other's notes.
#[test]
fn nothing_is_guessed_where_two_rows_could_be_of_two_bookings() {
    let world = world().build();
    world.write_source(&ALIKE);
    world.run(&[]).exit(0);
    world.person_edits(&json!([{"moveDimension": {
        "source": {"sheetId": world.tab_id(), "dimension": "ROWS", "startIndex": 1, "endIndex": 2},
        "destinationIndex": 5
    }}]));
    // Rows 2, 3, 5 hold B-102, B-103, B-101.
    for (cell, text) in [("A3", "x"), ("A5", "y")] {
        world.person_writes(cell, text);
    }
    let before = world.rows();
    let run = world.run(&["--json"]);
    run.exit(65).hint("in the sheet, write the key of its booking into each of these rows");
    for key in ["B-101", "B-103"] {
        run.error(&format!(
            "booking {key:?} may be any of the rows 3; 5 of the sheet, whose keys were changed"
        ));
    }
    assert_eq!(world.rows(), before);
    world.person_writes("A3", "B-103");
    let run = world.run(&["--json"]);
    assert_eq!((&run.exit(0).sheet()["drifted"], &run.sheet()["added"]), (&json!(1), &json!(0)));
    assert_eq!(world.rows()[4][0], json!("B-101"));
}

/// The genuine row of the typed key is not taken for the edited one, even where all their other cells are the same.
#[test]
fn a_key_typed_over_that_of_a_booking_alike_doubles_nothing() {
    let world = world().build();
    world.write_source(&ALIKE);
    world.run(&[]).exit(0);
    world.person_writes("A2", "B-103");
    let before = world.rows();
    let run = world.run(&["--json"]);
    run.exit(65).error("rows 2, 4 of the sheet all hold \"B-103\"");
    assert_eq!(world.rows(), before);
}

/// `007` retyped as 7, or an export that began to write its numbers without zeros.
#[test]
fn numbers_with_other_zeros_in_front_are_the_same_key() {
    let source = |keys: [&str; 2]| keys.map(|key| format!("{key},Alma,2026-05-13,3"));
    let write = |world: &World, keys| {
        let [first, second] = source(keys);
        world.write_source(&[HEADER, &first, &second]);
    };
    let world = world().policy("max-shrink = \"100%\"").build();
    write(&world, ["007", "0123"]);
    world.run(&[]).exit(0);
    world.person_writes("F2", "window seat");
    world.person_writes("A2", 7);
    world.person_writes("B2", "Anna");
    let run = world.run(&["--json"]);
    assert_eq!((&run.exit(0).sheet()["drifted"], &run.sheet()["added"]), (&json!(2), &json!(0)));
    assert_eq!(keys_and_notes(&world)[0], (json!("007"), json!("window seat")));
    write(&world, ["7", "123"]);
    let run = world.run(&["--json"]);
    assert_eq!((&run.exit(0).sheet()["added"], &run.sheet()["updated"]), (&json!(0), &json!(2)));
    assert_eq!(keys_and_notes(&world)[0], (json!("7"), json!("window seat")));
    write(&world, ["7", "07"]);
    let run = world.run(&["--json"]);
    assert_eq!(run.exit(0).sheet()["added"], json!(1), "two bookings with the same number are two");
}
