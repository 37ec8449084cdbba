//! `quota-reset`, run as a process over real ledgers. Read this as a table of contents.
//!
//! Simulated time is the process's own clock, moved by `faketime`. The clock since boot is real and moved by no one, so
//! a test makes time pass on it by setting back what the ledger saw of it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where and stops")]

/// Closing, sealing, archiving, releasing; and again.
#[path = "quota_reset/rollover.rs"]
mod rollover;

/// Clocks that step back and ahead, and the way out.
#[path = "quota_reset/clock.rs"]
mod clock;

/// What is printed.
#[path = "quota_reset/output.rs"]
mod output;

/// The documented Python, beside our own processes.
#[path = "quota_reset/python.rs"]
mod python;

use std::time::Duration;

use rusqlite::Connection;
use serde_json::json;
use shared::quota::Moment;
use shared::store::{Claim, ClaimOutcome, SessionEnding, SessionOutcome, Store};
use support::{Run, World};

/// A world with a quota of five sessions a day.
fn world() -> World {
    World::of(env!("CARGO_BIN_EXE_quota-reset"))
        .tables("[quota.agents]\nper-day = 5\nconcurrency = 5")
        .build()
}

/// Runs at a moment that is the stand-in's too, so that its `Date` header vouches for the clock.
fn run_at(world: &World, now: &str, args: &[&str]) -> Run {
    world.server.set_clock(format!("{}Z", now.replace(' ', "T")).parse().unwrap());
    world.process(args).at(now).run()
}

fn store(world: &World) -> Store {
    Store::open(&world.state().join("state.db")).unwrap()
}

/// The ledger, as any SQLite client opens it.
fn ledger(world: &World) -> Connection {
    Connection::open(world.state().join("state.db")).unwrap()
}

fn moment(now: &str) -> Moment {
    Moment { now: format!("{}Z", now.replace(' ', "T")).parse().unwrap(), ..Moment::read().unwrap() }
}

fn add(world: &World, ids: impl IntoIterator<Item = String>, now: &str) {
    let mut store = store(world);
    for id in ids {
        assert!(store.add_task("agents", &id, &json!({}), moment(now).now).unwrap());
    }
}

fn claim(task: &str, attempt: u32) -> Claim<'_> {
    Claim { task, attempt, runner: "runner", lease: Duration::from_secs(3600) }
}

/// Runs every ready task to its end, each with this many turns.
fn work(world: &World, now: &str, turns: u32) -> usize {
    let mut store = store(world);
    let mut done = 0;
    while let Some((task, attempt, _)) = store.next_ready("agents").unwrap() {
        let claim = claim(&task, attempt);
        if !matches!(store.claim(&claim, &moment(now)).unwrap(), ClaimOutcome::Granted(_)) {
            break;
        }
        let ending =
            SessionEnding { outcome: SessionOutcome::Done, turns: Some(turns), summary: "", max_resumes: 0 };
        store.finish(&claim, &ending, moment(now).now).unwrap();
        done += 1;
    }
    done
}

fn names(count: usize) -> impl Iterator<Item = String> {
    (1..=count).map(|number| format!("T-{number}"))
}
