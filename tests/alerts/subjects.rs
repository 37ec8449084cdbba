use chrono::TimeDelta;
use google_standin::Person;
use support::{Receiver, noon};

use crate::{hooked, pairs, told};

/// Ends the grant of the world's credential.
fn revoke(world: &support::World) {
    let token = world.credential_json()["refresh_token"].as_str().unwrap().to_owned();
    assert!(world.server.revoke_refresh_token(&token));
}

#[test]
fn a_dead_token_is_told_once_of_the_credential_and_not_of_each_sheet_and_job() {
    let receiver = Receiver::start();
    let world = hooked(&receiver).build();
    world.run(&[]).exit(0);
    revoke(&world);
    world.run(&[]).exit(77);
    world.process_of("token-check", &["--now"]).run().exit(77);
    let credential = "credential.port-sheet";
    assert_eq!(
        told(&receiver.taken()),
        pairs(&[(credential, "first-failure"), (credential, "active-recovery")])
    );
    let alert = &receiver.taken()[0];
    assert!(alert["text"].as_str().unwrap().contains("invalid_grant"), "Google's own words: {alert}");
    assert!(alert["hint"].as_str().unwrap().contains("token-login port-sheet"), "{alert}");
    world.log_in_again();
    world.run(&[]).exit(0);
    assert_eq!(told(&receiver.taken())[2..], pairs(&[(credential, "recovered")]));
}

#[test]
fn a_loose_credential_file_is_told_of_the_credential_by_whichever_job_meets_it() {
    let receiver = Receiver::start();
    let world = hooked(&receiver).build();
    world.set_mode(&world.credential(), 0o644);
    world.run(&[]).exit(77);
    world.process_of("token-check", &[]).run().exit(77);
    let credential = "credential.port-sheet";
    assert_eq!(told(&receiver.taken()), pairs(&[(credential, "first-failure")]));
    assert!(receiver.taken()[0]["hint"].as_str().unwrap().starts_with("chmod 600 "));
    world.set_mode(&world.credential(), 0o600);
    world.run(&[]).exit(0);
    assert_eq!(told(&receiver.taken())[1..], pairs(&[(credential, "recovered")]));
}

#[test]
fn what_never_reaches_a_credentials_history_is_told_all_the_same() {
    type Breaks = fn(&support::World);
    let breaks: [(&str, Breaks); 3] = [
        ("missing", |world| world.remove(&world.credential())),
        ("loose", |world| world.set_mode(&world.credential(), 0o644)),
        ("protected", |world| world.owner_edits(&protection(world))),
    ];
    for (what, breaks) in breaks {
        let receiver = Receiver::start();
        let world = hooked(&receiver).build();
        breaks(&world);
        world.process_of("token-check", &["--now"]).run().exit(77);
        let expected = pairs(&[("credential.port-sheet", "first-failure")]);
        assert_eq!(told(&receiver.taken()), expected, "{what}");
    }
    let receiver = Receiver::start();
    let world = hooked(&receiver).not_shared().build();
    world.process_of("token-check", &[]).run().exit(77);
    assert_eq!(told(&receiver.taken()), pairs(&[("credential.port-sheet", "first-failure")]), "not shared");
}

#[test]
fn a_key_of_the_booking_systems_is_no_trouble_of_the_sheets_credential() {
    let receiver = Receiver::start();
    let world = hooked(&receiver).build();
    world.set_source("kind = \"csv\"\nurl = \"http://127.0.0.1:9/\"\nsecret-file = \"booking.key\"");
    for _ in 0..2 {
        world.run(&[]).exit(77).error("booking.key does not exist");
        world.process_of("token-check", &["--now"]).run().exit(0);
    }
    assert_eq!(told(&receiver.taken()), pairs(&[("sheet.port-sheet", "first-failure")]));
}

/// The owner keeps the whole tab to themselves.
fn protection(world: &support::World) -> serde_json::Value {
    let range = serde_json::json!({"sheetId": world.tab_id()});
    serde_json::json!([{"addProtectedRange": {"protectedRange": {"range": range}}}])
}

