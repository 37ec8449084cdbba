//! A login is in the history at once: a credential that was left in peace is asked again, and what waited is started.

use google_standin::Person;
use serde_json::{Value, json};
use support::World;

use crate::person::{address, allows, visit};
use crate::{SCOPE, built, download, world};

/// A person logs in.
fn log_in(world: &World) {
    let running = world.process(&["port-sheet"]).on_terminal().spawn();
    visit(&allows(world, &address(&running)));
    running.wait().exit(0);
}

fn sync(world: &World) -> support::Run {
    world.process_of("port-sheet-sync", &[]).run()
}

/// What is known of the credential, without asking anybody.
fn known(world: &World) -> Value {
    let run = world.process_of("token-check", &["--offline", "--json"]).run();
    run.json()["credentials"][0].clone()
}

/// How often this was reported.
fn told(world: &World, kind: &str) -> usize {
    world.events().iter().filter(|event| event.kind == kind).count()
}

fn logins(world: &World) -> i64 {
    let database = rusqlite::Connection::open(world.state().join("state.db")).unwrap();
    database.query_row("SELECT count(*) FROM login", [], |row| row.get(0)).unwrap()
}

#[test]
fn a_first_login_is_known_to_work_before_any_job_has_run() {
    let world = built(world());
    log_in(&world);
    let known = known(&world);
    assert_eq!((&known["class"], &known["scopes"]), (&Value::Null, &json!([SCOPE])));
    assert_eq!(known["obtained"], known["last_good"]);
    assert!(known["obtained"].is_string(), "{known}");
    assert_eq!(logins(&world), 1);
    log_in(&world);
    assert_eq!(logins(&world), 2, "every login counts");
}

#[test]
fn an_end_that_the_login_was_told_is_known_at_once() {
    let month = Person { refresh_token_expires_in: Some(30 * 24 * 3600), ..Person::default() };
    let world = world().person(month).build();
    let path = download(&world, "token.json", &world.credential_json().to_string());
    world.run(&["port-sheet", "--import", &path]).exit(0);
    assert!(known(&world)["ends"].is_string());
}

#[test]
fn after_a_login_the_recovery_is_told_once_and_what_waited_is_started_once() {
    let world = built(world());
    sync(&world).exit(77);
    sync(&world).exit(77);
    assert_eq!((told(&world, "first-failure"), told(&world, "recovered")), (1, 0));
    log_in(&world);
    assert_eq!(told(&world, "recovered"), 1);
    assert_eq!(known(&world)["blocked"][0]["job"], "port-sheet-sync", "nobody has started it yet");
    for _ in 0..2 {
        world.process_of("token-check", &[]).run().exit(0);
        assert_eq!(world.rows().len(), 4, "the job that waited has run");
    }
    let runs = world.records().into_iter().filter(|record| record.job == "port-sheet-sync").count();
    assert_eq!((runs, told(&world, "recovered")), (3, 1));
}

#[test]
fn the_very_same_file_is_believed_when_it_is_imported_after_it_failed() {
    let world = world().build();
    let refused =
        json!({"error": "invalid_grant", "error_description": "Token has been expired or revoked."});
    world.server.token_error(&world.account, Some((400, refused)));
    sync(&world).exit(77);
    world.server.token_error(&world.account, None);
    sync(&world).exit(77).error("it is not asked again before");
    let path = download(&world, "token.json", &world.credential_json().to_string());
    world.run(&["port-sheet", "--import", &path]).exit(0);
    assert_eq!(logins(&world), 1, "it is the same authorization");
    sync(&world).exit(0);
    assert_eq!(told(&world, "recovered"), 1);
}

#[test]
fn a_login_that_comes_to_nothing_changes_no_history() {
    let world = built(world());
    sync(&world).exit(77);
    let before = known(&world);
    let path = download(&world, "token.json", &world.credential_json().to_string());
    world.run(&["port-sheet", "--import", &path]).exit(77);
    let after = known(&world);
    for field in ["class", "words", "first_failure", "failed_refreshes", "obtained"] {
        assert_eq!(after[field], before[field], "{field}");
    }
}
