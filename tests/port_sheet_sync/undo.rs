//! `--history` and `--undo RUN`: what a run did can be seen and put back, cell for cell, where no one changed it since.

use std::time::{Duration, SystemTime};

use google_standin::{Fault, Stall};
use serde_json::{Value, json};
use support::{Run, World};

use crate::crash::killing_at_write;
use crate::interference::rows;
use crate::world;

pub const BEFORE: [&str; 4] = support::BOOKINGS;

/// Two cells of B-101 changed, B-102 left, B-104 is new.
pub const AFTER: [&str; 4] = [
    "booking_id,vessel,arrival,nights",
    "B-101,Alma II,2026-05-13,7",
    "B-103,Cirrus,2026-05-15,5",
    "B-104,Dorado,2026-05-17,1",
];

const POLICIES: [&str; 4] = ["keep", "flag", "archive", "delete"];

pub fn of(policy: &str) -> World {
    let world = world().policy(&format!("on-missing = {policy:?}")).policy("max-shrink = \"100%\"").build();
    world.server.quota(0, 0);
    world
}

/// In step, with people's notes and formulas beside the bookings.
pub fn synced(policy: &str) -> World {
    let world = of(policy);
    world.run(&[]).exit(0);
    for (cell, text) in [
        ("G1", "Notes"),
        ("H1", "Double"),
        ("G2", "window seat"),
        ("G3", "call the agent"),
        ("H3", "=D3*2"),
        ("G7", "fireworks"),
    ] {
        world.person_writes(cell, text);
    }
    world
}

/// Every cell of every tab that people see, formulas as formulas.
pub fn picture(world: &World) -> Vec<(String, Vec<Vec<Value>>)> {
    let tab = |tab: String| {
        let rows = world.rows_as(&tab, "FORMULA");
        (tab, rows)
    };
    world.tabs().into_iter().map(tab).collect()
}

/// Runs and returns the run's name.
pub fn run_with(world: &World, source: &[&str]) -> String {
    world.write_source(source);
    let run = world.run(&["--json"]);
    run.exit(0).json()["run"].as_str().unwrap().to_owned()
}

pub fn undo(world: &World, run: &str) -> Run {
    world.run(&["--json", "--undo", run])
}

#[test]
fn undoing_a_run_of_any_kind_restores_the_sheet_cell_for_cell_and_undoing_that_brings_it_back() {
    for policy in POLICIES {
        let world = synced(policy);
        let before = world.rows_as(support::TAB, "FORMULA");
        let run = run_with(&world, &AFTER);
        let after = world.rows_as(support::TAB, "FORMULA");
        assert_ne!(before, after);
        let undone = undo(&world, &run);
        assert_eq!(
            (&undone.exit(0).sheet()["verified"], &undone.sheet()["problems"]),
            (&json!(true), &json!([]))
        );
        assert_eq!(world.rows_as(support::TAB, "FORMULA"), before, "{policy}");
        assert!(!world.tabs().iter().any(|tab| tab.contains("being removed")));
        let name = undone.json()["run"].as_str().unwrap().to_owned();
        undo(&world, &name).exit(0);
        assert_eq!(world.rows_as(support::TAB, "FORMULA"), after, "{policy}, undone twice");
    }
}

#[test]
fn undoing_the_first_load_leaves_an_empty_tab_and_the_next_run_fills_it_again() {
    for notes in [false, true] {
        let world = of("flag");
        if notes {
            world.person_writes("G1", "Notes");
        }
        let before = world.rows();
        let run = run_with(&world, &BEFORE);
        let after = world.rows();
        undo(&world, &run).exit(0);
        assert_eq!(world.rows(), before);
        world.run(&[]).exit(0);
        assert_eq!(world.rows().len(), after.len());
    }
}

#[test]
fn a_booking_that_came_back_from_the_archive_or_lost_its_flag_goes_back_to_it() {
    for policy in ["archive", "flag"] {
        let world = synced(policy);
        run_with(&world, &AFTER);
        let before = picture(&world);
        let run = run_with(&world, &BEFORE);
        assert_ne!(picture(&world), before);
        undo(&world, &run).exit(0);
        let now = picture(&world);
        assert_eq!(now.len(), before.len());
        for ((tab, now), (_, before)) in now.into_iter().zip(before) {
            let order = |mut rows: Vec<Vec<Value>>| {
                rows.sort_by_key(|row| format!("{row:?}"));
                rows
            };
            assert_eq!(order(now), order(before), "{policy}: {tab}");
        }
    }
}