#[test]
fn a_rotation_that_cannot_be_prepared_is_told() {
    let receiver = Receiver::start();
    let rotates = Person { rotates: true, ..Person::default() };
    let world = hooked(&receiver).person(rotates).build();
    let process = world.process_of("token-check", &[]).as_ordinary_user();
    let credentials = world.state().join("credentials");
    world.set_mode(&credentials, 0o500);
    let run = process.run();
    world.set_mode(&credentials, 0o700);
    run.exit(74);
    assert_eq!(told(&receiver.taken()), pairs(&[("credential.port-sheet", "first-failure")]));
}

#[test]
fn a_key_that_cannot_sign_is_told() {
    let receiver = Receiver::start();
    let world = hooked(&receiver).service_account().build();
    let mut key = world.credential_json();
    key["private_key"] = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n".into();
    world.write_credential(&key);
    world.process_of("token-check", &["--now"]).run();
    assert_eq!(told(&receiver.taken()), pairs(&[("credential.port-sheet", "first-failure")]));
}

#[test]
fn a_file_that_goes_while_its_token_is_in_trouble_is_told_beside_it() {
    let receiver = Receiver::start();
    let world = hooked(&receiver).build();
    revoke(&world);
    world.run(&[]).exit(77);
    world.set_mode(&world.credential(), 0o644);
    world.process_of("token-check", &[]).run().exit(77);
    world.process_of("token-check", &[]).run().exit(77);
    let taken = receiver.taken();
    let credential = "credential.port-sheet";
    let expected =
        [(credential, "first-failure"), (credential, "active-recovery"), (credential, "first-failure")];
    assert_eq!(told(&taken), pairs(&expected));
    assert!(taken[2]["hint"].as_str().unwrap().starts_with("chmod 600 "), "{}", taken[2]);
    world.log_in_again();
    world.run(&[]).exit(0);
    assert_eq!(told(&receiver.taken())[3..], pairs(&[(credential, "recovered")]), "both are over, told once");
}

#[test]
fn a_credential_works_again_only_when_all_that_was_wrong_with_it_is_over() {
    let receiver = Receiver::start();
    let world = hooked(&receiver).not_shared().build();
    let check = |minute, code| {
        world.process_at(noon() + TimeDelta::minutes(minute), "token-check", &["--now"]).run().exit(code);
        receiver.taken()
    };
    check(0, 77);
    revoke(&world);
    check(60, 77);
    world.log_in_again();
    let (credential, taken) = ("credential.port-sheet", check(90, 77));
    let expected =
        [(credential, "first-failure"), (credential, "first-failure"), (credential, "active-recovery")];
    assert_eq!(told(&taken), pairs(&expected), "the sheet is still not shared");
    assert!(world.server.share(&world.spreadsheet, &world.account, "writer"));
    let taken = check(120, 0);
    assert_eq!(told(&taken)[3..], pairs(&[(credential, "recovered")]));
    let text = taken[3]["text"].as_str().unwrap();
    assert!(text.contains("it failed for 2h, since 2026-05-13T12:00:0"), "the whole of it: {text}");
}

#[test]
fn double_bookings_are_told_once_and_without_the_bookings() {
    let receiver = Receiver::start();
    let mut builder = hooked(&receiver).policy("overlap = \"warn\"");
    for key in ["resource = [\"vessel\"]", "start = \"arrival\"", "end = \"departure\""] {
        builder = builder.policy(&format!("overlap-{key}"));
    }
    let columns = [
        ("booking_id", "Booking", "text"),
        ("vessel", "Vessel", "text"),
        ("arrival", "Arrival", "date"),
        ("departure", "Departure", "date"),
    ];
    let world = builder.columns(&columns).build();
    let header = "booking_id,vessel,arrival,departure";
    world.write_source(&[header, "B-1,Alma,2026-05-13,2026-05-16", "B-2,Alma,2026-05-15,2026-05-18"]);
    world.run(&[]).exit(0);
    world.run(&[]).exit(0);
    let alerts = receiver.taken();
    assert_eq!(told(&alerts), pairs(&[("sheet.port-sheet", "double-booking")]));
    assert!(!alerts[0].to_string().contains("B-1"), "{alerts:?}");
    world.replace_in_config("[[alert.sink]]", "[alert]\nbooking-data = true\n[[alert.sink]]");
    let alma = ["B-3,Alma,2026-05-13,2026-05-16", "B-4,Alma,2026-05-15,2026-05-18"];
    let borea = ["B-5,Borea,2026-05-13,2026-05-16", "B-6,Borea,2026-05-15,2026-05-18"];
    world.write_source(&[header, alma[0], alma[1], borea[0], borea[1]]);
    world.run(&["--allow-shrink"]).exit(0);
    let alerts = receiver.taken();
    let text = alerts[1]["text"].as_str().unwrap();
    assert!(text.ends_with("\"B-3\" and \"B-4\"; and 1 more such pairs"), "{text}");
    world.run(&[]).exit(0);
    assert_eq!(receiver.taken().len(), 2, "those of one sheet are one alert");
}

