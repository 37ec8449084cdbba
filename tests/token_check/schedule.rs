use google_standin::Person;
use serde_json::json;
use support::World;

use crate::{credential, revoke, run_at, world};

/// Whether a run at this moment asks for a token.
fn asks(world: &World, now: &str) -> bool {
    world.clear_requests();
    run_at(world, now, &[]);
    world.counts().tokens > 0
}

fn asks_at(world: &World, moments: &[(&str, bool)]) {
    for (now, expected) in moments {
        assert_eq!(asks(world, &format!("2026-05-13 {now}")), *expected, "{now}");
    }
}

#[test]
fn a_working_credential_is_probed_every_half_hour_also_when_jobs_use_it() {
    let world = world().build();
    asks_at(&world, &[("12:00:00", true), ("12:05:00", false), ("12:25:00", false)]);
    world.process_of("port-sheet-sync", &[]).at("2026-05-13 12:26:00").run().exit(0);
    asks_at(&world, &[("12:30:00", true), ("12:35:00", false)]);
}

#[test]
fn trouble_that_may_pass_is_probed_every_five_minutes() {
    let world = world().build();
    world.server.token_error(&world.account, Some((503, json!("<html>"))));
    asks_at(&world, &[("12:00:00", true), ("12:02:00", false), ("12:05:00", true), ("12:10:00", true)]);
}

#[test]
fn a_broken_client_is_probed_at_the_recovery_interval() {
    let world = world().tables("[token-check]\nrecovery-interval = \"10m\"").build();
    world.server.token_error(&world.account, Some((401, json!({"error": "invalid_client"}))));
    asks_at(&world, &[("12:00:00", true), ("12:05:00", false), ("12:10:00", true)]);
}

#[test]
fn a_dead_credential_is_probed_hourly_until_its_file_changes_and_then_at_once() {
    let world = world().build();
    world.server.set_clock("2026-05-13T11:59:00Z".parse().unwrap());
    revoke(&world);
    asks_at(&world, &[("12:00:00", true), ("12:30:00", false), ("12:59:00", false), ("13:00:05", true)]);
    let run = run_at(&world, "2026-05-13 13:30:00", &["--json"]);
    run.exit(77).error("(Token has been expired or revoked.)");
    run.hint_with("token-login port-sheet").hint_with("; the next probe is due at 2026-05-13T14:00:0");
    world.log_in_again();
    asks_at(&world, &[("13:31:00", true)]);
    run_at(&world, "2026-05-13 13:32:00", &[]).exit(0);
}

#[test]
fn now_probes_regardless() {
    let world = world().build();
    revoke(&world);
    world.run(&[]).exit(77);
    world.run(&[]).exit(77);
    assert_eq!(world.counts().tokens, 1);
    world.run(&["--now"]).exit(77);
    assert_eq!(world.counts().tokens, 2);
}

#[test]
fn offline_sends_nothing_and_still_knows_what_is_known() {
    let world = world().build();
    let untried = world.run(&["--offline", "--json"]);
    untried.exit(0);
    assert_eq!(credential(&untried)["tried"], json!(false));
    assert!(world.run(&["--offline", "-v"]).stdout.contains("  not tried yet  "));
    let plugin = world.run(&["--offline", "--nagios"]);
    plugin.exit(0);
    assert!(plugin.stdout.starts_with("TOKEN OK - 0 credentials work; not tried yet: port-sheet |"));
    world.run(&[]).exit(0);
    revoke(&world);
    world.run(&["--now"]).exit(77);
    world.clear_requests();
    let events = world.events();
    let run = world.run(&["--offline", "--json"]);
    run.exit(77).error("(Token has been expired or revoked.)").hint_with("; the next probe is due at ");
    assert_eq!(credential(&run)["tried"], json!(true));
    assert_eq!((world.requests().len(), world.events()), (0, events));
    world.set_mode(&world.credential(), 0o644);
    world.run(&["--offline"]).exit(77).error("has mode 0644");
}

#[test]
fn a_file_that_was_changed_since_it_failed_is_not_tried_yet() {
    let world = world().build();
    revoke(&world);
    world.run(&[]).exit(77);
    world.log_in_again();
    let run = world.run(&["--offline", "--json"]);
    run.exit(0);
    let told = credential(&run);
    assert_eq!((&told["tried"], &told["class"]), (&json!(false), &json!(null)));
}

#[test]
fn what_is_remembered_has_the_remedy_of_its_own_class() {
    for (status, error, hint) in [
        (
            401,
            "invalid_client",
            "https://console.cloud.google.com/apis/credentials; the next probe is due at ",
        ),
        (400, "invalid_grant", "token-login port-sheet; nothing is lost meanwhile"),
        (503, "temporarily_unavailable", "nothing to do if it passes"),
    ] {
        let world = world().build();
        world.server.token_error(&world.account, Some((status, json!({"error": error}))));
        world.run(&[]);
        let again = world.run(&[]);
        again.error(error).hint_with(hint).hint_with("; the next probe is due at ");
    }
}

#[test]
fn a_beginning_in_the_future_is_mended_when_the_clock_is() {
    let world = world().build();
    run_at(&world, "2026-07-01 12:00:00", &[]).exit(0);
    let told = credential(&run_at(&world, "2026-05-13 12:00:00", &["--json"]));
    assert!(told["obtained"].as_str().unwrap().starts_with("2026-05-13T12:00:0"), "{told}");
}

#[test]
fn a_rotation_is_no_new_login_and_no_reason_to_probe() {
    let world = world().person(Person { rotates: true, ..Person::default() }).build();
    asks_at(&world, &[("12:00:00", true), ("12:05:00", false), ("12:30:00", true), ("12:35:00", false)]);
    let told = credential(&run_at(&world, "2026-05-13 12:36:00", &["--json"]));
    assert!(told["obtained"].as_str().unwrap().starts_with("2026-05-13T12:00:0"), "{told}");
}
