//! The mirror: while the sheet is out of reach people find its rows in a file, and the first good run puts them into the
//! sheet.

use google_standin::Fault;
use serde_json::json;
use support::World;

use crate::outage::{NEWER, newest_rows};
use crate::world;

/// A sheet in step, in which people took notes, moved a column and wrote a row of their own.
fn lived_in() -> World {
    let world = world().build();
    world.run(&[]).exit(0);
    for (cell, text) in [
        ("F1", "Notes"),
        ("F2", "window seat"),
        ("F4", "=1+1"),
        ("G1", "Paid"),
        ("G3", "12.5"),
        ("B8", "maybe a late one"),
    ] {
        world.person_writes(cell, text);
    }
    world.person_writes("F3", "'=HYPERLINK(\"http://x\")");
    let tab = world.tab_id();
    let notes = json!({"sheetId": tab, "dimension": "COLUMNS", "startIndex": 5, "endIndex": 6});
    world.person_edits(&json!([{"moveDimension": {"source": notes, "destinationIndex": 1}}]));
    world.run(&[]).exit(0);
    world
}

fn revoke(world: &World) {
    let token = world.credential_json()["refresh_token"].as_str().unwrap().to_owned();
    assert!(world.server.revoke_refresh_token(&token));
}

fn path(world: &World) -> std::path::PathBuf {
    world.state().join("mirror/port-sheet.csv")
}

fn mirror(world: &World) -> Vec<String> {
    world.read_text(&path(world)).lines().map(str::to_owned).collect()
}

#[test]
fn a_dead_token_leaves_the_rows_as_they_should_stand_in_the_mirror() {
    let world = lived_in();
    revoke(&world);
    world.write_source(&NEWER);
    let run = world.run(&["--json"]);
    run.exit(77).error(&format!("; the rows as they should be are in {}", path(&world).display()));
    assert_eq!(
        mirror(&world),
        [
            "Booking,Notes,Vessel,Arrival,Nights,Paid,Sync status",
            "B-101,window seat,Alma,2026-05-13,4,,",
            "B-102,\"'=HYPERLINK(\"\"http://x\"\")\",Borea,2026-05-14,2,12.5,",
            "B-103,2,Cirrus,2026-05-15,5,,",
            "B-104,,Dorado,2026-06-01,1,,",
            ",,maybe a late one,,,,",
        ]
    );
    assert_eq!((world.mode(&path(&world)), world.mode(&world.state().join("mirror"))), (0o600, 0o700));
}

#[test]
fn the_first_good_run_brings_the_sheet_to_date_and_removes_the_mirror() {
    let world = world().build();
    world.run(&[]).exit(0);
    assert!(!path(&world).exists(), "there is no outage");
    revoke(&world);
    world.write_source(&NEWER);
    world.run(&[]).exit(77);
    assert!(path(&world).exists());
    world.log_in_again();
    world.run(&["--dry-run"]).exit(0);
    assert!(path(&world).exists(), "a dry run changes nothing");
    world.run(&[]).exit(0);
    assert_eq!(json!(world.rows()), newest_rows());
    assert!(!path(&world).exists(), "nobody is to work from an old one");
}

#[test]
fn google_away_leaves_it_too_and_every_run_refreshes_it() {
    let world = lived_in();
    let away = Fault { path: Some("^/v4/".into()), status: Some(503), times: u64::MAX, ..Fault::default() };
    world.fault(away);
    world.run(&[]).exit(69).error("; the rows as they should be are in ");
    assert_eq!(mirror(&world)[1], "B-101,window seat,Alma,2026-05-13,3,,");
    world.write_source(&NEWER);
    world.run(&[]).exit(69);
    assert_eq!(mirror(&world)[1], "B-101,window seat,Alma,2026-05-13,4,,");
    assert_eq!(mirror(&world).len(), 6);
    world.server.clear_faults();
    world.run(&[]).exit(0);
    assert!(!path(&world).exists());
}

#[test]
fn a_sheet_that_was_never_reached_has_a_mirror_of_its_bookings() {
    let world = world().build();
    revoke(&world);
    world.run(&[]).exit(77);
    assert_eq!(
        mirror(&world)[..2],
        ["Booking,Vessel,Arrival,Nights,Sync status".to_owned(), "B-101,Alma,2026-05-13,3,".to_owned()]
    );
}

#[test]
fn a_booking_that_left_is_flagged_in_the_mirror_and_one_that_is_bad_is_as_it_was() {
    let world = lived_in();
    revoke(&world);
    world.write_source(&[
        "booking_id,vessel,arrival,nights",
        "B-101,Alma,2026-05-13,3",
        "B-103,Cirrus,soon,5",
    ]);
    world.run(&[]).exit(77);
    let rows = mirror(&world);
    assert_eq!(rows.len(), 5, "{rows:#?}");
    let flagged = rows.iter().find(|row| row.starts_with("B-102,")).unwrap();
    assert!(flagged.contains(",Borea,2026-05-14,2,12.5,Not in the bookings since 20"), "{flagged}");
    assert!(rows.contains(&"B-103,2,Cirrus,2026-05-15,5,,".to_owned()), "{rows:#?}");
}

