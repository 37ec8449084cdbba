//! `session-run`, run as a process with real commands. Read this as a table of contents.
//!
//! Simulated time is the process's own clock, moved by `faketime`; leases are counted by the clock since boot, which
//! no one moves, so a test lets one run out by setting its end in the ledger.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where and stops")]

/// The cap is reached in the evening; what waits continues after midnight.
#[path = "session_run/evening.rs"]
mod evening;

/// Commands that finish, fail, hang, fork, fill, ignore, die and lie.
#[path = "session_run/commands.rs"]
mod commands;

/// A task that needs more turns than a session has.
#[path = "session_run/resume.rs"]
mod resume;

/// A runner that is killed.
#[path = "session_run/crash.rs"]
mod crash;

/// A real dashboard, and what happens when it goes away.
#[path = "session_run/dashboard.rs"]
mod dashboard;

/// Adding, listing, cancelling, retrying.
#[path = "session_run/desk.rs"]
mod desk;

/// What is printed and what is refused.
#[path = "session_run/output.rs"]
mod output;

use rusqlite::Connection;
use serde_json::Value;
use support::{Run, World};

/// A world with a quota of five sessions a day and this shell script as the command.
fn world(script: &str) -> World {
    configured(script, "per-day = 5", "")
}

/// The same with lines of its own in both tables.
fn configured(script: &str, quota: &str, run: &str) -> World {
    let tables = format!(
        "[quota.agents]\n{quota}\n\n[session-run]\nquota = \"agents\"\ngrace = \"200ms\"\n\
         command = [\"/bin/sh\", \"-c\", {script:?}, \"session\", \"{{task}}\", \"{{turns}}\", \"{{checkpoint}}\"]\n{run}\n"
    );
    World::of(env!("CARGO_BIN_EXE_session-run")).tables(&tables).build()
}

/// Adds tasks.
fn add(world: &World, ids: &[&str]) {
    for id in ids {
        world.run(&["--add", "do it", "--id", id]).exit(0);
    }
}

/// The session of a run.
#[track_caller]
fn session(run: &Run) -> Value {
    let session = run.json()["session"].clone();
    assert!(session.is_object(), "a session: {}", run.json());
    session
}

/// Each task's state by its id, as `--list --json` tells.
fn states(world: &World) -> Vec<(String, String)> {
    let listed = world.run(&["--list", "--json"]).json();
    let text = |task: &Value, key: &str| task[key].as_str().unwrap().to_owned();
    let mut states: Vec<_> = listed["tasks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|task| (text(task, "id"), text(task, "state")))
        .collect();
    states.sort();
    states
}

#[track_caller]
fn assert_states(world: &World, expected: &[(&str, &str)]) {
    let states = states(world);
    let states: Vec<(&str, &str)> = states.iter().map(|(id, state)| (id.as_str(), state.as_str())).collect();
    assert_eq!(states, expected);
}

/// The ledger, as any SQLite client opens it.
fn ledger(world: &World) -> Connection {
    Connection::open(world.state().join("state.db")).unwrap()
}

fn number(world: &World, query: &str) -> i64 {
    ledger(world).query_row(query, [], |row| row.get(0)).unwrap()
}

/// The living processes whose environment or command line holds a text: what a session left, if it left anything.
fn living_with(text: &str) -> Vec<String> {
    let processes = std::fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path());
    let holds = |path: &std::path::Path| {
        ["environ", "cmdline"].iter().any(|name| {
            std::fs::read(path.join(name)).is_ok_and(|bytes| String::from_utf8_lossy(&bytes).contains(text))
        })
    };
    let is_me = |path: &std::path::Path| path.ends_with(std::process::id().to_string());
    let found = processes.filter(|path| !is_me(path) && holds(path));
    found.map(|path| path.display().to_string()).collect()
}

/// Nothing that was started in this world lives.
#[track_caller]
fn assert_no_orphan(world: &World) {
    let mark = world.state().join("sessions").display().to_string();
    assert_eq!(living_with(&mark), Vec::<String>::new(), "orphans");
}

/// Waits until a session has made a file. Bounded.
fn wait_for_file(world: &World, relative: &str) {
    let until = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while !world.path(relative).exists() {
        assert!(std::time::Instant::now() < until, "{relative} was never made");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}
