//! The token endpoint refuses, fails or hangs: Google's own reason is reported, the sheet waits, nothing is lost.

use google_standin::{Fault, Person, Stall};
use serde_json::{Value, json};

use crate::outage::Outage;
use crate::world;

/// For as long as it is set.
const EVERY_TIME: u64 = u64::MAX;

/// The token endpoint says this for the job's account: this exit code after so many tries, this error, this in the
/// hint; then it says tokens again and everything arrives.
#[track_caller]
fn says(answer: (u16, Value), exit: i32, tries: usize, error: &str, hint: &str) {
    let outage = Outage::of(world());
    outage.world.server.token_error(&outage.world.account, Some(answer));
    outage.fails(exit).error(error).hint_with(hint);
    assert_eq!((outage.world.counts().tokens, outage.world.requests().len()), (tries, tries));
    outage.world.server.token_error(&outage.world.account, None);
    outage.heals();
}

fn refusal(error: &str, description: &str) -> Value {
    json!({"error": error, "error_description": description})
}

#[test]
fn a_revoked_token_needs_a_person_and_google_says_why() {
    let outage = Outage::of(world());
    let token = outage.world.credential_json()["refresh_token"].as_str().unwrap().to_owned();
    assert!(outage.world.server.revoke_refresh_token(&token));
    let run = outage.fails(77);
    run.error("credential \"port-sheet\": the token endpoint answered 400: invalid_grant (Token has been expired or revoked.)");
    run.hint("log in again: token-login port-sheet; nothing is lost meanwhile, the next run catches up");
    assert_eq!(outage.world.counts().tokens, 1, "a dead token is not tried again");
    outage.world.log_in_again();
    outage.heals();
}

#[test]
fn a_dead_token_is_not_asked_again_and_its_words_are_remembered() {
    let outage = Outage::of(world());
    let token = outage.world.credential_json()["refresh_token"].as_str().unwrap().to_owned();
    assert!(outage.world.server.revoke_refresh_token(&token));
    outage.fails(77);
    outage.world.clear_requests();
    let run = outage.fails(77);
    run.error(
        "answered 400: invalid_grant (Token has been expired or revoked.); it is not asked again before 20",
    );
    run.hint("log in again: token-login port-sheet; nothing is lost meanwhile, the next run catches up");
    assert_eq!(outage.world.requests().len(), 0, "the account is left in peace");
    outage.world.log_in_again();
    outage.heals();
}

#[test]
fn a_database_that_cannot_be_used_never_stops_a_refresh() {
    let world = world().build();
    world.run(&[]).exit(0);
    let database = rusqlite::Connection::open(world.state().join("state.db")).unwrap();
    database.execute_batch("DROP TABLE credential; DROP TABLE refresh").unwrap();
    drop(database);
    world.clear_requests();
    world.run(&[]).exit(0);
    assert_eq!(world.counts().tokens, 1);
}

#[test]
fn max_retries_says_how_often_a_refresh_is_tried() {
    let outage = Outage::of(world().tables("[token-check]\nmax-retries = 2"));
    outage.world.server.token_error(&outage.world.account, Some((503, json!("<html>503</html>"))));
    outage.fails(69);
    assert_eq!(outage.world.counts().tokens, 2);
}

#[test]
fn too_many_refreshes_within_an_hour_are_held_back() {
    let world = world().tables("[token-check]\nrefreshes-per-hour = 4").build();
    for _ in 0..4 {
        world.run(&[]).exit(0);
    }
    world.clear_requests();
    let run = world.run(&[]);
    run.exit(75)
        .error("4 refreshes within an hour, as many as refreshes-per-hour allows; the next one is due at ");
    run.hint_with("see which job asks so often: sqlite3 -box ");
    assert_eq!(world.requests().len(), 0);
}

