//! Rows whose booking left the source: flagged, archived or deleted. A row that is removed takes people's cells along, so
//! it is always the right one, whatever people do at that moment.

use google_standin::Fault;
use serde_json::{Value, json};
use support::{Builder, World};

use crate::interference::{killed_after_its_write, meanwhile, rows};
use crate::world;

pub const HEADER: &str = "booking_id,vessel,arrival,nights";

/// Without B-102.
pub const LEFT: [&str; 3] = [HEADER, "B-101,Alma,2026-05-13,3", "B-103,Cirrus,2026-05-15,5"];

pub const ARCHIVE: &str = "Port sheet archive";

pub fn removing(policy: &str) -> Builder {
    world().policy(&format!("on-missing = {policy:?}")).policy("max-shrink = \"100%\"")
}

/// In step, with notes, a formula beside each booking, and a row of people's own.
pub fn synced(policy: &str) -> World {
    let world = removing(policy).build();
    world.run(&[]).exit(0);
    for (cell, text) in [
        ("F1", "Notes"),
        ("G1", "Double"),
        ("F2", "window seat"),
        ("F3", "call the agent"),
        ("F4", "late"),
        ("G2", "=D2*2"),
        ("G3", "=D3*2"),
        ("G4", "=D4*2"),
        ("F6", "remember the fireworks"),
    ] {
        world.person_writes(cell, text);
    }
    world.clear_requests();
    world
}

/// The rows that hold anything, in the order of their text: people may have moved them.
pub fn filled(rows: Vec<Vec<Value>>) -> Vec<Vec<Value>> {
    let mut rows: Vec<_> = rows.into_iter().filter(|row| row.iter().any(|cell| cell != "")).collect();
    rows.sort_by_key(|row| format!("{row:?}"));
    rows
}

/// Key and note of every row.
pub fn notes(world: &World) -> Vec<Vec<Value>> {
    let cell = |row: &[Value], at: usize| row.get(at).cloned().unwrap_or(json!(""));
    filled(world.rows().iter().skip(1).map(|row| vec![cell(row, 0), cell(row, 5)]).collect())
}

/// The rows without the formulas beside them: in the stand-in, those of a row that a person moves do not follow it.
pub fn plain(rows: Vec<Vec<Value>>) -> Vec<Vec<Value>> {
    filled(rows.into_iter().map(|row| row.into_iter().take(6).collect()).collect())
}

pub fn in_step(world: &World) {
    world.clear_requests();
    world.run(&[]).exit(0);
    assert_eq!(world.counts().writes, 0, "a second run has nothing to do");
    assert!(!world.tabs().iter().any(|tab| tab.contains("being removed")), "{:?}", world.tabs());
}

#[test]
fn a_row_that_a_person_entered_under_a_key_of_their_own_is_never_taken_away() {
    for policy in ["archive", "delete"] {
        let world = synced(policy);
        world.person_writes("A7", "WALK-IN");
        world.person_writes("B7", "Vega");
        world.person_writes("F7", "pays in cash");
        world.write_source(&LEFT);
        let run = world.run(&["--json"]);
        let sheet = run.exit(0).sheet();
        assert_eq!(sheet["removed"], json!(1), "{policy}");
        let told = "entered by a user, never in the source, left alone: row 7 (WALK-IN)";
        assert!(sheet["notes"].to_string().contains(told), "{policy}: {}", sheet["notes"]);
        let entered = |world: &World| {
            world
                .rows()
                .into_iter()
                .find(|row| row.first().is_some_and(|key| key == "WALK-IN"))
                .map(|row| (row[1].clone(), row[5].clone()))
        };
        assert_eq!(entered(&world), Some((json!("Vega"), json!("pays in cash"))), "{policy}");
        in_step(&world);
        world.write_source(&[HEADER, "B-101,Alma,2026-05-13,3", "WALK-IN,Vega,2026-05-16,2"]);
        world.run(&[]).exit(0);
        world.write_source(&LEFT[..2]);
        world.run(&[]).exit(0);
        assert_eq!(entered(&world), None, "{policy}: it was in the source, and left it");
    }
}

