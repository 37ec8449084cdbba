//! The dashboard here is a real HTTP server that follows `docs/dashboard-openapi.yaml`, keeps leases and remembers keys.

#[path = "dashboard/server.rs"]
mod server;

use serde_json::json;
use support::{Running, World};

use self::server::{Dashboard, Fault};
use crate::{add, assert_no_orphan, assert_states, number, session};

const TOKEN: &str = "dashboard-token-0123456789";

/// A world whose tasks come from a dashboard. Each session writes a line into a file that no one removes.
fn world(dashboard: &Dashboard, script: &str) -> World {
    let world = crate::configured(script, "per-day = 5", &table(dashboard));
    world.write_private(&world.state().join("credentials/dashboard.token"), format!("{TOKEN}\n").as_bytes());
    // Searched for after every run, like every other secret.
    world.know_secrets_of(&json!({"token": TOKEN}));
    world
}

fn table(dashboard: &Dashboard) -> String {
    format!("[session-run.dashboard]\nurl = \"{}\"\ntoken-file = \"dashboard.token\"\n", dashboard.url())
}

const NOTED: &str = "echo \"$SESSION_TASK\" >> ../../../ran";

/// A session of T-1 that has begun, with a lease that is renewed every few seconds.
fn under_way(world: &World) -> Running<'_> {
    world.replace_in_config("grace = ", "lease = \"10s\"\ngrace = ");
    let running = world.process(&["--json"]).spawn();
    crate::wait_for_file(world, "state/sessions/checkpoints/T-1/started");
    running
}

/// Says that it has begun, and ends when it is asked to.
const UNTIL_TOLD: &str = "touch started; while [ ! -e go ]; do sleep 0.05; done";

/// Which tasks were run, in order.
fn ran(world: &World) -> Vec<String> {
    let path = world.state().join("ran");
    if path.exists() { world.read_text(&path).lines().map(str::to_owned).collect() } else { Vec::new() }
}

#[test]
fn a_task_is_listed_claimed_run_and_reported_with_keys_and_the_list_is_not_sent_twice() {
    let dashboard = Dashboard::start(TOKEN);
    dashboard.add("T-1", json!({"prompt": "tidy"}));
    let world = world(&dashboard, "cat; printf '{\"turns\": 4, \"summary\": \"tidied\"}' > $SESSION_RESULT");
    let run = world.run(&["--json"]);
    run.exit(0);
    let session = session(&run);
    assert_eq!(world.read_text(session["output"].as_str().unwrap().as_ref()), "{\"prompt\":\"tidy\"}");
    let day = session["day"].as_str().unwrap();
    assert_eq!(
        dashboard.report("T-1").unwrap(),
        json!({"attempt": 1, "outcome": "done", "state": "done", "turns": 4, "summary": "tidied; exit code 0",
               "quota": "agents", "day": day, "seq": 1})
    );
    world.run(&[]).exit(0);
    world.run(&[]).exit(0);
    let runner = run.json()["run"].as_str().unwrap().to_owned();
    assert_eq!(
        dashboard.log(),
        [
            "GET /tasks?quota=agents → 200",
            &format!("POST /tasks/T-1/claim claim:T-1:1:{runner} → 200"),
            "POST /tasks/T-1/release release:T-1:1 → 204",
            &format!("POST /tasks/T-1/report report:T-1:1:{runner} → 204"),
            "GET /tasks?quota=agents → 200",
            "GET /tasks?quota=agents → 304",
        ]
    );
}

#[test]
fn a_dashboard_that_goes_away_at_any_step_loses_no_task_and_runs_none_twice() {
    for step in ["list", "claim", "release", "report"] {
        for fault in [Fault::Refuse, Fault::ApplyThenCut, Fault::Unavailable, Fault::Gone] {
            let dashboard = Dashboard::start(TOKEN);
            for task in ["T-1", "T-2"] {
                dashboard.add(task, json!({"prompt": task}));
            }
            let world = world(&dashboard, NOTED);
            dashboard.fail_at(step, fault);
            let away = world.run(&["--json"]);
            away.exit(69);
            assert!(away.errors()[0].contains("the dashboard "), "{step} {fault:?}: {:?}", away.errors());
            dashboard.come_back();
            // Its own leases run out while it is away or after.
            dashboard.expire_leases();
            for _ in 0..4 {
                world.run(&[]).exit(0);
            }
            let mut ran = ran(&world);
            ran.sort();
            assert_eq!(ran, ["T-1", "T-2"], "{step} {fault:?}: each once");
            for task in ["T-1", "T-2"] {
                assert_eq!(dashboard.report(task).unwrap()["outcome"], "done", "{step} {fault:?}");
                assert_eq!(
                    dashboard.reports_taken(task),
                    1,
                    "{step} {fault:?}: a repetition is known by its key"
                );
            }
            assert_eq!(number(&world, "SELECT count(*) FROM quota_post WHERE sent IS NULL"), 0);
        }
    }
}

