//! What a run says and what it records: silence when all is well, an error and a hint once when not, and always a record.

use google_standin::{Fault, Server, Stall};
use serde_json::{Value, json};
use support::{BOOKINGS, Run, World};

use crate::world;

fn stalled_call() -> Fault {
    Fault { path: Some("^/v4/".into()), stall: Stall::Request, ..Fault::default() }
}

#[test]
fn a_first_run_fills_the_sheet_and_a_second_writes_nothing() {
    let world = world().build();
    let sheet = world.run(&["--json"]).exit(0).sheet();
    assert_eq!((&sheet["added"], &sheet["verified"]), (&json!(3), &json!(true)));
    assert_eq!(world.rows().len(), 4);
    world.clear_requests();
    world.run(&[]).exit(0);
    assert_eq!((world.counts().writes, world.counts().tokens), (0, 1));
}

#[test]
fn success_without_a_terminal_says_nothing() {
    let world = world().build();
    for _ in ["writes", "in step"] {
        let run = world.process(&[]).without_trace().run();
        assert_eq!((run.exit(0).stdout.as_str(), run.stderr.as_str()), ("", ""), "cron would mail this");
    }
}

/// What a retry healed is no news either.
#[test]
fn success_after_a_retry_says_nothing() {
    let world = world().build();
    world.fault(Fault { path: Some("^/v4/".into()), status: Some(503), times: 2, ..Fault::default() });
    world.fault(Fault { path: Some("^/token$".into()), status: Some(503), times: 2, ..Fault::default() });
    let run = world.process(&[]).without_trace().run();
    assert_eq!((run.exit(0).stdout.as_str(), run.stderr.as_str()), ("", ""));
}

#[test]
fn verbose_says_what_was_done_and_quiet_says_nothing() {
    let world = world().build();
    let run = world.process(&["-v"]).without_trace().run();
    let expected = "port-sheet: 3 added, 0 changed, 0 removed, 0 unchanged, 0 refused; 12 cells written, verified; 3 reads, 2 writes\n";
    assert_eq!(run.exit(0).stdout, expected);
    assert!(run.stderr.contains("3 rows read, 0 refused"), "{}", run.stderr);
    let run = world.process(&["-q"]).without_trace().run();
    assert_eq!((run.exit(0).stdout.as_str(), run.stderr.as_str()), ("", ""));
}

#[test]
fn a_failure_is_one_error_and_one_hint_and_nothing_else() {
    let world = world().build();
    world.remove(&world.source());
    for args in [&[][..], &["-q"], &["--json"]] {
        let run = world.process(args).without_trace().run();
        let lines: Vec<&str> = run.exit(69).stderr.lines().collect();
        assert_eq!(lines.len(), 2, "{lines:#?}");
        assert!(lines[0].starts_with("error: sheet \"port-sheet\": cannot read the source "), "{}", lines[0]);
        assert!(lines[1].starts_with("hint: is the export running? ls -la "), "{}", lines[1]);
        assert_eq!(run.stdout.is_empty(), args != ["--json"]);
    }
}

#[test]
fn a_run_that_cannot_be_recorded_in_the_end_says_so_once() {
    let world = world().build();
    world.append_to_config("[job.port-sheet-sync]\ndeadline = \"3s\"");
    world.fault(stalled_call());
    let running = world.process(&[]).spawn();
    running.wait_for_stderr("sending");
    let database = rusqlite::Connection::open(world.state().join("state.db")).unwrap();
    database.execute_batch("ALTER TABLE run RENAME TO gone").unwrap();
    let run = running.wait();
    run.exit(74);
    let lines = run.stderr.lines().filter(|line| line.contains("no such table"));
    let (causes, told): (Vec<_>, Vec<_>) = lines.partition(|line| line.starts_with("debug: caused by: "));
    assert_eq!((told.len(), causes.len()), (1, 1), "{}", run.stderr);
}

#[test]
fn a_failure_is_told_once_at_any_level() {
    let world = world().build();
    world.server.token_error(
        &world.account,
        Some((
            400,
            json!({"error": "invalid_grant", "error_description": "Token has been expired or revoked."}),
        )),
    );
    let run = world.run(&["-vv"]);
    run.exit(77);
    assert_eq!(run.stderr.matches("Token has been expired or revoked.").count(), 1, "{}", run.stderr);
    assert!(run.stdout.contains("0 cells written, not verified"), "{}", run.stdout);
}

/// The lines of a run's causes, which are directly below the hint of its one failure.
fn causes(run: &Run) -> Vec<&str> {
    let mut below = run.stderr.lines().skip_while(|line| !line.starts_with("hint: ")).skip(1);
    let causes: Vec<_> = below.by_ref().map_while(|line| line.strip_prefix("debug: caused by: ")).collect();
    assert_eq!(run.stderr.matches("caused by").count(), causes.len(), "{}", run.stderr);
    causes
}