#[test]
fn what_people_changed_since_stays_and_is_told() {
    let world = synced("delete");
    let run = run_with(&world, &AFTER);
    world.person_writes("D2", 8);
    world.person_writes("G4", "a note beside the new booking");
    let rows = world.rows();
    let new = rows.iter().position(|row| row.first() == Some(&json!("B-104"))).unwrap();
    world.person_writes(&format!("G{}", new + 1), "meet them at six");
    world.person_writes("A9", "B-102");
    let undone = undo(&world, &run);
    let left = undone.exit(0).sheet()["problems"].clone();
    let left: Vec<&str> = left.as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert_eq!(left.len(), 3, "{left:?}");
    assert_eq!(left[0], "row 2 (B-101), \"Nights\": holds \"8\" now, where the run wrote \"7\"");
    assert!(left[1].ends_with("(B-102): is in the sheet again"), "{left:?}");
    assert!(left[2].ends_with("(B-104): people wrote in it since"), "{left:?}");
    let rows = world.rows();
    assert_eq!((&rows[1][1], &rows[1][3]), (&json!("Alma"), &json!(8)));
    assert_eq!(rows[new][6], json!("meet them at six"));
    let text = world.process(&["--undo", &run]).without_trace().run();
    assert!(
        text.exit(0).stdout.contains("The next sync brings the source's bookings again"),
        "{}",
        text.stdout
    );
}

#[test]
fn rows_that_people_moved_since_are_found_by_their_key() {
    let world = synced("keep");
    let before = world.rows();
    let run = run_with(&world, &AFTER);
    let tab = world.tab_id();
    world.person_edits(&json!([
        {"moveDimension": {"source": rows(1, 2, tab), "destinationIndex": 4}},
        {"insertDimension": {"range": rows(1, 2, tab)}},
        {"insertDimension": {"range": {"sheetId": tab, "dimension": "COLUMNS", "startIndex": 0, "endIndex": 1}}},
    ]));
    undo(&world, &run).exit(0);
    let found = world.rows().into_iter().find(|row| row.get(1) == Some(&json!("B-101"))).unwrap();
    assert_eq!(found[1..], before[1]);
}

#[test]
fn rows_that_move_at_the_moment_of_the_undo_leave_no_wrong_cell_and_no_wrong_row() {
    for nth in 1..=4 {
        for insert in [false, true] {
            let world = synced("delete");
            let order = |rows: Vec<Vec<Value>>| {
                let mut rows: Vec<_> = rows
                    .into_iter()
                    .map(|row| row.into_iter().take(7).collect::<Vec<_>>())
                    .filter(|row| row.iter().any(|cell| cell != ""))
                    .collect();
                rows.sort_by_key(|row| format!("{row:?}"));
                rows
            };
            let before = order(world.rows());
            let run = run_with(&world, &AFTER);
            let tab = world.tab_id();
            let act = if insert {
                json!([{"insertDimension": {"range": rows(1, 2, tab)}}])
            } else {
                json!([{"moveDimension": {"source": rows(3, 4, tab), "destinationIndex": 1}}])
            };
            world.clear_requests();
            let fault = Fault {
                status: Some(429),
                method: Some("POST".to_owned()),
                path: Some("^/v4/".to_owned()),
                nth,
                headers: [("Retry-After".to_owned(), "1".to_owned())].into(),
                ..Fault::default()
            };
            world.fault(fault);
            let running = world.process(&["--json", "--undo", &run]).spawn();
            world.server.wait_for_request("^POST .*/v4/", usize::try_from(nth).unwrap()).unwrap();
            world.person_edits(&act);
            running.wait().exit(0);
            assert_eq!(order(world.rows()), before, "write {nth}, insert {insert}");
        }
    }
}