#[test]
fn while_the_dashboard_is_away_tasks_of_this_machine_go_on() {
    let dashboard = Dashboard::start(TOKEN);
    dashboard.add("T-1", json!({}));
    let world = world(&dashboard, NOTED);
    dashboard.fail_at("claim", Fault::Refuse);
    world.run(&[]).exit(69);
    add(&world, &["local"]);
    let run = world.run(&["--json"]);
    run.exit(69);
    assert_eq!(session(&run)["task"], "local");
    dashboard.come_back();
    world.run(&[]).exit(0);
    assert_eq!(ran(&world), ["local", "T-1"]);
}

#[test]
fn a_dashboard_that_goes_away_during_a_session_does_not_end_it() {
    let dashboard = Dashboard::start(TOKEN);
    dashboard.add("T-1", json!({}));
    let world = world(&dashboard, UNTIL_TOLD);
    let running = under_way(&world);
    dashboard.fail_at("claim", Fault::Refuse);
    running.wait_for_stderr("the dashboard's lease could not be renewed");
    dashboard.come_back();
    dashboard.expire_leases();
    world.write("state/sessions/checkpoints/T-1/go", b"");
    running.wait().exit(0);
    assert_eq!(dashboard.report("T-1").unwrap()["outcome"], "done");
}

#[test]
fn a_dashboard_that_hangs_does_not_cost_a_session_its_lease() {
    let dashboard = Dashboard::start(TOKEN);
    dashboard.add("T-1", json!({}));
    let world = world(&dashboard, UNTIL_TOLD);
    let running = under_way(&world);
    dashboard.fail_at("claim", Fault::Hang);
    running.wait_for_stderr("the dashboard's lease could not be renewed: it did not answer in time");
    let until = number(&world, "SELECT lease_until FROM quota_task");
    let uptime = shared::quota::Moment::read().unwrap().uptime_s;
    assert!(until > uptime, "the lease ran out at {until}, it is {uptime}");
    dashboard.come_back();
    world.write("state/sessions/checkpoints/T-1/go", b"");
    running.wait().exit(0);
}

#[test]
fn a_task_that_the_dashboard_takes_back_is_ended_left_to_its_new_holder_and_run_when_it_is_listed_again() {
    let dashboard = Dashboard::start(TOKEN);
    dashboard.add("T-1", json!({}));
    let world = world(&dashboard, "[ -e started ] && exit 0; touch started; sleep 1000");
    let running = under_way(&world);
    dashboard.give_away("T-1");
    let run = running.wait();
    run.exit(69).error("the dashboard took the task back");
    assert_eq!((&session(&run)["outcome"], &session(&run)["state"]), (&json!("lost"), &json!("pending")));
    assert_no_orphan(&world);
    world.run(&[]).exit(0);
    assert_eq!(dashboard.report("T-1"), None, "a report would end the task of whoever has it now");
    dashboard.expire_leases();
    world.run(&[]).exit(0);
    assert_eq!(dashboard.report("T-1").unwrap()["outcome"], "done");
}

#[test]
fn two_machines_never_run_the_same_task_though_both_count_from_one() {
    let dashboard = Dashboard::start(TOKEN);
    dashboard.add("T-1", json!({}));
    let [first, second] = [0, 1].map(|_| world(&dashboard, NOTED));
    // The second knows of the task, and cannot see that it is gone.
    second.replace_in_config("per-day = 5", "per-day = 1");
    second.process(&["--add", "do it", "--id", "local"]).at("2026-05-13 19:00:00").run().exit(0);
    second.process(&[]).at("2026-05-13 20:00:00").run().exit(0);
    first.replace_in_config("echo ", "while [ ! -e go ]; do sleep 0.05; done; echo ");
    let running = first.process(&["--json"]).spawn();
    running.wait_for_stderr("started /bin/sh");
    dashboard.fail_at("list", Fault::Unavailable);
    second.process(&[]).at("2026-05-14 00:01:00").run().exit(69);
    first.write("state/sessions/checkpoints/T-1/go", b"");
    running.wait().exit(0);
    assert_eq!((ran(&first), ran(&second)), (vec!["T-1".to_owned()], vec!["local".to_owned()]));
}

#[test]
fn a_token_that_is_mended_loses_no_task_though_the_list_is_still_the_same() {
    let dashboard = Dashboard::start(TOKEN);
    dashboard.add("T-1", json!({}));
    let world = world(&dashboard, NOTED);
    add(&world, &["local"]);
    world.run(&[]).exit(0);
    let file = world.state().join("credentials/dashboard.token");
    world.set_mode(&file, 0o644);
    world.run(&[]).exit(77);
    world.set_mode(&file, 0o600);
    world.run(&[]).exit(0);
    assert_eq!(ran(&world), ["local", "T-1"]);
}

