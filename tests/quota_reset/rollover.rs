use serde_json::{Value, json};
use shared::store::ClaimOutcome;

use crate::{add, claim, moment, names, run_at, store, work, world};

#[test]
fn a_day_is_closed_sealed_and_archived_and_what_was_held_is_released_oldest_first_once() {
    let world = world();
    run_at(&world, "2026-05-13 18:00:00", &[]).exit(0);
    add(&world, names(8), "2026-05-13 18:30:00");
    run_at(&world, "2026-05-13 19:00:00", &[]).exit(0);
    assert_eq!(work(&world, "2026-05-13 20:00:00", 26), 5);
    run_at(&world, "2026-05-13 20:15:00", &[]).exit(0);
    let run = run_at(&world, "2026-05-14 00:01:00", &["--json"]);
    run.exit(0);
    let result = run.json();
    let released: Vec<&Value> =
        result["released"].as_array().unwrap().iter().map(|task| &task["task"]).collect();
    assert_eq!(released, ["T-6", "T-7", "T-8"]);
    assert_eq!(result["quotas"][0]["utilisation"], 1.0);
    let line = world.read_text(&world.state().join("archive/agents-2026.jsonl"));
    let line: Value = serde_json::from_str(line.trim()).unwrap();
    assert_eq!(
        line,
        json!({"quota": "agents", "day": "2026-05-13", "per_day": 5, "sessions": 5, "turns": 130,
               "closed": line["closed"], "sealed": line["sealed"]})
    );
    assert_eq!(world.mode(&world.state().join("archive/agents-2026.jsonl")), 0o600);
    assert_eq!(work(&world, "2026-05-14 00:02:00", 1), 3);
}

#[test]
fn a_second_run_changes_nothing_and_says_so() {
    let world = world();
    run_at(&world, "2026-05-13 18:00:00", &[]).exit(0);
    add(&world, names(8), "2026-05-13 18:30:00");
    let run = run_at(&world, "2026-05-14 00:01:00", &["--json"]).json();
    assert_eq!(run["changed"], true);
    let archive = world.snapshot(&world.state().join("archive"));
    for minute in ["16", "31"] {
        let run = run_at(&world, &format!("2026-05-14 00:{minute}:00"), &["--json"]);
        run.exit(0);
        let result = run.json();
        assert_eq!(
            (&result["changed"], &result["days"], &result["released"]),
            (&json!(false), &json!([]), &json!([]))
        );
    }
    let run = run_at(&world, "2026-05-14 00:46:00", &["-v"]);
    assert!(run.stdout.starts_with("nothing to change\n"), "{}", run.stdout);
    assert_eq!(world.snapshot(&world.state().join("archive")), archive);
}

#[test]
fn all_missed_days_are_closed_at_once_over_the_turn_of_a_year() {
    let world = world();
    run_at(&world, "2026-12-20 18:00:00", &[]).exit(0);
    let run = run_at(&world, "2027-01-15 09:00:00", &["--json"]);
    run.exit(0);
    assert_eq!(run.json()["days"].as_array().unwrap().len(), 26);
    let lines =
        |year| world.read_text(&world.state().join(format!("archive/agents-{year}.jsonl"))).lines().count();
    assert_eq!((lines(2026), lines(2027)), (12, 14));
    assert_eq!(run_at(&world, "2027-01-15 09:15:00", &["--json"]).json()["changed"], false);
}

#[test]
fn a_day_with_a_running_session_is_sealed_and_exported_only_when_it_has_ended() {
    let world = world();
    run_at(&world, "2026-05-13 18:00:00", &[]).exit(0);
    add(&world, names(1), "2026-05-13 18:30:00");
    run_at(&world, "2026-05-13 19:00:00", &[]).exit(0);
    let claim = claim("T-1", 1);
    let claimed = store(&world).claim(&claim, &moment("2026-05-13 23:59:00")).unwrap();
    assert!(matches!(claimed, ClaimOutcome::Granted(_)), "{claimed:?}");
    let closed = run_at(&world, "2026-05-14 00:01:00", &["--json"]).json();
    assert_eq!((&closed["days"][0]["sessions"], &closed["days"][0]["sealed"]), (&json!(1), &json!(null)));
    let archive = world.state().join("archive/agents-2026.jsonl");
    assert!(!archive.exists());
    let ending = shared::store::SessionEnding {
        outcome: shared::store::SessionOutcome::Done,
        turns: Some(30),
        summary: "",
        max_resumes: 0,
    };
    store(&world).finish(&claim, &ending, moment("2026-05-14 00:10:00").now).unwrap();
    let sealed = run_at(&world, "2026-05-14 00:16:00", &["--json"]).json();
    assert_eq!(
        sealed["days"][0]["turns"], 30,
        "turns that came after midnight count for the day of their session"
    );
    assert!(world.read_text(&archive).contains("\"turns\":30"));
}

#[test]
fn an_archive_that_could_not_be_written_is_written_by_the_next_run() {
    let world = world();
    run_at(&world, "2026-05-13 18:00:00", &[]).exit(0);
    // A file where the folder must be.
    world.write("state/archive", b"");
    run_at(&world, "2026-05-14 00:01:00", &[]).exit(74).error("quota \"agents\": cannot ");
    world.remove(&world.state().join("archive"));
    assert_eq!(run_at(&world, "2026-05-14 00:16:00", &["--json"]).json()["changed"], true);
    assert!(world.state().join("archive/agents-2026.jsonl").exists());
}

#[test]
fn quotas_are_counted_apart() {
    let world = world();
    world.append_to_config("[quota.night]\nper-day = 1");
    run_at(&world, "2026-05-13 18:00:00", &[]).exit(0);
    add(&world, names(2), "2026-05-13 18:30:00");
    let mut store = store(&world);
    for id in ["N-1", "N-2"] {
        store.add_task("night", id, &json!({}), moment("2026-05-13 18:30:00").now).unwrap();
    }
    let run = run_at(&world, "2026-05-13 19:00:00", &["--json"]).json();
    let released: Vec<&Value> =
        run["released"].as_array().unwrap().iter().map(|task| &task["task"]).collect();
    assert_eq!(released, ["T-1", "T-2", "N-1"]);
}
