//! The fast path: where the file's version proves that nothing changed, a run ends after one small request. In any doubt
//! the sheet is read.

use google_standin::{Fault, Person};
use serde_json::{Value, json};
use support::{Builder, Run, World};

use crate::world;

const SHEETS: &str = "https://www.googleapis.com/auth/spreadsheets";
const METADATA: &str = "https://www.googleapis.com/auth/drive.metadata.readonly";

fn granted(scopes: &[&str]) -> Builder {
    let scopes = Some(scopes.iter().map(|scope| (*scope).to_owned()).collect());
    world().person(Person { scopes, ..Person::default() })
}

/// A sheet in step whose credential may ask Drive, seen whole once.
fn proven() -> World {
    proven_as(granted(&[SHEETS, METADATA]))
}

fn proven_as(builder: Builder) -> World {
    let world = builder.build();
    world.run(&[]).exit(0);
    world.clear_requests();
    world
}

/// Requests of the Drive API.
fn drive(world: &World) -> usize {
    world.requests().iter().filter(|request| request.path.starts_with("/drive/")).count()
}

/// Runs with exit code 0: Drive, read and write requests of this run.
fn requests(world: &World) -> (usize, usize, usize) {
    world.clear_requests();
    let run = world.run(&["--json"]);
    let sheet = run.exit(0).sheet();
    let counts = world.counts();
    let all = json!((drive(world) + counts.reads, counts.writes));
    assert_eq!(json!((&sheet["reads"], &sheet["writes"])), all, "every request is counted");
    assert_eq!(sheet["verified"], json!(true));
    assert_eq!(sheet["fast_path"], json!(counts.reads == 0));
    (drive(world), counts.reads, counts.writes)
}

/// One request and no more.
const ENDED_EARLY: (usize, usize, usize) = (1, 0, 0);

/// The version, the tab's header, its rows.
const READ: (usize, usize, usize) = (1, 2, 0);

#[test]
fn an_unchanged_file_and_an_unchanged_source_cost_one_request_of_less_than_a_kilobyte() {
    let world = proven();
    assert_eq!(requests(&world), ENDED_EARLY);
    let sent = world.requests();
    let request = sent.iter().find(|request| request.path.starts_with("/drive/")).unwrap();
    assert_eq!((request.method.as_str(), &request.body), ("GET", &Value::Null));
    assert_eq!(request.path, format!("/drive/v3/files/{}", world.spreadsheet));
    assert_eq!(request.query, "fields=version&prettyPrint=false&supportsAllDrives=true");
    assert_eq!(sent.len(), 2, "the other one refreshed the token");
}

#[test]
fn the_result_of_the_fast_path_is_that_of_a_full_reading() {
    let world = proven();
    let run = world.run(&["--json", "-v"]);
    let sheet = run.exit(0).sheet();
    assert_eq!(
        (&sheet["source_rows"], &sheet["unchanged"], &sheet["added"]),
        (&json!(3), &json!(3), &json!(0))
    );
    let told = world.run(&["-v"]);
    assert!(
        told.stderr.contains("proven by the file's version")
            || told.stdout.contains("proven by the file's version")
    );
}

#[test]
fn without_a_scope_of_drives_no_request_is_ever_sent_there() {
    let world = proven_as(granted(&[SHEETS]));
    for _ in 0..2 {
        assert_eq!(requests(&world), (0, 2, 0));
    }
}

#[test]
fn a_service_account_asks_drive_where_the_configuration_names_the_scope() {
    let world = world().service_account().build();
    world.run(&[]).exit(0);
    assert_eq!(requests(&world), (0, 2, 0));
    world.replace_in_config(
        "file = \"port-sheet.json\"",
        &format!("file = \"port-sheet.json\"\nscopes = [{SHEETS:?}, {METADATA:?}]"),
    );
    assert_eq!(requests(&world), READ);
    assert_eq!(requests(&world), ENDED_EARLY);
}

#[test]
fn a_persons_edit_is_read_and_put_back() {
    let world = proven();
    world.person_writes("B2", "Anna");
    let run = world.run(&["--json"]);
    assert_eq!(run.exit(0).sheet()["drifted"], json!(1));
    assert_eq!(world.rows()[1][1], json!("Alma"));
}

#[test]
fn a_version_that_moved_on_its_own_is_read_once_and_proves_again() {
    let world = proven();
    world.server.move_version(&world.spreadsheet);
    assert_eq!(requests(&world), READ);
    assert_eq!(requests(&world), ENDED_EARLY);
}

#[test]
fn a_changed_source_is_written_and_seen_whole_so_that_the_next_run_is_fast() {
    let world = proven();
    world.write_source(&crate::outage::NEWER);
    assert_eq!(requests(&world), (2, 4, 2), "the version before each of the two readings");
    assert_eq!(json!(world.rows()), crate::outage::newest_rows());
    assert_eq!(requests(&world), ENDED_EARLY);
}

