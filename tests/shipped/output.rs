//! Output discipline of every executable, as cron or a timer runs it: a healthy run prints nothing without a terminal; a
//! failing one prints its error and its hint once, on standard error.

use support::{Run, World};

use crate::SYNC;

/// The tables of a quota and of sessions, so that every executable has something to do.
const TABLES: &str = "[quota.agents]\n[session-run]\nquota = \"agents\"\ncommand = [\"/bin/true\"]\n";

/// Each executable and its arguments.
fn all(world: &World) -> Vec<(&'static str, Run)> {
    let login = world.server.authorized_user(Some(&world.account), None);
    world.know_secrets_of(&login);
    let executables: [(&str, &[&str]); 7] = [
        ("port-sheet-sync", &[]),
        ("token-login", &["port-sheet", "--import", "-"]),
        ("token-check", &[]),
        ("quota-reset", &[]),
        ("session-run", &["--add", "x"]),
        ("session-run", &[]),
        ("job-status", &[]),
    ];
    let run = |name: &str, args: &[&str]| {
        world.process_of(name, args).stdin(&login.to_string()).without_trace().run()
    };
    executables.into_iter().map(|(name, args)| (name, run(name, args))).collect()
}

#[test]
fn a_healthy_run_of_every_executable_prints_nothing() {
    let world = World::of(SYNC).tables(TABLES).build();
    for (name, run) in all(&world) {
        run.exit(0);
        assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("", ""), "{name}");
    }
}

#[test]
fn a_failing_run_of_every_executable_prints_its_error_and_its_hint_once_on_standard_error() {
    type Breaks = fn(&World);
    let breaks: [(Breaks, i32); 2] = [
        (|world| world.append_to_config("[nonsense]"), 78),
        (|world| world.write_private(&world.state().join("state.db"), &[7; 4096]), 74),
    ];
    for (breaks, code) in breaks {
        let world = World::of(SYNC).tables(TABLES).build();
        breaks(&world);
        for (name, run) in all(&world) {
            run.exit(code);
            let begins = |start: &str| run.stderr.lines().filter(|line| line.starts_with(start)).count();
            let lines = (begins("error: "), begins("hint: "), run.stderr.lines().count());
            assert_eq!((run.stdout.as_str(), lines), ("", (1, 1, 2)), "{name}: {}", run.stderr);
        }
    }
}