/// Runs at each level. Only `-vv` adds the causes, and it changes neither the error, the hint nor the result.
fn causes_at_vv(world: &World) -> Vec<String> {
    let plain = world.process(&["--json"]).without_trace().run();
    for args in [&["--json"][..], &["--json", "-v"], &["--json", "-q"]] {
        let run = world.process(args).without_trace().run();
        assert!(causes(&run).is_empty(), "{args:?}: {}", run.stderr);
    }
    let run = world.process(&["--json", "-vv"]).without_trace().run();
    assert_eq!((run.code, run.errors(), run.hints()), (plain.code, plain.errors(), plain.hints()));
    assert_eq!(run.json()["error"], plain.json()["error"]);
    assert_eq!(run.json()["error"].as_object().map(serde_json::Map::len), Some(3), "kind, message, hint");
    let record = world.records().pop().unwrap();
    assert_eq!(record.message.as_deref(), run.errors().first().copied());
    causes(&run).into_iter().map(str::to_owned).collect()
}

#[test]
fn vv_adds_the_cause_of_a_file_that_cannot_be_read() {
    let world = world().build();
    world.remove(&world.source());
    assert_eq!(causes_at_vv(&world), ["No such file or directory (os error 2)"]);
}

#[test]
fn vv_adds_each_cause_of_a_connection_that_cannot_be_made() {
    let world = world().build();
    let stopped = Server::start();
    world.replace_in_config(&world.server.url(), &stopped.url());
    stopped.stop().unwrap();
    let causes = causes_at_vv(&world);
    assert_eq!(causes, ["client error (Connect)", "tcp connect error", "Connection refused (os error 111)"]);
}

#[test]
fn vv_adds_each_cause_of_a_tls_connection_that_cannot_be_made() {
    let world = world().build();
    world.replace_in_config(&world.server.url(), &world.server.url().replace("http://", "https://"));
    let causes = causes_at_vv(&world);
    assert_eq!(causes[0], "client error (Connect)");
    assert!(causes.iter().any(|cause| cause.contains("InvalidContentType")), "{causes:?}");
}

/// `sd-daemon(3)`: without the prefix, the journal files everything as informational.
#[test]
fn under_systemd_every_line_has_its_priority() {
    let world = world().build();
    world.remove(&world.source());
    let run = world.process(&["-vv"]).env("JOURNAL_STREAM", "8:1234").run();
    let lines: Vec<&str> = run.exit(69).stderr.lines().collect();
    let starting_with = |start: &str| lines.iter().filter(|line| line.starts_with(start)).count();
    assert_eq!(starting_with("<3>error: sheet \"port-sheet\": cannot read the source "), 1, "{lines:#?}");
    assert_eq!(starting_with("<3>hint: is the export running?"), 1, "{lines:#?}");
    assert!(starting_with("<7>") > 0 && starting_with("<6>") > 0, "{lines:#?}");
    assert_eq!(starting_with("<"), lines.len(), "{lines:#?}");
}

#[test]
fn every_run_is_recorded_with_its_result() {
    let world = world().build();
    let ok = world.run(&["--json"]);
    world.remove(&world.source());
    let failed = world.run(&["--json"]);
    let records = world.records();
    for (record, (run, outcome)) in records.iter().zip([(&ok, "ok"), (&failed, "failed")]) {
        assert_eq!((record.job.as_str(), record.outcome.as_str()), ("port-sheet-sync", outcome));
        assert_eq!(record.exit, run.code.map(i64::from));
        let result: Value = serde_json::from_str(record.result.as_deref().unwrap()).unwrap();
        assert_eq!(result, run.json());
    }
    assert_eq!(records.len(), 2);
    assert_eq!((&records[0].kind, &records[0].message), (&None, &None));
    assert_eq!(records[1].kind.as_deref(), Some("unavailable"));
    assert_eq!(records[1].message.as_deref(), failed.errors().first().copied());
    assert_eq!(records[1].hint.as_deref(), failed.hints().first().copied());
}

