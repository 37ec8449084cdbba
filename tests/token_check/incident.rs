//! The incident that this project exists for, replayed: no one may miss it, and no one may lose a booking by it.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use support::{World, noon};

use crate::{revoke, world};

/// Twelve hours and a half: the token dies after the first sync and the person logs in before the last probe.
const MINUTES: i64 = 12 * 60 + 35;

/// Runs an executable at a minute of the story.
fn run(world: &World, executable: &str, minute: i64) -> i32 {
    world.process_at(noon() + TimeDelta::minutes(minute), executable, &[]).run().code.unwrap()
}

/// The bookings as they are after so many half hours: each brings a new one and changes one.
fn bookings(half_hours: i64) -> Vec<String> {
    let header = "booking_id,vessel,arrival,nights".to_owned();
    let row = |number: i64| {
        let nights = if number % 5 == half_hours % 5 { half_hours } else { 1 };
        format!("B-{number},Vessel {number},2026-05-13,{nights}")
    };
    std::iter::once(header).chain((1..=10 + half_hours).map(row)).collect()
}

fn write_bookings(world: &World, half_hours: i64) {
    let lines = bookings(half_hours);
    world.write_source(&lines.iter().map(String::as_str).collect::<Vec<_>>());
}

#[test]
fn twelve_hours_with_a_dead_token_are_told_in_time_and_cost_no_booking() {
    let world = world().grid(60, 8).build();
    for minute in (0..=MINUTES).step_by(5) {
        if minute % 30 == 0 {
            write_bookings(&world, minute / 30);
            let expected = if minute == 0 { 0 } else { 77 };
            assert_eq!(run(&world, "port-sheet-sync", minute), expected, "minute {minute}");
        }
        if minute == 25 {
            revoke(&world);
        }
        if minute == MINUTES {
            world.log_in_again();
        }
        let code = run(&world, "token-check", minute + 1);
        assert_eq!(code, if (30..MINUTES).contains(&minute) { 77 } else { 0 }, "minute {minute}");
    }
    assert_events(&world);
    assert_sheet(&world);
}

/// The sync of minute 30 is the first to fail; the check of minute 756 the first to succeed.
fn assert_events(world: &World) {
    let events = world.events();
    let minute = |at: &str| (at.parse::<DateTime<Utc>>().unwrap() - noon()).num_minutes();
    let told: Vec<_> = events.iter().map(|event| (minute(&event.at), event.kind.as_str())).collect();
    let kinds: Vec<_> = told.iter().map(|(_, kind)| *kind).collect();
    assert_eq!(
        kinds,
        ["first-failure", "active-recovery", "escalated", "reminder", "reminder", "recovered"],
        "{events:#?}"
    );
    assert_eq!((told[0].0, told[1].0), (30, 30));
    assert!((150..=165).contains(&told[2].0), "the third probe: {told:?}");
    assert!((390..=396).contains(&told[3].0) && (750..=756).contains(&told[4].0), "{told:?}");
    assert!(
        events[5].text.contains("works again; it failed for 12h 6m, since 2026-05-13T12:30:0"),
        "{events:#?}"
    );
}

/// The check itself started the sync: the sheet is complete without another half hour.
fn assert_sheet(world: &World) {
    let rows = world.rows();
    let shown: Vec<Vec<String>> = rows[1..]
        .iter()
        .map(|row| {
            row.iter().map(|cell| cell.as_str().map_or_else(|| cell.to_string(), str::to_owned)).collect()
        })
        .collect();
    let expected: Vec<Vec<String>> = bookings(MINUTES / 30)[1..]
        .iter()
        .map(|line| line.split(',').map(str::to_owned).collect::<Vec<_>>())
        .map(|mut row| {
            "46155".clone_into(&mut row[2]);
            row
        })
        .collect();
    assert_eq!(shown, expected);
    assert_eq!(
        shown.iter().map(|row| &row[0]).collect::<BTreeSet<_>>().len(),
        expected.len(),
        "no booking twice"
    );
}
