use google_standin::Person;
use serde_json::json;

use crate::{credential, revoke, run_at, world};

#[test]
fn a_sheet_that_is_not_shared_or_has_no_such_tab_is_found() {
    let unshared = world().not_shared().build();
    let run = unshared.run(&["--json"]);
    run.exit(77)
        .error("sheet \"port-sheet\": Google Sheets: 403 PERMISSION_DENIED")
        .hint_with(&unshared.account);
    let told = credential(&run);
    assert_eq!((&told["class"], &told["sheets"][0]["reached"]), (&json!(null), &json!(false)));
    for args in [&["--offline"][..], &[]] {
        let again = unshared.run(args);
        again.exit(77).error("sheet \"port-sheet\": Google Sheets: 403 PERMISSION_DENIED");
    }
    unshared.server.share(&unshared.spreadsheet, &unshared.account, "writer");
    unshared.run(&[]).exit(0);
    unshared.run(&["--offline"]).exit(0);
    let renamed = world().build();
    renamed.replace_in_config("tab = \"Port sheet\"", "tab = \"Ports\"");
    let run = renamed.run(&[]);
    run.exit(78)
        .error("sheet \"port-sheet\": the spreadsheet has no tab \"Ports\"; its tabs are \"Port sheet\"");
}

#[test]
fn scopes_that_were_not_granted_are_found() {
    let scopes = Some(vec!["https://www.googleapis.com/auth/spreadsheets.readonly".to_owned()]);
    let world = world().person(Person { scopes, ..Person::default() }).build();
    let run = world.run(&["--json"]);
    run.exit(77);
    let told = credential(&run);
    assert_eq!(told["missing_scopes"], json!(["https://www.googleapis.com/auth/spreadsheets"]));
    assert_eq!(told["forecasts"][0]["reason"], "scopes");
    let hint = "log in again and allow all of it: token-login port-sheet";
    run.error("was not granted https://www.googleapis.com/auth/spreadsheets").hint(hint);
}

#[test]
fn a_clock_that_is_off_is_found_though_the_token_works() {
    for (seconds, side) in [(3600, "behind"), (-3600, "ahead of")] {
        let world = world().build();
        world.server.advance_clock(seconds);
        let run = world.run(&[]);
        run.exit(78).error(side).hint("set the clock: timedatectl set-ntp true; timedatectl status");
    }
    let world = world().build();
    world.server.advance_clock(240);
    world.run(&[]).exit(0);
}

#[test]
fn a_clock_that_is_off_is_found_with_a_service_accounts_key_that_works() {
    let world = world().service_account().build();
    world.server.advance_clock(400);
    let run = world.run(&["--json"]);
    run.exit(78).error("this machine's clock is 7m behind Google's");
    run.hint("set the clock: timedatectl set-ntp true; timedatectl status");
    assert_eq!(credential(&run)["class"], json!(null), "the token itself was granted");
}

/// The owner protects a part of the tab, or all of it, from everybody else.
fn protect(world: &support::World, range: &serde_json::Value, more: &serde_json::Value) {
    let mut protected = json!({"range": range});
    protected.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    world.owner_edits(&json!([{"addProtectedRange": {"protectedRange": protected}}]));
}

#[test]
fn a_tab_that_is_protected_from_the_account_is_found_without_writing() {
    let nothing = json!({});
    let world = world().build();
    let whole = json!({"sheetId": world.tab_id()});
    protect(&world, &whole, &nothing);
    let run = world.run(&["--json"]);
    run.exit(77)
        .error("sheet \"port-sheet\": the tab \"Port sheet\" is protected, and ")
        .error("may not edit it");
    run.hint_with(&world.account).hint_with("Protect sheets and ranges");
    let sheet = credential(&run)["sheets"][0].clone();
    assert_eq!((&sheet["reached"], &sheet["writable"]), (&json!(true), &json!(false)));
    assert_eq!((world.counts().reads, world.counts().writes), (1, 0), "one request, and nothing is written");
    world.process_of("port-sheet-sync", &[]).run().exit(65).error("You are trying to edit a protected cell");
}

#[test]
fn protection_that_lets_the_account_in_or_covers_a_part_is_no_failure() {
    for (is_part, more) in [
        (false, json!({"warningOnly": true})),
        (false, json!({"editors": {"users": ["robot"]}})),
        (true, json!({})),
    ] {
        let world = world().build();
        let mut range = json!({"sheetId": world.tab_id()});
        let mut more = more;
        if is_part {
            range["endColumnIndex"] = json!(2);
        }
        if more["editors"].is_object() {
            more["editors"]["users"] = json!([world.account]);
        }
        protect(&world, &range, &more);
        let run = world.run(&["--json"]);
        run.exit(0);
        let expected = if is_part { json!(null) } else { json!(true) };
        assert_eq!(credential(&run)["sheets"][0]["writable"], expected, "{range} {more}");
        let said = world.run(&["--now", "-v"]).stdout;
        assert_eq!(said.contains("; a part of its tab is protected from it"), is_part, "{said}");
    }
}