#[test]
fn a_flag_that_stands_in_the_sheet_keeps_its_day_and_goes_when_the_booking_is_back() {
    let world = lived_in();
    world.write_source(&[
        "booking_id,vessel,arrival,nights",
        "B-101,Alma,2026-05-13,3",
        "B-103,Cirrus,2026-05-15,5",
    ]);
    world.run(&[]).exit(0);
    world.run(&[]).exit(0);
    let rows = world.rows();
    let status = rows[0].iter().position(|text| text == "Sync status").unwrap();
    assert_eq!(status, 7, "{:?}", rows[0]);
    world.person_writes("H3", "Not in the bookings since 2020-01-01");
    world.run(&[]).exit(0);
    revoke(&world);
    world.run(&[]).exit(77);
    let flagged = mirror(&world).into_iter().find(|row| row.starts_with("B-102,")).unwrap();
    assert!(flagged.ends_with(",Not in the bookings since 2020-01-01"), "{flagged}");
    world.write_source(&support::BOOKINGS);
    world.run(&[]).exit(77);
    let back = mirror(&world).into_iter().find(|row| row.starts_with("B-102,")).unwrap();
    assert!(back.ends_with(','), "{back}");
}

#[test]
fn peoples_dates_are_shown_as_dates() {
    let world = world().build();
    world.run(&[]).exit(0);
    for (cell, text) in
        [("F1", "Paid on"), ("F2", "2026-05-01"), ("F3", "2026-05-02"), ("G1", "Deposit"), ("G2", "100")]
    {
        world.person_writes(cell, text);
    }
    world.run(&[]).exit(0);
    revoke(&world);
    world.run(&[]).exit(77);
    assert_eq!(mirror(&world)[0], "Booking,Vessel,Arrival,Nights,Paid on,Deposit,Sync status");
    assert_eq!(mirror(&world)[1], "B-101,Alma,2026-05-13,3,2026-05-01,100,");
    assert_eq!(mirror(&world)[2], "B-102,Borea,2026-05-14,2,2026-05-02,,");
}

#[test]
fn text_that_looks_like_a_formula_is_harmless_in_the_mirror_and_numbers_stay_numbers() {
    let world = world().csv(&["id,a", "1,=1+1", "2,+4", "3,-x", "4,@y", "5,\tz", "6,a=b"]).build();
    revoke(&world);
    world.run(&[]).exit(77);
    let cells: Vec<String> =
        mirror(&world)[1..].iter().map(|row| row.split(',').nth(1).unwrap().to_owned()).collect();
    assert_eq!(cells, ["'=1+1", "'+4", "'-x", "'@y", "'\tz", "a=b"]);
    let world = self::world().build();
    world.write_source(&["booking_id,vessel,arrival,nights", "B-1,Alma,2026-05-13,-3"]);
    revoke(&world);
    world.run(&[]).exit(77);
    assert_eq!(mirror(&world)[1], "B-1,Alma,2026-05-13,-3,");
}

#[test]
fn content_that_is_refused_is_no_outage() {
    let world = world().build();
    world.write_source(&["booking_id,vessel,arrival,nights", "B-101,Alma,soon,3"]);
    world.run(&[]).exit(65);
    assert!(!path(&world).exists());
}

#[test]
fn a_mirror_that_cannot_be_written_does_not_hide_the_outage() {
    let world = world().build();
    revoke(&world);
    world.make_private_dir("state/mirror/port-sheet.csv");
    world.run(&[]).exit(77).error("invalid_grant").error("; the mirror was not refreshed: cannot write ");
}

#[test]
fn what_people_wrote_costs_no_request_more() {
    let world = lived_in();
    world.clear_requests();
    world.run(&[]).exit(0);
    assert_eq!((world.counts().reads, world.counts().writes), (2, 0));
}

#[test]
fn a_booking_that_is_bad_stays_in_the_mirror_where_those_that_left_are_removed() {
    for policy in ["archive", "delete"] {
        let world = world().policy(&format!("on-missing = {policy:?}")).build();
        world.run(&[]).exit(0);
        revoke(&world);
        world.write_source(&[
            "booking_id,vessel,arrival,nights",
            "B-101,Alma,2026-05-13,3",
            "B-103,Cirrus,soon,5",
        ]);
        world.run(&[]).exit(77);
        assert_eq!(
            mirror(&world)[1..],
            ["B-101,Alma,2026-05-13,3", "B-103,Cirrus,2026-05-15,5"],
            "on-missing = {policy:?}"
        );
    }
}

#[test]
fn a_credential_file_that_is_refused_is_an_outage_too() {
    let world = world().build();
    world.run(&[]).exit(0);
    world.write_source(&NEWER);
    world.set_mode(&world.credential(), 0o644);
    world.run(&[]).exit(77).error("; the rows as they should be are in ");
    assert_eq!(mirror(&world)[1], "B-101,Alma,2026-05-13,4,");
}
