use crate::{all_run, run_at, world};

#[test]
fn a_healthy_status_is_quiet_without_a_terminal_and_v_prints_a_table() {
    let world = world().build();
    all_run(&world, "12:00");
    let run = run_at(&world, "job-status", "12:01", &[]).without_trace().run();
    run.exit(0);
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("", ""));
    let run = run_at(&world, "job-status", "12:01", &["-v"]).run();
    let lines: Vec<&str> = run.stdout.lines().collect();
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(words(lines[0]).join(" "), "job state last run last success last change started by");
    assert_eq!(words(lines[1])[..2], ["port-sheet-sync", "fresh"]);
    assert_eq!(words(lines[2])[..2], ["token-check", "fresh"]);
    assert!(lines.iter().any(|line| line.starts_with("credential \"port-sheet\": works")), "{lines:#?}");
    assert!(!run.stdout.contains('\x1b'), "no colour without a terminal");
}

#[test]
fn a_terminal_gets_the_table_in_colour_unless_nobody_wants_it() {
    let world = world().build();
    all_run(&world, "12:00");
    // `script` gives its command a terminal for all that it prints.
    let on_terminal = |name: &str, value: &str| {
        let process = world.process(&[]).without_trace();
        let process = process.under("/bin/sh", &["-c", "exec script -qec \"$*\" /dev/null", "sh"]);
        let run = process.at("2026-05-13 12:01:00").env("TERM", "xterm").env(name, value).run();
        run.exit(0);
        assert!(run.stdout.contains("port-sheet-sync"), "{run:?}");
        run.stdout.contains("\x1b[32mfresh")
    };
    assert!(on_terminal("LANG", "C"));
    assert!(!on_terminal("NO_COLOR", "1"));
    assert!(!on_terminal("TERM", "dumb"));
}

#[test]
fn an_unhealthy_status_prints_each_error_with_its_hint_once() {
    let world = world().build();
    run_at(&world, "token-check", "12:00", &[]).run().exit(0);
    let run = run_at(&world, "job-status", "12:01", &[]).without_trace().run();
    run.exit(69).error("it never ran").hint_with("systemctl enable --now port-sheet-sync.timer");
    assert_eq!((run.stdout.as_str(), run.stderr.lines().count()), ("", 2));
}

#[test]
fn nagios_gets_one_line_with_numbers_and_its_own_exit_codes() {
    let world = world().build();
    all_run(&world, "12:00");
    let nagios = |time| run_at(&world, "job-status", time, &["--nagios"]).without_trace().run();
    let run = nagios("12:01");
    run.exit(0);
    assert!(
        run.stdout
            .starts_with("JOBS OK - 2 jobs are fresh | jobs=2 fresh=2 failures=0;;0 'port-sheet-sync_age'="),
        "{}",
        run.stdout
    );
    run_at(&world, "token-check", "13:00", &[]).run().exit(0);
    let run = nagios("13:01");
    run.exit(1);
    assert!(
        run.stdout.starts_with("JOBS WARNING - job \"port-sheet-sync\": it last ran 1h 1m ago"),
        "{}",
        run.stdout
    );
    run_at(&world, "token-check", "13:15", &[]).run().exit(0);
    let run = nagios("13:16");
    run.exit(2);
    assert!(run.stdout.starts_with("JOBS CRITICAL - job \"port-sheet-sync\": it last ran"), "{}", run.stdout);
    run_at(&world, "port-sheet-sync", "13:16", &[]).run().exit(0);
    world.remove(&world.credential());
    run_at(&world, "port-sheet-sync", "13:17", &[]).run().exit(77);
    let run = nagios("13:18");
    run.exit(2);
    assert_eq!((run.stdout.lines().count(), run.stderr.as_str()), (1, ""));
}

#[test]
fn nagios_holds_a_job_that_never_did_its_work_for_critical() {
    let world = world().build();
    run_at(&world, "token-check", "12:00", &[]).run().exit(0);
    let run = run_at(&world, "job-status", "12:01", &["--nagios"]).without_trace().run();
    run.exit(2);
    assert!(
        run.stdout.starts_with("JOBS CRITICAL - job \"port-sheet-sync\": it never ran"),
        "{}",
        run.stdout
    );
}

#[test]
fn nagios_is_told_of_no_booking_unless_the_configuration_says_so() {
    let world = world().csv(&["booking_id,vessel", "B-SECRET,Alma", "B-SECRET,Borea"]).build();
    run_at(&world, "port-sheet-sync", "12:00", &[]).run().exit(65);
    run_at(&world, "token-check", "12:00", &[]).run().exit(0);
    let nagios = || run_at(&world, "job-status", "12:01", &["--nagios"]).run().stdout;
    let line = nagios();
    assert!(line.contains("exit code 65") && !line.contains("B-SECRET"), "{line}");
    world.append_to_config("[alert]\nbooking-data = true");
    assert!(nagios().contains("B-SECRET"));
}

