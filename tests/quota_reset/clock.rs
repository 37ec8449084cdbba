use crate::{add, ledger, names, run_at, work, world};

#[test]
fn a_clock_that_steps_back_is_outvoted_with_a_warning_told_once() {
    let world = world();
    run_at(&world, "2026-05-13 18:00:00", &[]).exit(0);
    add(&world, names(6), "2026-05-13 18:30:00");
    run_at(&world, "2026-05-13 19:00:00", &[]).exit(0);
    work(&world, "2026-05-13 19:00:00", 1);
    for _ in 0..2 {
        let back = run_at(&world, "2026-05-11 12:00:00", &["--json"]);
        back.exit(0);
        let result = back.json();
        assert_eq!(
            (&result["quotas"][0]["day"], &result["quotas"][0]["used"]),
            (&"2026-05-13".into(), &5.into())
        );
        assert!(
            result["notes"][0]
                .as_str()
                .unwrap()
                .starts_with("the clock shows 2026-05-11, but 2026-05-13 has begun")
        );
    }
    assert_eq!(work(&world, "2026-05-11 12:00:00", 1), 0, "no sessions are won by setting the clock back");
    let told = world.events().into_iter().filter(|event| event.text.contains("the clock shows"));
    assert_eq!(told.count(), 1);
}

#[test]
fn a_jump_ahead_is_refused_until_a_trusted_date_explains_it() {
    let world = world();
    run_at(&world, "2026-05-13 18:00:00", &[]).exit(0);
    for _ in 0..2 {
        // Google's clock stays where it was.
        world
            .process(&[])
            .at("2026-05-16 12:00:00")
            .run()
            .exit(75)
            .error("the clock shows 2026-05-16, more than a day after 2026-05-13, and nothing explains it")
            .hint_with("quota-reset --repair-day \"$(date -u +%F)\"");
    }
    // The failure of the job itself is told beside it.
    let warnings = world.events().into_iter().filter(|event| event.kind == "warning");
    assert_eq!(warnings.count(), 1);
    let run = run_at(&world, "2026-05-16 12:00:00", &["--json"]);
    run.exit(0);
    assert_eq!(run.json()["days"].as_array().unwrap().len(), 3);
    let why: String = ledger(&world).query_row("SELECT why FROM quota_step", [], |row| row.get(0)).unwrap();
    assert_eq!(why, "date");
}

#[test]
fn a_jump_ahead_is_explained_by_the_time_since_boot() {
    let world = world();
    run_at(&world, "2026-05-13 18:00:00", &[]).exit(0);
    let jump = |code| world.process(&["--json"]).at("2026-06-08 12:00:00").run().exit(code).clone();
    let passed = |days: i64| {
        ledger(&world).execute("UPDATE quota_clock SET uptime_s = uptime_s - ?1", [days * 86_400]).unwrap();
    };
    passed(20);
    jump(75);
    passed(6);
    assert_eq!(jump(0).json()["days"].as_array().unwrap().len(), 26);
}

#[test]
fn one_day_ahead_needs_no_explanation_and_no_request() {
    let world = world();
    run_at(&world, "2026-05-13 18:00:00", &[]).exit(0);
    world.server.clear_requests();
    world.process(&[]).at("2026-05-14 23:00:00").run().exit(0);
    assert_eq!(world.requests().len(), 0);
}

#[test]
fn a_person_repairs_the_day_and_it_is_recorded_who_did() {
    let world = world();
    run_at(&world, "2098-01-01 00:00:00", &[]).exit(0);
    run_at(&world, "2098-01-02 00:00:00", &[]).exit(0);
    assert!(world.state().join("archive/agents-2098.jsonl").exists());
    add(&world, names(1), "2026-05-13 18:30:00");
    let wrong = run_at(&world, "2026-05-13 18:00:00", &["--repair-day", "2026-05-14"]);
    wrong.exit(64).error("--repair-day 2026-05-14: the clock shows 2026-05-13");
    world.server.set_clock("2026-05-13T18:00:00Z".parse().unwrap());
    let repair = world.process(&["--json", "--repair-day", "2026-05-13"]).env("SUDO_USER", "ada");
    let run = repair.at("2026-05-13 18:00:00").run();
    run.exit(0);
    assert_eq!(run.json()["quotas"][0]["day"], "2026-05-13");
    assert_eq!(run.json()["released"][0]["task"], "T-1");
    assert_eq!(
        world.read_text(&world.state().join("archive/agents-2098.jsonl")),
        "",
        "no day of 2098 is over"
    );
    let step = "SELECT from_day || ' ' || to_day || ' ' || why || ' ' || person FROM quota_step";
    let step: String = ledger(&world).query_row(step, [], |row| row.get(0)).unwrap();
    assert_eq!(step, "2098-01-02 2026-05-13 repair ada");
    assert!(world.events().iter().any(|event| event.text.contains("was set from 2098-01-02 to 2026-05-13")));
    assert_eq!(
        run_at(&world, "2026-05-14 00:01:00", &["--json"]).json()["days"].as_array().unwrap().len(),
        1
    );
}
