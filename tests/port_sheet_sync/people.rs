//! People work in the same sheet: their columns are theirs, wherever they move them, and so are their rows.

use serde_json::{Value, json};
use support::World;

use crate::world;

fn synced() -> World {
    let world = world().build();
    world.run(&[]).exit(0);
    world.person_writes("F1", "Notes");
    world.person_writes("F2", "window seat");
    world.person_writes("F4", "call the agent");
    world.clear_requests();
    world
}

fn column(world: &World, header: &str) -> usize {
    world.rows()[0].iter().position(|text| text == header).unwrap()
}

fn cell(world: &World, key: &str, header: &str) -> Value {
    let at = (column(world, "Booking"), column(world, header));
    let rows = world.rows();
    let row = rows.iter().find(|row| row.get(at.0) == Some(&json!(key))).unwrap();
    row.get(at.1).cloned().unwrap_or(json!(""))
}

const CHANGED: [&str; 4] = [
    "booking_id,vessel,arrival,nights",
    "B-101,Alma,2026-05-13,7",
    "B-102,Borea,2026-05-14,2",
    "B-103,Cirrus II,2026-05-15,5",
];

const BOOKING_3: &str = "B-103,Cirrus,2026-05-15,5";

#[test]
fn notes_stay_beside_their_booking_when_it_changes() {
    let world = synced();
    world.write_source(&CHANGED);
    let run = world.run(&["--json"]);
    assert_eq!((&run.exit(0).sheet()["updated"], &run.sheet()["cells_written"]), (&json!(2), &json!(2)));
    assert_eq!(cell(&world, "B-101", "Notes"), json!("window seat"));
    assert_eq!(cell(&world, "B-103", "Notes"), json!("call the agent"));
    assert_eq!(cell(&world, "B-103", "Vessel"), json!("Cirrus II"));
}

/// In one request and in many.
#[test]
fn a_persons_column_between_those_of_the_sync_is_never_written() {
    for rows in [4, 900] {
        let bookings = |turn: usize| -> Vec<String> {
            let lines = (0..rows).map(|number| format!("B-{number},Vessel {turn},2026-05-13,{turn}"));
            std::iter::once(CHANGED[0].to_owned()).chain(lines).collect()
        };
        let write = |world: &World, turn| {
            let lines = bookings(turn);
            world.write_source(&lines.iter().map(String::as_str).collect::<Vec<_>>());
            world.process(&[]).without_trace().run().exit(0);
        };
        let world = world().grid(1_000, 8).build();
        write(&world, 1);
        let between = |at: u64| json!({"insertDimension": {"range": {"sheetId": world.tab_id(), "dimension": "COLUMNS", "startIndex": at, "endIndex": at + 1}}});
        world.person_edits(&json!([between(3), between(2)]));
        for (at, text) in [("C1", "Notes"), ("C3", "window seat"), ("E3", "no header above it")] {
            world.person_writes(at, text);
        }
        write(&world, 2);
        assert_eq!(
            world.rows()[2],
            [
                json!("B-1"),
                json!("Vessel 2"),
                json!("window seat"),
                json!(46155),
                json!("no header above it"),
                json!(2)
            ],
            "{rows} rows"
        );
    }
}

#[test]
fn columns_and_rows_that_people_moved_are_found_again() {
    let world = synced();
    let tab = world.tab_id();
    world.person_edits(&json!([
        {"moveDimension": {"source": {"sheetId": tab, "dimension": "COLUMNS", "startIndex": 5, "endIndex": 6}, "destinationIndex": 1}},
        {"moveDimension": {"source": {"sheetId": tab, "dimension": "ROWS", "startIndex": 3, "endIndex": 4}, "destinationIndex": 1}},
        {"insertDimension": {"range": {"sheetId": tab, "dimension": "ROWS", "startIndex": 2, "endIndex": 3}}},
    ]));
    world.write_source(&CHANGED);
    world.run(&[]).exit(0);
    assert_eq!(world.rows()[0][..3], [json!("Booking"), json!("Notes"), json!("Vessel")]);
    for (key, header, value) in [
        ("B-101", "Nights", json!(7)),
        ("B-101", "Notes", json!("window seat")),
        ("B-103", "Vessel", json!("Cirrus II")),
        ("B-103", "Notes", json!("call the agent")),
        ("B-102", "Notes", json!("")),
    ] {
        assert_eq!(cell(&world, key, header), value, "{key} {header}");
    }
    assert_eq!(world.rows().iter().filter(|row| row.first() == Some(&json!("B-103"))).count(), 1);
}

