use serde_json::Value;

use crate::{add, names, run_at, world};

#[test]
fn success_is_quiet_and_status_prints_a_line_for_each_quota_and_releases_nothing() {
    let world = world();
    let run = world.process(&[]).without_trace().run();
    run.exit(0);
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("", ""));
    let world = crate::world();
    run_at(&world, "2026-05-13 18:00:00", &[]).exit(0);
    add(&world, names(2), "2026-05-13 18:30:00");
    let run = run_at(&world, "2026-05-14 09:00:00", &["--status"]);
    run.exit(0);
    assert_eq!(
        run.stdout,
        "agents 2026-05-14: 0 of 5 used, 5 left, 0 running; 0 held, 0 ready, 0 to resume, 2 pending; next day 2026-05-15 00:00Z; no day closed yet\n"
    );
    run_at(&world, "2026-05-14 09:01:00", &[]).exit(0);
    let run = run_at(&world, "2026-05-14 09:02:00", &["--status"]);
    assert!(run.stdout.ends_with("; 0% of 30 days used\n"), "{}", run.stdout);
}

/// A shipped file.
fn shipped(path: &str) -> String {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn results_of_every_outcome_fit_the_shipped_schema() {
    let schema = serde_json::from_str(&shipped("docs/schema/quota-reset.json")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let world = world();
    let fits = |now: &str, args: &[&str], code| {
        let run = run_at(&world, now, &[&["--json"], args].concat());
        run.exit(code);
        let fits =
            |value: &Value| validator.iter_errors(value).map(|error| error.to_string()).collect::<Vec<_>>();
        assert_eq!(fits(&run.json()), Vec::<String>::new(), "{}", run.json());
    };
    fits("2026-05-13 18:00:00", &[], 0);
    add(&world, names(2), "2026-05-13 18:30:00");
    fits("2026-05-14 00:01:00", &[], 0);
    fits("2026-05-14 00:02:00", &["--status"], 0);
    fits("2026-05-12 00:02:00", &[], 0);
    world.append_to_config("[nonsense]");
    fits("2026-05-14 00:16:00", &[], 78);
}

#[test]
fn a_configuration_without_quotas_has_nothing_to_reset() {
    let world = world();
    world.replace_in_config("[quota.agents]\nper-day = 5\nconcurrency = 5", "");
    world.run(&[]).exit(78).error("there is no [quota.NAME] table");
}

#[test]
fn the_shipped_unit_gives_a_run_its_deadline() {
    let unit = shipped("systemd-timers/quota-reset.service");
    let minutes = unit.lines().find_map(|line| line.strip_prefix("TimeoutStartSec=")?.strip_suffix("min"));
    let minutes: u64 = minutes.unwrap().parse().unwrap();
    let deadline = <quota_reset::QuotaReset as shared::run::Job>::DEADLINE;
    assert!(minutes * 60 > deadline.as_secs(), "{minutes} min");
    let shipped = shared::config::EXECUTABLES.iter().find(|shipped| shipped.name == "quota-reset").unwrap();
    let alone = <quota_reset::QuotaReset as shared::run::Job>::ALONE;
    assert_eq!((shipped.deadline, shipped.is_alone), (deadline, alone), "what job-status judges by");
}
