//! A write that breaks off before, in the middle or after: the sheet ends as an undisturbed run leaves it, no row twice.

use google_standin::{Fault, LoggedRequest, Stall};
use serde_json::{Value, json};
use support::{Builder, World};

use crate::world;

/// Every way in which a write can break.
fn ways() -> [Fault; 7] {
    [
        Fault { reset: true, ..Fault::default() },
        Fault { apply_then_reset: true, ..Fault::default() },
        Fault { cut: true, ..Fault::default() },
        Fault { status: Some(500), ..Fault::default() },
        Fault { status: Some(503), body: Some(json!("<html>503</html>")), ..Fault::default() },
        Fault { stall: Stall::Applied, ..Fault::default() },
        Fault { stall: Stall::Body, ..Fault::default() },
    ]
}

/// Bookings in so many rows, `turn` changing every third of them and adding some.
fn bookings(rows: usize, turn: usize) -> Vec<String> {
    let header = "booking_id,vessel,berth,guest".to_owned();
    let line = |number: usize| {
        let berth = if number.is_multiple_of(3) { turn } else { 0 };
        format!(
            "B-{number:05},Vessel {number},{berth},{}",
            if number.is_multiple_of(5) { "" } else { "guest" }
        )
    };
    std::iter::once(header).chain((0..rows + turn * 20).map(line)).collect()
}

fn write_bookings(world: &World, rows: usize, turn: usize) {
    let lines = bookings(rows, turn);
    world.write_source(&lines.iter().map(String::as_str).collect::<Vec<_>>());
}

fn small() -> Builder {
    world().csv(&["booking_id,vessel,berth,guest"]).grid(3, 4)
}

/// What happens undisturbed: the rows after each of two runs, and the writes that they took.
struct Undisturbed {
    after: [Vec<Vec<Value>>; 2],
    writes: [Vec<LoggedRequest>; 2],
}

impl Undisturbed {
    fn with(rows: usize) -> Self {
        let world = small().build();
        let turn = |number| {
            write_bookings(&world, rows, number);
            world.clear_requests();
            world.run(&[]).exit(0);
            let mut writes = world.requests();
            writes.retain(|request| request.method != "GET" && request.path.starts_with("/v4/"));
            (world.rows(), writes)
        };
        let [first, second] = [turn(0), turn(1)];
        Self { after: [first.0, second.0], writes: [first.1, second.1] }
    }
}

/// Breaks the `nth` write of the first or second of two runs and compares what the sheet holds after both.
fn disturbed(rows: usize, expected: &Undisturbed, turn: usize, nth: usize, fault: &Fault) {
    let world = small().google("timeout = \"60s\"").build();
    for number in 0..2 {
        write_bookings(&world, rows, number);
        if number == turn {
            world.replace_in_config("timeout = \"60s\"", "timeout = \"1s\"");
            let (method, path) = (Some("POST".into()), Some("^/v4/".into()));
            let nth = u64::try_from(nth).unwrap();
            world.fault(Fault { method, path, nth, ..fault.clone() });
        }
        world.run(&[]).exit(0);
        assert_eq!(
            world.rows(),
            expected.after[number],
            "run {number}, write {nth} of run {turn}: {fault:?}"
        );
    }
    world.clear_requests();
    world.run(&[]).exit(0);
    assert_eq!(world.counts().writes, 0, "in step: {fault:?}");
}

fn every_write_may_break(rows: usize, kinds: &[&str]) {
    let expected = Undisturbed::with(rows);
    for turn in 0..2 {
        let writes = &expected.writes[turn];
        assert!(!writes.is_empty());
        for kind in kinds {
            let of_kind = |request: &LoggedRequest| request.path.ends_with(kind);
            assert!(expected.writes.iter().flatten().any(of_kind), "{kind} is written: {writes:#?}");
        }
        for nth in 1..=writes.len() {
            for fault in ways() {
                disturbed(rows, &expected, turn, nth, &fault);
            }
        }
    }
}

#[test]
fn a_small_change_that_breaks_off_is_made_exactly_once() {
    every_write_may_break(12, &[":batchUpdate"]);
}

#[test]
fn a_bulk_load_that_breaks_off_anywhere_is_made_exactly_once() {
    every_write_may_break(700, &[":batchUpdate", "/values:batchUpdate"]);
}

/// A flag is written with its strike-through, and a booking that comes back loses both.
#[test]
fn flags_that_break_off_are_set_and_taken_back_exactly_once() {
    for fault in ways() {
        let world = world().google("timeout = \"60s\"").build();
        world.run(&[]).exit(0);
        world.replace_in_config("timeout = \"60s\"", "timeout = \"1s\"");
        let write = Fault { method: Some("POST".into()), path: Some("^/v4/".into()), ..fault };
        for kept in [3, 4] {
            world.fault(write.clone());
            world.write_source(&support::BOOKINGS[..kept]);
            world.run(&[]).exit(0);
            let flags = world.rows()[1..].iter().filter(|row| row.len() == 5 && row[4] != "").count();
            assert_eq!((world.rows().len(), flags), (4, 4 - kept), "{write:?}");
            world.server.clear_faults();
        }
    }
}

/// A null would be "leave the cell alone" to Google and a shifted row to its client library.
#[test]
fn no_null_is_ever_sent() {
    let world = small().build();
    for (rows, turn) in [(12, 0), (12, 1), (12, 0), (700, 0), (700, 1)] {
        write_bookings(&world, rows, turn);
        world.run(&["--allow-shrink"]).exit(0);
    }
    let bodies: Vec<Value> =
        world.requests().into_iter().map(|request| request.body).filter(|body| !body.is_null()).collect();
    assert!(bodies.iter().any(|body| body["data"].is_array()), "values.batchUpdate was among them");
    for body in &bodies {
        assert!(!holds_null(body), "a null was sent: {body}");
    }
}

fn holds_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(values) => values.iter().any(holds_null),
        Value::Object(fields) => fields.values().any(holds_null),
        _ => false,
    }
}
