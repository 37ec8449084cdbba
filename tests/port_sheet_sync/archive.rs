//! The archive tab: what lies there, what comes back from it, and what is people's.

use serde_json::json;
use support::World;

use crate::removals::{ARCHIVE, HEADER, LEFT, in_step, removing, synced};

#[test]
fn a_booking_that_is_back_comes_back_from_the_archive_with_its_notes() {
    let world = synced("archive");
    world.write_source(&LEFT);
    world.run(&[]).exit(0);
    world.write_source(&[
        HEADER,
        "B-101,Alma,2026-05-13,3",
        "B-102,Borea,2026-05-14,9",
        "B-103,Cirrus,2026-05-15,5",
    ]);
    let run = world.run(&["--json"]);
    assert_eq!((&run.exit(0).sheet()["added"], &run.sheet()["notes"]), (&json!(1), &json!([])));
    let rows = world.rows_as(support::TAB, "FORMULA");
    assert_eq!(
        rows[2],
        [
            json!("B-102"),
            json!("Borea"),
            json!(46156),
            json!(9),
            json!(""),
            json!("call the agent"),
            json!("=D3*2")
        ],
        "where it stood, and what changed meanwhile changed"
    );
    assert_eq!(world.rows_as(ARCHIVE, "FORMULA").len(), 1, "only its header is left");
    in_step(&world);
}

#[test]
fn a_time_that_is_told_in_row_1_keeps_no_booking_in_the_archive() {
    let world = removing("archive").policy("freshness-cell = \"H1\"").build();
    world.run(&[]).exit(0);
    world.person_writes("F1", "Notes");
    world.person_writes("F3", "call the agent");
    world.person_writes("H1", "Synced 2026-05-13 11:30 UTC");
    world.write_source(&LEFT);
    world.run(&[]).exit(0);
    world.person_writes("H1", "Synced 2026-05-13 12:00 UTC");
    world.write_source(&support::BOOKINGS);
    world.run(&[]).exit(0);
    assert_eq!(world.rows()[2][0], json!("B-102"));
    assert_eq!(world.rows()[2][5], json!("call the agent"));
    assert_eq!(world.rows_as(ARCHIVE, "FORMULA").len(), 1, "only its header is left");
}

/// What people do in the archive is theirs: only a removal that was not seen to its end is looked at.
#[test]
fn rows_of_the_archive_that_people_changed_stay_there() {
    let world = synced("archive");
    world.write_source(&LEFT);
    world.run(&[]).exit(0);
    for (cell, text) in [("B2", ""), ("C2", "a better name")] {
        archive_says(&world, cell, text);
    }
    let before = world.rows_as(ARCHIVE, "UNFORMATTED_VALUE");
    world.write_source(&LEFT[..2]);
    world.run(&[]).exit(0);
    let archive = world.rows_as(ARCHIVE, "UNFORMATTED_VALUE");
    assert_eq!((archive[1][1].clone(), &archive[2..]), (json!("B-103"), &before[1..]));
    in_step(&world);
}

fn archive_says(world: &World, cell: &str, text: &str) {
    let range = format!("'{ARCHIVE}'!{cell}").replace(' ', "%20");
    let path = format!("/v4/spreadsheets/{}/values/{range}?valueInputOption=RAW", world.spreadsheet);
    let body = json!({"values": [[text]]});
    let (status, answer) = world.server.call_as(google_standin::OWNER, "PUT", &path, Some(&body));
    assert_eq!(status, 200, "{answer}");
}

#[test]
fn an_old_row_of_the_archive_stays_there_when_its_booking_leaves_again() {
    let world = synced("archive");
    world.write_source(&LEFT);
    world.run(&[]).exit(0);
    archive_says(&world, "A2", "2020-05-13 row 3 B-102");
    archive_says(&world, "B2", "B-102 of last year");
    world.write_source(&support::BOOKINGS);
    world.run(&[]).exit(0);
    world.write_source(&LEFT);
    let run = world.run(&["--json"]);
    assert_eq!(run.exit(0).sheet()["notes"], json!([]));
    let archive = world.rows_as(ARCHIVE, "UNFORMATTED_VALUE");
    let keys: Vec<_> = archive.iter().skip(1).map(|row| row[1].clone()).collect();
    assert_eq!(keys, ["B-102", "B-102 of last year"]);
    in_step(&world);
}

#[test]
fn the_archive_costs_no_request_when_nothing_left_and_nothing_is_new() {
    let reads = |policy| {
        let world = synced(policy);
        world.run(&[]).exit(0);
        world.counts().reads
    };
    assert_eq!(reads("archive"), reads("keep"));
    assert_eq!(reads("delete"), reads("keep"));
}

#[test]
fn columns_that_people_moved_begin_a_new_part_of_the_archive() {
    let world = synced("archive");
    world.write_source(&LEFT);
    world.run(&[]).exit(0);
    let tab = world.tab_id();
    world.person_edits(&json!([{"insertDimension": {"range": {"sheetId": tab, "dimension": "COLUMNS", "startIndex": 0, "endIndex": 1}}}]));
    world.write_source(&LEFT[..2]);
    world.run(&[]).exit(0);
    let archive = world.rows_as(ARCHIVE, "UNFORMATTED_VALUE");
    let column =
        |at: usize| archive.iter().map(|row| row.get(at).cloned().unwrap_or_default()).collect::<Vec<_>>();
    assert_eq!(column(2), [json!("Booking"), json!("B-103"), json!("Vessel"), json!("Borea")]);
    assert_eq!(column(7)[1], json!("late"));
    assert_eq!(column(1)[3], json!("B-102"), "the older part stays below its own header");
    in_step(&world);
}
