//! People change the sheet in the very moment in which it is read or written.
//!
//! Google answers one request with 429 and asks for a second's patience; in that second a person acts. The request is
//! then repeated as it was, which is what a request that was under way at that moment looks like.

use google_standin::{Fault, Stall};
use serde_json::{Value, json};
use support::{Run, World};

use crate::world;

pub const NEWER: [&str; 5] = [
    "booking_id,vessel,arrival,nights",
    "B-101,Alma,2026-05-13,9",
    "B-102,Borea,2026-05-14,2",
    "B-103,Cirrus,2026-05-15,5",
    "B-104,Dorado,2026-05-17,1",
];

pub fn synced(policy: &str) -> World {
    let world = world().policy(policy).build();
    world.run(&[]).exit(0);
    world.clear_requests();
    world
}

/// Runs; when the `nth` request of this method and path is under way, a person acts.
pub fn meanwhile(world: &World, method: &str, path: &str, nth: usize, act: impl FnOnce()) -> Run {
    let headers = [("Retry-After".to_owned(), "1".to_owned())].into();
    let fault = Fault {
        status: Some(429),
        method: Some(method.to_owned()),
        path: Some(path.to_owned()),
        headers,
        ..Fault::default()
    };
    world.fault(Fault { nth: nth as u64, ..fault });
    let running = world.process(&["--json"]).spawn();
    world.server.wait_for_request(&format!("^{method} .*{path}"), nth).unwrap();
    act();
    running.wait()
}

/// Kills a run when its first write is done.
pub fn killed_after_its_write(world: &World) {
    let (method, path) = (Some("POST".into()), Some(":batchUpdate".into()));
    world.fault(Fault { method, path, stall: Stall::Applied, ..Fault::default() });
    let running = world.process(&[]).spawn();
    world.server.wait_for_applied(":batchUpdate", 1).unwrap();
    running.kill();
    world.server.clear_faults();
}

fn booking(world: &World, key: &str) -> Vec<Value> {
    let rows = world.rows();
    let at = |header: &str| rows[0].iter().position(|text| text == header);
    let found: Vec<&Vec<Value>> = rows.iter().filter(|row| row.first() == Some(&json!(key))).collect();
    assert_eq!(found.len(), 1, "{key} stands exactly once in {rows:#?}");
    let headers = ["Booking", "Vessel", "Arrival", "Nights", "Sync status"];
    let cell = |header: &str| at(header).and_then(|at| found[0].get(at)).cloned().unwrap_or(json!(""));
    headers.iter().map(|header| cell(header)).collect()
}

pub fn rows(from: u64, to: u64, tab: i64) -> Value {
    json!({"sheetId": tab, "dimension": "ROWS", "startIndex": from, "endIndex": to})
}

#[test]
fn a_column_inserted_while_a_row_is_added_is_noticed_and_put_right() {
    for policy in ["restore", "keep", "fail"] {
        let world = synced(&format!("on-edit = {policy:?}"));
        world.write_source(&NEWER);
        let tab = world.tab_id();
        let insert = json!([{"insertDimension": {"range": {"sheetId": tab, "dimension": "COLUMNS", "startIndex": 1, "endIndex": 2}}}]);
        let run = meanwhile(&world, "POST", ":batchUpdate", 1, || world.person_edits(&insert));
        assert!(
            run.exit(0).sheet()["notes"].to_string().contains("people came in between"),
            "{}",
            run.stdout
        );
        assert_eq!(
            booking(&world, "B-104"),
            [json!("B-104"), json!("Dorado"), json!(46159), json!(1), json!("")],
            "{policy}"
        );
        assert_eq!(
            booking(&world, "B-101"),
            [json!("B-101"), json!("Alma"), json!(46155), json!(9), json!("")],
            "{policy}"
        );
    }
}

