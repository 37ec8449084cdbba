//! A person logs in, and the file is replaced.

use std::io::Read as _;

use serde_json::{Value, json};
use support::{Run, World};

use crate::person::{address, address_in, allows, decides, parameter, visit};
use crate::{SCOPE, built, client, download, world};

/// The new credential is in place, works, and the one before is beside it.
#[track_caller]
fn is_in_place(world: &World, before: &Value, run: &Run) {
    run.exit(0);
    assert_eq!(run.errors(), [""; 0]);
    let after = world.credential_json();
    assert_ne!(after["refresh_token"], before["refresh_token"]);
    assert_eq!((&after["account"], &after["scopes"]), (&json!(world.account), &json!([SCOPE])));
    let previous = world.state().join("credentials/port-sheet.json.prev");
    assert_eq!(serde_json::from_str::<Value>(&world.read_text(&previous)).unwrap(), *before);
    assert_eq!((world.mode(&world.credential()), world.mode(&previous)), (0o600, 0o600));
    assert!(world.requests().iter().all(|request| request.path != "/revoke"));
}

#[test]
fn the_browser_brings_the_answer() {
    let world = built(world());
    let before = world.credential_json();
    let running = world.process(&["port-sheet", "--json"]).on_terminal().spawn();
    let back = allows(&world, &address(&running));
    let shown = visit(&back);
    assert_eq!(shown.status, 200);
    assert!(shown.text.contains("You can close this window"), "{}", shown.text);
    let run = running.wait();
    is_in_place(&world, &before, &run);
    assert_eq!(world.credential_json()["note"], "a person's own");
    let result = run.json();
    assert_eq!(
        (&result["job"], &result["outcome"], &result["error"]),
        (&json!("token-login"), &json!("ok"), &Value::Null)
    );
    assert_eq!(
        result["credentials"],
        json!([{"credential": "port-sheet", "outcome": "ok", "account": world.account, "scopes": [SCOPE],
            "sheets": [{"sheet": "port-sheet", "reachable": true}]}])
    );
    assert_eq!(world.records().last().unwrap().exit, Some(0));
}

#[test]
fn the_request_asks_for_what_google_needs() {
    let world = built(world());
    let running = world.process(&["port-sheet", "--login-hint", "ann@example.com"]).on_terminal().spawn();
    let address = address(&running);
    for (name, value) in [
        ("response_type", "code"),
        ("access_type", "offline"),
        ("prompt", "consent"),
        ("code_challenge_method", "S256"),
        ("login_hint", "ann@example.com"),
        ("scope", SCOPE),
    ] {
        assert_eq!(parameter(&address, name).as_deref(), Some(value), "{name}");
    }
    assert!(parameter(&address, "redirect_uri").unwrap().starts_with("http://127.0.0.1:"));
    assert!(parameter(&address, "state").unwrap().len() >= 20);
    running.type_in("\x03");
    running.wait().exit(75);
}

/// The person pastes this part of the last page's address.
fn pastes(part: impl Fn(&str) -> String) {
    let world = built(world());
    let before = world.credential_json();
    let running = world.process(&["port-sheet"]).on_terminal().spawn();
    let back = allows(&world, &address(&running));
    assert!(!running.echoes(), "what is pasted is not shown");
    running.type_in(&format!("{}\n", part(&back)));
    is_in_place(&world, &before, &running.wait());
}

#[test]
fn the_address_of_the_last_page_is_pasted() {
    pastes(str::to_owned);
}

#[test]
fn the_code_alone_is_pasted() {
    pastes(|back| parameter(back, "code").unwrap());
}

#[test]
fn a_wrong_paste_is_told_and_the_next_one_taken() {
    pastes(|back| format!("\nwhat am I to do?\n{back}"));
}

#[test]
#[expect(clippy::disallowed_methods, reason = "browsers open connections and say nothing")]
fn a_browser_that_asks_for_an_icon_or_says_nothing_does_not_end_the_waiting() {
    let world = built(world());
    let before = world.credential_json();
    let running = world.process(&["port-sheet"]).on_terminal().spawn();
    let address = address(&running);
    let home = parameter(&address, "redirect_uri").unwrap();
    let port = home.trim_end_matches('/').rsplit(':').next().unwrap().to_owned();
    let _silent = std::net::TcpStream::connect(format!("127.0.0.1:{port}")).unwrap();
    for path in ["favicon.ico", "", "?", "?x=1", "elsewhere?code=c&state=s"] {
        assert_eq!(visit(&format!("{home}{path}")).status, 404, "{path}");
    }
    visit(&allows(&world, &address));
    is_in_place(&world, &before, &running.wait());
}

