use serde_json::json;

use crate::{credential, revoke, run_at, world};

#[test]
fn success_is_quiet_and_v_prints_a_table() {
    let world = world().build();
    let run = world.process(&[]).without_trace().run();
    run.exit(0);
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("", ""));
    let run = world.process(&["-v", "--now"]).without_trace().run();
    run.exit(0);
    let lines: Vec<&str> = run.stdout.lines().collect();
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(words(lines[0]), ["credential", "state", "obtained", "last", "good", "next", "probe"]);
    assert_eq!(words(lines[1])[..2], ["port-sheet", "ok"]);
    assert_eq!(lines[2..], ["port-sheet: reaches sheet \"port-sheet\""]);
}

#[test]
fn the_json_result_has_the_frame_and_a_list_of_credentials() {
    let world = world().build();
    let run = world.run(&["--json"]);
    run.exit(0);
    let result = run.json();
    assert_eq!(
        (&result["job"], &result["outcome"], &result["exit"]),
        (&json!("token-check"), &json!("ok"), &json!(0))
    );
    let told = credential(&run);
    for (key, value) in [
        ("credential", json!("port-sheet")),
        ("kind", json!("authorized_user")),
        ("probed", json!(true)),
        ("failed_refreshes", json!(0)),
        ("class", json!(null)),
        ("scopes", json!(["https://www.googleapis.com/auth/spreadsheets"])),
        ("missing_scopes", json!([])),
        ("sheets", json!([{"sheet": "port-sheet", "reached": true, "writable": true, "error": null}])),
        ("forecasts", json!([])),
        ("blocked", json!([])),
    ] {
        assert_eq!(told[key], value, "{key}");
    }
}

#[test]
fn nagios_gets_one_line_and_its_own_exit_codes() {
    let world = world().build();
    let run = world.process(&["--nagios"]).without_trace().run();
    run.exit(0);
    let numbers = "| credentials=1 failing=0;;0 'port-sheet_failures'=0 'port-sheet_forecasts'=0\n";
    assert_eq!(run.stdout, format!("TOKEN OK - 1 credentials work {numbers}"));
    world.server.token_error(&world.account, Some((503, json!("<html>"))));
    let run = world.run(&["--nagios", "--now"]);
    run.exit(1);
    assert!(
        run.stdout.starts_with("TOKEN WARNING - credential \"port-sheet\": the token endpoint answered 503")
    );
    world.server.token_error(&world.account, None);
    revoke(&world);
    let run = world.process(&["--nagios", "--now"]).without_trace().run();
    run.exit(2);
    assert!(run.stdout.starts_with("TOKEN CRITICAL - credential \"port-sheet\": "), "{}", run.stdout);
    assert_eq!((run.stdout.lines().count(), run.stderr.as_str()), (1, ""));
    let record = world.records().pop().unwrap();
    assert_eq!(
        (record.exit, record.outcome.as_str()),
        (Some(77), "failed"),
        "the record keeps the usual code"
    );
    world.replace_in_config("tab = ", "tap = ");
    let run = world.run(&["--nagios"]);
    run.exit(3);
    assert!(run.stdout.starts_with("TOKEN UNKNOWN - "), "{}", run.stdout);
}

#[test]
fn flags_that_contradict_each_other_are_refused() {
    let world = world().build();
    world.run(&["--now", "--offline"]).exit(64);
}

#[test]
fn a_configuration_without_credentials_has_nothing_to_check() {
    let world = world().build();
    let config = format!("state-dir = {:?}\nmonitor = \"none\"\n", world.state());
    world.write("config.toml", config.as_bytes());
    world.run(&[]).exit(78).error("there is no [credential.NAME] table");
}

#[test]
fn what_is_started_after_an_outage_must_end_before_the_run_does() {
    let world = world().build();
    world.append_to_config("[job.token-check]\ndeadline = \"10m\"");
    let run = world.run(&["--check-config"]);
    run.exit(78).error("on-recovery-timeout: must be shorter than the deadline of a run, 10m");
    world.append_to_config("[token-check]\non-recovery-timeout = \"9m\"");
    world.run(&["--check-config"]).exit(0);
}

/// A shipped file.
fn shipped(path: &str) -> String {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn results_of_every_outcome_fit_the_shipped_schema() {
    let schema = serde_json::from_str(&shipped("docs/schema/token-check.json")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let world = world().build();
    let fits = |args: &[&str], code| {
        let run = world.run(&[&["--json"], args].concat());
        run.exit(code);
        let wrong: Vec<String> = validator.iter_errors(&run.json()).map(|error| error.to_string()).collect();
        assert!(wrong.is_empty(), "{wrong:#?} in {}", run.json());
    };
    fits(&["--offline"], 0);
    fits(&[], 0);
    revoke(&world);
    world.process_of("port-sheet-sync", &[]).run().exit(77);
    fits(&["--now"], 77);
    world.set_mode(&world.credential(), 0o644);
    fits(&[], 77);
    world.append_to_config("[nonsense]");
    fits(&[], 78);
}

#[test]
fn the_shipped_unit_gives_a_run_its_deadline() {
    let unit = shipped("systemd-timers/token-check.service");
    let minutes = unit.lines().find_map(|line| line.strip_prefix("TimeoutStartSec=")?.strip_suffix("min"));
    let minutes: u64 = minutes.unwrap().parse().unwrap();
    let deadline = <token_check::TokenCheck as shared::run::Job>::DEADLINE;
    assert!(minutes * 60 > deadline.as_secs(), "{minutes} min");
    let shipped = shared::config::EXECUTABLES.iter().find(|shipped| shipped.name == "token-check").unwrap();
    assert_eq!(shipped.deadline, deadline, "what job-status takes for hung");
}

#[test]
fn only_news_prints_a_failure_once_and_again_with_each_quarter_of_the_day() {
    let world = world().build();
    world.server.set_clock("2026-05-13T11:00:00Z".parse().unwrap());
    revoke(&world);
    let said = |now: &str, args: &[&str], code| {
        let run = run_at(&world, &format!("2026-05-13 {now}"), args);
        run.exit(code);
        assert_eq!(world.records().pop().unwrap().exit, Some(code.into()), "the record is whole");
        run.errors().len()
    };
    let news = &["--only-news"][..];
    assert_eq!(said("12:00:00", news, 77), 1, "the first failure");
    for now in ["12:05:00", "12:10:00", "13:00:05"] {
        assert_eq!(said(now, news, 77), 0, "{now}: nothing new");
    }
    let poll = |now: &str| run_at(&world, &format!("2026-05-13 {now}"), &["--nagios"]).exit(2).errors().len();
    assert_eq!(said("13:01:00", &[], 77), 1, "without the flag each run says it");
    assert_eq!(said("17:55:00", news, 77), 0);
    assert_eq!(poll("18:00:05"), 0);
    assert_eq!(said("18:00:10", &["--json"], 77), 1);
    assert_eq!(said("18:00:20", news, 77), 1, "once more, whoever else was told meanwhile");
    assert_eq!(said("18:03:00", news, 77), 0);
    world.log_in_again();
    assert_eq!(said("18:05:00", news, 0), 0);
    world.set_mode(&world.credential(), 0o644);
    assert_eq!(poll("18:08:00"), 0);
    assert_eq!((said("18:10:00", news, 77), said("18:15:00", news, 77)), (1, 0), "another failure is news");
    let json = run_at(&world, "2026-05-13 18:20:00", &["--only-news", "--json"]);
    assert_eq!(json.json()["exit"], 77, "the result is whole");
}
