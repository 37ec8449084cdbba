//! One test for each row of "ways a job goes silent".

use google_standin::{Fault, Stall};
use support::{Answer, Receiver};

use crate::{all_run, hooked, job, pairs, run_at, state, status, told, world};

/// A run hangs; the timer never fires again. Its own deadline ends it with 75; if even that does not, it is found as hung.
#[test]
fn a_run_that_hangs_ends_itself_and_one_that_cannot_is_found() {
    let receiver = Receiver::start();
    let world = hooked(&receiver).build();
    all_run(&world, "12:00");
    world.append_to_config("[job.port-sheet-sync]\ndeadline = \"1s\"");
    world.fault(Fault { path: Some("/v4/".into()), stall: Stall::Request, ..Fault::default() });
    run_at(&world, "port-sheet-sync", "12:30", &[]).run().exit(75);
    world.server.clear_faults();
    // What a process leaves that is stopped by a signal or by its disk: a record without an end, and a lock that is held.
    let lock = world.hold_lock("port-sheet-sync");
    begin_run(&world, "2026-05-13T12:40:00.000Z");
    run_at(&world, "token-check", "13:09", &[]).run().exit(0);
    let run = status(&world, "13:10");
    // 75 of the job; that its sheet fails since 12:30 is more serious.
    run.exit(69);
    assert_eq!(state(&run, "port-sheet-sync"), "hung");
    assert_eq!(job(&run, "port-sheet-sync")["error"]["kind"], "busy");
    drop(lock);
    assert!(
        told(&receiver).contains(&("job.port-sheet-sync".into(), "first-failure".into())),
        "{:?}",
        told(&receiver)
    );
}

/// Writes the record of a run that has begun and not ended.
fn begin_run(world: &support::World, started: &str) {
    let database = rusqlite::Connection::open(world.state().join("state.db")).unwrap();
    let insert = "INSERT INTO run (run, job, pid, started, outcome) VALUES ('hanging', 'port-sheet-sync', 1, ?1, 'running')";
    database.execute(insert, [started]).unwrap();
}

/// A stale lock, exit 0. A lock ends with its process, and a lock file that is left says nothing.
#[test]
fn a_lock_file_of_a_killed_run_stops_no_later_one() {
    let world = world().build();
    world.make_private_dir("state/locks");
    world.write_private(
        &world.state().join("locks/port-sheet-sync.lock"),
        b"pid 1 since 2026-05-13T11:00:00Z\n",
    );
    all_run(&world, "12:00");
    status(&world, "12:01").exit(0);
}

/// A failure to lock bypasses reporting. It is an exit code, a record and an alert like any other.
#[test]
fn a_lock_that_cannot_be_taken_is_reported_recorded_and_told() {
    let receiver = Receiver::start();
    let world = hooked(&receiver).build();
    all_run(&world, "12:00");
    world.remove(&world.state().join("locks/port-sheet-sync.lock"));
    world.make_private_dir("state/locks/port-sheet-sync.lock");
    run_at(&world, "port-sheet-sync", "12:30", &[]).run().exit(74).error("cannot open the lock file");
    assert_eq!(told(&receiver), pairs(&[("job.port-sheet-sync", "first-failure")]));
    assert_eq!(world.records().last().unwrap().exit, Some(74));
}

/// A failure reported as success: exit code, record, clock, status, monitor and alert agree. All outcomes and their pings
/// are in tests/monitor.rs.
#[test]
fn a_failure_is_one_to_everybody_who_looks() {
    let receiver = Receiver::start();
    let world = hooked(&receiver).build();
    all_run(&world, "12:00");
    let monitor = format!("monitor = {{ url = \"{}ping\" }}", receiver.url());
    world.replace_in_config("monitor = \"none\"", &monitor);
    world.replace_in_config("tab = \"Port sheet\"", "tab = \"Gone\"");
    run_at(&world, "port-sheet-sync", "12:04", &[]).run().exit(78);
    let record = world.records().pop().unwrap();
    assert_eq!((record.exit, record.outcome.as_str()), (Some(78), "failed"));
    let paths: Vec<String> = receiver.received().into_iter().map(|request| request.path).collect();
    assert!(
        ["/ping/start", "/ping/78", "/hook"].iter().all(|path| paths.contains(&(*path).to_owned())),
        "{paths:?}"
    );
    assert!(!paths.contains(&"/ping".to_owned()), "{paths:?}");
    world.replace_in_config(&monitor, "monitor = \"none\"");
    let run = status(&world, "12:05");
    run.exit(78);
    assert_eq!(state(&run, "port-sheet-sync"), "failing");
    assert!(job(&run, "port-sheet-sync")["last_success"].as_str().unwrap().starts_with("2026-05-13T12:00:"));
}

/// A skip reported as success: it renews no clock.
#[test]
fn a_skip_is_neither_a_success_nor_for_long_a_secret() {
    let receiver = Receiver::start();
    let world = hooked(&receiver).build();
    all_run(&world, "12:00");
    let lock = world.hold_lock("port-sheet-sync");
    run_at(&world, "port-sheet-sync", "12:30", &[]).run().exit(75);
    run_at(&world, "token-check", "12:31", &[]).run().exit(0);
    let run = status(&world, "12:34");
    run.exit(0);
    assert!(job(&run, "port-sheet-sync")["last_success"].as_str().unwrap().starts_with("2026-05-13T12:00:"));
    run_at(&world, "port-sheet-sync", "13:00", &[]).run().exit(75);
    run_at(&world, "token-check", "13:00", &[]).run().exit(0);
    let run = status(&world, "13:01");
    run.exit(75);
    assert_eq!(state(&run, "port-sheet-sync"), "failing");
    drop(lock);
    assert_eq!(told(&receiver)[0], pairs(&[("job.port-sheet-sync", "first-failure")])[0]);
}

