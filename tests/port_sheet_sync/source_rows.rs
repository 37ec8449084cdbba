//! Rows of the source that are bad: the others arrive, and these are reported by their lines.

use serde_json::{Value, json};
use support::World;

use crate::outage::{NEWER, Outage};
use crate::world;

/// The good rows of these lines are in the sheet, these problems are reported, and the exit code is 65.
#[track_caller]
fn is_quarantined(lines: &[&str], problems: &[&str], good: &Value) -> World {
    let world = world().build();
    world.write_source(lines);
    let run = world.run(&["--json"]);
    let sheet = run.exit(65).sheet();
    assert_eq!(sheet["problems"], json!(problems));
    assert_eq!((&sheet["rejected"], &sheet["verified"]), (&json!(problems.len()), &json!(true)));
    let rejected = world.state().join("spool/port-sheet.rejected.csv");
    let rows = if problems.len() == 1 { "1 row".to_owned() } else { format!("{} rows", problems.len()) };
    run.error(&format!("{rows} could not be used, the others are in step: ")).error(problems[0]);
    run.hint(&format!(
        "correct them in the source; all refused rows of the source are listed in {}",
        rejected.display()
    ));
    assert_eq!(world.read_text(&rejected).lines().count(), problems.len() + 1);
    assert_eq!(json!(world.rows()[1..]), *good);
    world
}

#[test]
fn a_bad_date_or_number_keeps_its_row_back_and_no_other() {
    let lines = [
        NEWER[0],
        "B-1,Alma,2026-02-30,3",
        "B-2,Borea,2026-05-14,2",
        "B-3,Cirrus,13.05.2026,5",
        "B-4,Dorado,2026-05-14,two",
        "B-5,Elba,soon,many",
    ];
    let problems = [
        "line 2: field \"arrival\" \"2026-02-30\" is not a date such as 2026-05-13",
        "line 4: field \"arrival\" \"13.05.2026\" is not a date such as 2026-05-13",
        "line 5: field \"nights\" \"two\" is not a whole number",
        "line 6: field \"arrival\" \"soon\" is not a date such as 2026-05-13; field \"nights\" \"many\" is not a whole number",
    ];
    is_quarantined(&lines, &problems, &json!([["B-2", "Borea", 46156, 2]]));
}

#[test]
fn ragged_rows_are_told_by_their_lines() {
    let lines = [NEWER[0], "B-1,Alma,2026-05-14", "B-2,Borea,2026-05-14,2", "B-3,Cirrus,2026-05-14,2,extra"];
    let problems =
        ["line 2: has 3 fields where the header has 4", "line 4: has 5 fields where the header has 4"];
    is_quarantined(&lines, &problems, &json!([["B-2", "Borea", 46156, 2]]));
}

#[test]
fn lines_are_counted_as_an_editor_counts_them() {
    let lines = [NEWER[0], "B-1,\"Alma", "the second\",2026-05-14,2", "", "B-2,Borea,never,2"];
    let problems = ["line 5: field \"arrival\" \"never\" is not a date such as 2026-05-13"];
    is_quarantined(&lines, &problems, &json!([["B-1", "Alma\nthe second", 46156, 2]]));
}

#[test]
fn a_nul_character_is_told_by_its_line() {
    let lines = [NEWER[0], "B-1,Al\0ma,2026-05-14,2", "B-2,Borea,2026-05-14,2"];
    let problems = ["line 2: field \"vessel\" holds a NUL character, which Sheets cannot store"];
    is_quarantined(&lines, &problems, &json!([["B-2", "Borea", 46156, 2]]));
}

#[test]
fn bytes_that_are_not_utf_8_are_told_by_their_line() {
    let world = world().build();
    let mut bytes = format!("{}\nB-1,Alma,2026-05-14,2\n", NEWER[0]).into_bytes();
    bytes.extend_from_slice(b"B-2,M\xf6we,2026-05-14,2\n");
    world.write("export.csv", &bytes);
    let run = world.run(&["--json"]);
    run.exit(65).error("line 3: is not UTF-8; export the file as UTF-8, or name its encoding");
    assert_eq!(json!(world.rows()[1..]), json!([["B-1", "Alma", 46156, 2]]));
}

#[test]
fn rows_that_claim_one_key_are_all_kept_back_with_their_lines() {
    let lines = [
        NEWER[0],
        "B-1,Alma,2026-05-14,2",
        "B-2,Borea,2026-05-14,2",
        "B-1,Cirrus,2026-05-14,2",
        "B-1,Dorado,2026-05-14,2",
    ];
    let problems = [
        "line 2: its key \"B-1\" is also on line 4",
        "line 4: its key \"B-1\" is also on line 2",
        "line 5: its key \"B-1\" is also on line 2",
    ];
    is_quarantined(&lines, &problems, &json!([["B-2", "Borea", 46156, 2]]));
}

#[test]
fn a_blank_key_is_told_with_its_field() {
    let lines = [NEWER[0], ",Alma,2026-05-14,2", "  ,Borea,2026-05-14,2", "B-3,Cirrus,2026-05-14,2"];
    let problems = ["line 2: its key is blank (booking_id)", "line 3: its key is blank (booking_id)"];
    is_quarantined(&lines, &problems, &json!([["B-3", "Cirrus", 46156, 2]]));
}

#[test]
fn a_booking_that_turned_bad_keeps_its_row_in_the_sheet() {
    let world = world().build();
    world.run(&[]).exit(0);
    let before = world.rows();
    world.write_source(&[NEWER[0], "B-101,Alma,gone,3", support::BOOKINGS[2], support::BOOKINGS[3]]);
    let sheet = world.run(&["--json"]).exit(65).sheet();
    assert_eq!((&sheet["removed"], &sheet["rejected"]), (&json!(0), &json!(1)), "bad is not gone");
    assert_eq!(world.rows(), before);
}

#[test]
fn a_source_mended_by_a_person_is_in_step_with_the_next_run() {
    let lines = [NEWER[0], "B-1,Alma,2026-02-30,3"];
    let problems = ["line 2: field \"arrival\" \"2026-02-30\" is not a date such as 2026-05-13"];
    let world = is_quarantined(&lines, &problems, &json!([]));
    world.write_source(&[NEWER[0], "B-1,Alma,2026-02-28,3"]);
    world.run(&[]).exit(0);
    assert_eq!(json!(world.rows()[1..]), json!([["B-1", "Alma", 46081, 3]]));
}

#[test]
fn on_bad_row_fail_writes_nothing() {
    let outage = Outage::of(world().policy("on-bad-row = \"fail\""));
    let world = &outage.world;
    let bad = [NEWER[0], NEWER[1], NEWER[2], NEWER[3], NEWER[4], "B-105,Elba,never,1"];
    world.write_source(&bad);
    let run = outage.fails(65);
    run.error("nothing was written, because rows are bad and on-bad-row is \"fail\": line 6: field \"arrival\" \"never\" is not a date");
    run.hint_with("correct them in the source; all are listed in ");
    assert_eq!(world.counts().writes, 0);
    world.write_source(&NEWER);
    outage.heals();
}
