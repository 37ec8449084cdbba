//! `token-check`, run as a process against a local stand-in for Google. Read this as a table of contents.
//!
//! Every run in here is searched for every secret of its world. Simulated time is the process's own clock, moved by
//! `faketime`, and the stand-in's, moved alike; nothing waits.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where and stops")]

/// Every row of Google's error table: class, exit code, words, hint.
#[path = "token_check/classes.rs"]
mod classes;

/// When a probe is sent and when not.
#[path = "token_check/schedule.rs"]
mod schedule;

/// What must be expected, and what is wrong though the token works.
#[path = "token_check/findings.rs"]
mod findings;

/// What is printed: a table, JSON, one line for a monitor, or nothing.
#[path = "token_check/output.rs"]
mod output;

/// The jobs that waited are started, and a command that hangs is killed whole.
#[path = "token_check/recovery.rs"]
mod recovery;

/// Twelve hours with a dead token.
#[path = "token_check/incident.rs"]
mod incident;

/// A rotating credential: shared by many processes, killed and out of disk at every step.
#[path = "token_check/rotation.rs"]
mod rotation;

use serde_json::Value;
use support::{Run, World};

/// A world for this executable.
fn world() -> support::Builder {
    World::of(env!("CARGO_BIN_EXE_token-check"))
}

/// The result of the one credential.
#[track_caller]
fn credential(run: &Run) -> Value {
    let result = run.json();
    let credentials = result["credentials"].as_array().cloned().unwrap_or_default();
    let [credential] = &credentials[..] else { panic!("one credential: {result}") };
    credential.clone()
}

/// Ends the grant of the world's credential.
fn revoke(world: &World) {
    let token = world.credential_json()["refresh_token"].as_str().unwrap().to_owned();
    assert!(world.server.revoke_refresh_token(&token));
}

/// Runs at a moment, which is the stand-in's too.
fn run_at(world: &World, now: &str, args: &[&str]) -> Run {
    world.server.set_clock(format!("{}Z", now.replace(' ', "T")).parse().unwrap());
    world.process(args).at(now).run()
}
