//! Double bookings: the same vessel at the same time is reported with both keys, once, and may stop the sheet.

use serde_json::json;
use support::{Builder, World};

use crate::world;

/// B-101 and B-103 have Alma from the 15th to the 16th; B-102 goes when B-104 comes.
const CHARTERS: [&str; 5] = [
    "booking_id,vessel,arrival,departure",
    "B-101,Alma,2026-05-13,2026-05-16",
    "B-102,Borea,2026-05-14,2026-05-15",
    "B-103,Alma,2026-05-15,2026-05-18",
    "B-104,Borea,2026-05-15,2026-05-17",
];

/// The same with B-103 a day later than B-101.
const APART: [&str; 5] = [
    "booking_id,vessel,arrival,departure",
    "B-101,Alma,2026-05-13,2026-05-16",
    "B-102,Borea,2026-05-14,2026-05-15",
    "B-103,Alma,2026-05-16,2026-05-18",
    "B-104,Borea,2026-05-15,2026-05-17",
];

fn charters(policy: &str) -> World {
    checked(world().policy(&format!("overlap = {policy:?}")))
}

fn checked(builder: Builder) -> World {
    let columns = [
        ("booking_id", "Booking", "text"),
        ("vessel", "Vessel", "text"),
        ("arrival", "Arrival", "date"),
        ("departure", "Departure", "date"),
    ];
    let builder = builder
        .policy("overlap-resource = [\"vessel\"]")
        .policy("overlap-start = \"arrival\"")
        .policy("overlap-end = \"departure\"");
    let world = builder.columns(&columns).build();
    world.write_source(&CHARTERS);
    world
}

/// The texts of the events.
fn told(world: &World) -> Vec<String> {
    let events = world.events().into_iter().filter(|event| event.kind == "double-booking");
    events.map(|event| event.text).collect()
}

const TOLD: &str =
    "sheet \"port-sheet\": Alma is booked twice from 2026-05-15 to 2026-05-16: \"B-101\" and \"B-103\"";

#[test]
fn a_double_booking_is_in_the_result_with_both_keys_and_everything_is_synced() {
    let world = charters("warn");
    let run = world.run(&["--json"]);
    let sheet = run.exit(0).sheet();
    assert_eq!(
        sheet["overlaps"],
        json!([{"resource": "Alma", "first": "B-101", "second": "B-103", "from": "2026-05-15", "to": "2026-05-16"}])
    );
    assert_eq!((&sheet["added"], world.rows().len()), (&json!(4), 5));
    let run = world.run(&["-v"]);
    let said = format!("{}{}", run.stdout, run.stderr);
    assert!(said.contains("port-sheet: Alma is booked twice from 2026-05-15 to 2026-05-16"), "{said}");
}

#[test]
fn it_is_an_event_once_and_again_when_it_comes_again() {
    let world = charters("warn");
    for _ in 0..3 {
        world.run(&[]).exit(0);
    }
    assert_eq!(told(&world), [TOLD]);
    world.write_source(&APART);
    world.run(&[]).exit(0);
    assert_eq!(told(&world).len(), 1);
    world.write_source(&CHARTERS);
    for _ in 0..2 {
        world.run(&[]).exit(0);
    }
    assert_eq!(told(&world), [TOLD, TOLD]);
}

#[test]
fn a_pair_that_a_bad_row_hides_for_a_while_is_not_told_again() {
    let world = charters("warn");
    world.run(&[]).exit(0);
    world.write_source(&[&CHARTERS[..3], &["B-103,Alma,soon,2026-05-18"], &CHARTERS[4..]].concat());
    world.run(&[]).exit(65);
    world.write_source(&CHARTERS);
    world.run(&[]).exit(0);
    assert_eq!(told(&world), [TOLD]);
}

#[test]
fn a_new_pair_beside_an_old_one_is_told_alone() {
    let world = charters("warn");
    world.run(&[]).exit(0);
    world.write_source(&[&CHARTERS[..], &["B-105,Borea,2026-05-16,2026-05-20"]].concat());
    world.run(&[]).exit(0);
    let told = told(&world);
    assert_eq!(told.len(), 2);
    assert!(told[1].contains("Borea is booked twice from 2026-05-16 to 2026-05-17: \"B-104\" and \"B-105\""));
}

