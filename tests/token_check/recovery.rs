use serde_json::json;

use crate::{credential, revoke, run_at, world};

/// The jobs in the order of their records, with their exit codes.
fn jobs(world: &support::World) -> Vec<(String, Option<i64>)> {
    world.records().into_iter().map(|record| (record.job, record.exit)).collect()
}

#[test]
fn a_job_that_waited_is_started_at_once_with_the_same_configuration() {
    let world = world().build();
    revoke(&world);
    world.process_of("port-sheet-sync", &[]).run().exit(77);
    let waiting = credential(&world.run(&["--json"]))["blocked"].clone();
    assert_eq!(waiting[0]["job"], "port-sheet-sync");
    world.log_in_again();
    let run = world.run(&["--json"]);
    run.exit(0);
    assert_eq!(credential(&run)["blocked"], json!([]));
    assert_eq!(world.rows().len(), 4, "the bookings are in the sheet");
    assert_eq!(jobs(&world).last().unwrap(), &("port-sheet-sync".to_owned(), Some(0)));
    let before = jobs(&world).len();
    world.run(&["--now"]).exit(0);
    assert_eq!(jobs(&world).len(), before + 1, "only once");
}

#[test]
fn a_command_of_ones_own_takes_the_place_of_the_jobs() {
    let world = world().build();
    let told = world.path("told");
    let command =
        format!("[token-check]\non-recovery = [\"/bin/sh\", \"-c\", \"echo works > '{}'\"]", told.display());
    world.append_to_config(&command);
    world.run(&[]).exit(0);
    assert!(!told.exists(), "nothing came back");
    world.server.token_error(&world.account, Some((503, json!("<html>"))));
    world.process_of("port-sheet-sync", &[]).run().exit(69);
    world.server.token_error(&world.account, None);
    world.run(&["--now"]).exit(0);
    assert_eq!(world.read_text(&told), "works\n");
    assert_eq!(world.rows().len(), 0, "the job itself was not started");
}

#[test]
fn a_command_that_hangs_is_killed_with_everything_that_it_started() {
    let world = world().build();
    let pids = world.path("pids");
    // Two shells that never end, in one process group; each says who it is first.
    let hang = "echo $$ >> pids; while :; do sleep 1000; done";
    let script = format!("({hang}) & {hang}").replace("pids", &pids.display().to_string());
    world.append_to_config(&format!(
        "[token-check]\non-recovery = [\"/bin/sh\", \"-c\", {script:?}]\non-recovery-timeout = \"500ms\""
    ));
    revoke(&world);
    world.run(&[]).exit(77);
    world.log_in_again();
    let run = world.run(&["--json"]);
    run.exit(69)
        .error("credential \"port-sheet\": it works again, but on-recovery /bin/sh was killed after 500ms");
    assert_eq!(run.json()["outcome"], "failed");
    let group = world.read_text(&pids).lines().next().unwrap().to_owned();
    assert_eq!(members(&group), Vec::<String>::new(), "nothing of the group {group} is left");
}

/// The living processes of a group: field 5 of /proc/PID/stat; the dead that no one has waited for do not count.
fn members(group: &str) -> Vec<String> {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let stats = processes.filter_map(|entry| std::fs::read_to_string(entry.path().join("stat")).ok());
    stats
        .filter(|stat| {
            let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
            fields.get(2) == Some(&group) && fields.first() != Some(&"Z")
        })
        .collect()
}

#[test]
fn a_command_that_fails_is_told_and_the_credential_still_works() {
    let world = world().build();
    world.append_to_config("[token-check]\non-recovery = [\"/bin/false\"]");
    revoke(&world);
    world.run(&[]).exit(77);
    world.log_in_again();
    let run = world.run(&["--json"]);
    let hint = format!("run what on-recovery in {} says", world.config().display());
    run.exit(69).error("on-recovery /bin/false failed: exit status: 1").hint(&hint);
    assert_eq!(credential(&run)["class"], json!(null));
    world.run(&["--now"]).exit(0);
}

