//! One run a job, and one refresh of a credential: the second says who is first, or waits if it is asked to.

use google_standin::{Fault, Stall};
use serde_json::json;
use support::{Running, World};

use crate::world;

/// A run that holds the job's lock until it is killed: its first read is never answered.
fn held(world: &World) -> Running<'_> {
    world.fault(Fault { path: Some("^/v4/".into()), stall: Stall::Request, ..Fault::default() });
    let running = world.process(&[]).spawn();
    world.server.wait_for_request("GET /v4/", 1).unwrap();
    running
}

#[test]
fn a_second_run_is_skipped_and_told_who_is_first() {
    let world = world().build();
    let first = held(&world);
    world.clear_requests();
    let lock = world.state().join("locks/port-sheet-sync.lock");
    let run = world.run(&["--json"]);
    run.exit(75);
    run.error(&format!("another run is under way: {} is held by pid {} since ", lock.display(), first.pid()));
    run.hint("wait for that run to end, or give this one --lock-wait 5m");
    let result = run.json();
    assert_eq!(
        (&result["outcome"], &result["exit"], &result["sheets"]),
        (&json!("skipped"), &json!(75), &json!([]))
    );
    assert_eq!(result["error"]["kind"], "busy");
    assert_eq!(world.requests().len(), 0);
    let outcomes: Vec<_> = world.records().into_iter().map(|record| (record.outcome, record.exit)).collect();
    assert_eq!(outcomes, [("running".to_owned(), None), ("skipped".to_owned(), Some(75))]);
    first.kill();
}

#[test]
fn a_killed_run_leaves_no_lock_behind_and_the_file_stays_where_it_is() {
    let world = world().build();
    let lock = world.state().join("locks/port-sheet-sync.lock");
    held(&world).kill();
    assert_eq!(world.mode(&lock), 0o600);
    let file = std::fs::File::open(&lock).unwrap();
    world.run(&[]).exit(0);
    use std::os::unix::fs::MetadataExt as _;
    let (before, after) = (file.metadata().unwrap(), std::fs::metadata(&lock).unwrap());
    assert_eq!((before.ino(), after.nlink()), (after.ino(), 1), "never renamed, never removed");
    assert_eq!(world.mode(&lock), 0o600);
    assert_eq!(world.rows().len(), 4);
}

#[test]
fn lock_wait_lets_a_run_wait_until_the_other_has_ended() {
    let world = world().build();
    let first = held(&world);
    let second = world.process(&["--lock-wait", "150s"]).spawn();
    second.wait_for_stderr("waiting up to 2m 30s: ");
    let pid = first.pid();
    first.kill();
    let run = second.wait();
    run.exit(0);
    assert!(run.stderr.contains(&format!("is held by pid {pid} since ")), "it says for whom it waits");
    assert_eq!(world.rows().len(), 4);
}

#[test]
fn lock_wait_ends_when_its_time_is_over() {
    let world = world().build();
    let first = held(&world);
    world.run(&["--lock-wait", "60ms"]).exit(75).error("another run is under way");
    world.append_to_config("[job.port-sheet-sync]\nlock-wait = \"60ms\"");
    world.run(&[]).exit(75).error("another run is under way");
    first.kill();
}

#[test]
fn a_refresh_waits_for_another_jobs_refresh_of_the_same_credential() {
    let world = world().build();
    let lock = world.hold_lock("credential-port-sheet");
    let running = world.process(&[]).spawn();
    running.wait_for_stderr("credential-port-sheet.lock is held by ");
    assert_eq!(world.counts().tokens, 0, "no refresh beside another one");
    drop(lock);
    running.wait().exit(0);
    assert_eq!((world.counts().tokens, world.rows().len()), (1, 4));
    assert_eq!(world.mode(&world.state().join("locks/credential-port-sheet.lock")), 0o600);
}

#[test]
fn an_unusable_lock_file_is_a_matter_of_the_local_disk() {
    let world = world().build();
    let lock = world.make_private_dir("state/locks/port-sheet-sync.lock");
    let run = world.run(&["--json"]);
    run.exit(74).error(&format!("cannot open the lock file {}: ", lock.display()));
    run.hint_with(&format!("look at it: ls -la {}", lock.display()));
    assert_eq!(world.requests().len(), 0);
    assert_eq!(world.records()[0].outcome, "failed");
}