#[test]
fn an_undo_whose_answer_is_lost_or_that_is_killed_ends_in_the_same_sheet() {
    for policy in ["flag", "archive", "delete"] {
        let undisturbed = synced(policy);
        let run = run_with(&undisturbed, &AFTER);
        undisturbed.clear_requests();
        undo(&undisturbed, &run).exit(0);
        let expected = undisturbed.rows_as(support::TAB, "FORMULA");
        let writes = undisturbed.counts().writes as u64;
        assert!(writes >= 2, "{writes}");
        for nth in 1..=writes {
            for stall in [Stall::No, Stall::Request, Stall::Applied] {
                let world = synced(policy);
                let run = run_with(&world, &AFTER);
                let apply_then_reset = stall == Stall::No;
                let (method, path) = (Some("POST".into()), Some("^/v4/".into()));
                world.clear_requests();
                world.fault(Fault { method, path, nth, stall, apply_then_reset, ..Fault::default() });
                if apply_then_reset {
                    undo(&world, &run).exit(0);
                } else {
                    let running = world.process(&["--undo", &run]).spawn();
                    let at = usize::try_from(nth).unwrap();
                    match stall {
                        Stall::Applied => world.server.wait_for_applied("^POST .*/v4/", at).unwrap(),
                        _ => world.server.wait_for_request("^POST .*/v4/", at).unwrap(),
                    }
                    running.kill();
                    world.server.clear_faults();
                    undo(&world, &run).exit(0);
                }
                assert_eq!(
                    world.rows_as(support::TAB, "FORMULA"),
                    expected,
                    "{policy}: write {nth}, {stall:?}"
                );
                assert_eq!(world.tabs(), undisturbed.tabs(), "{policy}: write {nth}, {stall:?}");
            }
        }
    }
}

#[test]
fn an_undo_killed_at_any_write_to_the_disk_ends_in_the_same_sheet() {
    let mut points = 0;
    loop {
        let world = synced("delete");
        let expected = picture(&world);
        let run = run_with(&world, &AFTER);
        let args = killing_at_write(points + 1);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let killed = world.process(&["--undo", &run]).under("strace", &args).run();
        if killed.code == Some(0) {
            break;
        }
        points += 1;
        assert_eq!(killed.signal, Some(9), "killed at point {points}");
        undo(&world, &run).exit(0);
        assert_eq!(picture(&world), expected, "killed at write {points}");
    }
    assert!(points >= 10, "only {points} points");
}

#[test]
fn the_next_run_brings_the_source_again_and_on_edit_decides_about_undone_cells() {
    for (on_edit, nights) in [("restore", 7), ("keep", 3)] {
        let world = world().policy(&format!("on-edit = {on_edit:?}")).build();
        world.run(&[]).exit(0);
        let run = run_with(&world, &AFTER);
        undo(&world, &run).exit(0);
        let again = world.run(&["--json"]);
        assert_eq!(again.exit(0).sheet()["added"], json!(1));
        assert_eq!(world.rows()[1][3], json!(nights), "{on_edit}");
    }
}

#[test]
fn the_history_lists_runs_with_what_they_did_and_what_became_of_them() {
    let world = synced("delete");
    let nothing = of("keep").run(&["--history"]);
    assert_eq!(nothing.exit(0).stdout, "no run has written anything in the last 90 days\n");
    let run = run_with(&world, &AFTER);
    world.run(&[]).exit(0);
    let undone = undo(&world, &run).json()["run"].clone();
    world.clear_requests();
    let history = world.run(&["--history", "--json"]).json();
    let runs = history["runs"].as_array().unwrap();
    assert_eq!(runs.len(), 3, "a run that wrote nothing is none: {history}");
    assert_eq!((&runs[0]["run"], &runs[0]["undoes"]), (&undone, &json!(run)));
    assert_eq!((&runs[1]["run"], &runs[1]["undone_by"]), (&json!(run), &undone));
    for (field, count) in [("added", 1), ("changed", 1), ("removed", 1)] {
        assert_eq!(runs[1][field], json!(count), "{field}");
    }
    assert_eq!((&runs[2]["added"], &runs[2]["changed"]), (&json!(3), &json!(0)));
    let table = world.run(&["--history"]);
    assert!(table.exit(0).stdout.contains(&format!("{run}  20")), "{}", table.stdout);
    assert!(table.stdout.contains("undone by"), "{}", table.stdout);
    assert_eq!(world.requests().len(), 0, "nothing is asked of Google");
}

