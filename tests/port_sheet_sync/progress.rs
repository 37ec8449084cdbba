//! What a person at a terminal sees while they wait, and no one else.

use crate::world;

#[test]
fn a_terminal_shows_rows_and_requests_and_is_left_clean() {
    let world = world().build();
    let run = world.process(&["--json"]).without_trace().on_terminal().run();
    assert_eq!(run.exit(0).sheet()["added"], 3);
    assert!(run.stderr.contains("port-sheet: ["), "{:?}", run.stderr);
    for shown in ["port-sheet: requests: 1", "/20 rows, requests: 2"] {
        assert!(run.stderr.contains(shown), "{shown:?}: {:?}", run.stderr);
    }
    let last = run.stderr.rsplit(['\r', '\n']).next().unwrap_or_default();
    assert_eq!(last.trim_start_matches("\u{1b}[2K"), "", "{:?}", run.stderr);
}

#[test]
fn a_terminal_shows_the_wait_for_quota() {
    let world = world().per_minute(2, 60).build();
    world.run(&["--dry-run"]).exit(0);
    let running = world.process(&[]).without_trace().on_terminal().spawn();
    running.wait_for_stderr("s for Google's quota of reads");
    assert_eq!(world.counts().reads, 2, "what is waited for is not sent");
    running.kill();
}

#[test]
fn nothing_is_drawn_without_a_terminal_or_when_hushed_or_under_a_log() {
    let world = world().build();
    let run = world.process(&["--json"]).without_trace().run();
    assert_eq!(run.exit(0).stderr, "");
    let run = world.process(&["--quiet"]).without_trace().on_terminal().run();
    assert_eq!(run.exit(0).stderr, "");
    let run = world.process(&["-v"]).without_trace().on_terminal().run();
    assert!(!run.exit(0).stderr.contains("requests: "), "{:?}", run.stderr);
}