#[test]
fn with_fail_nothing_is_written_until_it_is_mended() {
    let world = charters("fail");
    let run = world.run(&["--json"]);
    run.exit(65).error(
        "sheet \"port-sheet\": nothing was written, because overlap is \"fail\": Alma is booked twice from 2026-05-15 to 2026-05-16: \"B-101\" and \"B-103\"",
    );
    run.hint_with("change one booking of each pair");
    assert_eq!(run.sheet()["overlaps"][0]["second"], json!("B-103"));
    assert_eq!((world.requests().len(), world.rows().len()), (0, 0));
    assert_eq!(told(&world), [TOLD]);
    world.write_source(&APART);
    assert_eq!(world.run(&["--json"]).exit(0).sheet()["overlaps"], json!([]));
    assert_eq!(world.rows().len(), 5);
}

#[test]
fn it_is_told_while_the_token_is_dead() {
    let world = charters("warn");
    let token = world.credential_json()["refresh_token"].as_str().unwrap().to_owned();
    assert!(world.server.revoke_refresh_token(&token));
    world.run(&[]).exit(77);
    assert_eq!(told(&world), [TOLD]);
}

#[test]
fn a_dry_run_lists_it_and_tells_nobody() {
    let world = charters("warn");
    let run = world.run(&["--dry-run", "--json"]);
    assert_eq!(run.exit(0).sheet()["overlaps"].as_array().unwrap().len(), 1);
    assert_eq!(told(&world), [""; 0]);
}

#[test]
fn a_booking_whose_times_are_not_clear_is_noted_by_key() {
    let world = charters("warn");
    world.write_source(&[
        "booking_id,vessel,arrival,departure",
        "B-101,Alma,2026-05-13,",
        "B-102,Alma,2026-05-16,2026-05-15",
        "B-103,,2026-05-15,2026-05-18",
        "B-104,,2026-05-15,2026-05-18",
    ]);
    let run = world.run(&["--json"]);
    let note = "2 bookings could not be checked for double booking: arrival or departure is blank, or the end is before the start: B-101; B-102";
    assert_eq!((&run.exit(0).sheet()["notes"], &run.sheet()["overlaps"]), (&json!([note]), &json!([])));
}

#[test]
fn a_blank_that_nobody_sees_hides_no_double_booking() {
    let world = charters("warn");
    world.write_source(&[&CHARTERS[..3], &["B-103,Alma ,2026-05-15,2026-05-18"], &CHARTERS[4..]].concat());
    let run = world.run(&["--json"]);
    assert_eq!(run.exit(0).sheet()["overlaps"][0]["second"], json!("B-103"));
}

#[test]
fn days_and_moments_are_compared_as_what_they_are() {
    let world = charters("warn");
    world.replace_in_config("type = \"date\"", "type = \"datetime\"");
    world.write_source(&[
        "booking_id,vessel,arrival,departure",
        "B-101,Alma,2026-05-13 08:00,2026-05-13 12:00",
        "B-102,Alma,2026-05-13 12:00,2026-05-13 18:00",
        "B-103,Alma,2026-05-13 17:59:59,2026-05-13 20:00",
    ]);
    let run = world.run(&["--json"]);
    let found = &run.exit(0).sheet()["overlaps"];
    assert_eq!(found.as_array().unwrap().len(), 1);
    assert_eq!(
        (&found[0]["from"], &found[0]["to"]),
        (&json!("2026-05-13 17:59:59"), &json!("2026-05-13 18:00:00"))
    );
}

#[test]
fn a_check_that_is_not_whole_is_a_mistake_in_the_configuration() {
    let refused = |from: &str, to: &str, error: &str| {
        let world = charters("warn");
        world.replace_in_config(from, to);
        let run = world.run(&["--check-config"]);
        assert!(run.exit(78).stderr.contains(error), "{error:?} is not in {}", run.stderr);
    };
    refused(
        "overlap = \"warn\"\n",
        "",
        "sheet.port-sheet.overlap: must say what becomes of a double booking",
    );
    refused("overlap = \"warn\"", "overlap = \"stop\"", "\"stop\" is not one of \"warn\", \"fail\"");
    refused(
        "overlap-start = \"arrival\"\n",
        "",
        "needs overlap-resource = [\"vessel\"], overlap-start and overlap-end",
    );
    refused("[\"vessel\"]", "[\"ship\"]", "overlap-resource: the field \"ship\" has no [[column]]");
    refused(
        "overlap-end = \"departure\"",
        "overlap-end = \"vessel\"",
        "the field \"vessel\" has no [[column]] of type \"date\"",
    );
}