#[test]
fn rows_moved_while_a_flag_is_set_leave_no_live_booking_struck_through() {
    let world = synced("");
    world.write_source(&[
        "booking_id,vessel,arrival,nights",
        "B-101,Alma,2026-05-13,3",
        "B-103,Cirrus,2026-05-15,5",
    ]);
    let tab = world.tab_id();
    let sort = json!([{"moveDimension": {"source": rows(3, 4, tab), "destinationIndex": 1}}]);
    meanwhile(&world, "POST", ":batchUpdate", 1, || world.person_edits(&sort)).exit(0);
    for (key, flagged) in [("B-101", false), ("B-102", true), ("B-103", false)] {
        assert_eq!(booking(&world, key)[4] != json!(""), flagged, "{key}: {:?}", world.rows());
    }
    world.clear_requests();
    world.run(&[]).exit(0);
    assert_eq!(world.counts().writes, 0);
}

#[test]
fn a_change_that_lands_in_a_moved_row_is_no_edit_to_be_kept() {
    let world = synced("on-edit = \"keep\"");
    world.write_source(&NEWER);
    let tab = world.tab_id();
    let sort = json!([{"moveDimension": {"source": rows(3, 4, tab), "destinationIndex": 1}}]);
    let run = meanwhile(&world, "POST", ":batchUpdate", 1, || world.person_edits(&sort));
    assert_eq!(run.exit(0).sheet()["drifted"], json!(0));
    for (key, nights) in [("B-101", 9), ("B-102", 2), ("B-103", 5), ("B-104", 1)] {
        assert_eq!(booking(&world, key)[3], json!(nights), "{key}");
    }
}

#[test]
fn what_a_killed_run_wrote_is_no_edit_to_be_kept() {
    let world = synced("on-edit = \"keep\"");
    world.write_source(&NEWER);
    killed_after_its_write(&world);
    assert_eq!(booking(&world, "B-101")[3], json!(9));
    world.write_source(&[
        "booking_id,vessel,arrival,nights",
        "B-101,Alma,2026-05-13,11",
        "B-102,Borea,2026-05-14,2",
        "B-103,Cirrus,2026-05-15,5",
        "B-104,Dorado,2026-05-17,1",
    ]);
    assert_eq!(world.run(&["--json"]).exit(0).sheet()["drifted"], json!(0));
    assert_eq!(booking(&world, "B-101")[3], json!(11));
}

/// Rows of people's own, of bookings that left and of edits that are kept: none of them is planned for, and each may be
/// in a row at the very moment in which that is written.
#[test]
fn a_change_that_lands_in_any_other_row_gives_it_back_what_it_held() {
    let world = world().policy("on-edit = \"keep\"").policy("on-missing = \"keep\"").build();
    world.run(&[]).exit(0);
    world.write_source(&[NEWER[0], "B-101,Alma,2026-05-13,3", "B-103,Cirrus,2026-05-15,5"]);
    world.person_writes("D4", 55);
    world.person_writes("B7", "maybe a late booking");
    world.person_writes("D7", 44);
    world.run(&[]).exit(0);
    let before: Vec<_> =
        world.rows().into_iter().filter(|row| row.first() != Some(&json!("B-101"))).collect();
    // The row of a booking that left, of a kept edit, a blank row and a row without a key.
    for from in [2, 3, 4, 6] {
        let nights = 20 + from;
        world.write_source(&[
            NEWER[0],
            &format!("B-101,Alma,2026-05-13,{nights}"),
            "B-103,Cirrus,2026-05-15,5",
        ]);
        let tab = world.tab_id();
        let at = world.rows().iter().position(|row| row.first() == Some(&json!("B-101"))).unwrap() as u64;
        let moved = json!([{"moveDimension": {"source": rows(from, from + 1, tab), "destinationIndex": at}}]);
        world.clear_requests();
        let run = meanwhile(&world, "POST", ":batchUpdate", 1, || world.person_edits(&moved));
        assert!(run.exit(0).sheet()["notes"].to_string().contains("people came in between"), "{from}");
        assert_eq!(booking(&world, "B-101")[3], json!(nights), "{from}");
        let back =
            json!([{"moveDimension": {"source": rows(at, at + 1, tab), "destinationIndex": from + 1}}]);
        world.person_edits(&back);
        let others: Vec<_> =
            world.rows().into_iter().filter(|row| row.first() != Some(&json!("B-101"))).collect();
        assert_eq!(others, before, "{from}");
    }
}