#[test]
fn a_row_that_a_killed_run_added_is_taken_away_when_its_booking_is_gone_by_then() {
    for policy in ["archive", "delete"] {
        let world = synced(policy);
        let (head, before) = (&LEFT[..2], "B-102,Borea,2026-05-14,2");
        world.write_source(&[head, &[before, LEFT[2], "B-104,Dione,2026-05-16,1"]].concat());
        killed_after_its_write(&world);
        let stands = || world.rows().iter().any(|row| row.first().is_some_and(|key| key == "B-104"));
        assert!(stands(), "{policy}");
        world.write_source(&[head, &[before, LEFT[2]]].concat());
        world.run(&[]).exit(0);
        assert!(!stands(), "{policy}");
        in_step(&world);
    }
}

#[test]
fn an_archived_row_takes_everything_along_and_leaves_nothing_behind() {
    let world = synced("archive");
    world.write_source(&LEFT);
    let run = world.run(&["--json"]);
    assert_eq!((&run.exit(0).sheet()["removed"], &run.sheet()["verified"]), (&json!(1), &json!(true)));
    let archive = world.rows_as(ARCHIVE, "FORMULA");
    assert_eq!(
        archive[0],
        ["Archived", "Booking", "Vessel", "Arrival", "Nights", "", "Notes", "Double"].map(Value::from)
    );
    let mark = archive[1][0].as_str().unwrap();
    assert!(mark.starts_with("20") && mark.ends_with(" row 3 B-102"), "{mark}");
    assert_eq!(
        archive[1][1..],
        [
            json!("B-102"),
            json!("Borea"),
            json!(46156),
            json!(2),
            json!(""),
            json!("call the agent"),
            json!("=E2*2")
        ]
    );
    assert_eq!(archive.len(), 2);
    let kept = [["", "remember the fireworks"], ["B-101", "window seat"], ["B-103", "late"]];
    assert_eq!(notes(&world), kept.map(|row| row.map(Value::from).to_vec()));
    in_step(&world);
}

#[test]
fn a_deleted_row_is_gone_and_its_cells_are_in_the_journal() {
    let world = synced("delete");
    world.write_source(&LEFT);
    assert_eq!(world.run(&["--json"]).exit(0).sheet()["removed"], json!(1));
    assert_eq!(world.tabs(), ["Port sheet"]);
    assert_eq!(world.rows()[2][0], json!("B-103"));
    let journal: String = world
        .snapshot(&world.path("state/journal"))
        .into_values()
        .map(|content| String::from_utf8(content.bytes).unwrap())
        .filter(|text| text.contains("\"remove\""))
        .collect();
    assert!(journal.contains("call the agent") && journal.contains("=D3*2"), "{journal}");
    in_step(&world);
}

/// What people may do while the request that removes a row is under way: each makes another row stand in its place.
fn upheavals(tab: i64) -> [Value; 3] {
    let mut own = rows(2, 3, tab);
    own["startIndex"] = json!(5);
    own["endIndex"] = json!(6);
    [
        json!([{"moveDimension": {"source": rows(3, 4, tab), "destinationIndex": 1}}]),
        json!([{"insertDimension": {"range": rows(1, 2, tab)}}]),
        json!([{"moveDimension": {"source": own, "destinationIndex": 2}}]),
    ]
}

#[test]
fn a_row_that_moved_at_the_moment_of_removal_is_put_back_and_the_right_one_removed() {
    for policy in ["archive", "delete"] {
        for upheaval in 0..3 {
            let world = synced(policy);
            let seen = if upheaval == 1 { filled } else { plain };
            let expected: Vec<_> =
                seen(world.rows()).into_iter().filter(|row| row.first() != Some(&json!("B-102"))).collect();
            world.write_source(&LEFT);
            let moved = upheavals(world.tab_id())[upheaval].clone();
            let run = meanwhile(&world, "POST", ":batchUpdate", 1, || world.person_edits(&moved));
            let notes = run.exit(0).sheet()["notes"].to_string();
            assert!(notes.contains("people came in between; repaired"), "{policy} {upheaval}: {notes}");
            assert_eq!(seen(world.rows()), expected, "{policy} {upheaval}");
            if policy == "archive" {
                let archive = world.rows_as(ARCHIVE, "UNFORMATTED_VALUE");
                let keys: Vec<_> = archive.iter().map(|row| row[1].clone()).collect();
                assert_eq!(keys, ["Booking", "B-102"].map(Value::from), "{upheaval}");
            }
            in_step(&world);
        }
    }
}

