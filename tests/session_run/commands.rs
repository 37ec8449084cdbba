use support::World;

use crate::{add, assert_no_orphan, assert_states, configured, number, session, world};

/// Runs the one task of a world and returns its session.
#[track_caller]
fn run_one(world: &World, code: i32) -> serde_json::Value {
    add(world, &["a"]);
    let run = world.run(&["--json"]);
    run.exit(code);
    assert_no_orphan(world);
    assert_eq!(
        number(world, "SELECT count(*) FROM quota_task WHERE state = 'claimed'"),
        0,
        "no lease is stuck"
    );
    assert_eq!(number(world, "SELECT count(*) FROM quota_session WHERE ended IS NULL"), 0);
    session(&run)
}

#[test]
fn a_command_that_finishes_was_told_all_it_needs_and_its_task_is_done() {
    let script = r#"
        printf '%s\n' "$@" "$SESSION_CHECKPOINT_TURN $SESSION_TURNS $SESSION_RESUMES $SESSION_DAY $SESSION_SEQ" "$PWD"
        cat
        echo to the other stream >&2
        printf '{"turns": 12, "summary": "tidied"}' > "$SESSION_RESULT"
    "#;
    let world = configured(script, "turns = 30", "checkpoint-turn = 25");
    let done = run_one(&world, 0);
    assert_eq!(
        (&done["outcome"], &done["state"], &done["turns"]),
        (&"done".into(), &"done".into(), &12.into())
    );
    assert_eq!(done["summary"], "tidied; exit code 0");
    let said = world.read_text(done["output"].as_str().unwrap().as_ref());
    let checkpoint = world.state().join("sessions/checkpoints/a");
    let shown = checkpoint.display();
    let day = done["day"].as_str().unwrap();
    let expected =
        format!("a\n30\n{shown}\n25 30 0 {day} 1\n{shown}\n{{\"prompt\":\"do it\"}}to the other stream\n");
    assert_eq!(said, expected);
    assert!(!checkpoint.exists(), "nothing is to be resumed");
    assert_eq!(world.mode(done["output"].as_str().unwrap().as_ref()), 0o600);
}

#[test]
fn a_command_that_fails_fails_its_task_and_the_run_and_the_third_time_people_hear_of_it() {
    let world = world("echo out of luck; exit 3");
    add(&world, &["a"]);
    for round in 1..=3 {
        let run = world.run(&["--json"]);
        run.exit(69).hint_with("session-run --retry a");
        run.error(&format!("session {round} of ")).error("task \"a\", failed: exit code 3");
        assert_states(&world, &[("a", "failed")]);
        // Of the job itself people hear with the second run in a row that fails.
        let told: Vec<_> = world.events().into_iter().map(|event| event.text).collect();
        let of_task = told.iter().filter(|text| text.starts_with("task \"a\" failed 3 times")).count();
        assert_eq!(of_task, usize::from(round == 3), "{told:#?}");
        world.run(&["--retry", "a"]).exit(0);
    }
}

#[test]
fn a_command_that_hangs_is_ended_at_its_deadline() {
    let world = configured("sleep 1000", "", "deadline = \"300ms\"");
    let failed = run_one(&world, 69);
    assert_eq!(failed["summary"], "ended after its deadline of 300ms");
}

#[test]
fn a_command_that_ignores_sigterm_is_killed_after_its_grace() {
    let world = configured("trap '' TERM; while :; do sleep 1000; done", "", "deadline = \"300ms\"");
    assert_eq!(run_one(&world, 69)["state"], "failed");
}

#[test]
fn a_command_that_is_asked_to_end_may_save_what_it_has() {
    let script =
        "trap 'echo saved > \"$SESSION_CHECKPOINT/state\"; exit 0' TERM; while :; do sleep 0.02; done";
    let world = configured(script, "", "deadline = \"300ms\"\nmax-resumes = 1");
    world.replace_in_config("grace = \"200ms\"", "grace = \"60s\"");
    assert_eq!(run_one(&world, 69)["state"], "failed");
    assert_eq!(world.read_text(&world.state().join("sessions/checkpoints/a/state")), "saved\n");
}

