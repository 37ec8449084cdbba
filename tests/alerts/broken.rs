use support::Receiver;

use crate::{hooked, pairs, told};

#[test]
fn a_configuration_that_breaks_is_told_of_through_the_sinks_it_still_names() {
    let receiver = Receiver::start();
    let world = hooked(&receiver).build();
    world.run(&[]).exit(0);
    world.replace_in_config("tab = ", "tap = ");
    world.run(&[]).exit(78);
    let job = "job.port-sheet-sync";
    assert_eq!(told(&receiver.taken()), pairs(&[(job, "first-failure")]));
    world.replace_in_config("tap = ", "tab = ");
    world.run(&[]).exit(0);
    assert_eq!(told(&receiver.taken())[1..], pairs(&[(job, "recovered")]));
}

#[test]
fn damaged_records_are_told_of_once_by_whichever_job_and_when_they_work_again() {
    let receiver = Receiver::start();
    let world = hooked(&receiver).build();
    world.run(&[]).exit(0);
    let database = world.state().join("state.db");
    let good = std::fs::read(&database).unwrap();
    world.write_private(&database, b"this is not a database, but a text of some length");
    world.run(&[]).exit(74);
    world.process_of("token-check", &[]).run().exit(74);
    world.run(&[]).exit(74);
    assert_eq!(told(&receiver.taken()), pairs(&[("state.db", "first-failure")]));
    world.write_private(&database, &good);
    world.run(&[]).exit(0);
    assert_eq!(told(&receiver.taken())[1..], pairs(&[("state.db", "recovered")]));
}