#[test]
fn a_session_that_must_be_renewed_is_told_by_its_subtype() {
    let mut body = refusal("invalid_grant", "reauth related error (invalid_rapt)");
    body["error_subtype"] = json!("invalid_rapt");
    let told = "answered 400: invalid_grant / invalid_rapt (reauth related error (invalid_rapt))";
    let outage = Outage::of(world());
    outage.world.server.token_error(&outage.world.account, Some((400, body)));
    outage.fails(77).error(told).hint_with("token-login port-sheet");
    assert_eq!((outage.world.counts().tokens, outage.world.requests().len()), (1, 1));
    outage.world.server.token_error(&outage.world.account, None);
    outage.world.log_in_again();
    outage.heals();
}

#[test]
fn a_broken_client_is_a_matter_of_configuration() {
    for (status, error, description) in [
        (401, "invalid_client", "The provided client secret is invalid."),
        (401, "deleted_client", "The OAuth client was deleted."),
        (401, "unauthorized_client", "Unauthorized"),
        (400, "invalid_scope", "Bad Request"),
        (400, "admin_policy_enforced", "Blocked by the administrator"),
    ] {
        let told = format!("the token endpoint answered {status}: {error} ({description})");
        let hint = "https://console.cloud.google.com/apis/credentials";
        says((status, refusal(error, description)), 78, 1, &told, hint);
    }
}

#[test]
fn a_client_secret_that_google_does_not_know_is_told_as_such() {
    let outage = Outage::of(world());
    let good = outage.world.credential_json();
    let mut wrong = good.clone();
    wrong["client_secret"] = json!("GOCSPX-somebody-else's");
    outage.world.write_credential(&wrong);
    outage.fails(78).error("invalid_client (The provided client secret is invalid.)");
    outage.world.write_credential(&good);
    outage.heals();
}

#[test]
fn an_endpoint_that_answers_no_token_is_tried_five_times() {
    let hint = "nothing to do if it passes: the next run tries again";
    for (answer, told) in [
        ((503, json!("<html><title>503</title></html>")), "answered 503 with a web page instead of JSON"),
        (
            (500, refusal("internal_failure", "Backend Error")),
            "answered 500: internal_failure (Backend Error)",
        ),
        ((429, refusal("rate_limit_exceeded", "Slow down")), "answered 429: rate_limit_exceeded (Slow down)"),
        ((200, json!({})), "answered 200 with JSON that holds no token"),
        ((200, json!({"access_token": ""})), "answered 200 with JSON that holds no token"),
        ((200, json!("garbage")), "answered 200 with a body that is not JSON"),
        ((200, json!("")), "answered 200 with an empty body"),
        ((404, json!("<html>captive portal</html>")), "answered 404 with a web page instead of JSON"),
    ] {
        says(answer, 69, 5, told, hint);
    }
}

#[test]
fn a_refusal_that_google_never_documented_is_not_repeated_and_not_taken_for_death() {
    let body = refusal("something_new", "Nobody knows");
    says((400, body), 69, 1, "answered 400: something_new (Nobody knows)", "the next run tries again");
}

/// The whole run, tries included, while the endpoint is broken in this way.
#[track_caller]
fn breaks(fault: Fault, error: &str) {
    let outage = Outage::of(world().google("timeout = \"60s\""));
    outage.world.replace_in_config("timeout = \"60s\"", "timeout = \"300ms\"");
    outage.world.fault(Fault { path: Some("^/token$".into()), times: EVERY_TIME, ..fault });
    outage.fails(69).error(error).hint_with("the next run tries again");
    assert_eq!((outage.world.counts().tokens, outage.world.requests().len()), (5, 5));
    outage.world.server.clear_faults();
    outage.world.replace_in_config("timeout = \"300ms\"", "timeout = \"60s\"");
    outage.heals();
}

#[test]
fn an_endpoint_that_never_answers_is_given_up_after_five_timeouts() {
    let error = "the token endpoint did not answer: no whole answer within 300ms";
    breaks(Fault { stall: Stall::Request, ..Fault::default() }, error);
    breaks(Fault { stall: Stall::Body, ..Fault::default() }, error);
}