#[test]
fn a_first_login_takes_the_downloaded_client() {
    let world = built(world());
    let before = world.credential_json();
    world.remove(&world.credential());
    let path = download(&world, "client secret.json", &client(&world).to_string());
    let hint = world.account.clone();
    let args = ["port-sheet", "--client", &path, "--login-hint", &hint, "-v"];
    let running = world.process(&args).on_terminal().spawn();
    visit(&allows(&world, &address(&running)));
    let run = running.wait();
    run.exit(0);
    assert!(run.stdout.contains(&format!("remove the download: rm '{path}'")), "{}", run.stdout);
    assert!(world.path("download/credentials/client secret.json").exists(), "it is left where it is");
    let after = world.credential_json();
    assert_eq!((&after["client_id"], &after["auth_uri"]), (&before["client_id"], &before["auth_uri"]));
    assert_eq!(world.mode(&world.credential()), 0o600);
    assert!(!world.state().join("credentials/port-sheet.json.prev").exists());
    // And the credential that it wrote is enough for the next login.
    let running = world.process(&["port-sheet"]).on_terminal().spawn();
    visit(&allows(&world, &address(&running)));
    is_in_place(&world, &after, &running.wait());
}

#[test]
fn a_person_takes_the_place_of_a_robot_and_nothing_of_its_key_stays() {
    let world = world().service_account().build();
    let before = world.credential_json();
    let path = download(&world, "client.json", &client(&world).to_string());
    let running = world
        .process(&["port-sheet", "--client", &path, "--login-hint", &world.account])
        .on_terminal()
        .spawn();
    visit(&allows(&world, &address(&running)));
    is_in_place(&world, &before, &running.wait());
    assert_eq!(world.credential_json().get("private_key"), None);
}

#[test]
fn without_a_terminal_the_browser_still_brings_the_answer() {
    let world = built(world());
    let before = world.credential_json();
    let running = world.process(&["port-sheet"]).spawn();
    running.wait_for_stderr("prompt=consent");
    let said = running.stderr_so_far();
    assert!(!said.contains("paste"), "{said}");
    visit(&allows(&world, &address_in(&said)));
    is_in_place(&world, &before, &running.wait());
}

#[test]
fn an_ordinary_user_logs_in() {
    let world = built(world());
    let before = world.credential_json();
    let running = world.process(&["port-sheet"]).as_ordinary_user().spawn();
    running.wait_for_stderr("prompt=consent");
    visit(&allows(&world, &address_in(&running.stderr_so_far())));
    is_in_place(&world, &before, &running.wait());
}

#[test]
fn over_ssh_the_way_back_is_told_and_no_browser_is_opened() {
    let world = built(world());
    let running = world
        .process(&["port-sheet"])
        .env("SSH_CONNECTION", "198.51.100.7 50000 203.0.113.5 2222")
        .env("DISPLAY", "localhost:10.0")
        .env("USER", "ann")
        .on_terminal()
        .spawn();
    let port = parameter(&address(&running), "redirect_uri").unwrap();
    let port = port.trim_end_matches('/').rsplit(':').next().unwrap().to_owned();
    let said = running.stderr_so_far();
    let tunnel = format!("ssh -p 2222 -L {port}:127.0.0.1:{port} ann@203.0.113.5");
    assert!(said.contains(&tunnel) && !said.contains("A browser opens"), "{said}");
    running.type_in("\x03");
    running.wait().exit(75);
}

#[test]
fn on_a_desktop_the_browser_is_opened_with_the_address() {
    let world = built(world());
    let before = world.credential_json();
    let fifo = world.path("opened");
    world.make_fifo(&fifo);
    world.make_private_dir("desktop");
    world.write("desktop/xdg-open", b"#!/bin/sh\nprintf %s \"$1\" > \"$HOME/opened\"\n");
    world.set_mode(&world.path("desktop/xdg-open"), 0o755);
    let path = format!("{}:/usr/bin:/bin", world.path("desktop").display());
    let running = world.process(&["port-sheet"]).env("DISPLAY", ":0").env("PATH", path).on_terminal().spawn();
    let mut opened = String::new();
    std::fs::File::open(&fifo).unwrap().read_to_string(&mut opened).unwrap();
    world.remove(&fifo);
    assert_eq!(opened, address(&running));
    assert!(running.stderr_so_far().contains("A browser opens"));
    visit(&allows(&world, &opened));
    is_in_place(&world, &before, &running.wait());
}

#[test]
fn a_desktop_without_a_browser_or_with_no_browser_gets_the_address() {
    for args in [&["port-sheet"][..], &["port-sheet", "--no-browser"]] {
        let world = built(world());
        let running = world.process(args).env("DISPLAY", ":0").env("PATH", "/nowhere").on_terminal().spawn();
        address(&running);
        assert!(running.stderr_so_far().contains("in a browser on this machine"));
        running.type_in("\x03");
        running.wait().exit(75);
    }
}

#[test]
fn the_old_authorization_is_not_revoked() {
    let world = world().build();
    let mut before = world.credential_json();
    before["auth_uri"] = json!(crate::page(&world));
    world.write_credential(&before);
    let running = world.process(&["port-sheet"]).on_terminal().spawn();
    visit(&decides(&address(&running), "approve=1"));
    is_in_place(&world, &before, &running.wait());
    assert!(world.server.revoke_refresh_token(before["refresh_token"].as_str().unwrap()), "it was alive");
}