/// Enough cells for two reads: 41 columns, and 200,000 cells a read.
fn wide(rows: usize) -> Vec<String> {
    let header = std::iter::once("id".to_owned()).chain((1..41).map(|column| format!("c{column}")));
    let cells = |row: usize| {
        std::iter::once(format!("B-{row}")).chain((1..41).map(move |column| (row * column).to_string()))
    };
    let line = |row: usize| cells(row).collect::<Vec<_>>().join(",");
    std::iter::once(header.collect::<Vec<_>>().join(",")).chain((1..=rows).map(line)).collect()
}

#[test]
fn a_row_deleted_between_two_reads_makes_no_booking_look_missing() {
    let lines = wide(6_000);
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let world = world().csv(&lines).build();
    world.process(&[]).without_trace().run().exit(0);
    let tab = world.tab_id();
    let delete = json!([{"deleteDimension": {"range": rows(10, 11, tab)}}]);
    let run = meanwhile(&world, "GET", "batchGet", 2, || world.person_edits(&delete));
    assert_eq!(run.exit(0).sheet()["added"], json!(1), "the deleted booking, and no other");
    let mut keys: Vec<Value> = world.rows().into_iter().skip(1).map(|row| row[0].clone()).collect();
    assert_eq!(keys.len(), 6_000);
    keys.sort_by_key(ToString::to_string);
    keys.dedup();
    assert_eq!(keys.len(), 6_000, "no booking stands twice");
}

#[test]
fn a_row_that_a_person_enters_during_a_bulk_load_is_not_written_over() {
    let lines = wide(100);
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let world = world().csv(&lines).grid(200, 50).build();
    // The read behind the first new row, which finds out where it landed.
    meanwhile(&world, "GET", "batchGet", 2, || {
        world.person_writes("B5", "a person's own row");
        world.person_writes("AT5", "with a note");
    })
    .exit(0);
    let rows = world.rows();
    assert_eq!((&rows[4][1], &rows[4][45]), (&json!("a person's own row"), &json!("with a note")));
    assert_eq!(
        rows.iter()
            .filter(|row| row.first().and_then(Value::as_str).is_some_and(|key| key.starts_with("B-")))
            .count(),
        100
    );
}

#[test]
fn text_beside_the_table_is_in_nobodys_way_until_a_flag_needs_the_column() {
    let world = synced("");
    world.person_writes("E3", "see the agent");
    world.write_source(&NEWER);
    world.run(&[]).exit(0);
    assert_eq!(world.rows()[2][4], json!("see the agent"));
    world.write_source(&NEWER[..3]);
    world
        .run(&["--allow-shrink"])
        .exit(65)
        .error("column E of tab \"Port sheet\" has no header in row 1 but data in row 3");
}

#[test]
fn another_spreadsheet_is_not_taken_for_the_one_before() {
    let world = synced("");
    let tab = google_standin::Tab { title: support::TAB.to_owned(), rows: 20, columns: 8 };
    let other = world.server.spreadsheet("Moved", &[tab], &["anyone"]);
    world.replace_in_config(&world.spreadsheet, &other);
    world.run(&[]).exit(0);
    let path = format!("/v4/spreadsheets/{other}/values/'Port%20sheet'!C2");
    let (_, shown) = world.server.call_as(google_standin::OWNER, "GET", &path, None);
    assert_eq!(shown["values"], json!([["2026-05-13"]]), "its dates have their number format");
}

#[test]
fn a_row_inserted_while_a_full_grid_is_read_makes_no_booking_stand_twice() {
    let world = synced("");
    let tab = world.tab_id();
    let blank = json!({"sheetId": tab, "dimension": "ROWS", "startIndex": 4});
    world.person_edits(&json!([{"deleteDimension": {"range": blank}}]));
    let insert = json!([{"insertDimension": {"range": rows(1, 2, tab)}}]);
    meanwhile(&world, "GET", "values:batchGet", 1, || world.person_edits(&insert)).exit(0);
    for (key, nights) in [("B-101", 3), ("B-102", 2), ("B-103", 5)] {
        assert_eq!(booking(&world, key)[3], json!(nights), "{key}");
    }
}
