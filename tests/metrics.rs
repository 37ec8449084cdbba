//! The metrics files, judged by promtool, and the alert rules and dashboard that are shipped for them.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where and stops")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use support::{Builder, World};

fn world() -> Builder {
    World::of(env!("CARGO_BIN_EXE_port-sheet-sync"))
}

/// A world whose jobs leave their metrics in a directory that others can read.
fn measured() -> (World, PathBuf) {
    let world = world().build();
    let dir = world.make_private_dir("metrics");
    world.append_to_config(&format!("[metrics]\ndir = {dir:?}"));
    (world, dir)
}

/// The numbers of a file by name and labels.
fn numbers(world: &World, file: &Path) -> BTreeMap<String, f64> {
    let text = world.read_text(file);
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| line.rsplit_once(' ').unwrap())
        .map(|(name, value)| (name.to_owned(), value.parse().unwrap()))
        .collect()
}

fn promtool(arguments: &[&str], stdin: Option<&Path>) -> (bool, String) {
    let stdin = stdin.map_or_else(Stdio::null, |path| std::fs::File::open(path).unwrap().into());
    let run = Command::new(support::program("promtool")).args(arguments).stdin(stdin).output().unwrap();
    let said = [run.stdout, run.stderr].concat();
    (run.status.success(), String::from_utf8(said).unwrap())
}

fn shipped(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/monitoring").join(path).canonicalize().unwrap()
}

const SHEET: &str = "executable=\"port-sheet-sync\",sheet=\"port-sheet\"";

#[test]
fn a_run_leaves_its_numbers_whole_and_readable() {
    let (world, dir) = measured();
    world.run(&[]).exit(0);
    let file = dir.join("port-sheet-sync.prom");
    assert_eq!(world.mode(&file), 0o644);
    let numbers = numbers(&world, &file);
    let job = "{executable=\"port-sheet-sync\"}";
    for (name, value) in [
        (format!("port_jobs_last_exit_code{job}"), 0.0),
        (format!("port_jobs_consecutive_failures{job}"), 0.0),
        (format!("port_jobs_expected_interval_seconds{job}"), 1800.0),
        (format!("port_jobs_unauthenticated{job}"), 0.0),
        (format!("port_jobs_retries{job}"), 0.0),
        (format!("port_jobs_rows{{{SHEET},kind=\"added\"}}"), 3.0),
        (format!("port_jobs_rows{{{SHEET},kind=\"source\"}}"), 3.0),
        (format!("port_jobs_cells_written{{{SHEET}}}"), 12.0),
        ("port_jobs_token_refreshes{executable=\"port-sheet-sync\",credential=\"port-sheet\",result=\"good\"}".to_owned(), 1.0),
        ("port_jobs_token_refreshes{executable=\"port-sheet-sync\",credential=\"port-sheet\",result=\"bad\"}".to_owned(), 0.0),
    ] {
        assert_eq!(numbers.get(&name), Some(&value), "{name} in {numbers:#?}");
    }
    assert!(numbers[&format!("port_jobs_requests{{{SHEET},kind=\"read\"}}")] >= 1.0);
    assert!(numbers[&format!("port_jobs_last_success_timestamp_seconds{job}")] > 1.7e9);
    let left: Vec<_> = dir.read_dir().unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["port-sheet-sync.prom"], "nothing half written is left");
}

#[test]
fn failures_retries_answers_401_and_lost_tokens_are_counted() {
    let (world, dir) = measured();
    world.run(&[]).exit(0);
    let fault = |status| google_standin::Fault {
        path: Some("/v4/".into()),
        status: Some(status),
        ..google_standin::Fault::default()
    };
    world.fault(fault(401));
    world.fault(google_standin::Fault { nth: 2, ..fault(503) });
    world.run(&[]).exit(0);
    let file = dir.join("port-sheet-sync.prom");
    let job = "{executable=\"port-sheet-sync\"}";
    let now = numbers(&world, &file);
    assert_eq!(
        (now[&format!("port_jobs_unauthenticated{job}")], now[&format!("port_jobs_retries{job}")]),
        (1.0, 1.0)
    );
    let success = now[&format!("port_jobs_last_success_timestamp_seconds{job}")];
    let change = now[&format!("port_jobs_last_change_timestamp_seconds{job}")];
    assert!(change < success, "the second run changed nothing");
    let token = world.credential_json()["refresh_token"].as_str().unwrap().to_owned();
    assert!(world.server.revoke_refresh_token(&token));
    world.run(&[]).exit(77);
    world.run(&[]).exit(77);
    let then = numbers(&world, &file);
    assert_eq!(then[&format!("port_jobs_last_exit_code{job}")], 77.0);
    assert_eq!(then[&format!("port_jobs_consecutive_failures{job}")], 2.0);
    assert_eq!(then[&format!("port_jobs_last_success_timestamp_seconds{job}")], success);
    let credential = "executable=\"port-sheet-sync\",credential=\"port-sheet\"";
    assert_eq!(then[&format!("port_jobs_credential_failing{{{credential}}}")], 1.0);
    assert_eq!(then[&format!("port_jobs_recovery_activations{{{credential}}}")], 1.0);
    world.log_in_again();
    world.run(&[]).exit(0);
    let after = numbers(&world, &file);
    assert!(
        after.contains_key(&format!("port_jobs_recovery_duration_seconds{{{credential}}}")),
        "{after:#?}"
    );
}

