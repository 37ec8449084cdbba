//! What a monitor outside is reported of each outcome, in the ping protocol of Healthchecks.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where and stops")]

use support::{Answer, Builder, Receiver, World};

fn world() -> Builder {
    World::of(env!("CARGO_BIN_EXE_port-sheet-sync"))
}

/// A world watched by a monitor.
fn watched(receiver: &Receiver, builder: Builder) -> World {
    let world = builder.build();
    let monitor = format!("monitor = {{ url = \"{}ping/1234\" }}", receiver.url());
    world.replace_in_config("monitor = \"none\"", &monitor);
    world
}

/// What was pinged below the address, in order.
fn pings(receiver: &Receiver) -> Vec<String> {
    let path = |ping: support::Received| ping.path.strip_prefix("/ping/1234").unwrap().to_owned();
    receiver.received().into_iter().map(path).collect()
}

#[test]
fn every_outcome_has_its_ping_and_only_success_pings_success() {
    /// What happens, what makes it happen, the exit code, the pings.
    type Case = (&'static str, fn(&World), i32, &'static [&'static str]);
    let cases: [Case; 7] = [
        ("ok", |_| {}, 0, &["/start", ""]),
        ("nothing to change", |world| drop(world.process(&[]).run()), 0, &["/start", "", "/start", ""]),
        ("config", |world| world.replace_in_config("tab = \"Port", "tab = \"Gone"), 78, &["/start", "/78"]),
        ("data", |world| world.write_source(&["vessel", "Alma"]), 65, &["/start", "/65"]),
        ("unavailable", |world| world.remove(&world.source()), 69, &["/start", "/69"]),
        ("credential", |world| world.set_mode(&world.credential(), 0o644), 77, &["/start", "/77"]),
        ("io", |world| world.write_private(&world.state().join("state.db"), &[7; 4096]), 74, &["/74"]),
    ];
    for (what, spoil, code, expected) in cases {
        let receiver = Receiver::start();
        let world = watched(&receiver, world());
        spoil(&world);
        world.run(&[]).exit(code);
        assert_eq!(pings(&receiver), expected, "{what}");
    }
}

#[test]
fn a_skip_and_a_deadline_are_no_success() {
    let receiver = Receiver::start();
    let world = watched(&receiver, world());
    let lock = world.hold_lock("port-sheet-sync");
    world.run(&[]).exit(75);
    assert_eq!(pings(&receiver), ["/log"]);
    drop(lock);
    receiver.clear();
    let stall = google_standin::Stall::Request;
    world.fault(google_standin::Fault {
        path: Some("/v4/".into()),
        stall,
        ..google_standin::Fault::default()
    });
    world.append_to_config("[job.port-sheet-sync]\ndeadline = \"1s\"");
    world.run(&[]).exit(75);
    assert_eq!(pings(&receiver), ["/start", "/75"]);
}

#[test]
fn what_only_looks_or_serves_a_person_pings_nothing() {
    let receiver = Receiver::start();
    let world = watched(&receiver, world());
    let run = world.run(&["--json"]).json()["run"].as_str().unwrap().to_owned();
    receiver.clear();
    world.run(&["--undo", &run]).exit(0);
    world.run(&["--undo", "01ARZ3NDEKTSV4RRFFQ69G5FAV"]).exit(64);
    world.run(&["--history"]).exit(0);
    world.run(&["--dry-run"]).exit(0);
    world.run(&["--check-config"]).exit(0);
    world.run(&["--test-alert"]).exit(78);
    world.run(&["--nonsense"]).exit(64);
    world.process_of("token-check", &["--offline"]).run().exit(0);
    assert_eq!(pings(&receiver), [""; 0]);
}

#[test]
fn all_pings_of_a_run_carry_its_id_as_a_uuid() {
    let receiver = Receiver::start();
    let world = watched(&receiver, world());
    let run = world.run(&["--json"]);
    run.exit(0);
    let queries: Vec<String> = receiver.received().into_iter().map(|ping| ping.query).collect();
    assert_eq!(queries.len(), 2);
    assert_eq!(queries[0], queries[1]);
    let id = queries[0].strip_prefix("rid=").unwrap();
    let lengths: Vec<usize> = id.split('-').map(str::len).collect();
    assert_eq!(lengths, [8, 4, 4, 4, 12]);
    assert!(id.chars().all(|c| c == '-' || c.is_ascii_hexdigit()), "{id}");
}

#[test]
fn a_job_may_have_a_monitor_of_its_own_or_none() {
    let (common, own) = (Receiver::start(), Receiver::start());
    let world = world().build();
    world.replace_in_config(
        "monitor = \"none\"",
        &format!("monitor = {{ url = \"{}key/{{job}}\" }}", common.url()),
    );
    world.append_to_config(&format!("[job.token-check]\nmonitor = {{ url = \"{}mine\" }}", own.url()));
    world.run(&[]).exit(0);
    world.process_of("token-check", &[]).run().exit(0);
    let paths =
        |receiver: &Receiver| receiver.received().into_iter().map(|ping| ping.path).collect::<Vec<_>>();
    assert_eq!(paths(&common), ["/key/port-sheet-sync/start", "/key/port-sheet-sync"]);
    assert_eq!(paths(&own), ["/mine/start", "/mine"]);
    world.replace_in_config(&format!("monitor = {{ url = \"{}mine\" }}", own.url()), "monitor = \"none\"");
    own.clear();
    world.process_of("token-check", &[]).run().exit(0);
    assert_eq!(own.received().len(), 0);
}

#[test]
fn a_monitor_that_refuses_hangs_or_is_gone_changes_nothing_but_is_remembered_without_its_address() {
    let receiver = Receiver::start();
    let world = watched(&receiver, world());
    for answers in [[Answer::Refuse(500); 2], [Answer::Drop; 2], [Answer::Hang; 2]] {
        receiver.answers(&answers);
        let run = world.process(&[]).without_trace().run();
        run.exit(0);
        assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("", ""), "a healthy run says nothing");
    }
    let database = rusqlite::Connection::open(world.state().join("state.db")).unwrap();
    let query = "SELECT name, failures, error FROM sink";
    let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    let (name, failures, error): (String, i64, String) = database.query_row(query, [], row).unwrap();
    assert_eq!((name.as_str(), failures), ("monitor of port-sheet-sync", 3));
    assert!(error.contains("127.0.0.1") && !error.contains("1234"), "{error}");
}
