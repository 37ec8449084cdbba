//! Against npm's `oidc-provider`: PKCE is demanded, refresh tokens rotate, and one that comes back ends the grant.
//!
//! The sheet stays on the stand-in, which takes every access token here. Without Node these say so and check nothing.

use serde_json::{Value, json};
use support::{BOOKINGS, World};

use crate::person::{address, parameter, visit};
use crate::provider::Provider;
use crate::{SCOPE, download, world};

/// A world without a credential, and the downloaded client of this server.
fn newcomer(provider: &Provider) -> (World, String) {
    let world = world().any_token().build();
    world.remove(&world.credential());
    let client = download(&world, "client.json", &provider.client().to_string());
    world.know_secrets_of(&provider.client()["installed"]);
    (world, client)
}

/// A person logs in with these arguments.
fn log_in(world: &World, provider: &Provider, args: &[&str]) {
    let running = world.process(&[&["port-sheet", "-v"], args].concat()).on_terminal().spawn();
    let back = provider.allows(&address(&running));
    world.know_secrets_of(&json!({"code": parameter(&back, "code").unwrap()}));
    assert_eq!(visit(&back).status, 200);
    running.wait().exit(0);
    token(world);
}

/// A world in which someone has logged in.
fn logged_in(provider: &Provider) -> World {
    let (world, client) = newcomer(provider);
    log_in(&world, provider, &["--client", &client]);
    world
}

/// The refresh token in the file, from now on a secret of the world.
fn token(world: &World) -> String {
    let credential = world.credential_json();
    world.know_secrets_of(&credential);
    credential["refresh_token"].as_str().unwrap().to_owned()
}

fn check(world: &World) -> support::Run {
    world.process_of("token-check", &["--now"]).run()
}

/// How many refreshes were recorded, and how many of them were refused.
fn refreshes(world: &World) -> (i64, i64) {
    let database = rusqlite::Connection::open(world.state().join("state.db")).unwrap();
    let query = "SELECT count(*), count(*) FILTER (WHERE class <> 'ok') FROM refresh";
    database.query_row(query, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap()
}

#[test]
fn a_login_satisfies_a_server_that_demands_pkce() {
    let provider = Provider::start();
    let (world, client) = newcomer(&provider);
    let running = world.process(&["port-sheet", "--client", &client]).on_terminal().spawn();
    let address = address(&running);
    let unproven = address.replace("code_challenge", "no_challenge");
    assert_eq!(parameter(&visit(&unproven).location, "error").as_deref(), Some("invalid_request"));
    let back = provider.allows(&address);
    world.know_secrets_of(&json!({"code": parameter(&back, "code").unwrap()}));
    visit(&back);
    running.wait().exit(0);
    let credential = world.credential_json();
    assert_eq!((&credential["type"], &credential["scopes"]), (&json!("authorized_user"), &json!([SCOPE])));
    assert_eq!(world.mode(&world.credential()), 0o600);
    world.process_of("port-sheet-sync", &[]).run().exit(0);
    assert_eq!(world.rows().len(), 4, "the header and the bookings");
}

#[test]
fn a_rotated_token_is_kept_and_the_one_before_beside_it() {
    let provider = Provider::start();
    let world = logged_in(&provider);
    let mut before = token(&world);
    for _ in 0..3 {
        check(&world).exit(0);
        let now = token(&world);
        let previous = world.state().join("credentials/port-sheet.json.prev");
        let kept: Value = serde_json::from_str(&world.read_text(&previous)).unwrap();
        assert_ne!(now, before, "it rotates");
        assert_eq!(kept["refresh_token"], before);
        assert_eq!((world.mode(&world.credential()), world.mode(&previous)), (0o600, 0o600));
        before = now;
    }
}

#[test]
fn jobs_that_refresh_at_the_same_moment_never_send_a_token_twice() {
    let provider = Provider::start();
    let world = logged_in(&provider);
    let running: Vec<_> = ["token-check", "port-sheet-sync"]
        .iter()
        .cycle()
        .take(12)
        .map(|name| {
            let now = if *name == "token-check" { &["--now"][..] } else { &[] };
            world.process_of(name, &[now, &["--lock-wait", "150s"]].concat()).spawn()
        })
        .collect();
    for process in running {
        process.wait().exit(0);
    }
    assert_eq!(refreshes(&world), (13, 0), "the login and each job got a token, none was refused");
    check(&world).exit(0);
}

#[test]
fn a_token_that_is_sent_twice_ends_the_grant_and_is_told() {
    let provider = Provider::start();
    let world = logged_in(&provider);
    let old = token(&world);
    check(&world).exit(0);
    token(&world);
    // As a job without a lock would do, or a copy of the file elsewhere.
    assert_eq!(provider.exchange(&old), (400, json!("invalid_grant")));
    let run = check(&world);
    run.exit(77).error("answered 400: invalid_grant (").hint_with("token-login port-sheet");
}

#[test]
fn a_revoked_grant_is_told_and_healed_by_a_login_which_starts_what_waited() {
    let provider = Provider::start();
    let world = logged_in(&provider);
    world.process_of("port-sheet-sync", &[]).run().exit(0);
    provider.revoke(&token(&world));
    world.write_source(&[&BOOKINGS[..], &["B-104,Dora,2026-06-01,4"]].concat());
    let run = world.process_of("port-sheet-sync", &[]).run();
    run.exit(77).error("answered 400: invalid_grant (").hint_with("token-login port-sheet");
    check(&world).exit(77).error("invalid_grant");
    // The client and its addresses are in the credential by now.
    log_in(&world, &provider, &[]);
    check(&world).exit(0);
    assert_eq!(world.rows().last().unwrap()[0], "B-104", "what waited has been synced");
}