#[test]
fn other_rules_are_read_for() {
    let world = proven();
    world.replace_in_config("header = \"Vessel\"", "header = \"Ship\"");
    world.run(&[]).exit(0);
    assert_eq!(world.rows()[0][4], json!("Ship"));
    world.replace_in_config("tab = ", "on-edit = \"keep\"\ntab = ");
    assert_eq!(requests(&world), READ);
}

#[test]
fn a_day_later_the_sheet_is_read_whole() {
    let world = proven();
    let later = |hours: i64| {
        let now = chrono::Utc::now() + chrono::TimeDelta::hours(hours);
        let now = now.format("%Y-%m-%d %H:%M:%S").to_string();
        world.clear_requests();
        world.process(&[]).at(&now).run().exit(0);
        world.counts().reads
    };
    world.server.advance_clock(23 * 3600);
    assert_eq!(later(23), 0);
    world.server.advance_clock(2 * 3600);
    assert_eq!(later(25), 2);
    world.replace_in_config("tab = ", "full-read-every = \"0s\"\ntab = ");
    for _ in 0..2 {
        assert_eq!(requests(&world), (0, 2, 0), "the fast path is switched off");
    }
}

/// Whatever Drive answers, the sheet is read and the run is a success.
#[track_caller]
fn reads_although_drive(fault: Fault, told: &str) {
    let world = proven();
    world.fault(Fault { path: Some("^/drive/".into()), ..fault });
    let run = world.run(&["--json"]);
    let notes = run.exit(0).sheet()["notes"].to_string();
    assert!(notes.contains("Drive did not give the file's version, so the sheet was read"), "{notes}");
    assert!(notes.contains(told), "{told:?} is not in {notes}");
    assert_eq!(world.counts().reads, 2);
    world.server.clear_faults();
    assert_eq!(requests(&world), READ, "nothing was proven");
    assert_eq!(requests(&world), ENDED_EARLY);
}

#[test]
fn a_refusal_of_drives_is_told_and_the_sheet_is_read() {
    let refusal = |code: u16, message: &str| {
        let body = json!({"error": {"code": code, "message": message, "errors": [{"message": message, "domain": "global", "reason": "x"}]}});
        Fault { status: Some(code), body: Some(body), ..Fault::default() }
    };
    let disabled = "Google Drive API has not been used in project 1 before or it is disabled.";
    reads_although_drive(refusal(403, disabled), disabled);
    reads_although_drive(refusal(404, "File not found: x."), "404 : File not found");
    reads_although_drive(refusal(500, "Internal Error"), "500");
    reads_although_drive(
        Fault { body: Some(json!("<html>hello</html>")), ..Fault::default() },
        "is not JSON",
    );
    reads_although_drive(Fault { body: Some(json!({})), ..Fault::default() }, "is not JSON");
    reads_although_drive(Fault { reset: true, ..Fault::default() }, "client error");
}

#[test]
fn a_file_that_drive_does_not_show_is_read() {
    // drive.file reaches only files that the app made itself, and a person made this one.
    let world = proven_as(granted(&[SHEETS, "https://www.googleapis.com/auth/drive.file"]));
    let run = world.run(&["--json"]);
    assert!(run.exit(0).sheet()["notes"].to_string().contains("404"), "{}", run.stdout);
}

#[test]
fn a_failed_run_proves_nothing() {
    let world = proven();
    world.write_source(&["booking_id,vessel,arrival,nights", "B-101,Alma,soon,3"]);
    world.run(&[]).exit(65);
    world.write_source(&support::BOOKINGS);
    assert_eq!(requests(&world), READ);
    assert_eq!(requests(&world), ENDED_EARLY);
}

#[test]
fn drift_that_is_kept_is_counted_on_every_run() {
    let world = proven_as(granted(&[SHEETS, METADATA]).policy("on-edit = \"keep\""));
    world.person_writes("B2", "Anna");
    for _ in 0..2 {
        let run: Run = world.run(&["--json"]);
        assert_eq!(run.exit(0).sheet()["drifted"], json!(1));
    }
}

#[test]
fn a_lost_base_and_an_open_journal_are_doubts() {
    let world = proven();
    world.remove(&world.state().join("spool/port-sheet.base"));
    assert_eq!(
        requests(&world),
        (2, 4, 2),
        "number formats are set again, since nothing tells that they are"
    );
    assert_eq!(requests(&world), ENDED_EARLY);
    world.write("state/journal/port-sheet/01J-0.pending.jsonl", b"");
    assert_eq!(requests(&world), READ);
    assert_eq!(requests(&world), ENDED_EARLY);
}