#[test]
fn a_damaged_journal_is_told_with_the_way_round_it_and_is_not_taken_for_none() {
    let world = of("flag");
    run_with(&world, &BEFORE);
    world.write("state/journal/port-sheet/01Z-0.pending.jsonl", b"\xff\xfe");
    let path = world.path("state/journal/port-sheet/01Z-0.pending.jsonl");
    let hint = format!("if it is damaged, move it aside: mv {0} {0}.damaged", path.display());
    let history = world.run(&["--history"]);
    assert_eq!(history.exit(74).hint(&hint).stdout, "", "it does not say that no run wrote anything");
    world.write_source(&AFTER);
    world.run(&[]).exit(74).hint(&hint);
    std::fs::rename(&path, path.with_extension("jsonl.damaged")).unwrap();
    world.run(&[]).exit(0);
    assert_eq!(world.run(&["--history", "--json"]).json()["runs"].as_array().map(Vec::len), Some(2));
}

#[test]
fn journals_are_kept_for_90_days_and_no_longer() {
    let world = of("flag");
    let runs = [&BEFORE, &AFTER].map(|source| run_with(&world, source));
    for entry in std::fs::read_dir(world.path("state/journal/port-sheet")).unwrap() {
        let path = entry.unwrap().path();
        let days = if path.to_string_lossy().contains(&runs[0]) { 91 } else { 89 };
        let file = std::fs::File::options().write(true).open(path).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(days * 24 * 60 * 60)).unwrap();
    }
    let last = run_with(&world, &BEFORE);
    let history = world.run(&["--history", "--json"]).json();
    let found: Vec<&str> =
        history["runs"].as_array().unwrap().iter().filter_map(|run| run["run"].as_str()).collect();
    assert_eq!(found, [&last, &runs[1]]);
    undo(&world, &runs[0]).exit(64).error("no journal of a run");
}

#[test]
fn a_run_that_is_not_known_is_refused_with_the_way_to_those_that_are() {
    let world = synced("flag");
    let run = world.run(&["--undo", "01ARZ3NDEKTSV4RRFFQ69G5FAV"]);
    run.exit(64).error("no journal of a run").hint("the runs that can be undone: port-sheet-sync --history");
}

#[test]
fn a_run_that_wrote_to_several_sheets_is_undone_one_sheet_at_a_time() {
    let world = of("flag");
    world.person_edits(&json!([{"addSheet": {"properties": {"title": "Second"}}}]));
    let (_, second) = world
        .config_text()
        .split_once("[sheet.port-sheet]")
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .unwrap();
    let second = second.replace("sheet.port-sheet", "sheet.second").replace(support::TAB, "Second");
    world.append_to_config(&format!("[sheet.second]{second}"));
    let run = run_with(&world, &BEFORE);
    let refused = world.run(&["--undo", &run]);
    refused.exit(64).error("wrote to several sheets: port-sheet; second").hint_with("--sheet port-sheet");
    world.run(&["--undo", &run, "--sheet", "second"]).exit(0);
    let filled = |tab: &str| world.rows_as(tab, "FORMULA").len();
    assert_eq!((filled(support::TAB), filled("Second")), (4, 0));
}

#[test]
fn a_dry_run_of_an_undo_tells_what_it_would_do_and_writes_nothing() {
    let world = synced("delete");
    let run = run_with(&world, &AFTER);
    let before = picture(&world);
    world.clear_requests();
    let text = world.process(&["--undo", &run, "--dry-run"]).without_trace().run();
    let line = "would be undone; nothing was written: 2 cells put back, 1 rows put back, 1 rows taken away, 0 things left";
    assert!(text.exit(0).stdout.contains(line), "{}", text.stdout);
    assert_eq!((picture(&world), world.counts().writes), (before, 0));
}

#[test]
fn a_column_that_is_gone_is_told_and_everything_else_is_put_back() {
    let world = synced("delete");
    let run = run_with(&world, &AFTER);
    let tab = world.tab_id();
    world.person_edits(&json!([{"deleteDimension": {"range": {"sheetId": tab, "dimension": "COLUMNS", "startIndex": 6, "endIndex": 7}}}]));
    let undone = undo(&world, &run);
    let left = undone.exit(0).sheet()["problems"].to_string();
    assert!(left.contains("B-102, \\\"Notes\\\": its column is gone"), "{left}");
    assert_eq!(world.rows()[2][..4], [json!("B-102"), json!("Borea"), json!(46156), json!(2)]);
}
