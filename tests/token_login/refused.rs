//! A login that comes to nothing: it says why and what to type, and every file is what it was.

use google_standin::Fault;
use serde_json::json;
use support::{Builder, Run, Running, World};

use crate::person::{address, allows, decides, parameter, visit};
use crate::{SCOPE, built, client, download, world};

const AGAIN: &str = "type the same command again";

/// The person does this, and the login ends with this exit code, error and hint.
#[track_caller]
fn comes_to_nothing(
    builder: Builder,
    person: impl Fn(&World, &Running<'_>),
    code: i32,
    error: &str,
    hint: &str,
) -> Run {
    let world = built(builder);
    let before = world.snapshot(&world.state().join("credentials"));
    let running = world.process(&["port-sheet", "--json"]).on_terminal().spawn();
    person(&world, &running);
    let run = running.wait();
    run.exit(code).error(error).hint_with(hint);
    assert_eq!(world.snapshot(&world.state().join("credentials")), before, "every file is what it was");
    assert_eq!(world.records().last().unwrap().exit, Some(i64::from(code)));
    let result = run.json();
    assert_eq!((&result["exit"], &result["outcome"]), (&json!(code), &json!("failed")));
    run
}

#[test]
fn ctrl_c_ends_it_and_the_terminal_is_put_right() {
    let world = built(world());
    let before = world.snapshot(&world.state().join("credentials"));
    let running = world.process(&["port-sheet"]).on_terminal().spawn();
    address(&running);
    running.type_in("\x03");
    running.wait_for_stderr("hint: ");
    assert!(running.echoes());
    let run = running.wait();
    run.exit(75).error("stopped by SIGINT before the run was done");
    run.hint("nothing is lost: the credential is unchanged; type the same command again");
    assert_eq!(world.snapshot(&world.state().join("credentials")), before);
}

#[test]
fn nobody_answers_in_time() {
    let builder = world().tables("[job.token-login]\ndeadline = \"300ms\"");
    let error = "the deadline of 300ms passed before the run was done";
    comes_to_nothing(
        builder,
        |_, _| {},
        75,
        error,
        "the credential is unchanged; type the same command again",
    );
}

#[test]
fn the_person_denies() {
    for way in [Way::Browser, Way::Paste] {
        let denies =
            |_: &World, running: &Running<'_>| way.take(running, &decides(&address(running), "deny=1"));
        let error = "the user did not allow it: access_denied";
        comes_to_nothing(world(), denies, 77, error, "press Allow");
    }
}

/// How an answer comes.
#[derive(Clone, Copy)]
enum Way {
    Browser,
    Paste,
}

impl Way {
    fn take(self, running: &Running<'_>, back: &str) {
        match self {
            Self::Browser => {
                let page = visit(back);
                assert!(page.text.contains("The login failed"), "{}", page.text);
            }
            Self::Paste => running.type_in(&format!("{back}\n")),
        }
    }
}

#[test]
fn an_answer_to_another_login_is_not_believed() {
    for way in [Way::Browser, Way::Paste] {
        let answers = |world: &World, running: &Running<'_>| {
            let back = allows(world, &address(running));
            let state = parameter(&back, "state").unwrap();
            way.take(running, &back.replace(&format!("state={state}"), "state=another"));
        };
        let error = "the answer belongs to another login: its state is not the one that was sent";
        comes_to_nothing(world(), answers, 77, error, "close all tabs of earlier logins");
    }
}

#[test]
fn an_answer_without_a_code_is_told_as_such() {
    let answers = |_: &World, running: &Running<'_>| {
        let address = address(running);
        let (home, state) = (parameter(&address, "redirect_uri"), parameter(&address, "state"));
        Way::Browser.take(running, &format!("{}?state={}", home.unwrap(), state.unwrap()));
    };
    comes_to_nothing(world(), answers, 77, "the answer holds no authorization code", AGAIN);
}

#[test]
fn a_code_of_another_login_is_worth_nothing() {
    let answers = |world: &World, running: &Running<'_>| {
        let stolen = address(running).replace("code_challenge=", "code_challenge=A");
        let back = allows(world, &stolen);
        running.type_in(&format!("{}\n", parameter(&back, "code").unwrap()));
    };
    let error =
        "credential \"port-sheet\": the token endpoint answered 400: invalid_grant (Invalid code verifier.)";
    comes_to_nothing(world(), answers, 77, error, "log in again: token-login port-sheet");
}

