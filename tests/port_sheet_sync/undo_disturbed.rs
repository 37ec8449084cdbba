//! An undo of a run that people came into, of one whose columns they changed since, and one that was stopped.

use google_standin::{Fault, Stall};
use serde_json::{Value, json};
use support::World;

use crate::interference::{meanwhile, rows};
use crate::undo::{AFTER, BEFORE, of, picture, run_with, synced, undo};

fn problems(world: &World, run: &str) -> String {
    undo(world, run).exit(0).sheet()["problems"].to_string()
}

fn renamed(world: &World, from: &str, to: &str) {
    let header = &world.rows()[0];
    let at = header.iter().position(|text| text == from).unwrap();
    let letter = char::from(b'A' + u8::try_from(at).unwrap());
    world.person_writes(&format!("{letter}1"), to);
}

/// What landed in another row, and was taken from there again, is nothing that the run did to that row.
#[test]
fn undoing_a_run_that_put_strays_right_restores_the_sheet_cell_for_cell() {
    for policy in ["keep", "flag"] {
        let world = synced(policy);
        let mut expected = world.rows_as(support::TAB, "FORMULA");
        let moved = expected.remove(3);
        expected.insert(1, moved);
        world.write_source(&AFTER);
        let tab = world.tab_id();
        let act = json!([{"moveDimension": {"source": rows(3, 4, tab), "destinationIndex": 1}}]);
        world.clear_requests();
        let run = meanwhile(&world, "POST", ":batchUpdate", 1, || world.person_edits(&act));
        assert!(run.exit(0).sheet()["notes"].to_string().contains("people came in between"), "{policy}");
        let name = run.json()["run"].as_str().unwrap().to_owned();
        assert_eq!(problems(&world, &name), "[]", "{policy}");
        assert_eq!(world.rows_as(support::TAB, "FORMULA"), expected, "{policy}");
    }
}

#[test]
fn an_undo_is_refused_while_the_header_of_the_key_is_gone() {
    for policy in ["delete", "archive", "flag"] {
        let world = synced(policy);
        let before = world.rows_as(support::TAB, "FORMULA");
        let run = run_with(&world, &AFTER);
        renamed(&world, "Booking", "Reference");
        let after = picture(&world);
        undo(&world, &run)
            .exit(65)
            .error("tab \"Port sheet\" has bookings but no header \"Booking\"")
            .hint_with("put \"Booking\" into row 1");
        assert_eq!(picture(&world), after, "{policy}");
        renamed(&world, "Reference", "Booking");
        assert_eq!(problems(&world, &run), "[]", "{policy}");
        assert_eq!(world.rows_as(support::TAB, "FORMULA"), before, "{policy}");
    }
}

#[test]
fn a_cell_whose_column_is_gone_is_told_and_nothing_is_written_in_its_stead() {
    let world = synced("keep");
    let run = run_with(&world, &[BEFORE[0], "B-101,Alma,2026-05-13,", BEFORE[2], BEFORE[3]]);
    renamed(&world, "Nights", "Nächte");
    let before = picture(&world);
    let left = problems(&world, &run);
    assert!(left.contains("B-101, \\\"Nights\\\": its column is gone"), "{left}");
    assert_eq!(picture(&world), before);
}

#[test]
fn however_much_stays_as_it_is_all_of_it_is_counted() {
    let bookings = |nights: usize| -> Vec<String> {
        let lines = (0..250).map(|number| format!("B-{number},Vessel,2026-05-13,{nights}"));
        std::iter::once(BEFORE[0].to_owned()).chain(lines).collect()
    };
    let world = of("keep");
    let run = [3, 4, 5].map(|nights| {
        let lines = bookings(nights);
        run_with(&world, &lines.iter().map(String::as_str).collect::<Vec<_>>())
    });
    let text = world.process(&["--undo", &run[1], "--dry-run"]).without_trace().run();
    text.exit(0);
    assert!(
        text.stdout.contains("0 cells put back, 0 rows put back, 0 rows taken away, 250 things left"),
        "{}",
        text.stdout
    );
    assert!(text.stdout.ends_with("! and 50 more\n  The next sync brings the source's bookings again: change them there first, or stop the schedule.\n"), "{}", text.stdout);
}

#[test]
fn a_row_that_came_back_stays_while_one_of_its_columns_is_gone() {
    let world = synced("archive");
    run_with(&world, &[BEFORE[0], BEFORE[1], BEFORE[3]]);
    let run = run_with(&world, &BEFORE);
    renamed(&world, "Vessel", "Ship");
    let before = picture(&world);
    let left = problems(&world, &run);
    assert!(left.contains("(B-102): the column \\\"Vessel\\\" is gone"), "{left}");
    assert_eq!(picture(&world), before);
}