#[test]
fn a_dashboard_that_fails_is_asked_for_no_second_task_in_the_same_run() {
    let dashboard = Dashboard::start(TOKEN);
    for task in ["T-1", "T-2", "T-3"] {
        dashboard.add(task, json!({}));
    }
    let world = world(&dashboard, NOTED);
    dashboard.fail_at("claim", Fault::Unavailable);
    world.run(&[]).exit(69);
    assert_eq!(dashboard.log().iter().filter(|line| line.contains("/claim ")).count(), 1);
    dashboard.come_back();
    for _ in 0..3 {
        world.run(&[]).exit(0);
    }
    assert_eq!(ran(&world), ["T-1", "T-2", "T-3"]);
}

#[test]
fn a_task_of_the_dashboards_that_is_retried_runs_once_it_is_listed() {
    let dashboard = Dashboard::start(TOKEN);
    dashboard.add("T-1", json!({}));
    let world = world(&dashboard, &format!("{NOTED}; exit $((2 - SESSION_SEQ))"));
    world.run(&[]).exit(69).hint_with("session-run --retry T-1");
    let retried = world.run(&["--retry", "T-1", "--json"]);
    retried.exit(0);
    assert_eq!(
        retried.json()["notes"][0],
        "task T-1 is pending again; it runs once the dashboard lists it: where it has ended, give it a greater generation there"
    );
    world.run(&[]).exit(0);
    assert_eq!(ran(&world).len(), 1);
    let listed = world.run(&["--list"]);
    assert!(listed.stdout.contains("(not listed by the dashboard) exit code 1"), "{}", listed.stdout);
    dashboard.reopen("T-1");
    for _ in 0..3 {
        world.run(&[]).exit(0);
    }
    assert_eq!(ran(&world).len(), 2, "once for the generation");
}

#[test]
fn a_task_that_is_somebody_elses_is_left_alone_and_the_next_one_is_run() {
    let dashboard = Dashboard::start(TOKEN);
    for task in ["T-1", "T-2"] {
        dashboard.add(task, json!({}));
    }
    dashboard.give_away("T-1");
    let world = world(&dashboard, NOTED);
    world.run(&[]).exit(0);
    assert_eq!(ran(&world), ["T-2"]);
    dashboard.expire_leases();
    world.run(&[]).exit(0);
    assert_eq!(ran(&world), ["T-2", "T-1"]);
}

#[test]
fn what_reached_its_turn_limit_is_offered_again_and_a_finished_task_only_with_a_new_generation() {
    let dashboard = Dashboard::start(TOKEN);
    dashboard.add("T-1", json!({}));
    let world = world(&dashboard, &format!("{NOTED}; [ $SESSION_RESUMES = 0 ] && exit 75; exit 0"));
    for _ in 0..4 {
        world.run(&[]).exit(0);
    }
    assert_eq!(ran(&world), ["T-1", "T-1"]);
    dashboard.reopen("T-1");
    world.run(&[]).exit(0);
    assert_eq!(ran(&world).len(), 3);
}

#[test]
fn quota_reset_tells_the_dashboard_what_it_released() {
    let dashboard = Dashboard::start(TOKEN);
    for task in ["T-1", "T-2"] {
        dashboard.add(task, json!({}));
    }
    let world = world(&dashboard, "exit 0");
    world.replace_in_config("per-day = 5", "per-day = 1");
    for minute in ["20:00", "20:01"] {
        world.process(&[]).at(&format!("2026-05-13 {minute}:00")).run().exit(0);
    }
    assert_states(&world, &[("T-1", "done"), ("T-2", "held")]);
    dashboard.fail_at("release", Fault::ApplyThenCut);
    world.process_of("quota-reset", &[]).at("2026-05-14 00:02:00").run().exit(69);
    dashboard.come_back();
    let again = world.process_of("quota-reset", &["--json"]).at("2026-05-14 00:17:00").run();
    again.exit(0);
    assert_eq!((&again.json()["released"], &again.json()["delivered"]), (&json!([]), &json!(1)));
    let told = dashboard.log().into_iter().filter(|line| line.contains("release:T-2:1"));
    assert_eq!(told.count(), 2, "at least once, with the same key");
}

#[test]
fn a_refused_token_a_loose_file_and_a_strange_answer_are_told() {
    let dashboard = Dashboard::start("another-token-0123456789");
    let world = world(&dashboard, "exit 0");
    world.run(&[]).exit(77).error("the dashboard answered 401").hint_with("credentials/dashboard.token");
    let file = world.state().join("credentials/dashboard.token");
    world.set_mode(&file, 0o644);
    world.run(&[]).exit(77).error("has mode 0644").hint_with("chmod 600 ");
    world.set_mode(&file, 0o600);
    let odd = Dashboard::start(TOKEN);
    odd.add("../../etc", json!({}));
    odd.add("T-1", json!({}));
    world.replace_in_config(dashboard.url(), odd.url());
    let run = world.run(&["--json"]);
    run.exit(65).error("\"../../etc\" is not an id of a task");
    assert_eq!(session(&run)["task"], "T-1", "the others are run all the same");
    world.replace_in_config(odd.url(), &format!("{}nowhere/", odd.url()));
    world
        .run(&[])
        .exit(78)
        .error("the dashboard answered 404 to tasks?quota=agents")
        .hint_with("[session-run.dashboard]");
}