#[test]
fn a_connection_that_breaks_is_tried_five_times() {
    let error = "the token endpoint did not answer: ";
    breaks(Fault { reset: true, ..Fault::default() }, error);
    breaks(Fault { cut: true, ..Fault::default() }, error);
}

#[test]
fn a_passing_failure_is_over_with_the_first_good_answer() {
    let outage = Outage::of(world());
    let path = Some("^/token$".to_owned());
    outage.world.fault(Fault { path, times: 4, status: Some(503), ..Fault::default() });
    outage.world.run(&[]).exit(0);
    assert_eq!(outage.world.counts().tokens, 5);
    outage.heals();
}

#[test]
fn a_service_account_works() {
    let outage = Outage::of(world().service_account());
    outage.heals();
}

#[test]
fn a_deleted_service_account_key_needs_a_person() {
    let outage = Outage::of(world().service_account());
    let world = &outage.world;
    assert!(world.server.revoke_service_account(&world.account));
    let run = outage.fails(77);
    run.error(&format!(
        "refused the service account {}: invalid_grant (Invalid JWT Signature.)",
        world.account
    ));
    run.hint(&format!(
        "make a new key for {} at https://console.cloud.google.com/iam-admin/serviceaccounts and put it in {} (mode 0600); nothing is lost meanwhile, the next run catches up",
        world.account,
        world.credential().display()
    ));
    assert_eq!(world.requests().iter().filter(|request| request.method == "POST").count(), 1);
}

#[test]
fn a_key_of_another_account_is_a_wrong_signature() {
    let outage = Outage::of(world().service_account());
    let good = outage.world.credential_json();
    let mut mixed = good.clone();
    mixed["private_key"] = outage.world.server.service_account()["private_key"].clone();
    outage.world.write_credential(&mixed);
    outage.fails(77).error("invalid_grant (Invalid JWT Signature.)");
    outage.world.write_credential(&good);
    outage.heals();
}

#[test]
fn an_account_that_google_does_not_know_needs_a_person() {
    let outage = Outage::of(world().service_account());
    let good = outage.world.credential_json();
    let mut unknown = good.clone();
    unknown["client_email"] = json!("nobody@stand-in-project.iam.gserviceaccount.com");
    outage.world.write_credential(&unknown);
    outage.fails(77).error("invalid_grant (Invalid grant: account not found)");
    outage.world.write_credential(&good);
    outage.heals();
}

#[test]
fn a_private_key_that_is_none_is_told_as_such() {
    let outage = Outage::of(world().service_account());
    let good = outage.world.credential_json();
    let mut broken = good.clone();
    broken["private_key"] = json!("-----BEGIN PRIVATE KEY-----\nnothing\n-----END PRIVATE KEY-----\n");
    outage.world.write_credential(&broken);
    outage.fails(77).error("cannot be used").hint_with("make a new key");
    assert_eq!(outage.world.requests().len(), 0);
    outage.world.write_credential(&good);
    outage.heals();
}

#[test]
fn a_wrong_clock_is_blamed_and_not_the_key() {
    for seconds in [3600, -3600] {
        let outage = Outage::of(world().service_account());
        outage.world.server.advance_clock(seconds);
        let run = outage.fails(78);
        run.error("this machine's clock is").error("reasonable timeframe");
        run.hint("set the clock: timedatectl set-ntp true; timedatectl status");
        outage.world.server.advance_clock(-seconds);
        outage.heals();
    }
}

#[test]
fn a_service_account_endpoint_that_fails_is_tried_five_times() {
    for fault in [
        Fault { status: Some(503), body: Some(json!("<html>503</html>")), ..Fault::default() },
        Fault { status: Some(200), body: Some(json!({})), ..Fault::default() },
        Fault { reset: true, ..Fault::default() },
        Fault { stall: Stall::Request, ..Fault::default() },
    ] {
        let outage = Outage::of(world().service_account().google("timeout = \"60s\""));
        outage.world.replace_in_config("timeout = \"60s\"", "timeout = \"300ms\"");
        outage.world.fault(Fault { path: Some("^/token$".into()), times: EVERY_TIME, ..fault });
        outage.fails(69).hint_with("the next run tries again");
        assert_eq!(outage.world.counts().tokens, 5);
        outage.world.server.clear_faults();
        outage.world.replace_in_config("timeout = \"300ms\"", "timeout = \"60s\"");
        outage.heals();
    }
}