/// Rows that an undo took away are written down in the columns of that day, not in those of the run that it undid.
#[test]
fn an_undo_of_an_undo_brings_rows_back_whole_when_people_moved_columns_before() {
    for policy in ["keep", "delete", "archive"] {
        let world = synced(policy);
        let run = run_with(&world, &AFTER);
        let range =
            json!({"sheetId": world.tab_id(), "dimension": "COLUMNS", "startIndex": 0, "endIndex": 1});
        world.person_edits(&json!([{"insertDimension": {"range": range}}]));
        let before = world.rows();
        let undone = undo(&world, &run);
        let name = undone.exit(0).json()["run"].as_str().unwrap().to_owned();
        assert_eq!(problems(&world, &name), "[]", "{policy}");
        let order = |mut rows: Vec<Vec<Value>>| {
            rows.retain(|row| !row.is_empty());
            rows.sort_by_key(|row| format!("{row:?}"));
            rows
        };
        assert_eq!(order(world.rows()), order(before), "{policy}");
    }
}

#[test]
fn rows_that_went_after_people_moved_columns_during_the_run_come_back_whole() {
    let world = synced("delete");
    let before = world.rows_as(support::TAB, "FORMULA");
    world.write_source(&AFTER);
    let range = json!({"sheetId": world.tab_id(), "dimension": "COLUMNS", "startIndex": 4, "endIndex": 5});
    let act = json!([{"insertDimension": {"range": range}}]);
    world.clear_requests();
    let run = meanwhile(&world, "POST", ":batchUpdate", 1, || world.person_edits(&act));
    let name = run.exit(0).json()["run"].as_str().unwrap().to_owned();
    assert_eq!(problems(&world, &name), "[]");
    let moved = |mut row: Vec<Value>| {
        if row.len() > 4 {
            row.insert(4, json!(""));
        }
        row
    };
    let expected: Vec<_> = before.into_iter().map(moved).collect();
    assert_eq!(world.rows_as(support::TAB, "FORMULA"), expected);
}

#[test]
fn what_people_wrote_below_the_same_header_twice_comes_back_where_it_stood() {
    let world = synced("delete");
    world.person_writes("F1", "Notes");
    world.person_writes("F3", "another note");
    let before = world.rows_as(support::TAB, "FORMULA");
    let run = run_with(&world, &AFTER);
    assert_eq!(problems(&world, &run), "[]");
    assert_eq!(world.rows_as(support::TAB, "FORMULA"), before);
}

/// A remark on a cell of the sync's is a person's anyway.
#[test]
fn a_new_row_on_which_people_remarked_stays() {
    let world = synced("keep");
    let run = run_with(&world, &AFTER);
    let new = world.rows().iter().position(|row| row.first() == Some(&json!("B-104"))).unwrap();
    let start = json!({"sheetId": world.tab_id(), "rowIndex": new, "columnIndex": 1});
    let note = json!([{"values": [{"note": "the agent is on board"}]}]);
    world.person_edits(&json!([{"updateCells": {"start": start, "rows": note, "fields": "note"}}]));
    let left = problems(&world, &run);
    assert!(left.contains("(B-104): people wrote in it since"), "{left}");
    assert_eq!(world.rows()[new][0], json!("B-104"));
}

/// Ends an undo at its `nth` write, applied or not, and types it again.
fn killed(world: &World, run: &str, nth: usize, stall: Stall) {
    let (method, path) = (Some("POST".into()), Some("^/v4/".into()));
    world.clear_requests();
    world.fault(Fault { method, path, nth: nth as u64, stall, ..Fault::default() });
    let running = world.process(&["--undo", run]).spawn();
    match stall {
        Stall::Applied => world.server.wait_for_applied("^POST .*/v4/", nth).unwrap(),
        _ => world.server.wait_for_request("^POST .*/v4/", nth).unwrap(),
    }
    running.kill();
    world.server.clear_faults();
}

#[test]
fn the_undo_of_a_first_load_may_be_killed_anywhere_and_the_next_run_fills_the_tab_again() {
    let first_load = || {
        let world = of("flag");
        world.person_writes("G1", "Notes");
        let run = run_with(&world, &BEFORE);
        world.clear_requests();
        (world, run)
    };
    let (undisturbed, run) = first_load();
    undo(&undisturbed, &run).exit(0);
    let writes = undisturbed.counts().writes;
    for nth in 1..=writes {
        for stall in [Stall::Request, Stall::Applied] {
            let (world, run) = first_load();
            killed(&world, &run, nth, stall);
            undo(&world, &run).exit(0);
            assert_eq!(picture(&world), picture(&undisturbed), "write {nth} of {writes}, {stall:?}");
            world.run(&[]).exit(0);
            assert_eq!(world.rows().len(), 4, "write {nth} of {writes}, {stall:?}");
        }
    }
}

/// What rows held before a write is told from before that write, not from before an undo that was never finished.
#[test]
fn a_sync_after_an_undo_that_was_killed_still_puts_strays_right() {
    let world = synced("keep");
    let run = run_with(&world, &AFTER);
    killed(&world, &run, 1, Stall::Applied);
    world.person_writes("B9", "maybe a late booking");
    world.person_writes("D9", 44);
    let own: Vec<Value> = world.rows()[8].clone();
    let tab = world.tab_id();
    let act = json!([{"moveDimension": {"source": rows(8, 9, tab), "destinationIndex": 1}}]);
    world.clear_requests();
    meanwhile(&world, "POST", ":batchUpdate", 1, || world.person_edits(&act)).exit(0);
    assert_eq!(world.rows()[1], own);
}
