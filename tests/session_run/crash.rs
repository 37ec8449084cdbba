use crate::{
    add, assert_no_orphan, assert_states, configured, ledger, living_with, number, session, wait_for_file,
    world,
};

/// Lets the leases of dead runners run out.
fn expire(world: &support::World) {
    ledger(world).execute("UPDATE quota_task SET lease_until = 0 WHERE state = 'claimed'", []).unwrap();
}

#[test]
fn a_runner_that_is_killed_leaves_no_orphan_and_no_stuck_lease_and_its_session_counts() {
    // The first session leaves a process in a session of its own and hangs; later ones are well.
    let world = world("[ $SESSION_SEQ -gt 1 ] && exit 0; setsid sleep 1000 & touch started; sleep 1000");
    add(&world, &["a"]);
    let running = world.process(&["-vv"]).spawn();
    wait_for_file(&world, "state/sessions/checkpoints/a/started");
    let mark = world.state().join("sessions").display().to_string();
    running.kill();
    assert!(
        !living_with(&mark).is_empty(),
        "what a killed runner started lives on: nobody was left to end it"
    );
    let idle = world.run(&["--json"]);
    idle.exit(0);
    assert_eq!(idle.json()["idle"], "concurrency", "the lease still runs");
    expire(&world);
    let run = world.run(&["--json"]);
    run.exit(0);
    assert_eq!((&session(&run)["seq"], &session(&run)["attempt"]), (&2.into(), &2.into()));
    assert!(
        run.json()["notes"][0].as_str().unwrap().starts_with("task a: taken back, its runner "),
        "{}",
        run.json()
    );
    assert_no_orphan(&world);
    assert_states(&world, &[("a", "done")]);
    assert_eq!(number(&world, "SELECT count(*) FROM quota_session WHERE outcome = 'lost'"), 1);
}

#[test]
fn quota_reset_takes_back_as_well() {
    let world = world("setsid sleep 1000 & touch started; sleep 1000");
    add(&world, &["a"]);
    let running = world.process(&["-vv"]).spawn();
    wait_for_file(&world, "state/sessions/checkpoints/a/started");
    running.kill();
    expire(&world);
    let reset = world.process_of("quota-reset", &["--json"]).run();
    reset.exit(0);
    assert_eq!(reset.json()["taken_back"][0]["task"], "a");
    assert_no_orphan(&world);
    assert_states(&world, &[("a", "ready")]);
}

#[test]
fn a_ledger_that_another_program_holds_does_not_cost_an_outcome() {
    let world = world("touch started; while [ ! -e go ]; do sleep 0.05; done");
    add(&world, &["a"]);
    let running = world.process(&["--json"]).spawn();
    wait_for_file(&world, "state/sessions/checkpoints/a/started");
    let other = ledger(&world);
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    world.write("state/sessions/checkpoints/a/go", b"");
    running.wait_for_stderr("the outcome is not recorded yet: ");
    other.execute_batch("COMMIT").unwrap();
    let run = running.wait();
    run.exit(0);
    assert_eq!(session(&run)["state"], "done");
    assert_states(&world, &[("a", "done")]);
}

#[test]
fn a_task_that_kills_its_runners_is_given_up_after_the_third() {
    let world = world("kill -KILL $PPID; sleep 1000");
    add(&world, &["a"]);
    for _ in 0..3 {
        assert_eq!(world.run(&[]).signal, Some(9));
        expire(&world);
    }
    world.run(&[]).exit(0);
    assert_states(&world, &[("a", "failed")]);
    assert_no_orphan(&world);
    assert!(
        world.events()[0].text.contains("task \"a\" failed 3 times: its runner died"),
        "{:?}",
        world.events()
    );
}

#[test]
fn a_run_that_is_stopped_ends_all_it_started() {
    let world = world("setsid sleep 1000 & touch started; sleep 1000");
    add(&world, &["a"]);
    let running = world.process(&["-vv"]).spawn();
    wait_for_file(&world, "state/sessions/checkpoints/a/started");
    running.terminate();
    let run = running.wait();
    run.exit(75)
        .error("stopped by SIGTERM")
        .hint_with("its task is taken up again once its lease has run out");
    assert_no_orphan(&world);
}

#[test]
fn a_runner_whose_claim_was_taken_back_ends_its_session_and_changes_nothing() {
    let world = configured("sleep 1000", "", "lease = \"10s\"");
    add(&world, &["a"]);
    let running = world.process(&["--json"]).spawn();
    running.wait_for_stderr("started /bin/sh");
    expire(&world);
    // Without the other runner's broom: this one has to find out by itself, with its next heartbeat.
    let sql = "UPDATE quota_session SET ended = started, outcome = 'lost';
        UPDATE quota_task SET state = 'pending', runner = NULL, lease_boot = NULL, lease_until = NULL;";
    ledger(&world).execute_batch(sql).unwrap();
    let run = running.wait();
    run.exit(69).error("its claim was taken back");
    assert_eq!(session(&run)["state"], serde_json::Value::Null);
    assert_eq!(number(&world, "SELECT count(*) FROM quota_session WHERE outcome = 'lost'"), 1);
    assert_no_orphan(&world);
}

#[test]
fn no_more_sessions_run_at_once_than_may() {
    let world =
        configured("while [ ! -e \"$SESSION_CHECKPOINT/go\" ]; do sleep 0.05; done", "concurrency = 2", "");
    add(&world, &["a", "b", "c"]);
    let start = || {
        let running = world.process(&["--json"]).spawn();
        running.wait_for_stderr("started /bin/sh");
        running
    };
    let running = [start(), start()];
    let third = world.run(&["--json"]);
    third.exit(0);
    assert_eq!(third.json()["idle"], "concurrency");
    for task in ["a", "b"] {
        world.write(&format!("state/sessions/checkpoints/{task}/go"), b"");
    }
    for running in running {
        running.wait().exit(0);
    }
    assert_states(&world, &[("a", "done"), ("b", "done"), ("c", "ready")]);
}