#[test]
fn an_edit_of_an_owned_cell_is_drift_and_is_restored() {
    let world = synced();
    world.person_writes("B2", "Anna");
    let run = world.run(&["--json"]);
    let sheet = run.exit(0).sheet();
    assert_eq!((&sheet["drifted"], &sheet["updated"]), (&json!(1), &json!(1)));
    assert_eq!(cell(&world, "B-101", "Vessel"), json!("Alma"));
    assert_eq!(world.run(&["--json"]).sheet()["drifted"], json!(0));
}

#[test]
fn an_edit_is_kept_where_the_configuration_says_so() {
    let world = world().policy("on-edit = \"keep\"").build();
    world.run(&[]).exit(0);
    world.person_writes("B2", "Anna");
    world.clear_requests();
    for _ in 0..2 {
        assert_eq!(world.run(&["--json"]).exit(0).sheet()["drifted"], json!(1));
    }
    assert_eq!((cell(&world, "B-101", "Vessel"), world.counts().writes), (json!("Anna"), 0));
    world.write_source(&CHANGED);
    world.run(&[]).exit(0);
    assert_eq!((cell(&world, "B-101", "Vessel"), cell(&world, "B-101", "Nights")), (json!("Anna"), json!(7)));
}

#[test]
fn a_kept_edit_stays_over_many_runs_until_the_booking_itself_has_that_value() {
    let world = world().policy("on-edit = \"keep\"").build();
    world.run(&[]).exit(0);
    world.person_writes("B2", "Anna");
    for vessel in ["Alma", "Alma", "Berta", "Clara", "Alma"] {
        world.write_source(&[CHANGED[0], &format!("B-101,{vessel},2026-05-13,3"), CHANGED[2], BOOKING_3]);
        let run = world.run(&["--json"]);
        let drift = json!([{"row": 2, "key": "B-101", "header": "Vessel", "theirs": "Anna", "ours": vessel, "on_edit": "keep"}]);
        assert_eq!(
            (&run.exit(0).sheet()["drifts"], &run.sheet()["drifted"]),
            (&drift, &json!(1)),
            "{vessel}"
        );
        assert_eq!(cell(&world, "B-101", "Vessel"), json!("Anna"));
    }
    for vessel in ["Anna", "Dora"] {
        world.write_source(&[CHANGED[0], &format!("B-101,{vessel},2026-05-13,3"), CHANGED[2], BOOKING_3]);
        assert_eq!(world.run(&["--json"]).exit(0).sheet()["drifted"], json!(0));
        assert_eq!(cell(&world, "B-101", "Vessel"), json!(vessel), "it follows the booking again");
    }
}

#[test]
fn a_column_may_have_its_own_say_about_edits() {
    let world = world().policy("on-edit = \"keep\"").build();
    world.replace_in_config("header = \"Nights\"", "header = \"Nights\"\non-edit = \"restore\"");
    world.run(&[]).exit(0);
    world.person_writes("B2", "Anna");
    world.person_writes("D2", 9);
    let run = world.run(&["--json"]);
    assert_eq!((&run.exit(0).sheet()["drifted"], &run.sheet()["cells_written"]), (&json!(2), &json!(1)));
    assert_eq!((cell(&world, "B-101", "Vessel"), cell(&world, "B-101", "Nights")), (json!("Anna"), json!(3)));
    world.replace_in_config("\non-edit = \"restore\"", "\non-edit = \"fail\"");
    assert_eq!(world.run(&["--json"]).exit(0).sheet()["drifted"], json!(1), "a kept edit stops nothing");
    world.person_writes("D2", 9);
    let run = world.run(&["--json"]);
    assert_eq!(run.exit(65).sheet()["drifts"].as_array().map(Vec::len), Some(2), "counted in every mode");
    run.error("on-edit is \"fail\": row 2 (B-101), \"Nights\": \"9\" where the source says \"3\"");
    assert!(!run.errors()[0].contains("Vessel"), "only what stops it");
}