#[test]
fn a_scope_left_unticked_is_named() {
    const MORE: &str = "https://www.googleapis.com/auth/drive.metadata.readonly";
    let world = built(world());
    world.replace_in_config(
        "file = \"port-sheet.json\"",
        &format!("file = \"port-sheet.json\"\nscopes = [{SCOPE:?}, {MORE:?}]"),
    );
    let before = world.snapshot(&world.state().join("credentials"));
    let running = world.process(&["port-sheet", "--json"]).on_terminal().spawn();
    visit(&decides(&address(&running), &format!("approve=1&granted={SCOPE}")));
    let run = running.wait();
    run.exit(77).error(&format!("credential \"port-sheet\": the authorization lacks the scope {MORE}"));
    run.hint("log in and leave every box on Google's page ticked: token-login port-sheet");
    assert_eq!(run.json()["credentials"][0]["scopes"], json!([SCOPE]));
    assert_eq!(world.snapshot(&world.state().join("credentials")), before);
}

/// The person allows everything, and something else is wrong.
fn allowed(world: &World, running: &Running<'_>) {
    visit(&allows(world, &address(running)));
}

#[test]
fn a_sheet_that_is_not_shared_is_told_before_anything_is_replaced() {
    let error = "sheet \"port-sheet\": Google Sheets: 403 PERMISSION_DENIED";
    let run = comes_to_nothing(world().not_shared(), allowed, 77, error, "click Share, and add person-");
    let sheets = &run.json()["credentials"][0]["sheets"];
    assert_eq!(*sheets, json!([{"sheet": "port-sheet", "reachable": false}]));
    assert!(run.hints()[0].ends_with(AGAIN), "{:?}", run.hints());
}

#[test]
fn a_tab_or_a_spreadsheet_that_is_not_there_is_told_likewise() {
    let renamed = |world: &World, running: &Running<'_>| {
        world.owner_edits(&json!([{"updateSheetProperties": {"properties": {"sheetId": world.tab_id(), "title": "Old"}, "fields": "title"}}]));
        allowed(world, running);
    };
    comes_to_nothing(
        world(),
        renamed,
        78,
        "the spreadsheet has no tab \"Port sheet\"; its tabs are \"Old\"",
        AGAIN,
    );
    let gone = |world: &World, running: &Running<'_>| {
        world.fault(Fault { path: Some("^/v4/".into()), status: Some(404), ..Fault::default() });
        allowed(world, running);
    };
    comes_to_nothing(
        world(),
        gone,
        78,
        "sheet \"port-sheet\": Google Sheets: 404",
        "does this address open in a browser?",
    );
}

#[test]
fn google_out_of_reach_is_tried_five_times() {
    let down = |world: &World, running: &Running<'_>| {
        let path = Some("^/v4/".to_owned());
        world.fault(Fault { path, times: u64::MAX, status: Some(503), ..Fault::default() });
        allowed(world, running);
    };
    comes_to_nothing(world(), down, 69, "sheet \"port-sheet\": Google Sheets: 503", "if it passes");
    let world = built(world());
    world.fault(Fault { path: Some("^/v4/".into()), times: 4, status: Some(503), ..Fault::default() });
    let running = world.process(&["port-sheet"]).on_terminal().spawn();
    allowed(&world, &running);
    running.wait().exit(0);
    assert_eq!(world.counts().reads, 5);
}

#[test]
fn an_answer_without_a_refresh_token_is_no_login() {
    let forgets = |world: &World, running: &Running<'_>| {
        world.know_secrets_of(&json!({"token": "ya29.made-up-by-the-test"}));
        let body = json!({"access_token": "ya29.made-up-by-the-test", "expires_in": 3599, "scope": SCOPE});
        world.fault(Fault { path: Some("^/token$".into()), body: Some(body), ..Fault::default() });
        allowed(world, running);
    };
    comes_to_nothing(world(), forgets, 77, "Google answered without a refresh token", "Desktop app");
}

