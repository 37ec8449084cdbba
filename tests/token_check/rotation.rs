use google_standin::{Fault, Person};
use serde_json::Value;
use support::{Builder, World};

use crate::{run_at, world};

fn rotating() -> Builder {
    world().person(Person { rotates: true, ..Person::default() })
}

/// How many refreshes the history knows, and how many of them failed.
fn refreshes(world: &World) -> (i64, i64) {
    let database = rusqlite::Connection::open(world.state().join("state.db")).unwrap();
    let query = "SELECT count(*), count(*) FILTER (WHERE class <> 'ok') FROM refresh";
    database.query_row(query, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap()
}

#[test]
fn twenty_processes_of_different_jobs_share_a_rotating_credential() {
    let world = rotating().build();
    let running: Vec<_> = (0..20)
        .map(|number| {
            let (name, args) =
                if number % 2 == 0 { ("token-check", &["--now"][..]) } else { ("port-sheet-sync", &[][..]) };
            world.process_of(name, &[args, &["--lock-wait", "150s"]].concat()).spawn()
        })
        .collect();
    for process in running {
        process.wait().exit(0);
    }
    assert_eq!(world.counts().tokens, 20);
    assert_eq!(refreshes(&world), (20, 0), "no refresh lost, none refused");
    assert_eq!(world.events(), []);
    let logins = rusqlite::Connection::open(world.state().join("state.db"))
        .unwrap()
        .query_row("SELECT count(*) FROM login", [], |row| row.get::<_, i64>(0))
        .unwrap();
    assert_eq!(logins, 1, "a rotation is no login");
}

/// The credential on disk: whole, private, and the old one or the one that was issued last.
#[track_caller]
fn assert_whole(world: &World, old: &Value, what: &str) {
    let now = world.credential_json();
    let issued = world.server.issued_tokens();
    let token = now["refresh_token"].as_str().unwrap();
    assert!(now == *old || issued.iter().any(|known| known == token), "{what}: {token} was never issued");
    assert_eq!(now["client_id"], old["client_id"], "{what}");
    assert_eq!(world.mode(&world.credential()), 0o600, "{what}");
    let previous = world.state().join("credentials/port-sheet.json.prev");
    if previous.exists() {
        assert_eq!(serde_json::from_str::<Value>(&world.read_text(&previous)).unwrap(), *old, "{what}");
        assert_eq!(world.mode(&previous), 0o600, "{what}");
    }
}

/// Whether the token that the server gave last is on disk: in its place, or beside it with the `mv` told. If none was
/// asked for, none can be lost.
fn is_kept(world: &World, old: &Value) -> bool {
    let kept = world.state().join("credentials/port-sheet.json.new");
    world.counts().tokens == 0 || world.credential_json() != *old || kept.exists()
}

/// A check under strace, all but the rotation done before, with this injected; returns the credential before.
fn disturbed(world: &World, calls: &str, inject: &[&str]) -> (Value, support::Run) {
    world.run(&["--offline"]).exit(0);
    let (old, log) = (world.credential_json(), world.path("calls"));
    let trace = format!("trace={calls}");
    let always = ["-f", "-qqq", "-o", log.to_str().unwrap(), "-e", &trace];
    let run = world.process(&[]).under("strace", &[&always[..], inject].concat()).run();
    (old, run)
}

/// How many of these system calls an undisturbed run makes.
fn count(calls: &str) -> usize {
    let world = rotating().build();
    let (old, run) = disturbed(&world, calls, &[]);
    run.exit(0);
    assert_ne!(world.credential_json(), old, "an undisturbed run rotates");
    world.read_text(&world.path("calls")).lines().filter(|line| !line.contains("resumed>")).count()
}

/// Injects this at each of these calls in turn, and returns how the runs ended.
fn at_each(calls: &str, effect: &str) -> Vec<support::Run> {
    let each = |number: usize| {
        let world = rotating().build();
        let inject = format!("inject={calls}:{effect}:when={number}");
        let (old, run) = disturbed(&world, calls, &["-e", &inject]);
        let what = format!("{calls} {effect}, call {number}");
        assert_whole(&world, &old, &what);
        assert!(
            run.signal == Some(9) || is_kept(&world, &old),
            "{what}: the new token is lost: {}",
            run.stderr
        );
        run
    };
    (1..=count(calls)).map(each).collect()
}

#[test]
fn killed_at_any_step_of_writing_a_rotated_token_a_whole_credential_remains() {
    let runs = at_each("fsync,fdatasync,rename,renameat,renameat2,link,unlink", "signal=SIGKILL");
    let killed = runs.iter().filter(|run| run.signal == Some(9)).count();
    assert!(killed >= 8, "only {killed} points");
    assert!(runs.iter().all(|run| run.signal == Some(9) || run.code == Some(0)), "nothing else happens");
}

#[test]
fn a_disk_that_fails_at_any_step_leaves_a_whole_credential() {
    // Of the two renames the one that keeps the file before is no failure.
    for (calls, effect, least) in [
        ("fsync,fdatasync", "error=EIO", 4),
        ("rename,renameat,renameat2", "error=ENOSPC", 1),
        // Each on its own: strace counts the calls of each name, and the first that fails would hide the other's.
        ("write", "error=ENOSPC", 2),
        ("pwrite64", "error=ENOSPC", 2),
    ] {
        let runs = at_each(calls, effect);
        let failed = runs.iter().filter(|run| run.code == Some(74)).count();
        assert!(failed >= least, "{calls}: {failed} of {} runs said that the disk fails", runs.len());
    }
    let run = at_each("rename,renameat,renameat2", "error=ENOSPC").pop().unwrap();
    run.exit(74).error("credential \"port-sheet\": cannot write ").error("No space left on device");
    run.hint_with("the new refresh token is saved; once the disk works again, put it in place: mv ");
}

#[test]
fn a_token_that_a_failing_disk_kept_out_of_its_place_is_used_by_the_next_run() {
    let calls = "rename,renameat,renameat2";
    let world = rotating().build();
    let inject = format!("inject={calls}:error=ENOSPC:when={}", count(calls));
    let (old, run) = disturbed(&world, calls, &["-e", &inject]);
    run.exit(74).hint_with("the new refresh token is saved; once the disk works again, put it in place: mv ");
    assert_eq!(world.credential_json(), old);
    world.run(&["--now"]).exit(0);
    assert!(!world.state().join("credentials/port-sheet.json.new").exists());
    let told = world.events();
    let kinds: Vec<_> = told.iter().map(|event| event.kind.as_str()).collect();
    assert_eq!(kinds, ["first-failure", "recovered"], "nobody has to log in");
    assert!(told[0].text.ends_with("No space left on device (os error 28)"), "the disk is told: {told:?}");
}

#[test]
fn a_check_that_is_told_to_end_keeps_the_token_that_it_asked_for() {
    let world = rotating().build();
    world.run(&["--offline"]).exit(0);
    let old = world.credential_json();
    world.fault(Fault { path: Some("^/token$".into()), delay_ms: 1500, ..Fault::default() });
    let running = world.process(&[]).spawn();
    let is_asking = || {
        let entries = std::fs::read_dir(world.state().join("credentials")).unwrap().flatten();
        entries.filter(|entry| entry.file_name().as_encoded_bytes().starts_with(b".draft-")).count() == 2
    };
    while !is_asking() {
        std::thread::yield_now();
    }
    running.terminate();
    running.wait().exit(75).error("stopped by SIGTERM");
    assert_ne!(world.credential_json(), old);
    assert_whole(&world, &old, "stopped while it asked");
    world.run(&["--now"]).exit(0);
}

#[test]
fn a_broken_off_answer_to_a_rotation_is_told_as_a_dead_token_and_healed_by_a_login() {
    let world = rotating().build();
    world.fault(Fault { path: Some("^/token$".into()), cut: true, ..Fault::default() });
    run_at(&world, "2026-05-13 12:00:00", &[]).exit(77).error("invalid_grant");
    world.log_in_again();
    run_at(&world, "2026-05-13 12:05:00", &[]).exit(0);
}

#[test]
fn a_directory_that_cannot_be_written_is_told_before_a_token_is_spent() {
    let world = rotating().build();
    let process = world.process(&[]).as_ordinary_user();
    let credentials = world.state().join("credentials");
    world.set_mode(&credentials, 0o500);
    let run = process.run();
    world.set_mode(&credentials, 0o700);
    run.exit(74).error("credential \"port-sheet\": cannot write ").error("Permission denied");
    run.hint_with("no token was requested, because a changed refresh token could not be saved; make room");
    assert_eq!(world.counts().tokens, 0);
    world.process(&[]).as_ordinary_user().run().exit(0);
}

#[test]
fn a_persons_authorization_cannot_come_through_load_credential() {
    let world = rotating().build();
    let granted = world.path("run/credentials");
    world.make_private_dir("run/credentials");
    std::fs::copy(world.credential(), granted.join("port-sheet.json")).unwrap();
    let process = world.process(&[]).as_ordinary_user().env("CREDENTIALS_DIRECTORY", &granted);
    world.set_mode(&granted, 0o500);
    let run = process.run();
    world.set_mode(&granted, 0o700);
    run.exit(74)
        .hint_with("a person's authorization cannot come through LoadCredential=: token-login port-sheet");
    assert_eq!(world.counts().tokens, 0);
}
