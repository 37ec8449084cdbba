//! What people do to the sheet between a run that was cut short and the next one, and rows of their own that a flag hits.

use google_standin::{Fault, Stall};
use serde_json::{Value, json};
use support::World;

use crate::interference::{NEWER, killed_after_its_write, meanwhile, rows};
use crate::removals::{ARCHIVE, LEFT, in_step, synced};
use crate::world;

fn column_at(world: &World, at: u64) -> Value {
    let range =
        json!({"sheetId": world.tab_id(), "dimension": "COLUMNS", "startIndex": at, "endIndex": at + 1});
    json!([{"insertDimension": {"range": range}}])
}

#[test]
fn a_removal_that_was_killed_is_ended_wherever_people_moved_the_columns_since() {
    for policy in ["archive", "delete"] {
        let world = synced(policy);
        world.write_source(&LEFT);
        killed_after_its_write(&world);
        world.person_edits(&column_at(&world, 0));
        world.person_writes("A1", "Berth list");
        world.run(&[]).exit(0);
        assert_eq!(world.tabs().len(), if policy == "archive" { 2 } else { 1 }, "{:?}", world.tabs());
        assert_eq!(world.rows().iter().filter(|row| row.get(1) == Some(&json!("B-102"))).count(), 0);
        in_step(&world);
    }
}

/// A row that was taken in another's place comes back by itself only into the columns from which it went.
#[test]
fn a_wrong_row_that_cannot_come_back_into_other_columns_is_told() {
    for (policy, shelf) in [("archive", ARCHIVE), ("delete", "Port sheet (being removed)")] {
        let world = synced(policy);
        world.write_source(&LEFT);
        let tab = world.tab_id();
        let act = json!([{"moveDimension": {"source": rows(3, 4, tab), "destinationIndex": 1}}]);
        let (method, path) = (Some("POST".to_owned()), Some(":batchUpdate".to_owned()));
        let headers = [("Retry-After".to_owned(), "1".to_owned())].into();
        let patience = Fault {
            status: Some(429),
            method: method.clone(),
            path: path.clone(),
            headers,
            ..Fault::default()
        };
        world.fault(patience);
        world.fault(Fault { method, path, nth: 2, stall: Stall::Applied, ..Fault::default() });
        let running = world.process(&[]).spawn();
        world.server.wait_for_request("^POST .*:batchUpdate", 1).unwrap();
        world.person_edits(&act);
        world.server.wait_for_applied("^POST .*:batchUpdate", 1).unwrap();
        running.kill();
        world.server.clear_faults();
        world.person_edits(&column_at(&world, 0));
        let run = world.run(&[]);
        run.exit(65)
            .error(&format!("row 2 of tab {shelf:?} was removed in another row's place"))
            .hint_with("by hand");
        assert_eq!(world.rows_as(shelf, "UNFORMATTED_VALUE")[1][1], json!("B-101"), "it is still there");
        world.run(&[]).exit(65);
    }
}

/// Neither a row without a key nor a blank one is a booking's, but a flag may land in it anyway.
#[test]
fn a_flag_that_lands_in_a_row_of_peoples_own_is_taken_back() {
    for (cell, text) in [("B9", "maybe a late booking"), ("G9", "remember the fireworks")] {
        let world = world().policy("on-missing = \"flag\"").build();
        world.run(&[]).exit(0);
        world.person_writes("G1", "Notes");
        world.person_writes(cell, text);
        let own = world.rows()[8].clone();
        world.clear_requests();
        world.write_source(&[NEWER[0], "B-101,Alma,2026-05-13,3", "B-103,Cirrus,2026-05-15,5"]);
        let tab = world.tab_id();
        let act = json!([{"moveDimension": {"source": rows(8, 9, tab), "destinationIndex": 2}}]);
        meanwhile(&world, "POST", ":batchUpdate", 1, || world.person_edits(&act)).exit(0);
        assert_eq!(world.rows()[2], own);
        let struck = world.sheets("sheets(data(rowData(values(userEnteredFormat.textFormat))))&ranges=A3:D3");
        assert!(!struck[0].to_string().contains("\"strikethrough\":true"), "{}", struck[0]);
        let flagged = world.rows().iter().filter(|row| row.len() > 7 && row[7] != "").count();
        assert_eq!(flagged, 2, "the header and B-102: {:?}", world.rows());
        in_step(&world);
    }
}
