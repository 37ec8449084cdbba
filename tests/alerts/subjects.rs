use support::Receiver;

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
