//! Files of other programs are taken over: Python's `token.json`, a service account's key.

use google_standin::Person;
use serde_json::{Value, json};
use support::World;

use crate::{SCOPE, download, world};

/// A person's credential as Python's google-auth writes it: no `type`, an old access token.
fn python(world: &World) -> Value {
    let user = world.server.authorized_user(Some(&world.account), None);
    world.know_secrets_of(&user);
    json!({"token": "ya29.an-old-access-token", "refresh_token": user["refresh_token"], "token_uri": user["token_uri"],
        "client_id": user["client_id"], "client_secret": user["client_secret"], "scopes": [SCOPE],
        "universe_domain": "googleapis.com", "account": "", "expiry": "2026-05-13T12:00:00.000000Z"})
}

#[test]
fn pythons_token_json_is_proved_and_takes_the_place() {
    let world = world().build();
    let (before, offered) = (world.credential_json(), python(&world));
    let path = download(&world, "token.json", &offered.to_string());
    world.set_mode(&world.path("download/credentials/token.json"), 0o644);
    let run = world.process(&["port-sheet", "--import", &path, "-v"]).run();
    run.exit(0);
    assert!(run.stdout.contains(&format!("remove the download: rm {path}")), "{}", run.stdout);
    assert!(run.stdout.contains("other users of this machine could read"), "{}", run.stdout);
    let mut expected = offered;
    for gone in ["token", "expiry"] {
        expected.as_object_mut().unwrap().remove(gone);
    }
    assert_eq!(world.credential_json(), expected, "all but the access token, which is never stored");
    let previous = world.state().join("credentials/port-sheet.json.prev");
    assert_eq!(serde_json::from_str::<Value>(&world.read_text(&previous)).unwrap(), before);
    assert_eq!((world.mode(&world.credential()), world.mode(&previous)), (0o600, 0o600));
    assert_eq!((world.counts().tokens, world.counts().reads, world.counts().writes), (1, 1, 0));
}

#[test]
fn a_service_accounts_key_is_taken_byte_for_byte() {
    let world = world().service_account().build();
    let key = world.read_text(&world.credential());
    let path = download(&world, "key.json", &key);
    world.remove(&world.credential());
    let run = world.process(&["port-sheet", "--import", &path, "--json"]).run();
    run.exit(0);
    assert_eq!(world.read_text(&world.credential()), key);
    assert_eq!(world.mode(&world.credential()), 0o600);
    assert_eq!(run.json()["credentials"][0]["account"], json!(world.account));
}

#[test]
fn a_credential_that_lived_in_a_variable_comes_on_standard_input() {
    let world = world().build();
    let offered = python(&world);
    world.process(&["port-sheet", "--import", "-"]).stdin(&offered.to_string()).run().exit(0);
    assert_eq!(world.credential_json()["refresh_token"], offered["refresh_token"]);
}

#[test]
fn a_credential_is_pasted_on_the_terminal_and_not_shown() {
    let world = world().build();
    let offered = python(&world);
    let running = world.process(&["port-sheet", "--import", "-"]).on_terminal().spawn();
    running.wait_for_stderr("Paste the JSON");
    running.type_in(&format!("{}\n\x04", serde_json::to_string_pretty(&offered).unwrap()));
    running.wait().exit(0);
    assert_eq!(world.credential_json()["refresh_token"], offered["refresh_token"]);
}

#[test]
fn ctrl_c_ends_the_waiting_for_a_paste() {
    let world = world().build();
    let before = world.snapshot(&world.state().join("credentials"));
    let running = world.process(&["port-sheet", "--import", "-"]).on_terminal().spawn();
    running.wait_for_stderr("Paste the JSON");
    running.type_in("{\n\x03");
    running.wait().exit(75);
    assert_eq!(world.snapshot(&world.state().join("credentials")), before);
}

#[test]
fn a_refresh_token_that_is_rotated_on_the_way_is_the_one_that_is_kept() {
    let world = world().build();
    let person = Person { email: Some(world.account.clone()), rotates: true, ..Person::default() };
    let offered = world.server.person(person);
    world.know_secrets_of(&offered);
    world.process(&["port-sheet", "--import", "-"]).stdin(&offered.to_string()).run().exit(0);
    let kept = world.credential_json()["refresh_token"].clone();
    assert_ne!(kept, offered["refresh_token"]);
    assert!(world.server.revoke_refresh_token(kept.as_str().unwrap()), "it is the live one");
}

