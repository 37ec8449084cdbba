use rusqlite::Connection;

use crate::{all_run, run_at, state, status, world};

#[test]
fn without_records_every_job_has_never_run_and_that_is_said() {
    let world = world().build();
    let run = status(&world, "12:00");
    run.exit(69);
    assert_eq!(state(&run, "port-sheet-sync"), "never-ran");
    let errors = run.errors();
    assert!(errors.iter().all(|error| error.contains("there were no records at ")), "{errors:?}");
    assert!(run.json()["host"]["disk_bytes"].as_u64().unwrap() > 0);
    let page = world.path("status.html");
    let run = run_at(&world, "job-status", "12:01", &["-v", "--html", page.to_str().unwrap()]).run();
    assert!(run.stdout.contains("credential \"port-sheet\": not seen yet"), "{}", run.stdout);
    assert_eq!(world.read_text(&page).matches("not seen yet").count(), 2);
}

#[test]
fn damaged_records_are_said_to_be_so_and_the_rest_is_shown() {
    let world = world().build();
    all_run(&world, "12:00");
    world
        .write_private(&world.state().join("state.db"), b"this is not a database, but a text of some length");
    let run = status(&world, "12:01");
    run.exit(74).error("cannot use the run records in ").hint_with(".damaged");
    assert_eq!(state(&run, "port-sheet-sync"), "unknown");
    assert_eq!(run.json()["records"]["kind"], "io");
    assert!(run.json()["host"]["memory_kib"].as_u64().unwrap() > 0);
    let page = world.path("status.html");
    world.run(&["--html", page.to_str().unwrap()]).exit(74);
    assert!(world.read_text(&page).contains("cannot use the run records in "));
    let nagios = world.run(&["--nagios"]);
    nagios.exit(3);
    assert!(nagios.stdout.starts_with("JOBS UNKNOWN - "), "{}", nagios.stdout);
}

#[test]
fn locked_records_are_said_to_be_so() {
    let world = world().build();
    all_run(&world, "12:00");
    let holder = Connection::open(world.state().join("state.db")).unwrap();
    holder.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let run = status(&world, "12:01");
    run.exit(74).error("database is locked").hint_with("fuser -v");
    assert_eq!(state(&run, "token-check"), "unknown");
    drop(holder);
    status(&world, "12:02").exit(0);
}

#[test]
fn a_state_directory_that_cannot_be_made_is_said_to_be_so() {
    let world = world().build();
    world.write("file", b"");
    let inside = world.path("file/state");
    let run = world.run(&["--json", "--state-dir", inside.to_str().unwrap()]);
    run.exit(74).error("cannot create ");
    assert_eq!(state(&run, "port-sheet-sync"), "unknown");
}