#[test]
fn a_rotated_refresh_token_is_kept_before_anything_else_happens() {
    let world = world().person(Person { rotates: true, ..Person::default() }).build();
    let mut first = world.credential_json();
    first["note"] = json!("written by a person, kept");
    world.write_credential(&first);
    // Nothing but the token call succeeds: the new refresh token must be in the file anyway.
    world.fault(Fault { path: Some("^/v4/".into()), status: Some(404), ..Fault::default() });
    world.run(&[]).exit(78);
    let second = world.credential_json();
    assert_ne!(second["refresh_token"], first["refresh_token"]);
    assert_eq!(second["note"], first["note"]);
    let previous = world.state().join("credentials/port-sheet.json.prev");
    assert_eq!(serde_json::from_str::<Value>(&world.read_text(&previous)).unwrap(), first);
    assert_eq!((world.mode(&world.credential()), world.mode(&previous)), (0o600, 0o600));
    world.run(&[]).exit(0);
    assert_eq!(world.rows().len(), 4);
}

#[test]
fn a_token_with_less_than_the_margin_left_is_renewed_before_the_next_request() {
    for (margin, expires_in, renewed) in [("5m", 299, true), ("5m", 3599, false), ("2m", 299, false)] {
        let margin = format!("[token-check]\nrefresh-margin = {margin:?}");
        let world = world().any_token().tables(&margin).build();
        let body = json!({"access_token": "ya29.made-up-by-the-test", "expires_in": expires_in, "token_type": "Bearer"});
        world.know_secrets_of(&json!({"token": "ya29.made-up-by-the-test"}));
        world.fault(Fault {
            path: Some("^/token$".into()),
            times: EVERY_TIME,
            body: Some(body),
            ..Fault::default()
        });
        world.run(&[]).exit(0);
        let counts = world.counts();
        // One for each request, and one before them all, which tells whether the credential may ask Drive.
        let expected = if renewed { 1 + counts.reads + counts.writes } else { 1 };
        assert_eq!(counts.tokens, expected, "a token for {expires_in} s: {counts:?}");
    }
}

#[test]
fn sheets_that_share_a_credential_share_its_token() {
    let world = world().build();
    let copy = world.config_text();
    let (_, sheet) = copy.split_once("[sheet.port-sheet]").unwrap();
    for name in ["second", "third"] {
        world.person_edits(&json!([{"addSheet": {"properties": {"title": name}}}]));
        let copied = sheet.replace("[sheet.port-sheet.", &format!("[sheet.{name}."));
        let copied = copied.replace("tab = \"Port sheet\"", &format!("tab = {name:?}"));
        world.append_to_config(&format!("[sheet.{name}]{copied}"));
    }
    let run = world.run(&["--json"]);
    run.exit(0);
    assert_eq!(run.json()["sheets"].as_array().unwrap().len(), 3);
    assert_eq!(world.counts().tokens, 1);
}

#[test]
fn a_refresh_token_that_is_changed_at_the_deadline_is_kept() {
    let rotates = Person { rotates: true, ..Person::default() };
    let world = world().person(rotates).tables("[job.port-sheet-sync]\ndeadline = \"2s\"").build();
    let old = world.credential_json();
    world.fault(Fault { path: Some("^/token$".into()), delay_ms: 3_500, ..Fault::default() });
    let run = world.process(&[]).without_trace().run();
    run.exit(75).error("passed before the run was done");
    assert_ne!(world.credential_json(), old);
    world.replace_in_config("deadline = \"2s\"", "deadline = \"5m\"");
    world.run(&[]).exit(0);
}