#[test]
fn an_edit_stops_everything_where_the_configuration_says_so() {
    let world = world().policy("on-edit = \"fail\"").build();
    world.run(&[]).exit(0);
    world.person_writes("B2", "Anna");
    world.write_source(&CHANGED);
    world.clear_requests();
    let run = world.run(&[]);
    run.exit(65).error("row 2 (B-101), \"Vessel\": \"Anna\" where the source says \"Alma\"");
    assert_eq!(world.counts().writes, 0);
}

#[test]
fn a_booking_that_left_is_flagged_once_and_unflagged_when_it_is_back() {
    let world = synced();
    world.write_source(&[
        "booking_id,vessel,arrival,nights",
        "B-101,Alma,2026-05-13,3",
        "B-103,Cirrus,2026-05-15,5",
    ]);
    assert_eq!(world.run(&["--json"]).exit(0).sheet()["removed"], json!(1));
    let flag = cell(&world, "B-102", "Sync status");
    assert!(flag.as_str().unwrap().starts_with("Not in the bookings since 20"), "{flag}");
    assert_eq!(cell(&world, "B-102", "Vessel"), json!("Borea"), "nothing of the row is lost");
    world.clear_requests();
    world.run(&[]).exit(0);
    assert_eq!(world.counts().writes, 0, "it is flagged once");
    world.write_source(&support::BOOKINGS);
    world.run(&[]).exit(0);
    assert_eq!(cell(&world, "B-102", "Sync status"), json!(""));
}

#[test]
fn a_booking_that_left_stays_as_it_is_where_the_configuration_says_so() {
    let world = world().policy("on-missing = \"keep\"").build();
    world.run(&[]).exit(0);
    world.write_source(&[
        "booking_id,vessel,arrival,nights",
        "B-101,Alma,2026-05-13,3",
        "B-103,Cirrus,2026-05-15,5",
    ]);
    world.clear_requests();
    assert_eq!(world.run(&["--json"]).exit(0).sheet()["removed"], json!(0));
    assert_eq!((world.counts().writes, world.rows().len()), (0, 4));
}

#[test]
fn a_booking_that_cannot_be_read_is_not_taken_for_gone() {
    let world = synced();
    world.write_source(&[
        "booking_id,vessel,arrival,nights",
        "B-101,Alma,2026-05-13,3",
        "B-102,Borea,soon,2",
        "B-103,Cirrus,2026-05-15,5",
    ]);
    let run = world.run(&["--json"]);
    assert_eq!((&run.exit(65).sheet()["removed"], &run.sheet()["rejected"]), (&json!(0), &json!(1)));
    assert_eq!(cell(&world, "B-102", "Nights"), json!(2));
}

#[test]
fn a_header_that_a_person_renamed_is_asked_about_and_not_added_again() {
    let world = synced();
    world.person_writes("B1", "Ship");
    world.clear_requests();
    world.run(&[]).exit(65).error("the header \"Vessel\" is gone from row 1").hint_with("rename it back");
    assert_eq!(world.counts().writes, 0);
}

/// A second column beside it would leave people with the old one.
#[test]
fn a_header_in_another_spelling_is_refused_and_gets_no_twin() {
    for text in ["vessel", "Vessel ", "Vessel\u{a0}", "Ves\u{200b}sel", "Ｖessel", "Vessel\n"] {
        for synced in [false, true] {
            let world = world().build();
            if synced {
                world.run(&[]).exit(0);
            } else {
                world.person_writes("A1", "Booking");
            }
            world.person_writes("B1", text);
            let before = world.rows();
            let run = world.run(&[]);
            run.exit(65).error(&format!("the header {text:?} in column B of tab \"Port sheet\" and the header \"Vessel\" of the configuration differ only by case, blanks or characters that are not seen"));
            run.hint_with("write \"Vessel\" into cell B1 of the sheet");
            assert_eq!(world.rows(), before, "{text:?}");
        }
    }
    let world = world().build();
    world.run(&[]).exit(0);
    world.person_writes("E1", "SYNC STATUS");
    world.run(&[]).exit(65).error("the header \"Sync status\" of the configuration");
}