/// This is refused, and every file is what it was.
#[track_caller]
fn refused(world: &World, offered: &str, code: i32, error: &str, hint: &str) {
    let before = world.snapshot(&world.state().join("credentials"));
    let run = world.process(&["port-sheet", "--import", "-"]).stdin(offered).run();
    run.exit(code).error(error).hint_with(hint);
    assert_eq!(world.snapshot(&world.state().join("credentials")), before);
}

#[test]
fn what_is_no_credential_is_refused_with_what_is_taken() {
    let world = world().build();
    let takes = "--import takes a service account's key";
    refused(&world, "not json", 77, "standard input is not a JSON object", takes);
    refused(&world, "{\"type\":\"external_account\"}", 77, "has the unknown type", takes);
    refused(&world, "{\"refresh_token\":\"1//x\"}", 77, "lacks the field \"client_id\"", takes);
    refused(&world, "", 77, "standard input is empty", "token-login NAME --import - < FILE");
    refused(&world, &" ".repeat(70_000), 77, "is longer than a credential", "--import -");
    refused(
        &world,
        "{\"installed\":{}}",
        77,
        "is an OAuth client, not a credential",
        "token-login port-sheet --client FILE",
    );
    let strange = python(&world).to_string().replace(&world.server.url(), "https://login.example.com");
    refused(&world, &strange, 77, "which is not Google", "token-hosts");
    assert_eq!(world.requests().len(), 0);
}

#[test]
fn a_credential_that_is_dead_or_cannot_reach_the_sheet_is_not_taken() {
    let world = world().build();
    let offered = python(&world);
    assert!(world.server.revoke_refresh_token(offered["refresh_token"].as_str().unwrap()));
    refused(&world, &offered.to_string(), 77, "answered 400: invalid_grant", "it is not good any more");
    let stranger = world.server.authorized_user(Some("stranger@example.com"), None);
    world.know_secrets_of(&stranger);
    refused(
        &world,
        &stranger.to_string(),
        77,
        "403 PERMISSION_DENIED",
        "add stranger@example.com as an editor",
    );
    let robot = world.server.service_account();
    world.know_secrets_of(&robot);
    let email = robot["client_email"].as_str().unwrap().to_owned();
    refused(&world, &robot.to_string(), 77, "403 PERMISSION_DENIED", &format!("add {email} as an editor"));
    let few = world
        .server
        .authorized_user(Some(&world.account), Some(&["https://www.googleapis.com/auth/drive.file"]));
    world.know_secrets_of(&few);
    refused(&world, &few.to_string(), 77, &format!("lacks the scope {SCOPE}"), "leave every box");
}

#[test]
fn a_link_or_a_missing_file_is_refused() {
    let world = world().build();
    let path = download(&world, "token.json", &python(&world).to_string());
    let link = world.path("download/credentials/link.json");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    let run = world.process(&["port-sheet", "--import", link.to_str().unwrap()]).run();
    run.exit(77).error("is a symbolic link");
    world.process(&["port-sheet", "--import", "/nowhere/token.json"]).run().exit(77).error("does not exist");
}

#[test]
fn a_server_that_echoes_a_refused_token_does_not_spread_it() {
    let world = world().build();
    let offered = python(&world);
    let token = offered["refresh_token"].as_str().unwrap();
    let echo = json!({"error": "invalid_grant", "error_description": format!("no such token {token}")});
    world.server.token_error(&world.account, Some((400, echo)));
    let run = world.process(&["port-sheet", "--import", "-"]).stdin(&offered.to_string()).run();
    run.exit(77).error("400: invalid_grant (no such token (secret))");
}

#[test]
fn a_token_for_all_of_drive_may_do_what_one_for_spreadsheets_may() {
    let drive = "https://www.googleapis.com/auth/drive";
    let world = world().build();
    let user = world.server.authorized_user(Some(&world.account), Some(&[drive]));
    world.know_secrets_of(&user);
    world.process(&["port-sheet", "--import", "-"]).stdin(&user.to_string()).run().exit(0);
    assert_eq!(world.credential_json()["refresh_token"], user["refresh_token"]);
}