#[test]
fn a_row_that_moved_before_it_was_removed_is_looked_for_again() {
    let world = synced("delete");
    world.write_source(&LEFT);
    let moved = upheavals(world.tab_id())[0].clone();
    // Two reads of the sheet; the third is of the row, just before it goes.
    meanwhile(&world, "GET", "/v4/", 3, || world.person_edits(&moved)).exit(0);
    assert_eq!(world.rows().iter().filter(|row| row.first() == Some(&json!("B-102"))).count(), 0);
    assert_eq!(notes(&world).len(), 3);
    in_step(&world);
}

/// The writes that a removal takes, each lost on the way back, and each never arrived.
#[test]
fn a_removal_whose_answer_is_lost_is_made_exactly_once() {
    for policy in ["archive", "delete"] {
        let undisturbed = synced(policy);
        undisturbed.write_source(&LEFT);
        undisturbed.run(&[]).exit(0);
        for nth in 1..=undisturbed.counts().writes as u64 {
            for (apply_then_reset, reset) in [(true, false), (false, true)] {
                let world = synced(policy);
                world.write_source(&LEFT);
                let (method, path) = (Some("POST".into()), Some("^/v4/".into()));
                world.fault(Fault { method, path, nth, apply_then_reset, reset, ..Fault::default() });
                world.run(&[]).exit(0);
                let same = |tab| {
                    assert_eq!(
                        world.rows_as(tab, "FORMULA"),
                        undisturbed.rows_as(tab, "FORMULA"),
                        "{policy}, write {nth}"
                    )
                };
                undisturbed.tabs().iter().for_each(|tab| same(tab));
                in_step(&world);
            }
        }
    }
}

#[test]
fn a_booking_that_comes_back_is_brought_back_exactly_once_when_the_answer_is_lost() {
    for (apply_then_reset, reset) in [(true, false), (false, true)] {
        let world = synced("archive");
        world.write_source(&LEFT);
        world.run(&[]).exit(0);
        world.write_source(&support::BOOKINGS);
        let (method, path) = (Some("POST".into()), Some("^/v4/".into()));
        world.fault(Fault { method, path, apply_then_reset, reset, ..Fault::default() });
        world.run(&[]).exit(0);
        assert_eq!((world.rows()[2][5].clone(), notes(&world).len()), (json!("call the agent"), 4));
        in_step(&world);
    }
}

#[test]
fn thousands_of_rows_are_removed_and_the_others_keep_their_notes() {
    let all: Vec<String> =
        (0..2_400).map(|number| format!("B-{number},Vessel {number},2026-05-13,{number}")).collect();
    let source = |keep: fn(usize) -> bool| -> Vec<&str> {
        let kept =
            all.iter().enumerate().filter(move |(number, _)| keep(*number)).map(|(_, line)| line.as_str());
        std::iter::once(HEADER).chain(kept).collect()
    };
    for policy in ["archive", "delete"] {
        let world = removing(policy).build();
        world.write_source(&source(|_| true));
        world.process(&[]).without_trace().run().exit(0);
        world.person_writes("F1", "Notes");
        world.person_writes("F1003", "kept");
        world.person_writes("F1002", "gone");
        // Every other row of the upper part, and a whole block below.
        world.write_source(&source(|number| number % 2 == 1 && number < 1_600));
        let run = world.process(&["--json"]).without_trace().run();
        assert_eq!(run.exit(0).sheet()["removed"], json!(1_600), "{policy}");
        let rows = world.rows();
        assert_eq!(rows.len(), 801);
        assert_eq!((&rows[501][0], &rows[501][5]), (&json!("B-1001"), &json!("kept")));
        if policy == "archive" {
            let archive = world.rows_as(ARCHIVE, "UNFORMATTED_VALUE");
            assert_eq!(archive.len(), 1_601);
            assert!(archive.iter().any(|row| row[1] == "B-1000" && row[6] == "gone"));
        }
        in_step(&world);
    }
}

