use support::World;

use crate::{assert_states, number, session, world};

fn session_at(world: &World, now: &str) -> serde_json::Value {
    let run = world.process(&["--json"]).at(now).run();
    run.exit(0);
    run.json()
}

#[test]
fn the_cap_is_reached_before_midnight_and_three_tasks_go_on_by_themselves_after_it() {
    let world = world("exit 0");
    for id in ["a", "b", "c", "d", "e", "f", "g", "h"] {
        world.process(&["--add", "do it", "--id", id]).at("2026-05-13 18:00:00").run().exit(0);
    }
    for hour in 0..5 {
        let done = session_at(&world, &format!("2026-05-13 19:{hour}0:00"));
        assert_eq!(
            (&done["session"]["seq"], &done["session"]["state"]),
            (&(hour + 1).into(), &"done".into())
        );
    }
    for minute in ["20:00", "21:30", "23:59"] {
        assert_eq!(session_at(&world, &format!("2026-05-13 {minute}:00"))["idle"], "spent");
    }
    let held = "SELECT count(*) FROM quota_task WHERE state = 'held'";
    assert_eq!(number(&world, held), 3);
    let told: Vec<String> = world.events().into_iter().map(|event| event.kind).collect();
    assert_eq!(told, ["notice"], "that the quota is spent with tasks waiting is told once");
    for _ in 0..3 {
        world.process_of("quota-reset", &[]).at("2026-05-14 00:05:00").run().exit(0);
    }
    assert_eq!(number(&world, held), 0);
    for task in ["f", "g", "h"] {
        assert_eq!(session_at(&world, "2026-05-14 00:06:00")["session"]["task"], task, "oldest first");
    }
    assert_eq!(session_at(&world, "2026-05-14 00:09:00")["idle"], "nothing-ready");
    let status = world.process_of("quota-reset", &["--status"]).at("2026-05-14 00:10:00").run();
    assert!(status.stdout.contains("agents 2026-05-14: 3 of 5 used, 2 left"), "{}", status.stdout);
    let once = "SELECT count(*) FROM (SELECT task FROM quota_release GROUP BY task HAVING count(*) > 1)";
    assert_eq!((number(&world, once), number(&world, "SELECT count(*) FROM quota_session")), (0, 8));
    let warned = world.events().into_iter().filter(|event| event.text.contains("closed with 3 tasks held"));
    assert_eq!(warned.count(), 1);
}

#[test]
fn midnight_is_right_even_if_quota_reset_never_runs() {
    let world = world("exit 0");
    world.replace_in_config("per-day = 5", "per-day = 1");
    for id in ["a", "b"] {
        world.process(&["--add", "do it", "--id", id]).at("2026-05-13 23:00:00").run().exit(0);
    }
    assert_eq!(session_at(&world, "2026-05-13 23:58:00")["session"]["task"], "a");
    assert_eq!(session_at(&world, "2026-05-13 23:59:00")["idle"], "spent");
    let next = session_at(&world, "2026-05-14 00:00:01");
    world.process_of("quota-reset", &[]).at("2026-05-14 00:01:00").run().exit(0);
    let warned = world.events().into_iter().filter(|event| event.text.contains("closed with 1 tasks held"));
    assert_eq!(warned.count(), 1, "though nothing was held any more when the day was closed");
    assert_eq!((&next["session"]["task"], &next["session"]["day"]), (&"b".into(), &"2026-05-14".into()));
}

#[test]
fn a_session_that_crosses_midnight_counts_for_the_day_on_which_it_began() {
    let world = world("while [ ! -e go ]; do sleep 0.05; done");
    world.process(&["--add", "do it", "--id", "a"]).at("2026-05-13 23:50:00").run().exit(0);
    let running = world.process(&["--json"]).at("2026-05-13 23:59:00").spawn();
    running.wait_for_stderr("started /bin/sh");
    let closed = world.process_of("quota-reset", &["--json"]).at("2026-05-14 00:05:00").run().json();
    assert_eq!(
        (&closed["days"][0]["sessions"], &closed["days"][0]["sealed"]),
        (&1.into(), &serde_json::Value::Null)
    );
    world.write("state/sessions/checkpoints/a/go", b"");
    let run = running.wait();
    run.exit(0);
    assert_eq!(session(&run)["day"], "2026-05-13");
    let sealed = world.process_of("quota-reset", &["--json"]).at("2026-05-14 00:20:00").run().json();
    assert!(sealed["days"][0]["sealed"].is_string(), "{sealed}");
    assert_eq!(sealed["quotas"][0]["used"], 0, "the new day is whole");
    assert_states(&world, &[("a", "done")]);
}