#[test]
fn prometheus_gets_one_state_a_job() {
    let world = world().build();
    all_run(&world, "12:00");
    let run = run_at(&world, "job-status", "12:01", &["--prometheus"]).run();
    run.exit(0);
    let is_set = |line: &&str| line.starts_with("port_jobs_state{") && line.ends_with(" 1");
    let set: Vec<&str> = run.stdout.lines().filter(is_set).collect();
    let line = |job: &str| format!("port_jobs_state{{executable=\"{job}\",state=\"fresh\"}} 1");
    assert_eq!(set, [line("port-sheet-sync"), line("token-check")]);
}

#[test]
fn repeated_errors_are_condensed_with_their_count_and_both_ends() {
    let world = world().build();
    all_run(&world, "12:00");
    world.remove(&world.credential());
    for time in ["12:30", "13:00", "13:30"] {
        run_at(&world, "port-sheet-sync", time, &[]).run().exit(77);
    }
    let result = run_at(&world, "job-status", "13:31", &["--json"]).run().json();
    let error =
        result["errors"].as_array().unwrap().iter().find(|error| error["job"] == "port-sheet-sync").unwrap();
    assert_eq!(error["times"], 3);
    let starts =
        |field: &str, time: &str| error[field].as_str().unwrap().starts_with(&format!("2026-05-13T{time}:"));
    assert!(starts("first", "12:30") && starts("last", "13:30"), "{error}");
}

#[test]
fn results_of_every_state_fit_the_shipped_schema() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/schema/job-status.json");
    let schema = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let world = world().build();
    let fits = |time: &str| {
        let result = run_at(&world, "job-status", time, &["--json"]).run().json();
        let wrong: Vec<String> = validator.iter_errors(&result).map(|error| error.to_string()).collect();
        assert!(wrong.is_empty(), "{wrong:#?} in {result:#}");
    };
    fits("11:59");
    all_run(&world, "12:00");
    fits("12:01");
    world.remove(&world.credential());
    run_at(&world, "port-sheet-sync", "12:30", &[]).run().exit(77);
    fits("12:31");
    world.append_to_config("[nonsense]");
    fits("12:32");
}

#[test]
fn the_shipped_units_give_a_run_its_deadline() {
    let deadline = <job_status::JobStatus as shared::run::Job>::DEADLINE;
    let shipped = shared::config::EXECUTABLES.iter().find(|shipped| shipped.name == "job-status").unwrap();
    assert_eq!(shipped.deadline, deadline);
    for unit in ["job-status.service", "job-failed@.service"] {
        let path = format!("{}/../../systemd-timers/{unit}", env!("CARGO_MANIFEST_DIR"));
        let unit = std::fs::read_to_string(path).unwrap();
        let minutes =
            unit.lines().find_map(|line| line.strip_prefix("TimeoutStartSec=")?.strip_suffix("min"));
        assert!(minutes.unwrap().parse::<u64>().unwrap() * 60 > deadline.as_secs());
    }
}

#[test]
fn quotas_are_shown_where_there_is_a_ledger_of_sessions() {
    let tables = "[quota.agents]\n[session-run]\nquota = \"agents\"\ncommand = [\"/bin/true\"]";
    let world = world().tables(tables).build();
    all_run(&world, "12:00");
    let none = run_at(&world, "job-status", "12:01", &["--json"]).run().json();
    assert_eq!(none["quotas"], serde_json::json!([]));
    for (time, add) in
        [("2026-05-12 12:00:00", "a"), ("2026-05-13 12:00:00", "b"), ("2026-05-13 12:01:00", "c")]
    {
        world.process_of("session-run", &["--add", add]).at(time).run().exit(0);
        if add != "c" {
            world.process_of("session-run", &[]).at(time).run().exit(0);
        }
    }
    let line = "quota \"agents\": 1 of 5 sessions of the day are used; 1 tasks wait, 0 for a person";
    let page = world.path("status.html");
    let run = run_at(&world, "job-status", "12:02", &["-v", "--html", page.to_str().unwrap()]).run();
    assert!(run.stdout.lines().any(|told| told == line), "{}", run.stdout);
    let html = world.read_text(&page);
    assert!(
        html.contains("quota &quot;agents&quot;: 1 of 5") && html.contains("2026-05-12</th><td>1 of 5"),
        "{html}"
    );
}
