use serde_json::json;

use crate::{add, configured, session, world};

#[test]
fn a_run_with_nothing_to_do_and_one_that_went_well_print_nothing() {
    let world = world("exit 0");
    for id in ["a", "b"] {
        let run = world.process(&[]).without_trace().run();
        run.exit(0);
        assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("", ""));
        add(&world, &[id]);
    }
    world.run(&[]).exit(0);
    let run = world.process(&["-v"]).without_trace().run();
    assert_eq!(run.stdout, "no task is ready\n");
}

/// A shipped file.
fn shipped(path: &str) -> String {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn results_of_every_outcome_fit_the_shipped_schema() {
    let schema = serde_json::from_str(&shipped("docs/schema/session-run.json")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let world = configured("exit $SESSION_SEQ", "per-day = 2", "turn-limit-exit = 2");
    let fits = |args: &[&str], code| {
        let run = world.run(&[&["--json"], args].concat());
        run.exit(code);
        let wrong: Vec<String> = validator.iter_errors(&run.json()).map(|error| error.to_string()).collect();
        assert!(wrong.is_empty(), "{wrong:#?} in {}", run.json());
        run
    };
    fits(&[], 0);
    fits(&["--add", "x", "--id", "a"], 0);
    fits(&["--add", "x", "--id", "b"], 0);
    fits(&[], 69);
    assert_eq!(session(&fits(&[], 0))["outcome"], "turn-limit");
    assert_eq!(fits(&[], 0).json()["idle"], json!("spent"));
    fits(&["--list"], 0);
    fits(&["--retry", "none"], 65);
    world.append_to_config("[nonsense]");
    fits(&[], 78);
}

#[test]
fn a_configuration_that_could_not_work_is_refused() {
    for (from, to, told) in [
        ("quota = \"agents\"", "quota = \"agent\"", "session-run.quota: there is no [quota.agent]"),
        (
            "[session-run]",
            "[session-run]\ncheckpoint-turn = 31",
            "session-run.checkpoint-turn: must not be more than turns",
        ),
        ("[session-run]", "[session-run]\nlease = \"5s\"", "session-run.lease: must be at least 10s"),
        (
            "[session-run]",
            "[session-run]\ndeadline = \"2h\"",
            "session-run.deadline and grace do not fit into a run's 1h 5m",
        ),
        ("per-day = 5", "per-day = 0", "quota.agents.per-day: must be from 1 to 10000"),
        ("per-day = 5", "concurrency = 6", "quota.agents.concurrency: must not be more than per-day"),
        (
            "command = [\"/bin/sh\"",
            "command = [\"\"",
            "session-run.command: must be a list that begins with the program",
        ),
        (
            "[session-run]",
            "[session-run]\ndashboard = { url = \"http://example.com/\", token-file = \"t\" }",
            "would send the token unencrypted",
        ),
    ] {
        let world = world("exit 0");
        world.replace_in_config(from, to);
        world.run(&[]).exit(78).error(told);
    }
    let world = world("exit 0");
    world.replace_in_config("[session-run]", "[session-run-not]");
    world.run(&[]).exit(78);
}

#[test]
fn the_shipped_unit_gives_a_run_its_deadline() {
    let unit = shipped("systemd-timers/session-run.service");
    let minutes = unit.lines().find_map(|line| line.strip_prefix("TimeoutStartSec=")?.strip_suffix("min"));
    let minutes: u64 = minutes.unwrap().parse().unwrap();
    let deadline = <session_run::SessionRun as shared::run::Job>::DEADLINE;
    assert!(minutes * 60 > deadline.as_secs(), "{minutes} min");
    let shipped = shared::config::EXECUTABLES.iter().find(|shipped| shipped.name == "session-run").unwrap();
    let alone = <session_run::SessionRun as shared::run::Job>::ALONE;
    assert_eq!((shipped.deadline, shipped.is_alone), (deadline, alone), "what job-status judges by");
}

#[test]
fn a_clock_that_is_not_believed_starts_nothing() {
    let world = world("exit 0");
    world.process(&["--add", "x", "--id", "a"]).at("2026-05-13 12:00:00").run().exit(0);
    let run = world.process(&["--json"]).at("2026-05-16 12:00:00").run();
    run.exit(75)
        .error("the clock shows 2026-05-16, more than a day after 2026-05-13, and nothing explains it");
    assert_eq!(run.json()["session"], json!(null));
    world.process(&[]).at("2026-05-13 12:10:00").run().exit(0);
    assert_eq!(crate::number(&world, "SELECT count(*) FROM quota_session"), 1);
}