#[test]
fn what_a_command_leaves_behind_is_ended_even_out_of_its_group_and_session() {
    // One child in its group, one in a session of its own whose parent is gone, and one that starts others for ever.
    let script = "sleep 1000 & setsid sh -c 'trap \"\" HUP TERM; setsid sleep 1000 & sleep 1000' & \
                  (setsid sh -c 'while :; do sleep 0.01; done' &) ; sleep 0.1; exit 0";
    let world = world(script);
    assert_eq!(run_one(&world, 0)["outcome"], "done");
}

#[test]
fn a_command_that_fills_its_output_is_not_held_up_and_beginning_and_end_are_kept() {
    let script = "echo the beginning; head -c 30000000 /dev/zero | tr '\\0' x; echo; echo the end";
    let world = configured(script, "", "output-limit-kib = 64");
    let done = run_one(&world, 0);
    let said = world.read_text(done["output"].as_str().unwrap().as_ref());
    assert!(
        said.starts_with("the beginning\nxxx") && said.ends_with("xxx\nthe end\n"),
        "{} bytes",
        said.len()
    );
    assert!(said.len() < 64 * 1024 + 100, "{} bytes", said.len());
    assert!(said.contains("… 29934487 bytes left out …"), "{:?}", &said[32_760..32_820]);
}

#[test]
fn a_command_that_never_reads_its_task_is_not_held_up() {
    let world = world("exit 0");
    let task = format!("{{\"prompt\": {:?}}}", "x".repeat(900_000));
    world.process(&["--add", "-"]).stdin(&task).run().exit(0);
    let run = world.run(&["--json"]);
    run.exit(0);
    assert_eq!(session(&run)["outcome"], "done");
}

#[test]
fn a_command_that_is_killed_fails_its_task() {
    let world = world("kill -KILL $$");
    assert_eq!(run_one(&world, 69)["summary"], "killed by signal 9");
}

#[test]
fn a_result_file_that_is_garbage_is_never_a_success() {
    for (script, told) in [
        ("echo nonsense > $SESSION_RESULT", "its result file cannot be used: "),
        (
            "printf '{\"outcome\": \"splendid\"}' > $SESSION_RESULT",
            "its result file cannot be used: unknown variant",
        ),
        ("head -c 70000 /dev/zero > $SESSION_RESULT", "its result file is longer than 64 KiB"),
        ("mkfifo $SESSION_RESULT", "its result file is not a regular file"),
        ("ln -s /dev/zero $SESSION_RESULT", "its result file is not a regular file"),
    ] {
        let failed = run_one(&world(script), 69);
        assert!(failed["summary"].as_str().unwrap().starts_with(told), "{script}: {failed}");
        assert_eq!(failed["state"], "failed");
    }
}

#[test]
fn a_command_that_exits_1_at_its_turn_limit_is_to_be_resumed() {
    let world = world("printf '{\"outcome\": \"turn-limit\"}' > \"$SESSION_RESULT\"; sleep 1000 & exit 1");
    let session = run_one(&world, 0);
    assert_eq!((&session["outcome"], &session["state"]), (&"turn-limit".into(), &"turn-limit".into()));
}

#[test]
fn a_command_that_is_not_there_fails_its_task_and_the_session_counts() {
    let world = world("exit 0");
    world.replace_in_config("/bin/sh", "/no/such/program");
    let failed = run_one(&world, 69);
    assert!(failed["summary"].as_str().unwrap().starts_with("the command cannot be started: "), "{failed}");
    assert_eq!(number(&world, "SELECT count(*) FROM quota_session"), 1);
}

#[test]
fn placeholders_are_filled_once_and_only_those_that_are_known() {
    let world = world("printf '%s\\n' \"$@\"");
    world.replace_in_config("\"{checkpoint}\"", "\"t={task}{turns}\", \"{other} {{task}\"");
    let done = run_one(&world, 0);
    assert_eq!(world.read_text(done["output"].as_str().unwrap().as_ref()), "a\n30\nt=a30\n{other} {a\n");
}