#[test]
fn a_recovery_that_another_job_saw_starts_the_others() {
    let world = world().build();
    world.server.set_clock("2026-05-13T12:00:00Z".parse().unwrap());
    revoke(&world);
    world.process_of("port-sheet-sync", &[]).at("2026-05-13 12:00:00").run().exit(77);
    world.log_in_again();
    world.process_of("port-sheet-sync", &[]).at("2026-05-13 12:30:00").run().exit(0);
    run_at(&world, "2026-05-13 12:31:00", &[]).exit(0);
    let started = jobs(&world).iter().filter(|(job, _)| job == "port-sheet-sync").count();
    assert_eq!(started, 2, "the one that saw it does not wait any more");
}

#[test]
fn arguments_of_a_command_of_ones_own_are_never_printed() {
    let world = world().build();
    world.append_to_config("[token-check]\non-recovery = [\"/bin/sh\", \"-c\", \"exit 3 # pager-password\"]");
    revoke(&world);
    world.run(&[]).exit(77);
    world.log_in_again();
    let run = world.run(&["--json"]);
    run.exit(69).error("on-recovery /bin/sh failed: exit status: 3");
    assert!(!format!("{}{}", run.stdout, run.stderr).contains("pager-password"));
}

#[test]
fn a_sync_that_is_under_way_when_the_credential_comes_back_is_busy_and_no_failure_of_its_own() {
    let world = world().build();
    revoke(&world);
    world.process_of("port-sheet-sync", &[]).run().exit(77);
    world.log_in_again();
    let held = world.hold_lock("port-sheet-sync");
    let run = world.process(&["--json"]).without_trace().run();
    run.exit(75);
    let error = run.json()["error"].clone();
    assert!(error["message"].as_str().unwrap().contains("found itself busy: exit status: 75"), "{error}");
    assert!(error["hint"].as_str().unwrap().starts_with("nothing to do: "), "{error}");
    drop(held);
}

/// A configuration whose on-recovery says its process id and then, the first time only, hangs.
fn hangs_once(world: &support::World) -> std::path::PathBuf {
    let pids = world.path("pids");
    let script = "echo $$ >> pids; [ $(wc -l < pids) -gt 1 ] || exec sleep 1000";
    let script = script.replace("pids", &pids.display().to_string());
    world.append_to_config(&format!("[token-check]\non-recovery = [\"/bin/sh\", \"-c\", {script:?}]"));
    pids
}

/// A check that hangs in on-recovery, and the process group in which it does.
fn hanging<'w>(world: &'w support::World, pids: &std::path::Path) -> (support::Running<'w>, String) {
    revoke(world);
    world.run(&[]).exit(77);
    world.log_in_again();
    let running = world.process(&["-v"]).spawn();
    running.wait_for_stderr("starting /bin/sh");
    loop {
        // Written in one piece, before it hangs.
        if let Some(group) = std::fs::read_to_string(pids).ok().filter(|text| text.ends_with('\n')) {
            return (running, group.trim().to_owned());
        }
        std::thread::yield_now();
    }
}

#[test]
fn a_check_that_is_told_to_end_takes_its_command_along_and_the_next_one_starts_it_again() {
    let world = world().build();
    let pids = hangs_once(&world);
    let (running, group) = hanging(&world, &pids);
    running.terminate();
    running.wait().exit(75).error("stopped by SIGTERM");
    assert_eq!(members(&group), Vec::<String>::new());
    world.run(&[]).exit(0);
    assert_eq!(world.read_text(&pids).lines().count(), 2, "it was started again");
    world.run(&["--now"]).exit(0);
    assert_eq!(world.read_text(&pids).lines().count(), 2, "and then no more");
}

#[test]
fn a_check_that_is_killed_before_the_jobs_were_started_leaves_them_to_the_next() {
    let world = world().build();
    let pids = hangs_once(&world);
    let (running, group) = hanging(&world, &pids);
    let (check, command) = (i32::try_from(running.pid()).unwrap(), group.parse().unwrap());
    for pid in [check, command] {
        let pid = rustix::process::Pid::from_raw(pid).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    }
    drop(running.wait());
    world.run(&[]).exit(0);
    assert_eq!(world.read_text(&pids).lines().count(), 2);
}
