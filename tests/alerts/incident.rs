use chrono::{DateTime, TimeDelta, Utc};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use support::{Answer, Receiver, World, noon};

use crate::{pairs, told, webhook, world};

fn run(world: &World, executable: &str, minute: i64) -> i32 {
    world.process_at(noon() + TimeDelta::minutes(minute), executable, &[]).run().code.unwrap()
}

/// Half of what is sent is not taken, in one way or another.
fn moods(random: &mut StdRng) -> Vec<Answer> {
    let mood = |random: &mut StdRng| match random.random_range(0..4) {
        0 => Answer::Drop,
        1 => Answer::Refuse(500),
        _ => Answer::Take,
    };
    (0..20).map(|_| mood(random)).collect()
}

#[test]
fn twelve_hours_of_failure_are_told_by_the_rules_and_by_each_sink_once() {
    let mut random = StdRng::seed_from_u64(5);
    let (quay, office) = (Receiver::start(), Receiver::start());
    let world = world().tables(&webhook("quay", &quay)).tables(&webhook("office", &office)).build();
    assert_eq!(run(&world, "port-sheet-sync", 0), 0);
    world.remove(&world.source());
    for half_hour in 1..=27 {
        quay.answers(&moods(&mut random));
        office.answers(&moods(&mut random));
        assert_eq!(run(&world, "port-sheet-sync", half_hour * 30), 69);
    }
    world.write_source(&support::BOOKINGS);
    quay.answers(&[]);
    office.answers(&[Answer::Refuse(503)]);
    assert_eq!(run(&world, "port-sheet-sync", 28 * 30), 0);
    // What one job could not deliver, the next run of another does.
    assert_eq!(run(&world, "token-check", 28 * 30 + 1), 0);
    let events = ["first-failure", "escalated", "reminder", "reminder", "recovered"];
    let expected = pairs(&events.map(|event| ("sheet.port-sheet", event)));
    for (name, receiver) in [("quay", &quay), ("office", &office)] {
        assert_eq!(told(&receiver.taken()), expected, "{name}");
        let tries = receiver.received();
        assert!(tries.iter().any(|received| received.answer != Answer::Take), "{name} failed in between");
    }
    assert_times(&quay.taken());
}

/// Trouble that may pass is reported with the second failure, then the third, and every six hours from the first word on.
fn assert_times(alerts: &[serde_json::Value]) {
    let minute = |alert: &serde_json::Value| {
        (alert["at"].as_str().unwrap().parse::<DateTime<Utc>>().unwrap() - noon()).num_minutes()
    };
    let minutes: Vec<_> = alerts.iter().map(minute).collect();
    // A reminder comes with the first run after its time, to the second.
    let expected = [60..=60, 90..=90, 420..=450, 780..=810, 840..=840];
    assert!(minutes.iter().zip(&expected).all(|(minute, range)| range.contains(minute)), "{minutes:?}");
    let recovery = alerts.last().unwrap()["text"].as_str().unwrap();
    assert!(
        recovery.starts_with("sheet \"port-sheet\" works again; it failed for 13h 30m, since "),
        "{recovery}"
    );
}

#[test]
fn of_many_runs_at_once_one_delivers() {
    let receiver = Receiver::start();
    let world = world().tables(&webhook("hook", &receiver)).build();
    world.replace_in_config("tab = \"Port sheet\"", "tab = \"Gone\"");
    receiver.answers(&[Answer::Refuse(503)]);
    world.process(&[]).run().exit(78);
    let runs: Vec<_> = (0..6).map(|_| world.process(&[]).spawn()).collect();
    runs.into_iter().for_each(|run| drop(run.wait()));
    let told = told(&receiver.taken());
    let first =
        told.iter().filter(|told| **told == pairs(&[("sheet.port-sheet", "first-failure")])[0]).count();
    assert_eq!(first, 1, "{told:?}");
}
