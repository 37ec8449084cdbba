//! The storm: eight processes at once on one ledger, killed at any moment, with clocks that are wrong, over weeks and a
//! gap of twenty-six days. This target starts itself as those processes, so it has a `main` of its own.
//!
//! Simulated time is the length of a file, half an hour a byte, so that all processes see the same and nothing waits.
//! Each process notes what it was given in files of its own, against which the ledger is judged at the end.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where and stops")]
#![expect(clippy::print_stdout, reason = "a test harness says what it did")]

#[path = "quota_storm/judge.rs"]
mod judge;
#[path = "quota_storm/worker.rs"]
mod worker;

use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

/// Processes at a time.
const PROCESSES: usize = 8;

/// Operations that must be done, those of killed processes included.
const OPERATIONS: u64 = 20_000;

/// A storm that takes longer has gone wrong.
const LIMIT: Duration = Duration::from_secs(600);

/// How long a process lives before it is killed: from this to four times as long.
const LIFE: Duration = Duration::from_millis(700);

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match &arguments[..] {
        [word, dir, seed] if word == "worker" => worker::run(Path::new(dir), seed.parse().unwrap()),
        // As the usual harness does with a filter that names another test.
        [.., filter] if !filter.starts_with('-') && !"storm".contains(filter.as_str()) => {}
        _ => storm(),
    }
}

fn storm() {
    // In memory where there is such a place: what is tested is killed processes, not a machine without power, and there
    // a write through to the disk costs nothing.
    let memory = Path::new("/dev/shm");
    let place = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
    let dir = tempfile::Builder::new().prefix("storm-").tempdir_in(place).unwrap();
    worker::prepare(dir.path());
    let begun = Instant::now();
    let mut seed = 0;
    let mut kills = 0;
    let mut start = || {
        seed += 1;
        let life = LIFE * (1 + u32::try_from(seed % 4).unwrap());
        (spawn(dir.path(), seed), Instant::now() + life)
    };
    let mut living: Vec<(Child, Instant)> = (0..PROCESSES).map(|_| start()).collect();
    while worker::operations(dir.path()) < OPERATIONS {
        assert!(begun.elapsed() < LIMIT, "{} operations after {LIMIT:?}", worker::operations(dir.path()));
        for (child, until) in &mut living {
            // A process ends only by being killed: one that ended by itself has panicked.
            assert_eq!(child.try_wait().unwrap(), None, "a process of the storm failed");
            if Instant::now() >= *until {
                child.kill().unwrap();
                child.wait().unwrap();
                kills += 1;
                (*child, *until) = start();
            }
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    for (mut child, _) in living {
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let told = judge::judge(dir.path());
    let operations = worker::operations(dir.path());
    println!("storm: {operations} operations, {kills} kills, {told}, {:?}: ok", begun.elapsed());
}

fn spawn(dir: &Path, seed: u64) -> Child {
    let me = std::env::current_exe().unwrap();
    Command::new(me).arg("worker").arg(dir).arg(seed.to_string()).spawn().unwrap()
}