#[test]
fn a_source_that_lost_too_much_removes_nothing() {
    for policy in ["archive", "delete", "flag"] {
        let world = world().policy(&format!("on-missing = {policy:?}")).build();
        world.run(&[]).exit(0);
        world.write_source(&LEFT[..2]);
        world.clear_requests();
        world.run(&[]).exit(65).error("the source lost 2 of 3 bookings");
        assert_eq!(world.counts().writes, 0);
        world.run(&["--allow-shrink"]).exit(0);
    }
}

#[test]
fn nothing_is_removed_while_a_row_of_the_source_has_no_readable_key() {
    let world = synced("delete");
    world.write_source(&[
        HEADER,
        "B-101,Alma,2026-05-13,3",
        ",Borea,2026-05-14,2",
        "B-103,Cirrus,2026-05-15,5",
    ]);
    let run = world.run(&["--json"]);
    let notes = run.exit(65).sheet()["notes"].to_string();
    assert!(notes.contains("1 bookings of the sheet are not in the source; they are not removed"), "{notes}");
    assert_eq!(world.rows()[2][0], json!("B-102"));
}

/// The format of `A3` as Google describes it.
fn format(world: &World) -> Value {
    let data = world.sheets("sheets(data(rowData(values(userEnteredFormat))))&ranges=A3");
    data[0]["data"][0]["rowData"][0]["values"][0]["userEnteredFormat"].clone()
}

#[test]
fn a_flagged_row_is_struck_through_and_keeps_what_people_chose_for_its_cells() {
    let world = world().build();
    world.run(&[]).exit(0);
    let cell = json!({"userEnteredFormat": {"textFormat": {"bold": true}, "horizontalAlignment": "CENTER"}});
    let range = json!({"sheetId": world.tab_id(), "startRowIndex": 2, "endRowIndex": 3, "startColumnIndex": 0, "endColumnIndex": 1});
    world.person_edits(&json!([{"repeatCell": {"range": range, "cell": cell, "fields": "userEnteredFormat(textFormat.bold,horizontalAlignment)"}}]));
    let before = format(&world);
    world.write_source(&LEFT);
    world.run(&[]).exit(0);
    let flagged = format(&world);
    assert_eq!(flagged["textFormat"], json!({"bold": true, "strikethrough": true}));
    assert_eq!(flagged["horizontalAlignment"], json!("CENTER"));
    world.write_source(&support::BOOKINGS);
    world.run(&[]).exit(0);
    let mut after = format(&world);
    assert_ne!(after["textFormat"]["strikethrough"], json!(true));
    after["textFormat"].as_object_mut().unwrap().remove("strikethrough");
    assert_eq!(after, before);
}

/// A range names its tab, in up to nine bytes a character, and Google takes 8 KB of URL.
#[test]
fn many_rows_leave_a_tab_with_a_long_title() {
    for policy in ["delete", "archive"] {
        let world = removing(policy).build();
        let title = "予約一覧表".repeat(8);
        world.person_edits(&json!([{"updateSheetProperties": {
            "properties": {"sheetId": world.tab_id(), "title": title}, "fields": "title"
        }}]));
        world.replace_in_config("tab = \"Port sheet\"", &format!("tab = {title:?}"));
        let bookings = |step: usize| {
            let lines =
                (0..120).step_by(step).map(|number| format!("B-{number:03},Alma,2026-05-13,{number}"));
            std::iter::once(HEADER.to_owned()).chain(lines).collect::<Vec<String>>()
        };
        for (step, rows) in [(1, 120), (2, 60)] {
            let lines = bookings(step);
            world.write_source(&lines.iter().map(String::as_str).collect::<Vec<_>>());
            world.process(&[]).without_trace().run().exit(0);
            assert_eq!(filled(world.rows_of(&title)).len(), rows + 1);
        }
        assert!(world.requests().iter().all(|request| request.status != Some(414)));
    }
}