#[test]
fn a_token_endpoint_that_fails_is_not_asked_twice_for_one_code() {
    let fails = |world: &World, running: &Running<'_>| {
        world.fault(Fault {
            path: Some("^/token$".into()),
            times: u64::MAX,
            status: Some(503),
            ..Fault::default()
        });
        allowed(world, running);
        running.wait_for_stderr("hint: ");
        assert_eq!(world.counts().tokens, 1);
    };
    comes_to_nothing(
        world(),
        fails,
        69,
        "the token endpoint answered 503",
        "a code is good for one exchange",
    );
}

#[test]
fn a_client_whose_secret_is_wrong_is_told_as_such() {
    let world = built(world());
    let before = world.snapshot(&world.state().join("credentials"));
    let mut wrong = client(&world);
    wrong["installed"]["client_secret"] = json!("GOCSPX-somebody-else's");
    let path = download(&world, "client.json", &wrong.to_string());
    let running = world.process(&["port-sheet", "--client", &path]).on_terminal().spawn();
    allowed(&world, &running);
    running.wait().exit(78).error("invalid_client").hint_with("token-login port-sheet --client FILE");
    assert_eq!(world.snapshot(&world.state().join("credentials")), before);
}

/// Refused at once: no one is asked anything.
#[track_caller]
fn refused_at_once(world: &World, args: &[&str], code: i32, error: &str, hint: &str) {
    let before = world.snapshot(&world.state().join("credentials"));
    let run = world.process(args).on_terminal().spawn().wait();
    run.exit(code).error(error).hint_with(hint);
    assert!(!run.stderr.contains("Log in for"), "{}", run.stderr);
    assert_eq!(world.requests().len(), 0);
    assert_eq!(world.snapshot(&world.state().join("credentials")), before);
}

#[test]
fn a_destination_that_cannot_be_written_is_found_before_anybody_is_troubled() {
    let world = built(world());
    let process = world.process(&["port-sheet"]).as_ordinary_user();
    world.set_mode(&world.state().join("credentials"), 0o500);
    let run = process.run();
    run.exit(74).error("credential \"port-sheet\": cannot write").hint_with("ls -la");
    assert!(!run.stderr.contains("Log in for"), "{}", run.stderr);
    assert_eq!(world.requests().len(), 0);
}

#[test]
fn a_destination_that_others_can_reach_is_refused() {
    let world = built(world());
    let dir = world.state().join("credentials");
    world.set_mode(&dir, 0o777);
    refused_at_once(&world, &["port-sheet"], 77, "which others can write (mode 0777)", "chmod go-w");
    world.set_mode(&dir, 0o700);
    world.set_mode(&world.credential(), 0o644);
    refused_at_once(&world, &["port-sheet"], 77, "has mode 0644", "chmod 600");
}

#[test]
fn a_missing_or_unusable_client_is_refused_with_what_to_do() {
    let world = built(world());
    let with = |content: &str| {
        ["port-sheet".to_owned(), "--client".to_owned(), download(&world, "client.json", content)]
    };
    let web = client(&world).to_string().replace("\"installed\"", "\"web\"");
    let strange = client(&world).to_string().replace(&crate::page(&world), "https://login.example.com/auth");
    let credential = world.read_text(&world.credential());
    for (content, error, hint) in [
        (web.as_str(), "is of the type Web application", "make one of the type Desktop app"),
        (&strange, "names \"https://login.example.com/auth\", which is not Google", "token-hosts"),
        (&credential, "is a credential already", "token-login port-sheet --import"),
        ("{}", "has no \"installed\" part", "download it again"),
    ] {
        let args = with(content);
        refused_at_once(&world, &args.each_ref().map(String::as_str), 77, error, hint);
    }
    refused_at_once(
        &world,
        &["port-sheet", "--client", "/dev/null"],
        77,
        "is not a regular file",
        "ls -la /dev/null",
    );
    world.remove(&world.credential());
    let hint = "token-login port-sheet --client FILE; for a service account's key: token-login port-sheet --import FILE";
    refused_at_once(&world, &["port-sheet"], 77, "does not exist yet, so there is no OAuth client", hint);
}

#[test]
fn a_port_that_is_taken_is_told() {
    let world = built(world());
    let taken = world.server.url().rsplit(':').next().unwrap().to_owned();
    let error = format!("cannot wait for the browser on port {taken} of 127.0.0.1");
    refused_at_once(&world, &["port-sheet", "--port", &taken], 75, &error, "leave --port out");
}