#[test]
fn a_key_grows_old_is_warned_of_once_and_then_fails() {
    let world = world().service_account().build();
    run_at(&world, "2026-05-13 12:00:00", &[]).exit(0);
    run_at(&world, "2026-07-20 12:00:00", &[]).exit(0);
    assert_eq!(world.events(), []);
    for now in ["2026-07-28 12:00:00", "2026-07-29 12:00:00"] {
        let run = run_at(&world, now, &["--json"]);
        run.exit(0);
        let forecast = credential(&run)["forecasts"][0].clone();
        assert_eq!((&forecast["reason"], &forecast["date"]), (&json!("key-age"), &json!("2026-08-11")));
    }
    let kinds: Vec<_> = world.events().into_iter().map(|event| event.kind).collect();
    assert_eq!(kinds, ["forecast"], "once for the date");
    let run = run_at(&world, "2026-08-12 13:00:00", &[]);
    run.exit(77).error("its key has been in use for 91 days").hint_with("make a new key");
    world.write_credential(&world.server.service_account());
    let run = run_at(&world, "2026-08-12 13:05:00", &["--json"]);
    assert_eq!(credential(&run)["forecasts"], json!([]), "another key is new");
}

#[test]
fn a_token_that_dies_after_seven_days_is_known_the_next_time() {
    let world = world().build();
    run_at(&world, "2026-05-13 12:00:00", &[]).exit(0);
    revoke(&world);
    run_at(&world, "2026-05-20 12:20:00", &[]).exit(77);
    world.log_in_again();
    let run = run_at(&world, "2026-05-20 13:00:00", &["--json"]);
    run.exit(0);
    let forecast = credential(&run)["forecasts"][0].clone();
    assert_eq!((&forecast["reason"], &forecast["date"]), (&json!("testing"), &json!("2026-05-27")));
    assert!(forecast["remedy"].as_str().unwrap().starts_with("publish the OAuth app"), "{forecast}");
}

#[test]
fn access_for_a_limited_time_is_told_at_two_thirds_of_it() {
    let world = world().build();
    world.server.set_clock("2026-05-13T12:00:00Z".parse().unwrap());
    let person = Person {
        email: Some(world.account.clone()),
        refresh_token_expires_in: Some(30 * 24 * 3600),
        ..Person::default()
    };
    world.write_credential(&world.server.person(person));
    let forecasts = |now| credential(&run_at(&world, now, &["--json"]))["forecasts"].clone();
    assert_eq!(forecasts("2026-05-13 12:00:01"), json!([]));
    assert_eq!(forecasts("2026-06-02 11:00:00"), json!([]));
    let told = forecasts("2026-06-02 12:30:00");
    assert_eq!((&told[0]["reason"], &told[0]["date"]), (&json!("time-based"), &json!("2026-06-12")));
}

#[test]
fn an_idle_token_and_a_session_policy_that_strikes_again_are_told() {
    let world = world().build();
    run_at(&world, "2026-01-01 12:00:00", &[]).exit(0);
    let run = run_at(&world, "2026-06-01 12:00:00", &["--offline", "--json"]);
    assert_eq!(credential(&run)["forecasts"][0]["reason"], "idle");
    for now in ["2026-06-01 12:30:00", "2026-06-01 13:30:00"] {
        let body = json!({"error": "invalid_grant", "error_subtype": "invalid_rapt"});
        world.server.token_error(&world.account, Some((400, body)));
        run_at(&world, now, &["--now"]).exit(77);
        world.server.token_error(&world.account, None);
        world.log_in_again();
        run_at(&world, &now.replace(":30:", ":35:"), &[]).exit(0);
    }
    let run = run_at(&world, "2026-06-01 13:40:00", &["--json"]);
    let forecast = credential(&run)["forecasts"][0].clone();
    assert_eq!(forecast["reason"], "session-policy");
    assert!(forecast["remedy"].as_str().unwrap().starts_with("use a service account"), "{forecast}");
}

#[test]
fn a_probe_is_counted_among_the_requests_of_the_minute_and_waits_for_none() {
    let world = world().per_minute(5, 60).tables("[job.port-sheet-sync]\ndeadline = \"50s\"").build();
    let sync = || world.process_of("port-sheet-sync", &[]).run();
    sync().exit(0);
    world.run(&["--now"]).exit(0);
    assert_eq!(world.counts().reads, 4);
    sync().exit(75).error("are spent (5 reads a minute)");
    assert_eq!(world.counts().reads, 5, "one was left for two that are needed");
    world.run(&["--now"]).exit(0);
    assert_eq!(world.counts().reads, 6, "and Google may be asked all the same");
}
