//! Requests a minute: shared by all who use a credential, waited for within the deadline, never exceeded.
//!
//! No test waits for a real minute: deadlines are so short that what has to wait is refused at once.

use google_standin::Fault;
use serde_json::json;
use support::{Builder, World};

use crate::world;

/// A world whose stand-in enforces what the configuration allows.
fn rationed(builder: Builder, reads: u32, writes: u32) -> World {
    let world = builder.per_minute(reads, writes).tables("[job.port-sheet-sync]\ndeadline = \"50s\"").build();
    world.server.quota(reads, writes);
    world
}

/// Google grants the project more, and the operator says so.
fn grant_more(world: &World, reads: u32, writes: u32) {
    world.replace_in_config(&format!("reads-per-minute = {reads}\n"), "reads-per-minute = 60\n");
    world.replace_in_config(&format!("writes-per-minute = {writes}\n"), "writes-per-minute = 60\n");
    world.server.quota(60, 60);
}

fn was_never_refused(world: &World) -> bool {
    world.requests().iter().all(|request| request.status == Some(200))
}

#[test]
fn what_cannot_be_read_back_before_the_deadline_is_not_written() {
    let world = rationed(world(), 2, 60);
    let run = world.run(&["--json"]);
    run.exit(75).error(
        "the requests of credential \"port-sheet\" are spent (2 reads a minute): the next are due in ",
    );
    run.hint_with("the next run continues from here")
        .hint_with("reads-per-minute under [credential.port-sheet]");
    assert_eq!((world.counts().reads, world.counts().writes), (2, 0));
    assert!(was_never_refused(&world));
    assert_eq!(world.rows().len(), 0);

    grant_more(&world, 2, 60);
    world.run(&[]).exit(0);
    assert_eq!(world.rows().len(), 4);
}

#[test]
fn runs_that_share_a_credential_share_its_minute() {
    let world = rationed(world(), 5, 60);
    world.run(&[]).exit(0);
    assert_eq!(world.counts().reads, 3);
    let runs = [(); 3].map(|()| world.process(&["--lock-wait", "1m"]).spawn());
    let codes = runs.map(|running| running.wait().code);
    assert_eq!(codes.iter().filter(|code| **code == Some(0)).count(), 1, "two reads were left: {codes:?}");
    assert_eq!(codes.iter().filter(|code| **code == Some(75)).count(), 2, "{codes:?}");
    assert_eq!(world.counts().reads, 5);
    assert!(was_never_refused(&world));
}

/// Bookings of a kilobyte each: some two thousand fill a request.
fn long_bookings(count: usize) -> Vec<String> {
    let line = |number: usize| format!("B-{number:05},{}", "x".repeat(1_000));
    std::iter::once("booking_id,notes".to_owned()).chain((0..count).map(line)).collect()
}

#[test]
fn a_load_beyond_the_deadline_stops_between_requests_and_the_next_run_goes_on() {
    let lines = long_bookings(6_000);
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let world = rationed(world().csv(&lines), 60, 4);
    let run = world.process(&["--json"]).without_trace().run();
    let written = world.rows().len() - 1;
    run.exit(75).error(&format!("{written} of 6000 new rows are written: the requests of credential"));
    run.error("are spent (4 writes a minute)").hint_with("the next run continues from here");
    assert!((3_000..6_000).contains(&written), "{written}");
    assert_eq!(world.counts().writes, 4);
    assert!(was_never_refused(&world));
    assert!(world.rows().iter().all(|row| row.len() == 2), "whole rows only");

    grant_more(&world, 60, 4);
    let run = world.process(&["--json"]).without_trace().run();
    assert_eq!(run.exit(0).sheet()["added"], json!(6_000 - written));
    let mut keys: Vec<String> = world.rows().iter().map(|row| row[0].to_string()).collect();
    keys.sort();
    keys.dedup();
    assert_eq!((keys.len(), world.rows().len()), (6_001, 6_001));
}

#[test]
fn a_quota_that_google_calls_spent_is_spent_for_everybody() {
    let builder = world().google("first-pause = \"1h\"");
    let world = rationed(builder, 60, 60);
    world.fault(Fault { path: Some("^/v4/".to_owned()), status: Some(429), ..Fault::default() });
    let run = world.run(&["--json"]);
    run.exit(75).error("429 RESOURCE_EXHAUSTED: Resource has been exhausted");
    run.error("are spent (60 reads a minute)");
    assert_eq!(world.counts().reads, 1);

    world.run(&[]).exit(75).error("are spent (60 reads a minute)");
    assert_eq!(world.counts().reads, 1, "nothing is asked before the minute is over");
}
