//! The command line and the configuration.

use crate::{built, world};

#[test]
fn a_credential_that_the_configuration_does_not_have_is_refused_with_those_it_has() {
    let world = built(world());
    let run = world.run(&["port-sheeet"]);
    run.exit(64).error("has no credential \"port-sheeet\"; it has port-sheet").hint("token-login port-sheet");
    world.run(&[]).exit(64).error("required arguments");
}

#[test]
fn flags_of_a_login_do_not_go_with_an_import() {
    let world = built(world());
    for flag in [&["--port", "1"][..], &["--client", "x"], &["--login-hint", "x"], &["--no-browser"]] {
        let args = [&["port-sheet", "--import", "-"][..], flag].concat();
        world.run(&args).exit(64).error("cannot be used with");
    }
}

#[test]
fn check_config_asks_nobody_and_touches_nothing() {
    let world = built(world());
    let before = world.snapshot(world.dir());
    world.run(&["port-sheet", "--check-config"]).exit(0);
    world.run(&["nobody", "--check-config"]).exit(64);
    assert_eq!(world.snapshot(world.dir()), before);
    assert_eq!(world.requests().len(), 0);
}

#[test]
fn help_ends_with_an_example_and_the_exit_codes() {
    let world = built(world());
    let run = world.bare(&["--help"]).run();
    run.exit(0);
    for part in ["--login-hint <EMAIL>", "--import <FILE>", "Example:", "Exit codes:"] {
        assert!(run.stdout.contains(part), "{part}: {}", run.stdout);
    }
}

#[test]
fn two_logins_at_once_are_refused() {
    let world = built(world());
    let _held = world.hold_lock("token-login");
    let run = world.run(&["port-sheet"]);
    run.exit(75).error("another run is under way");
}