/// "Done" recorded before the work: a run that is killed leaves no success behind.
#[test]
fn a_run_that_is_killed_has_done_nothing_and_is_found_dead() {
    let receiver = Receiver::start();
    let world = hooked(&receiver).build();
    all_run(&world, "12:00");
    world.fault(Fault { path: Some("/v4/".into()), stall: Stall::Request, ..Fault::default() });
    let running = run_at(&world, "port-sheet-sync", "12:30", &["-v"]).spawn();
    running.wait_for_stderr("sending");
    // The process that was started is the one that moves the clock; the lock names the run itself.
    let holder = world.read_text(&world.state().join("locks/port-sheet-sync.lock"));
    let pid =
        holder.split(' ').nth(1).unwrap().parse().ok().and_then(rustix::process::Pid::from_raw).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    running.wait();
    world.server.clear_faults();
    run_at(&world, "token-check", "12:33", &[]).run().exit(0);
    let run = status(&world, "12:34");
    run.exit(69);
    assert_eq!(state(&run, "port-sheet-sync"), "died");
    assert!(job(&run, "port-sheet-sync")["last_success"].as_str().unwrap().starts_with("2026-05-13T12:00:"));
    assert_eq!(told(&receiver), pairs(&[("job.port-sheet-sync", "first-failure")]));
    all_run(&world, "12:40");
    assert_eq!(told(&receiver)[1..], pairs(&[("job.port-sheet-sync", "recovered")]));
}

/// It ran and did nothing: three clocks, of runs, of successes and of changes.
#[test]
fn running_succeeding_and_changing_something_are_three_clocks() {
    let world = world().build();
    all_run(&world, "12:00");
    all_run(&world, "12:30");
    world.remove(&world.source());
    run_at(&world, "port-sheet-sync", "13:00", &[]).run().exit(69);
    let sync = job(&status(&world, "13:01"), "port-sheet-sync");
    for (clock, time) in [("last_run", "13:00"), ("last_success", "12:30"), ("last_change", "12:00")] {
        assert!(sync[clock].as_str().unwrap().starts_with(&format!("2026-05-13T{time}:")), "{clock}: {sync}");
    }
}

/// Failures recorded, no one told: an alert waits until its sink takes it.
#[test]
fn a_failure_reaches_people_even_if_its_own_run_could_not_tell() {
    let receiver = Receiver::start();
    let world = hooked(&receiver).build();
    all_run(&world, "12:00");
    receiver.answers(&[Answer::Drop]);
    world.remove(&world.credential());
    run_at(&world, "port-sheet-sync", "12:04", &[]).run().exit(77);
    assert_eq!(told(&receiver), []);
    status(&world, "12:05").exit(77);
    assert_eq!(told(&receiver), pairs(&[("credential.port-sheet", "first-failure")]));
}

/// Never started: found by job-status, told after a time of grace, and by `OnFailure=` when systemd could not start it.
#[test]
fn a_job_that_never_starts_is_found() {
    let receiver = Receiver::start();
    let world = hooked(&receiver).build();
    run_at(&world, "token-check", "12:00", &[]).run().exit(0);
    let run = status(&world, "12:01");
    run.exit(69).error("job \"port-sheet-sync\": it never ran; it is expected every 30m");
    assert_eq!(told(&receiver), [], "an installation is finished in peace");
    run_at(&world, "token-check", "13:00", &[]).run().exit(0);
    status(&world, "13:01").exit(69);
    assert_eq!(told(&receiver), pairs(&[("job.port-sheet-sync", "first-failure")]));
}

#[test]
fn a_unit_that_systemd_cannot_start_is_told_of_and_one_that_has_told_itself_is_not() {
    let receiver = Receiver::start();
    let world = hooked(&receiver).build();
    all_run(&world, "12:00");
    let failed = ["--json", "--failed-unit", "port-sheet-sync.service"];
    run_at(&world, "token-check", "12:29", &[]).run().exit(0);
    let run = run_at(&world, "job-status", "12:30", &failed).run();
    run.exit(69).error("job \"port-sheet-sync\": systemd could not run port-sheet-sync.service");
    assert_eq!(told(&receiver), pairs(&[("job.port-sheet-sync", "first-failure")]));
    receiver.clear();
    world.remove(&world.credential());
    run_at(&world, "port-sheet-sync", "12:31", &[]).run().exit(77);
    receiver.clear();
    let run = run_at(&world, "job-status", "12:32", &failed).run();
    run.exit(77);
    assert_eq!(told(&receiver), []);
}

/// The monitor is not configured: it must be said.
#[test]
fn a_monitor_must_be_named_or_said_to_be_none() {
    let world = world().build();
    world.replace_in_config("monitor = \"none\"", "");
    world.run(&[]).exit(78).error("monitor: is missing");
}

/// The watcher itself is watched: by its monitor, since nothing on the machine can report that nothing runs.
#[test]
fn the_status_itself_pings_a_monitor() {
    let receiver = Receiver::start();
    let world = world().build();
    world.replace_in_config(
        "monitor = \"none\"",
        &format!("monitor = {{ url = \"{}ping/{{job}}\" }}", receiver.url()),
    );
    all_run(&world, "12:00");
    status(&world, "12:01").exit(0);
    let paths: Vec<String> = receiver.received().into_iter().map(|ping| ping.path).collect();
    assert_eq!(paths[paths.len() - 2..], ["/ping/job-status/start", "/ping/job-status"]);
}