#[test]
fn an_undo_does_not_end_an_outage_and_one_of_nothing_is_a_slip_of_the_keyboard() {
    let receiver = Receiver::start();
    let world = hooked(&receiver).build();
    let run = world.run(&["--json"]).json()["run"].as_str().unwrap().to_owned();
    world.write_source(&["booking_id,vessel", "B-1,Alma", "B-1,Borea"]);
    world.run(&[]).exit(65);
    receiver.clear();
    world.run(&["--undo", &run]).exit(0);
    world.run(&["--history"]).exit(0);
    world.run(&["--undo", "01ARZ3NDEKTSV4RRFFQ69G5FAV"]).exit(64);
    world.run(&["--undo", "01ARZ3NDEKTSV4RRFFQ69G5FAV"]).exit(64);
    assert_eq!(receiver.received().len(), 0);
}

#[test]
fn bookings_are_not_in_an_alert_unless_the_configuration_says_so() {
    let receiver = Receiver::start();
    let world = hooked(&receiver).csv(&["booking_id,vessel", "B-SECRET,Alma", "B-SECRET,Borea"]).build();
    world.run(&[]).exit(65).error("B-SECRET");
    let alerts = receiver.received();
    assert!(!alerts[0].body.contains("B-SECRET") && alerts[0].body.contains("exit code 65"), "{alerts:?}");
    let open = Receiver::start();
    let world = hooked(&open).csv(&["booking_id,vessel", "B-SECRET,Alma", "B-SECRET,Borea"]).build();
    world.replace_in_config("[[alert.sink]]", "[alert]\nbooking-data = true\n[[alert.sink]]");
    world.run(&[]).exit(65);
    assert!(open.received()[0].body.contains("B-SECRET"));
}

#[test]
fn a_short_outage_is_nobodys_concern_and_another_kind_of_failure_is_told_at_once() {
    let receiver = Receiver::start();
    let world = hooked(&receiver).build();
    world.remove(&world.source());
    world.run(&[]).exit(69);
    world.write_source(&support::BOOKINGS);
    world.run(&[]).exit(0);
    assert_eq!(receiver.received().len(), 0);
    world.replace_in_config("tab = \"Port sheet\"", "tab = \"Gone\"");
    world.run(&[]).exit(78);
    world.write_source(&["vessel", "Alma"]);
    world.run(&[]).exit(65);
    let sheet = "sheet.port-sheet";
    assert_eq!(told(&receiver.taken()), pairs(&[(sheet, "first-failure"), (sheet, "first-failure")]));
}

#[test]
fn a_dry_run_tells_nobody_and_counts_for_nothing() {
    let receiver = Receiver::start();
    let world = hooked(&receiver).build();
    world.replace_in_config("tab = \"Port sheet\"", "tab = \"Gone\"");
    world.run(&["--dry-run"]).exit(78);
    assert_eq!(receiver.received().len(), 0);
}

#[test]
fn two_runs_that_find_another_one_under_way_are_told_of_and_one_is_not() {
    let receiver = Receiver::start();
    let world = hooked(&receiver).build();
    let lock = world.hold_lock("port-sheet-sync");
    world.run(&[]).exit(75);
    assert_eq!(receiver.received().len(), 0);
    world.run(&[]).exit(75);
    drop(lock);
    world.run(&[]).exit(0);
    let job = "job.port-sheet-sync";
    assert_eq!(told(&receiver.taken()), pairs(&[(job, "first-failure"), (job, "recovered")]));
}