#[test]
fn a_header_that_stands_twice_is_refused() {
    let world = synced();
    world.person_writes("G1", "Vessel");
    world.clear_requests();
    world.run(&[]).exit(65).error("the header \"Vessel\" is more than once").error("columns B, G");
    assert_eq!(world.counts().writes, 0);
}

#[test]
fn a_column_that_people_use_without_a_header_is_not_taken() {
    let world = world().build();
    world.person_writes("B5", "somebody's number");
    world.clear_requests();
    world.run(&[]).exit(65).error("column B of tab \"Port sheet\" has no header in row 1 but data in row 5");
    assert_eq!(world.counts().writes, 0);
}

#[test]
fn a_key_that_stands_in_two_rows_is_told_with_its_rows_and_left_alone() {
    let world = synced();
    world.person_writes("A7", "B-101");
    world.write_source(&CHANGED);
    let run = world.run(&["--json"]);
    run.exit(65).error("rows 2, 7 of the sheet all hold \"B-101\"");
    assert_eq!(cell(&world, "B-101", "Nights"), json!(3), "which of the two is right is not guessed at");
    assert_eq!(cell(&world, "B-103", "Vessel"), json!("Cirrus II"), "the others are in step");
}

#[test]
fn a_row_without_a_key_is_a_persons_and_is_noted() {
    let world = synced();
    world.person_writes("B9", "maybe a late booking");
    world.write_source(&CHANGED);
    let run = world.run(&["--json"]);
    assert_eq!(
        run.exit(0).sheet()["notes"],
        json!(["row 9 has cells in owned columns but no key; it was left alone"])
    );
    assert_eq!(world.rows()[8][1], json!("maybe a late booking"));
}

#[test]
fn no_row_without_a_key_is_passed_over_in_silence() {
    let world = world().grid(60, 8).build();
    world.run(&[]).exit(0);
    let rows: Vec<Value> =
        (0..25).map(|_| json!({"values": [{"userEnteredValue": {"stringValue": "late"}}]})).collect();
    let start = json!({"sheetId": world.tab_id(), "rowIndex": 10, "columnIndex": 1});
    world.person_edits(
        &json!([{"updateCells": {"start": start, "rows": rows, "fields": "userEnteredValue"}}]),
    );
    let run = world.run(&["--json"]);
    let notes = run.exit(0).sheet()["notes"].as_array().unwrap().clone();
    assert_eq!(notes.len(), 21);
    assert_eq!(notes[19], json!("row 30 has cells in owned columns but no key; it was left alone"));
    assert_eq!(notes[20], json!("so have 5 more rows, down to row 35"));
}

#[test]
fn new_bookings_go_below_everything_that_people_wrote() {
    let world = synced();
    world.person_writes("F12", "remember the fireworks");
    let mut bookings = support::BOOKINGS.to_vec();
    bookings.push("B-104,Dorado,2026-05-17,1");
    world.write_source(&bookings);
    world.run(&[]).exit(0);
    assert_eq!(world.rows()[12][0], json!("B-104"));
    assert_eq!(world.rows()[11][5], json!("remember the fireworks"));
}

#[test]
fn a_dry_run_tells_the_plan_and_writes_nothing() {
    let world = synced();
    world.person_writes("B2", "Anna");
    world.write_source(&[
        "booking_id,vessel,arrival,nights",
        "B-101,Alma,2026-05-13,3",
        "B-103,Cirrus,2026-05-20,5",
        "B-104,Dorado,2026-05-17,1",
    ]);
    let before = world.rows();
    world.clear_requests();
    let run = world.process(&["--dry-run"]).without_trace().run();
    run.exit(0);
    for line in [
        "+ B-104  Booking: B-104, Vessel: Dorado, Arrival: 2026-05-17, Nights: 1",
        "~ B-103 (row 4)  Arrival: \"2026-05-15\" → \"2026-05-20\"",
        "- B-102 (row 3)  flagged: Not in the bookings since ",
        "! row 2 (B-101), \"Vessel\": \"Anna\" where the source says \"Alma\": restored",
        "1 to add, 2 to change, 1 to flag, 0 to remove, 1 changed by people; nothing was written",
    ] {
        assert!(run.stdout.contains(line), "{line:?} is not in:\n{}", run.stdout);
    }
    assert_eq!((world.rows(), world.counts().writes), (before, 0));
}
