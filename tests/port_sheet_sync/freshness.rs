//! The freshness cell: everybody who looks at the sheet sees when it was last synced.

use google_standin::Fault;
use serde_json::json;
use support::World;

use crate::world;

fn with_cell(cell: &str) -> World {
    world().policy(&format!("freshness-cell = {cell:?}")).build()
}

/// With a tab for remarks.
fn with_info() -> World {
    let world = with_cell("Info!B3");
    world.owner_edits(&json!([{"addSheet": {"properties": {"title": "Info"}}}]));
    world
}

fn freshness(world: &World) -> String {
    let rows = world.rows_of("Info");
    rows.get(2).and_then(|row| row.get(1)).and_then(|cell| cell.as_str()).unwrap_or_default().to_owned()
}

#[track_caller]
fn assert_now(text: &str) {
    let time = text.strip_prefix("Synced ").and_then(|rest| rest.strip_suffix(" UTC")).expect(text);
    let time = chrono::NaiveDateTime::parse_from_str(time, "%Y-%m-%d %H:%M").expect(text);
    let age = chrono::Utc::now().naive_utc() - time;
    assert!((-5..600).contains(&age.num_seconds()), "{text}");
}

#[test]
fn the_time_is_written_last_and_read_back() {
    let world = with_info();
    let run = world.run(&["--json"]);
    run.exit(0);
    assert_now(&freshness(&world));
    let log = world.requests();
    let calls: Vec<&str> = log.iter().rev().take(3).map(|request| request.method.as_str()).collect();
    assert_eq!(calls, ["GET", "POST", "GET"], "looked at, written, read back");
    assert_eq!(log[log.len() - 2].body["data"][0]["range"], json!("'Info'!B3:B3"));
    let counts = world.counts();
    assert_eq!(
        (&run.sheet()["reads"], &run.sheet()["writes"]),
        (&json!(counts.reads), &json!(counts.writes))
    );
}

#[test]
fn a_run_with_nothing_else_to_do_writes_this_one_cell() {
    let world = with_info();
    world.run(&[]).exit(0);
    world.clear_requests();
    let run = world.run(&["--json"]);
    assert_eq!((&run.exit(0).sheet()["cells_written"], &run.sheet()["writes"]), (&json!(0), &json!(1)));
    assert_eq!((world.counts().reads, world.counts().writes), (4, 1));
}

#[test]
fn row_1_of_the_own_tab_is_a_place_for_it_and_nothing_else_moves() {
    let world = with_cell("H1");
    for _ in 0..2 {
        world.run(&[]).exit(0);
        assert_now(world.rows()[0][7].as_str().unwrap());
    }
    assert_eq!(world.rows()[0][..4], [json!("Booking"), json!("Vessel"), json!("Arrival"), json!("Nights")]);
    world.write_source(&crate::outage::NEWER);
    world.run(&[]).exit(0);
    assert_eq!(world.rows()[4][0], json!("B-104"));
}

#[test]
fn what_a_person_wrote_there_stays_and_is_told() {
    for content in ["ask Ann", "Synced by Ann", "Synced 2026-05-13", "5"] {
        let world = with_cell("H1");
        world.person_writes("H1", content);
        let run = world.run(&["--json"]);
        run.exit(65).error(&format!(
            "the bookings are in step, but freshness-cell H1 of tab \"Port sheet\" holds {content:?}, which the sync did not write"
        ));
        run.hint_with("clear that cell");
        assert_eq!((&run.sheet()["verified"], &run.sheet()["added"]), (&json!(true), &json!(3)));
        assert_eq!(world.rows()[0][7].to_string().trim_matches('"'), content);
        assert_eq!(world.rows().len(), 4);
    }
}

#[test]
fn the_header_of_an_owned_column_is_no_place_for_it() {
    let world = with_cell("B1");
    world.run(&[]).exit(65).error("freshness-cell B1 of tab \"Port sheet\" holds \"Vessel\"");
    assert_eq!(world.rows()[0][1], json!("Vessel"));
}

#[test]
fn a_protected_cell_is_told() {
    let world = with_cell("H1");
    let range =
        json!({"sheetId": world.tab_id(), "startRowIndex": 0, "endRowIndex": 1, "startColumnIndex": 7});
    world.owner_edits(&json!([{"addProtectedRange": {"protectedRange": {
        "range": range, "editors": {"users": [google_standin::OWNER]}
    }}}]));
    world
        .run(&[])
        .exit(65)
        .error("the bookings are in step, but freshness-cell H1 of tab \"Port sheet\": Google Sheets: 400");
    assert_eq!(world.rows().len(), 4);
}

#[test]
fn a_tab_that_is_not_there_is_told() {
    let world = with_cell("Info!B1");
    world.run(&[]).exit(78).error(
        "the bookings are in step, but freshness-cell B1 of tab \"Info\" is not there: Google Sheets: 400",
    );
    assert_eq!(world.rows().len(), 4);
}

#[test]
fn a_failed_run_leaves_the_old_time() {
    let world = with_info();
    world.run(&[]).exit(0);
    let path = format!("/v4/spreadsheets/{}/values/%27Info%27%21B3?valueInputOption=RAW", world.spreadsheet);
    let old = json!({"values": [["Synced 2026-05-13 12:00 UTC"]]});
    assert_eq!(world.server.call_as(google_standin::OWNER, "PUT", &path, Some(&old)).0, 200);
    world.write_source(&["no", "such"]);
    world.run(&[]).exit(65);
    assert_eq!(freshness(&world), "Synced 2026-05-13 12:00 UTC");
    world.write_source(&support::BOOKINGS);
    world.run(&["--dry-run"]).exit(0);
    assert_eq!(freshness(&world), "Synced 2026-05-13 12:00 UTC");
    world.run(&[]).exit(0);
    assert_now(&freshness(&world));
}

#[test]
fn a_write_whose_answer_was_lost_is_made_again() {
    let world = with_info();
    world.run(&[]).exit(0);
    world.fault(Fault {
        method: Some("POST".into()),
        path: Some("values:batchUpdate".into()),
        apply_then_reset: true,
        ..Fault::default()
    });
    world.run(&[]).exit(0);
    assert_now(&freshness(&world));
}

#[test]
fn a_place_that_cannot_be_right_is_a_mistake_in_the_configuration() {
    for (cell, error) in [
        (
            "B2",
            "sheet.port-sheet.freshness-cell: row 2 of tab \"Port sheet\" is among the bookings of sheet \"port-sheet\"",
        ),
        ("'port sheet'!H9", "row 9 of tab \"port sheet\" is among the bookings"),
        ("Info", "\"Info\" is not a cell such as \"B1\" or \"Info!B1\""),
        ("Info!B1:B2", "is not a cell"),
    ] {
        with_cell(cell).run(&["--check-config"]).exit(78).error(error);
    }
    let world = with_info();
    crate::several_sheets::add_sheet(&world, "quay-a", "Quay A", "freshness-cell = \"info!B3\"");
    world.run(&["--check-config"]).exit(78).error("is the freshness-cell of sheet \"port-sheet\" as well");
}
