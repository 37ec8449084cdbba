use support::Receiver;

use crate::{all_run, hooked, job, pairs, run_at, state, status, told, world};

#[test]
fn all_is_fresh_after_each_job_ran_and_neither_a_dry_run_nor_an_undo_counts() {
    let world = world().build();
    all_run(&world, "12:00");
    let run = status(&world, "12:04");
    run.exit(0);
    assert_eq!(
        (state(&run, "port-sheet-sync").as_str(), state(&run, "token-check").as_str()),
        ("fresh", "fresh")
    );
    let sync = job(&run, "port-sheet-sync");
    assert_eq!((&sync["every_seconds"], &sync["consecutive_failures"]), (&1800.into(), &0.into()));
    assert!(sync["last_change"].is_string(), "the first run wrote rows: {sync}");
    run_at(&world, "port-sheet-sync", "12:46", &["--dry-run"]).run().exit(0);
    let synced = world.records().into_iter().find(|record| record.job == "port-sheet-sync").unwrap();
    let synced: serde_json::Value = serde_json::from_str(&synced.result.unwrap()).unwrap();
    let undo = ["--undo", synced["run"].as_str().unwrap()];
    run_at(&world, "port-sheet-sync", "12:46", &undo).run().exit(0);
    run_at(&world, "token-check", "12:46", &[]).run().exit(0);
    let run = status(&world, "12:47");
    run.exit(69).error("job \"port-sheet-sync\": it last ran 47m ago, at 2026-05-13T12:00:0");
    assert_eq!(state(&run, "port-sheet-sync"), "late");
}

#[test]
fn a_machine_with_sessions_alone_is_watched_and_what_a_person_asks_of_the_queue_is_no_run() {
    let world = world().build();
    world.write(
        "config.toml",
        format!(
            "state-dir = {:?}\nmonitor = \"none\"\n[quota.agents]\n[session-run]\nquota = \"agents\"\ncommand = [\"/bin/true\"]\n",
            world.state()
        )
        .as_bytes(),
    );
    run_at(&world, "session-run", "12:00", &["--add", "x", "--id", "a"]).run().exit(0);
    run_at(&world, "session-run", "12:00", &["--list"]).run().exit(0);
    run_at(&world, "session-run", "12:00", &["--cancel", "a"]).run().exit(0);
    run_at(&world, "quota-reset", "12:00", &["--status"]).run().exit(0);
    let run = status(&world, "12:00");
    run.exit(69);
    let states = ["session-run", "quota-reset"].map(|name| state(&run, name));
    assert_eq!(states, ["never-ran", "never-ran"]);
    run_at(&world, "session-run", "12:01", &[]).run().exit(0);
    run_at(&world, "quota-reset", "12:01", &[]).run().exit(0);
    let run = status(&world, "12:02");
    run.exit(0);
    assert!(job(&run, "session-run")["last_change"].is_null(), "there was nothing to do");
    run_at(&world, "session-run", "12:02", &["--add", "x"]).run().exit(0);
    run_at(&world, "session-run", "12:02", &[]).run().exit(0);
    let run = status(&world, "12:03");
    assert!(job(&run, "session-run")["last_change"].is_string(), "a session was run");
}

#[test]
fn a_job_that_fails_is_shown_with_its_words_and_told_by_itself_only() {
    let receiver = Receiver::start();
    let world = hooked(&receiver).build();
    all_run(&world, "12:00");
    world.replace_in_config("tab = \"Port sheet\"", "tab = \"Gone\"");
    run_at(&world, "port-sheet-sync", "12:30", &[]).run().exit(78);
    run_at(&world, "token-check", "12:31", &[]).run();
    let before = told(&receiver);
    let run = status(&world, "12:34");
    run.exit(78);
    assert_eq!(state(&run, "port-sheet-sync"), "failing");
    let error = job(&run, "port-sheet-sync")["error"].clone();
    assert!(error["message"].as_str().unwrap().contains("Gone"), "{error}");
    assert_eq!(told(&receiver), before, "nobody hears it twice");
}

#[test]
fn a_late_job_is_told_once_and_then_that_it_works_again() {
    let receiver = Receiver::start();
    let world = hooked(&receiver).build();
    all_run(&world, "12:00");
    for time in ["12:54", "13:04"] {
        run_at(&world, "token-check", time, &[]).run().exit(0);
        status(&world, time).exit(69);
    }
    all_run(&world, "13:10");
    status(&world, "13:14").exit(0);
    let sync = "job.port-sheet-sync";
    assert_eq!(told(&receiver), pairs(&[(sync, "first-failure"), (sync, "recovered")]));
    let hint = receiver.taken()[0]["hint"].as_str().unwrap().to_owned();
    assert!(hint.contains("systemctl enable --now port-sheet-sync.timer"), "{hint}");
}

