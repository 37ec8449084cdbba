//! `job-status`, run as a process. Read this as a table of contents.
//!
//! Simulated time is the process's own clock, moved by `faketime`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where and stops")]

/// Each state of a job, found by which state, exit code and alert.
#[path = "job_status/states.rs"]
mod states;

/// The ways in which jobs go silent, one by one, and how each is found.
#[path = "job_status/silence.rs"]
mod silence;

/// A table, JSON, one line for a monitor, metrics.
#[path = "job_status/output.rs"]
mod output;

/// The records are missing, locked or damaged.
#[path = "job_status/records.rs"]
mod records;

/// The page: what is on it, and what a browser and an accessibility checker make of it.
#[path = "job_status/page.rs"]
mod page;

use serde_json::Value;
use support::{Builder, Process, Receiver, Run, World};

/// A world for this executable.
fn world() -> Builder {
    World::of(env!("CARGO_BIN_EXE_job-status"))
}

/// A world whose alerts go to a webhook.
fn hooked(receiver: &Receiver) -> Builder {
    let url = receiver.url();
    world().tables(&format!("[[alert.sink]]\nkind = \"webhook\"\nurl = \"{url}hook\"\n"))
}

/// Runs another executable of the build at a time of day of the story.
fn run_at<'w>(world: &'w World, executable: &str, time: &str, args: &[&str]) -> Process<'w> {
    world.process_at(format!("2026-05-13T{time}:00Z").parse().unwrap(), executable, args)
}

/// The sync and the check run, and all is well.
fn all_run(world: &World, time: &str) {
    run_at(world, "port-sheet-sync", time, &[]).run().exit(0);
    run_at(world, "token-check", time, &[]).run().exit(0);
}

/// The status at a time of day.
fn status(world: &World, time: &str) -> Run {
    run_at(world, "job-status", time, &["--json"]).run()
}

/// A job in a result.
#[track_caller]
fn job(run: &Run, name: &str) -> Value {
    let result = run.json();
    let jobs = result["jobs"].as_array().unwrap();
    jobs.iter().find(|job| job["job"] == name).unwrap_or_else(|| panic!("{name} in {result}")).clone()
}

#[track_caller]
fn state(run: &Run, name: &str) -> String {
    job(run, name)["state"].as_str().unwrap().to_owned()
}

/// What the alerts say happened, and to whom.
fn told(receiver: &Receiver) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    receiver.taken().iter().map(|alert| (text(&alert["subject"]), text(&alert["event"]))).collect()
}

/// The same as literals.
fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(subject, event)| ((*subject).to_owned(), (*event).to_owned())).collect()
}
