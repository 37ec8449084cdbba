use crate::{add, assert_states, configured, session};

/// Counts its sessions in its checkpoint, and reaches its turn limit with exit code 1 each time.
const LIMITED: &str = "echo more >> \"$SESSION_CHECKPOINT/steps\"; \
    printf '{\"outcome\": \"turn-limit\", \"turns\": 30, \"summary\": \"half way\"}' > \"$SESSION_RESULT\"; exit 1";

#[test]
fn a_turn_limit_is_soft_resumed_first_with_its_checkpoint_and_at_last_needs_a_person() {
    let world = configured(LIMITED, "per-day = 10", "max-resumes = 2");
    add(&world, &["a", "b"]);
    let checkpoint = world.state().join("sessions/checkpoints/a/steps");
    for resumes in 0..3 {
        let run = world.run(&["--json"]);
        run.exit(0);
        let session = session(&run);
        assert_eq!(
            (&session["task"], &session["resumes"]),
            (&"a".into(), &resumes.into()),
            "resumed before b begins"
        );
        assert_eq!((&session["outcome"], &session["turns"]), (&"turn-limit".into(), &30.into()));
        assert_eq!(world.read_text(&checkpoint).lines().count(), resumes + 1);
    }
    assert_states(&world, &[("a", "needs-you"), ("b", "ready")]);
    let told = world.events();
    assert_eq!((told.len(), told[0].kind.as_str()), (1, "needs-you"));
    assert!(told[0].text.contains("it reached its turn limit 3 times"), "{told:?}");
    world.run(&["--retry", "a"]).exit(0);
    assert_states(&world, &[("a", "pending"), ("b", "ready")]);
}

#[test]
fn an_exit_code_alone_can_say_that_the_turns_are_spent() {
    let world = configured("exit 75", "", "");
    add(&world, &["a"]);
    let run = world.run(&["--json"]);
    run.exit(0);
    assert_eq!((&session(&run)["outcome"], &session(&run)["turns"]), (&"turn-limit".into(), &30.into()));
    let other = configured("exit 1", "", "turn-limit-exit = 1");
    add(&other, &["a"]);
    assert_eq!(session(&other.run(&["--json"]))["outcome"], "turn-limit");
}

#[test]
fn what_reached_its_limit_on_a_spent_day_is_resumed_first_on_the_next() {
    let world = configured(LIMITED, "per-day = 1", "");
    for id in ["a", "b"] {
        world.process(&["--add", "do it", "--id", id]).at("2026-05-13 20:00:00").run().exit(0);
    }
    world.process(&[]).at("2026-05-13 21:00:00").run().exit(0);
    let run = world.process(&["--json"]).at("2026-05-13 21:01:00").run();
    assert_eq!(run.json()["idle"], "spent");
    let run = world.process(&["--json"]).at("2026-05-14 00:01:00").run();
    assert_eq!((&session(&run)["task"], &session(&run)["resumes"]), (&"a".into(), &1.into()));
}

#[test]
fn a_command_may_ask_for_a_person() {
    let world = configured(
        "printf '{\"outcome\": \"needs-you\", \"summary\": \"which berth?\"}' > $SESSION_RESULT",
        "",
        "",
    );
    add(&world, &["a"]);
    world.run(&[]).exit(0);
    assert_states(&world, &[("a", "needs-you")]);
    assert!(world.events()[0].text.contains("task \"a\" needs you: which berth?"), "{:?}", world.events());
}
