use support::{Answer, Receiver};

use crate::{hooked, webhook, world};

#[test]
fn a_marked_test_goes_through_each_sink_and_is_reported_for_each() {
    let (takes, refuses) = (Receiver::start(), Receiver::start());
    let world = world().tables(&webhook("takes", &takes)).tables(&webhook("refuses", &refuses)).build();
    refuses.answers(&[Answer::Refuse(403)]);
    let run = world.process(&["--test-alert"]).without_trace().run();
    run.exit(69).error("sink \"refuses\" did not take the test alert: 127.0.0.1 answered 403");
    run.hint("correct [[alert.sink]] in the configuration, then: port-sheet-sync --test-alert");
    assert_eq!(run.stdout, "sink \"takes\" took the test alert\n");
    let alert = &takes.taken()[0];
    assert_eq!((&alert["test"], &alert["event"]), (&true.into(), &"test".into()));
    assert!(!world.state().join("state.db").exists(), "a test leaves no record");
}

#[test]
fn every_executable_has_it_and_without_sinks_says_that_nobody_would_hear() {
    let receiver = Receiver::start();
    let world = hooked(&receiver).build();
    world.process_of("token-check", &["--test-alert"]).run().exit(0);
    assert_eq!(receiver.taken()[0]["subject"], "job.token-check");
    let silent = crate::world().build();
    silent.run(&["--test-alert"]).exit(78).error("there is no [[alert.sink]], so alerts reach no one");
}