#[test]
fn the_json_result_is_what_the_contract_shows() {
    let world = world().build();
    let result = world.run(&["--json"]).exit(0).json();
    let keys =
        |value: &Value| value.as_object().unwrap().keys().cloned().collect::<std::collections::BTreeSet<_>>();
    for key in ["job", "run", "started", "finished", "outcome", "exit", "error", "dry_run", "sheets"] {
        assert!(keys(&result).contains(key), "{key}: {result}");
    }
    assert_eq!(
        (&result["outcome"], &result["exit"], &result["error"]),
        (&json!("ok"), &json!(0), &Value::Null)
    );
    let expected = json!({
        "sheet": "port-sheet", "outcome": "ok", "exit": 0, "error": null, "source_rows": 3, "rejected": 0, "added": 3,
        "updated": 0, "removed": 0, "unchanged": 0, "drifted": 0, "cells_written": 12, "verified": true, "reads": 3,
        "writes": 2,
    });
    for (key, value) in expected.as_object().unwrap() {
        assert_eq!(&result["sheets"][0][key], value, "{key}");
    }
}

/// Counts are confirmed, not sent: what was refused was not done.
#[test]
fn a_write_that_failed_counts_nothing() {
    let world = world().build();
    let write = Fault { method: Some("POST".into()), path: Some("^/v4/".into()), ..Fault::default() };
    world.fault(Fault { status: Some(400), ..write });
    let sheet = world.run(&["--json"]).exit(65).sheet();
    for count in ["added", "updated", "removed", "cells_written"] {
        assert_eq!(sheet[count], 0, "{count}: {sheet}");
    }
    assert_eq!(
        (&sheet["verified"], &sheet["source_rows"], &sheet["writes"]),
        (&json!(false), &json!(3), &json!(1))
    );
}

#[test]
fn everything_in_the_state_directory_is_for_its_owner_alone() {
    let world = world().build();
    world.run(&[]).exit(0);
    for (path, content) in world.snapshot(&world.state()) {
        let expected = if path.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(content.status.0 & 0o777, expected, "{}", path.display());
    }
    assert_eq!(world.mode(&world.state()), 0o700);
}

#[test]
fn a_run_that_is_told_to_stop_says_so_and_the_next_one_goes_on() {
    let world = world().build();
    world.fault(stalled_call());
    let running = world.process(&["--json"]).spawn();
    world.server.wait_for_request("/v4/", 1).unwrap();
    running.terminate();
    let run = running.wait();
    run.exit(75).error("stopped by SIGTERM before the run was done");
    run.hint("nothing is lost: the next run continues from here");
    assert_eq!((&run.json()["outcome"], &run.json()["error"]["kind"]), (&json!("failed"), &json!("busy")));
    let record = world.records().pop().unwrap();
    assert_eq!((record.outcome.as_str(), record.exit), ("failed", Some(75)));
    world.run(&[]).exit(0);
    assert_eq!(world.rows().len(), BOOKINGS.len());
}

#[test]
fn a_run_that_reaches_its_deadline_ends_and_the_next_one_goes_on() {
    let world = world().tables("[job.port-sheet-sync]\ndeadline = \"300ms\"").build();
    world.fault(stalled_call());
    let run = world.run(&["--json"]);
    run.exit(75).error("the deadline passed before the run was done: this sheet had 0.3 s");
    run.error("; the rows as they should be are in ");
    run.hint("the next run continues from here; if this repeats, raise deadline under [job.port-sheet-sync] or run with -v to see where the time goes");
    assert_eq!(world.records()[0].exit, Some(75));
    world.replace_in_config("300ms", "5m");
    world.run(&[]).exit(0);
    assert_eq!(world.rows().len(), BOOKINGS.len());
}

#[test]
fn a_state_directory_that_cannot_be_used_is_told_all_the_same() {
    let world = world().build();
    world.write("state/state.db", b"this is not a database, but a text of some length");
    let run = world.run(&["--json"]);
    run.exit(74).error("cannot use the run records in ").hint_with("state.db.damaged");
    assert_eq!(run.json()["error"]["kind"], "io");
    assert_eq!(world.requests().len(), 0);
}

#[test]
fn one_failing_sheet_never_stops_the_next_and_the_most_serious_decides() {
    let world = world().build();
    let copy = world.config_text();
    let (_, sheet) = copy.split_once("[sheet.port-sheet]").unwrap();
    let lost = sheet.replace("[sheet.port-sheet.", "[sheet.a-lost.");
    let lost = lost.replace(&world.spreadsheet, "1NoSuchSpreadsheet");
    world.append_to_config(&format!("[sheet.a-lost]{lost}"));
    let run = world.run(&["--json"]);
    run.exit(78).error("sheet \"a-lost\": Google Sheets: 404");
    let result = run.json();
    let outcome = |at: usize| (result["sheets"][at]["sheet"].clone(), result["sheets"][at]["exit"].clone());
    assert_eq!((outcome(0), outcome(1)), ((json!("a-lost"), json!(78)), (json!("port-sheet"), json!(0))));
    assert_eq!(world.rows().len(), 4);
}
