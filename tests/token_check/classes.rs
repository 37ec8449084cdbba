use serde_json::{Value, json};

use crate::{credential, revoke, world};

fn refusal(error: &str, description: &str) -> Value {
    json!({"error": error, "error_description": description})
}

#[test]
fn every_row_of_the_error_table_has_its_class_its_exit_code_and_its_hint() {
    let rapt = json!({
        "error": "invalid_grant",
        "error_description": "reauth related error (invalid_rapt)",
        "error_uri": "https://support.google.com/a/answer/9368756",
        "error_subtype": "invalid_rapt",
    });
    let required = json!({
        "error": "invalid_grant",
        "error_description": "reauth related error (rapt_required)",
        "error_subtype": "rapt_required",
    });
    let again = "token-login port-sheet; nothing is lost meanwhile, the next run catches up; your organisation will ask for it again";
    let client = "https://console.cloud.google.com/apis/credentials";
    let login = "log in again: token-login port-sheet";
    let passes = "nothing to do if it passes";
    let rows = [
        (400, refusal("invalid_grant", "Token has been expired or revoked."), "dead", 77, login),
        (400, refusal("invalid_grant", "Bad Request"), "dead", 77, login),
        (400, rapt, "dead", 77, again),
        (400, required, "dead", 77, again),
        (401, refusal("invalid_client", "The provided client secret is invalid."), "broken", 78, client),
        (401, refusal("invalid_client", "The OAuth client was not found."), "broken", 78, client),
        (401, refusal("deleted_client", "The OAuth client was deleted."), "broken", 78, client),
        (401, refusal("disabled_client", "The OAuth client was disabled."), "broken", 78, client),
        (401, refusal("unauthorized_client", "Client is unauthorized"), "broken", 78, client),
        (400, refusal("unauthorized_client", "Client is unauthorized"), "broken", 78, client),
        (400, refusal("invalid_scope", "Bad Request"), "broken", 78, client),
        (400, refusal("invalid_request", "Missing parameter"), "broken", 78, client),
        (400, refusal("unsupported_grant_type", "Invalid grant_type"), "broken", 78, client),
        (400, refusal("admin_policy_enforced", "Blocked"), "broken", 78, client),
        (403, refusal("org_internal", "Restricted"), "broken", 78, client),
        (408, refusal("timeout", "Late"), "transient", 69, passes),
        (429, refusal("rate_limit_exceeded", "Slow down"), "transient", 69, passes),
        (500, refusal("internal_failure", "Backend Error"), "transient", 69, passes),
        (400, refusal("internal_failure", "Backend Error"), "transient", 69, passes),
        (502, refusal("bad_gateway", "Backend Error"), "transient", 69, passes),
        (504, refusal("gateway_timeout", "Backend Error"), "transient", 69, passes),
        (503, refusal("temporarily_unavailable", "invalid_grant 401"), "transient", 69, passes),
        (400, refusal("server_error", "Backend Error"), "transient", 69, passes),
        (400, refusal("something_new", "Nobody knows"), "unknown", 69, passes),
    ];
    for (status, body, class, exit, hint) in rows {
        let world = world().build();
        world.server.token_error(&world.account, Some((status, body.clone())));
        let run = world.run(&["--json"]);
        let words = format!("answered {status}: {}", body["error"].as_str().unwrap());
        run.exit(exit).error(&words).error(body["error_description"].as_str().unwrap()).hint_with(hint);
        let told = credential(&run);
        assert_eq!((&told["class"], &told["exit"]), (&json!(class), &json!(exit)), "{body}");
        assert!(told["words"].as_str().unwrap().contains(&words), "{told}");
        assert_eq!(world.counts().tokens, if class == "transient" { 5 } else { 1 }, "{body}");
    }
}