#[test]
fn an_undo_leaves_no_proof_even_if_the_version_should_not_move_at_once() {
    let world = proven();
    world.write_source(&crate::outage::NEWER);
    let run = world.run(&["--json"]).exit(0).json()["run"].as_str().unwrap().to_owned();
    let proof = world.state().join("spool/port-sheet.proof");
    world.run(&["--undo", &run, "--dry-run"]).exit(0);
    assert!(proof.exists(), "nothing was written");
    world.run(&["--undo", &run]).exit(0);
    assert!(!proof.exists());
}

#[test]
fn a_damaged_proof_is_none() {
    let world = proven();
    world.write("state/spool/port-sheet.proof", b"{\"version\":");
    assert_eq!(requests(&world), READ);
    assert_eq!(requests(&world), ENDED_EARLY);
}

#[test]
fn an_edit_between_the_version_and_the_reading_is_found_by_the_next_run() {
    let world = proven();
    world.server.move_version(&world.spreadsheet);
    let headers = [("Retry-After".to_owned(), "1".to_owned())].into();
    let fault = Fault { status: Some(429), headers, path: Some("batchGet".into()), ..Fault::default() };
    world.fault(fault);
    world.clear_requests();
    let running = world.process(&["--json"]).spawn();
    world.server.wait_for_request("batchGet", 1).unwrap();
    world.person_writes("F5", "a note that no owned column holds");
    assert_eq!(running.wait().exit(0).sheet()["drifted"], json!(0));
    assert_eq!(requests(&world), READ, "the version is newer than the one that was kept");
    assert_eq!(requests(&world), ENDED_EARLY);
}

#[test]
fn an_edit_during_a_write_that_was_not_followed_by_a_whole_reading_is_found_by_the_next_run() {
    // Forty thousand rows of five columns and their status are more than one request reads.
    let header = "row,a,b,c,d".to_owned();
    let row = |number: usize, d: usize| format!("{number},a{number},b,c,{d}");
    let lines = |d: usize| {
        let rows = (0..40_000).map(|number| row(number, if number == 7 { d } else { 0 }));
        std::iter::once(header.clone()).chain(rows).collect::<Vec<_>>().join("\n")
    };
    let world = granted(&[SHEETS, METADATA]).csv_bytes(lines(0)).key(&["row"]).columns(&[]).build();
    world.server.quota(0, 0);
    world.process(&[]).without_trace().run().exit(0);
    assert_eq!(requests(&world), ENDED_EARLY, "a full load is read whole");
    world.write("export.csv", lines(1).as_bytes());
    let headers = [("Retry-After".to_owned(), "1".to_owned())].into();
    world.fault(Fault {
        status: Some(429),
        headers,
        path: Some("^/v4/.*:batchUpdate".into()),
        ..Fault::default()
    });
    world.clear_requests();
    let running = world.process(&["--json"]).without_trace().spawn();
    world.server.wait_for_request("^POST /v4", 1).unwrap();
    world.person_writes("B30000", "a person's edit, behind what was read");
    assert_eq!(running.wait().exit(0).sheet()["drifted"], json!(0));
    let run = world.process(&["--json"]).without_trace().run();
    assert_eq!(run.exit(0).sheet()["drifted"], json!(1), "it is not hidden behind a newer version");
}

#[test]
fn a_dry_run_reads_and_leaves_the_proof() {
    let world = proven();
    world.run(&["--dry-run"]).exit(0);
    assert_eq!((drive(&world), world.counts().reads), (0, 2));
    assert_eq!(requests(&world), ENDED_EARLY);
}

/// Measured when everything but the answer of the one request is behind it.
#[test]
fn a_hundred_thousand_bookings_that_did_not_change_take_32_mib() {
    for data in test_data::hotel_bookings() {
        let bookings = test_data::numbered(&data.csv, None);
        let world = granted(&[SHEETS, METADATA]).csv_bytes(bookings).key(&["row"]).columns(&[]).build();
        world.server.quota(0, 0);
        world.process(&[]).without_trace().killed_after(std::time::Duration::from_secs(600)).run().exit(0);
        assert_eq!(requests(&world), ENDED_EARLY, "{}", data.name);
        world.clear_requests();
        // Of its own: a debug build's code alone would fill it. The bench holds the release build's whole memory to the
        // same.
        world.process(&[]).without_trace().memory_limit(32 * 1024 * 1024).run().exit(0);
        assert_eq!(requests(&world), ENDED_EARLY, "{}", data.name);
    }
}

#[test]
fn a_run_that_is_killed_at_any_request_leaves_no_false_proof() {
    let builder = || granted(&[SHEETS, METADATA]);
    crate::crash::same_after_a_kill_at_every_request(builder, crate::crash::changed, 8);
}
