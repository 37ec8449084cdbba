//! Two runs at once on one sheet, each with a state directory of its own: a schedule, and a person under their own name. Locks do not
//! reach from one to the other; the named range in the spreadsheet does.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use serde_json::{Value, json};
use support::World;

use crate::world;

/// How many histories of four pairs.
const HISTORIES: usize = 50;

const HEADER: &str = "booking_id,vessel,arrival,nights";

/// A configuration of the same sheet with another state directory.
fn second_config(world: &World) -> PathBuf {
    let state = world.path("second-state");
    let credentials = state.join("credentials");
    for dir in [&state, &credentials] {
        fs::create_dir(dir).unwrap();
        fs::set_permissions(dir, fs::Permissions::from_mode(0o700)).unwrap();
    }
    let credential = credentials.join("port-sheet.json");
    fs::copy(world.credential(), &credential).unwrap();
    fs::set_permissions(&credential, fs::Permissions::from_mode(0o600)).unwrap();
    let text = world.config_text().replace(
        &format!("state-dir = {:?}", world.state().display().to_string()),
        &format!("state-dir = {:?}", state.display().to_string()),
    );
    assert!(text.contains("second-state"));
    world.write("second.toml", text.as_bytes());
    world.path("second.toml")
}

fn line(number: usize, turn: usize) -> String {
    format!("B-{number:03},Ship {turn},2026-05-13,{}", 1 + (number + turn) % 20)
}

fn write_source(world: &World, numbers: impl Iterator<Item = usize>, turn: usize) {
    let lines: Vec<String> =
        std::iter::once(HEADER.to_owned()).chain(numbers.map(|number| line(number, turn))).collect();
    world.write_source(&lines.iter().map(String::as_str).collect::<Vec<_>>());
}

/// Each booking's note, by its key.
fn notes(world: &World) -> BTreeMap<String, Value> {
    let rows = world.rows();
    let keyed = rows.iter().skip(1).filter(|row| row.first().is_some_and(|key| key != ""));
    keyed.map(|row| (row[0].as_str().unwrap().to_owned(), row.get(5).cloned().unwrap_or(json!("")))).collect()
}

#[test]
fn two_hundred_pairs_of_runs_double_and_lose_nothing() {
    let mut ends = BTreeMap::new();
    for history in 0..HISTORIES {
        let policy = ["delete", "archive", "flag", "keep"][history % 4];
        let world = world()
            .policy(&format!("on-missing = {policy:?}"))
            .policy("max-shrink = \"100%\"")
            .google("first-pause = \"1ms\"")
            .build();
        let second = second_config(&world);
        let mut pair = |what: &str| {
            let first = world.process(&[]).without_trace().spawn();
            let other = world.bare(&["--config"]).arg(&second).without_trace().spawn();
            let codes = [first.wait(), other.wait()].map(|run| {
                assert!(matches!(run.code, Some(0 | 75)), "{what}: {:?}: {}", run.code, run.stderr);
                run.code
            });
            *ends.entry(codes).or_insert(0_usize) += 1;
            let rows = world.rows();
            let mut keys: Vec<&Value> =
                rows.iter().skip(1).map(|row| &row[0]).filter(|key| **key != "").collect();
            let all = keys.len();
            keys.sort_by_key(|key| key.to_string());
            keys.dedup();
            assert_eq!(keys.len(), all, "{what}: a booking is in two rows");
        };
        write_source(&world, 1..=6, 0);
        pair("first load");
        world.run(&[]).exit(0);
        world.person_writes("F1", "Notes");
        for row in 2..=7 {
            let key = world.rows()[row - 1][0].as_str().unwrap().to_owned();
            world.person_writes(&format!("F{row}"), format!("note of {key}"));
        }
        write_source(&world, 1..=9, 0);
        pair("additions");
        write_source(&world, 1..=9, 1 + history);
        pair("changes");
        write_source(&world, 3..=9, 1 + history);
        pair("removals");
        world.run(&[]).exit(0);
        let notes = notes(&world);
        for number in 3..=9 {
            let key = format!("B-{number:03}");
            let note = if number <= 6 { json!(format!("note of {key}")) } else { json!("") };
            assert_eq!(notes.get(&key), Some(&note), "history {history}");
        }
        let left = ["B-001", "B-002"].iter().filter(|key| notes.contains_key(**key)).count();
        assert_eq!(left, if matches!(policy, "flag" | "keep") { 2 } else { 0 });
    }
    writeln!(std::io::stdout(), "pairs by their exit codes: {ends:?}").unwrap();
    assert_eq!(ends.values().sum::<usize>(), 4 * HISTORIES);
}
