//! The Python of `docs/quota.md`, exactly as it is there, run by the system's own interpreter.

use std::process::{Command, Output};

use support::World;

use crate::{ledger, run_at, work, world};

/// The code block of the document.
fn documented() -> String {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/quota.md");
    let text = std::fs::read_to_string(path).unwrap();
    let (_, code) = text.split_once("```python\n").unwrap();
    code.split_once("```").unwrap().0.to_owned()
}

/// Runs statements after the documented ones, with `db` open and `today` set.
fn python(world: &World, today: &str, statements: &str) -> Output {
    let database = world.state().join("state.db");
    let script = format!("{}\n\ndb = connect({database:?})\ntoday = {today:?}\n{statements}", documented());
    Command::new(support::program("python3")).arg("-c").arg(script).output().unwrap()
}

#[track_caller]
fn said(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

const LOOP: &str = "
print(add(db, 'agents', 'P-1', {'prompt': 'tidy'}), add(db, 'agents', 'P-1', {}))
for n in range(2, 8):
    add(db, 'agents', f'P-{n}', {'n': n})
print(release(db, 'agents', today), release(db, 'agents', today))
while True:
    granted = grant(db, 'agents', 'python-1', today)
    if granted is None:
        break
    task, attempt, body = granted
    assert heartbeat(db, task, 'python-1') and not heartbeat(db, task, 'python-2')
    assert finish(db, task, attempt, 'python-1', 'done', 12, 'tidied')
    assert not finish(db, task, attempt, 'python-1', 'failed')
    print(task, attempt, body)
print(release(db, 'agents', today), grant(db, 'agents', 'python-1', today))
";

#[test]
fn a_python_daemon_takes_part_with_the_documented_statements() {
    let world = world();
    run_at(&world, "2026-05-13 18:00:00", &[]).exit(0);
    let output = said(&python(&world, "2026-05-13", LOOP));
    let lines: Vec<&str> = output.lines().collect();
    assert_eq!(lines[0], "True False");
    assert_eq!(lines[1], "['P-1', 'P-2', 'P-3', 'P-4', 'P-5'] []");
    assert_eq!(lines[2], "P-1 1 {'prompt': 'tidy'}");
    assert_eq!(lines[7..], ["[] None"], "the sixth is refused");
    let reset = run_at(&world, "2026-05-14 00:01:00", &["--json"]).json();
    assert_eq!((&reset["days"][0]["sessions"], &reset["days"][0]["turns"]), (&5.into(), &60.into()));
    assert_eq!(reset["released"][1]["task"], "P-7");
    assert_eq!(work(&world, "2026-05-14 00:02:00", 1), 2, "what Python added runs here");
}

#[test]
fn what_python_releases_of_the_dashboards_is_told_to_it() {
    let world = world();
    run_at(&world, "2026-05-13 18:00:00", &[]).exit(0);
    let task = "INSERT INTO quota_task (id, quota, source, body, state, created, changed)
        VALUES ('D-1', 'agents', 'dashboard', '{}', 'pending', '', '')";
    ledger(&world).execute(task, []).unwrap();
    assert_eq!(said(&python(&world, "2026-05-13", "print(release(db, 'agents', today))")), "['D-1']\n");
    let post = "SELECT key || ' ' || body FROM quota_post";
    let post: String = ledger(&world).query_row(post, [], |row| row.get(0)).unwrap();
    assert_eq!(post, r#"release:D-1:1 {"quota":"agents","day":"2026-05-13","attempt":1}"#);
}

#[test]
fn a_python_clock_that_jumped_is_refused_by_the_database() {
    let world = world();
    run_at(&world, "2026-05-13 18:00:00", &[]).exit(0);
    let refused = python(&world, "2026-05-15", "print(release(db, 'agents', today))");
    assert!(!refused.status.success());
    let words = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(words.contains("sqlite3.IntegrityError: the day steps only to the next one"), "{words}");
    assert_eq!(
        said(&python(&world, "2026-05-11", "print(turn_day(db, today))")),
        "2026-05-13\n",
        "nor does it go back"
    );
    assert_eq!(said(&python(&world, "2026-05-14", "print(turn_day(db, today))")), "2026-05-14\n");
}

#[test]
fn python_and_our_processes_at_once_never_exceed_the_cap_and_run_nothing_twice() {
    let world = world();
    run_at(&world, "2026-05-13 18:00:00", &[]).exit(0);
    let database = world.state().join("state.db");
    let statements = "
import os
for n in range(20):
    add(db, 'agents', f'P-{os.getpid()}-{n}', {})
    release(db, 'agents', today)
    granted = grant(db, 'agents', f'python-{os.getpid()}', today)
    if granted:
        finish(db, granted[0], granted[1], f'python-{os.getpid()}', 'done', 1, '')
";
    std::thread::scope(|scope| {
        let pythons: Vec<_> =
            (0..3).map(|_| scope.spawn(|| said(&python(&world, "2026-05-13", statements)))).collect();
        let ours = scope.spawn(|| {
            for minute in 10..20 {
                world.process(&[]).at(&format!("2026-05-13 19:{minute}:00")).run().exit(0);
                work(&world, "2026-05-13 19:30:00", 1);
            }
        });
        pythons.into_iter().for_each(|python| drop(python.join().unwrap()));
        ours.join().unwrap();
    });
    let count = |query: &str| -> i64 { ledger(&world).query_row(query, [], |row| row.get(0)).unwrap() };
    assert_eq!(count("SELECT count(*) FROM quota_session"), 5);
    assert_eq!(count("SELECT count(*) FROM quota_task"), 60);
    assert_eq!(count("SELECT count(DISTINCT task) FROM quota_session"), 5);
    let check: String = ledger(&world).query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(check, "ok", "{}", database.display());
}