#[test]
fn how_early_a_token_was_fetched_anew_is_measured() {
    let world = world().any_token().build();
    let dir = world.make_private_dir("metrics");
    world.append_to_config(&format!("[metrics]\ndir = {dir:?}"));
    // Every request finds the token with less than refresh-margin left.
    let body =
        serde_json::json!({"access_token": "a-short-lived-token", "expires_in": 120, "token_type": "Bearer"});
    let path = Some("/token".into());
    world.fault(google_standin::Fault {
        path,
        body: Some(body),
        times: 99,
        ..google_standin::Fault::default()
    });
    world.run(&[]).exit(0);
    let numbers = numbers(&world, &dir.join("port-sheet-sync.prom"));
    let margin = numbers["port_jobs_token_refresh_margin_seconds{executable=\"port-sheet-sync\"}"];
    assert!((60.0..=120.0).contains(&margin), "{margin}");
}

#[test]
fn a_directory_that_takes_no_file_costs_the_run_nothing() {
    let world = world().build();
    world.append_to_config("[metrics]\ndir = \"/proc/nowhere\"");
    let run = world.process(&[]).without_trace().run();
    run.exit(0);
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("", ""));
}

#[test]
fn promtool_finds_nothing_wrong_with_any_name_or_help_text() {
    let (world, dir) = measured();
    world.run(&[]).exit(0);
    world.process_of("token-check", &[]).run().exit(0);
    for job in ["port-sheet-sync", "token-check"] {
        let (is_good, said) = promtool(&["check", "metrics"], Some(&dir.join(format!("{job}.prom"))));
        assert!(is_good && said.is_empty(), "{job}: {said}");
    }
    let states = world.process_of("job-status", &["--prometheus"]).run();
    world.write("job-status-states.prom", states.stdout.as_bytes());
    let (is_good, said) = promtool(&["check", "metrics"], Some(&world.path("job-status-states.prom")));
    assert!(
        is_good && said.is_empty() && states.stdout.contains("port_jobs_state"),
        "{said}{}",
        states.stdout
    );
    world.write("wrong.prom", b"# TYPE port_jobs_total gauge\nport_jobs_total 1\n");
    assert!(
        !promtool(&["check", "metrics"], Some(&world.path("wrong.prom"))).1.is_empty(),
        "it would find something"
    );
}

#[test]
fn the_shipped_rules_are_valid_and_fire_when_they_should() {
    let rules = shipped("rules.yml");
    let (is_good, said) = promtool(&["check", "rules", rules.to_str().unwrap()], None);
    assert!(is_good, "{said}");
    let (is_good, said) = promtool(&["test", "rules", shipped("rules-test.yml").to_str().unwrap()], None);
    assert!(is_good, "{said}");
}

#[test]
fn rules_and_dashboard_name_only_metrics_that_exist() {
    let (world, dir) = measured();
    world.run(&[]).exit(0);
    let text = world.read_text(&dir.join("port-sheet-sync.prom"));
    let mut known: BTreeSet<&str> =
        text.lines().filter_map(|line| line.strip_prefix("# HELP ")?.split(' ').next()).collect();
    // They need a recovery, a token that was renewed within a run, a sink.
    known.extend([
        "port_jobs_recovery_duration_seconds",
        "port_jobs_token_refresh_margin_seconds",
        "port_jobs_sink_failures",
    ]);
    for file in ["rules.yml", "dashboard.json"] {
        let text = std::fs::read_to_string(shipped(file)).unwrap();
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let named = text.split(|c| !is_part(c)).filter(|word| word.starts_with("port_jobs_"));
        let unknown: Vec<&str> = named.filter(|name| !known.contains(name)).collect();
        assert!(unknown.is_empty(), "{file} names {unknown:?}");
    }
    let dashboard = std::fs::read_to_string(shipped("dashboard.json")).unwrap();
    let dashboard: serde_json::Value = serde_json::from_str(&dashboard).unwrap();
    assert!(dashboard["panels"].as_array().unwrap().len() >= 6);
}