#[test]
fn answers_without_googles_json_may_pass() {
    for (status, body, words) in [
        (503, json!("<html>503</html>"), "answered 503 with a web page instead of JSON"),
        (200, json!({}), "answered 200 with JSON that holds no token"),
        (200, json!("garbage"), "answered 200 with a body that is not JSON"),
        (403, json!("<html>captive portal</html>"), "answered 403 with a web page instead of JSON"),
    ] {
        let world = world().build();
        world.server.token_error(&world.account, Some((status, body)));
        let run = world.run(&["--json"]);
        run.exit(69).error(words);
        assert_eq!(credential(&run)["class"], "transient", "{words}");
    }
}

#[test]
fn a_server_that_asks_for_a_long_pause_does_not_put_the_check_to_sleep() {
    let world = world().build();
    let headers = [("Retry-After".to_owned(), "86400".to_owned())].into();
    let path = Some("^/token$".into());
    world.fault(google_standin::Fault { path, status: Some(503), headers, ..Default::default() });
    let run = world.run(&["--json"]);
    run.exit(69).error("answered 503");
    assert_eq!((world.counts().tokens, credential(&run)["class"].clone()), (1, json!("transient")));
}

#[test]
fn a_service_accounts_dead_key_and_a_wrong_clock_are_told_apart() {
    let dead = world().service_account().build();
    assert!(dead.server.revoke_service_account(&dead.account));
    let run = dead.run(&["--json"]);
    run.exit(77).error("invalid_grant (Invalid JWT Signature.)").hint_with("make a new key for ");
    assert_eq!(credential(&run)["class"], "dead");
    let late = world().service_account().build();
    late.server.advance_clock(3600);
    let run = late.run(&["--json"]);
    run.exit(78)
        .error("this machine's clock is")
        .hint("set the clock: timedatectl set-ntp true; timedatectl status");
    assert_eq!(credential(&run)["class"], "clock");
}

#[test]
fn an_endpoint_that_is_not_there_or_speaks_no_tls_may_come_back() {
    // A label of more than 63 letters is no name, so no server is asked for it.
    let nobody = format!("{}.example", "a".repeat(64));
    let world = world().google(&format!("token-hosts = [{nobody:?}]")).build();
    for address in [
        // A port of this machine's where no one listens.
        "http://127.0.0.1:1/token".to_owned(),
        format!("https://{nobody}/token"),
        format!("{}/token", world.server.url().replace("http:", "https:")),
    ] {
        let mut credential_file = world.credential_json();
        credential_file["token_uri"] = json!(address);
        world.write_credential(&credential_file);
        let run = world.run(&["--json"]);
        run.exit(69).error("the token endpoint did not answer: ").hint_with("nothing to do if it passes");
        assert_eq!(credential(&run)["class"], "transient", "{address}");
    }
}

#[test]
fn a_booking_that_speaks_of_failures_is_no_failure_of_a_credential() {
    let words = "invalid_grant 401 UNAUTHENTICATED Token has been expired or revoked.";
    let world = world().csv(&["booking_id,remarks", &format!("B-1,{words}")]).build();
    world.process_of("port-sheet-sync", &[]).run().exit(0);
    assert!(world.rows().iter().flatten().any(|cell| cell == words));
    // The same words from a part of Google that is not asked about authentication.
    let error = json!({"error": {"code": 503, "status": "UNAVAILABLE", "message": words}});
    world.fault(google_standin::Fault {
        path: Some("^/v4/".into()),
        times: u64::MAX,
        status: Some(503),
        body: Some(error),
        ..Default::default()
    });
    let run = world.run(&["--now", "--json"]);
    run.exit(69);
    let told = credential(&run);
    assert_eq!((&told["class"], &told["failed_refreshes"]), (&json!(null), &json!(0)));
    assert_eq!(world.events(), []);
}

#[test]
fn one_failing_credential_never_stops_the_next() {
    let second = "[credential.a-first]\nfile = \"nowhere.json\"";
    let world = world().tables(second).build();
    let run = world.run(&["--json"]);
    run.exit(77).error("nowhere.json does not exist");
    let result = run.json();
    let exits: Vec<_> = result["credentials"].as_array().unwrap().iter().map(|one| &one["exit"]).collect();
    assert_eq!(exits, [&json!(77), &json!(0)]);
    revoke(&world);
    assert_eq!(world.run(&["--now"]).errors().len(), 2);
}