#[test]
fn a_credential_that_fails_or_will_is_shown_with_what_to_type() {
    let world = world().build();
    all_run(&world, "12:00");
    let token = world.credential_json()["refresh_token"].as_str().unwrap().to_owned();
    assert!(world.server.revoke_refresh_token(&token));
    run_at(&world, "token-check", "12:30", &["--now"]).run().exit(77);
    let run = status(&world, "12:31");
    run.exit(77);
    let credential = &run.json()["credentials"][0];
    let error = &credential["error"];
    assert!(error["message"].as_str().unwrap().contains("invalid_grant"), "{error}");
    assert!(error["hint"].as_str().unwrap().contains("token-login port-sheet"), "{error}");
}

#[test]
fn a_forecast_is_shown_while_it_holds_and_no_longer() {
    let world = world().build();
    world.append_to_config("[token-check]\nrefreshes-per-hour = 6");
    all_run(&world, "12:00");
    let forecasts = |time| status(&world, time).json()["credentials"][0]["forecasts"].clone();
    assert_eq!(forecasts("12:01"), serde_json::json!([]));
    for time in ["12:02", "12:03", "12:04"] {
        run_at(&world, "token-check", time, &["--now"]).run().exit(0);
    }
    let shown = forecasts("12:05");
    let text = shown[0]["text"].as_str().unwrap();
    assert!(text.starts_with("credential \"port-sheet\": 5 refreshes within an hour"), "{shown}");
    assert!(shown[0]["remedy"].is_string() && shown.as_array().unwrap().len() == 1, "{shown}");
    run_at(&world, "job-status", "12:05", &["--nagios"]).run().exit(1);
    all_run(&world, "14:00");
    assert_eq!(forecasts("14:01"), serde_json::json!([]));
    run_at(&world, "job-status", "14:01", &["--nagios"]).run().exit(0);
}

#[test]
fn what_starts_a_job_is_seen_where_it_can_be() {
    let world = world().build();
    all_run(&world, "12:00");
    let root = world.path("root");
    let schedule = || {
        let run = run_at(&world, "job-status", "12:01", &["--json", "--root", root.to_str().unwrap()]).run();
        let schedule = |name: &str| job(&run, name)["schedule"].as_str().unwrap().to_owned();
        (schedule("port-sheet-sync"), schedule("token-check"))
    };
    assert_eq!(schedule(), ("none-seen".into(), "none-seen".into()));
    world.make_private_dir("root/etc/cron.d");
    let crontab = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../../crontab/port-jobs")).unwrap();
    world.write("root/etc/cron.d/port-jobs.txt", &crontab);
    assert_eq!(schedule(), ("none-seen".into(), "none-seen".into()), "cron does not read a name with a dot");
    world.write("root/etc/cron.d/port-jobs", &crontab);
    assert_eq!(schedule(), ("crontab".into(), "crontab".into()));
    world.remove(&world.path("root/etc/cron.d/port-jobs"));
    world.make_private_dir("root/etc/systemd/system/timers.target.wants");
    world.write("root/etc/systemd/system/port-sheet-sync.timer", b"");
    world.write("root/etc/systemd/system/token-check.timer", b"");
    let wanted = world.path("root/etc/systemd/system/timers.target.wants/token-check.timer");
    std::os::unix::fs::symlink("/etc/systemd/system/token-check.timer", wanted).unwrap();
    assert_eq!(schedule(), ("timer-not-enabled".into(), "timer".into()));
}

#[test]
fn a_sink_that_takes_nothing_is_shown_until_it_does() {
    let receiver = Receiver::start();
    let world = hooked(&receiver).build();
    all_run(&world, "12:00");
    receiver.answers(&[support::Answer::Refuse(500)]);
    world.remove(&world.credential());
    run_at(&world, "port-sheet-sync", "12:01", &[]).run().exit(77);
    let run = status(&world, "12:02");
    let result = run.json();
    assert_eq!(result["sinks"][0]["failures"], 1, "{result}");
    assert!(
        run.stderr.contains("error: \"webhook\" takes nothing since 2026-05-13T12:01:"),
        "{}",
        run.stderr
    );
    assert_eq!(status(&world, "12:03").json()["sinks"][0]["failures"], 0, "this run itself has delivered it");
}
