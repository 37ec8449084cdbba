//! The search for secrets finds them wherever a run leaves them; processes are ended, heard and spoken to.

use support::World;

/// A world whose executable is a shell that does this, and runs it.
fn shell(script: &str) {
    World::of("/bin/sh").build().bare(&["-c", script]).run();
}

#[test]
fn a_run_that_keeps_its_secrets_passes() {
    shell("test -s state/credentials/port-sheet.json");
}

#[test]
#[should_panic(expected = "SECRET LEAKED: refresh_token stands in standard output")]
fn a_refresh_token_on_standard_output_is_found() {
    shell("grep -o '1//[^\"]*' state/credentials/port-sheet.json");
}

#[test]
#[should_panic(expected = "SECRET LEAKED: client_secret stands in standard error")]
fn a_client_secret_in_the_log_is_found() {
    shell("grep -o 'GOCSPX-[^\"]*' state/credentials/port-sheet.json >&2");
}

#[test]
#[should_panic(expected = "SECRET LEAKED")]
fn a_copy_of_the_credential_in_the_spool_is_found() {
    shell("mkdir state/spool && cp state/credentials/port-sheet.json state/spool/copy");
}

#[test]
#[should_panic(expected = "SECRET LEAKED: refresh_token, percent-encoded")]
fn a_token_is_found_as_a_form_spells_it() {
    shell("grep -o '1//[^\"]*' state/credentials/port-sheet.json | sed 's,/,%2F,g'");
}

#[test]
#[should_panic(expected = "a line of the private key")]
fn one_line_of_a_private_key_is_enough() {
    let world = World::of("/bin/sh").service_account().build();
    world.bare(&["-c", "sed 's/\\\\n/\\n/g' state/credentials/port-sheet.json | sed -n 5p"]).run();
}

#[test]
#[should_panic(expected = "was still running at its limit and was killed")]
fn a_process_that_hangs_is_killed_and_its_test_fails() {
    let world = World::of("/bin/sh").build();
    world.bare(&["-c", "exec sleep 1000"]).killed_after(std::time::Duration::from_millis(50)).run();
}

#[test]
fn a_person_at_a_terminal_is_heard_and_can_stop_it() {
    let world = World::of("/bin/sh").build();
    let talking = world.bare(&["-c", "stty -echo; echo ready; read line; echo got $line >&2"]).on_terminal();
    let running = talking.spawn();
    running.type_in("ahoy\n");
    let run = running.wait();
    run.exit(0);
    assert!(run.stderr.contains("got ahoy"), "{}", run.stderr);
    assert_eq!(run.stdout, "ready\n");
    let running = world.bare(&["-c", "echo waiting >&2; read line"]).on_terminal().spawn();
    running.wait_for_stderr("waiting");
    running.type_in("\x03");
    assert_eq!(running.wait().signal, Some(2));
}
