//! Data of a real size and with real dirt: five seasons of port calls, and a hundred thousand hotel bookings; generated, and
//! the real files where they are present.

use std::time::Duration;

use google_standin::{Fault, Stall};
use serde_json::{Value, json};
use support::{Run, World};
use test_data::{DataSet, Dirt, hotel_bookings, numbered};

use crate::world;

/// A vessel arrives once a day at most, so vessel and day of arrival identify a call. The year's sheet it came from
/// does not help, and the time of arrival changes while the call stays the same.
const KEY: [&str; 2] = ["VESSEL NAME", "ARR_DATE"];

/// The columns that are typed; the others are text, since `TA` for hours and `POT ` for a berth is how people wrote it.
const TYPED: [(&str, &str); 7] = [
    ("ARR_DATE", "date"),
    ("ARR_TIME", "time"),
    ("DEP_DATE", "date"),
    ("DEP_TIME", "time"),
    ("BOOKED", "date"),
    ("PAX", "integer"),
    ("Crew", "integer"),
];

/// What is reported of a value that was typed wrongly.
fn problem(dirt: &Dirt) -> String {
    let example =
        if dirt.field.ends_with("TIME") { "a time such as 14:30" } else { "a date such as 2026-05-13" };
    format!("line {}: field \"{}\" \"{}\" is not {example}", dirt.line, dirt.field, dirt.value)
}

fn port_calls(data: &DataSet) -> (World, Vec<csv::StringRecord>) {
    let mut reader = csv::Reader::from_reader(data.csv.as_bytes());
    let header = reader.headers().unwrap().clone();
    let kind =
        |field: &str| TYPED.iter().find(|(typed, _)| *typed == field).map_or("text", |(_, kind)| *kind);
    let columns: Vec<(&str, &str, &str)> = header.iter().map(|field| (field, field, kind(field))).collect();
    let records = std::iter::once(header.clone()).chain(reader.records().map(Result::unwrap)).collect();
    (world().csv_bytes(data.csv.clone()).key(&KEY).columns(&columns).build(), records)
}

/// What a cell of the export must be in the sheet.
fn expected(field: &str, text: &str) -> Value {
    let kind = TYPED.iter().find(|(typed, _)| *typed == field).map(|(_, kind)| *kind);
    let text = if kind.is_some() { text.trim() } else { text };
    match kind {
        _ if text.is_empty() => json!(""),
        Some("date") => {
            let epoch = chrono::NaiveDate::from_ymd_opt(1899, 12, 30).unwrap();
            json!((text.parse::<chrono::NaiveDate>().unwrap() - epoch).num_days())
        }
        Some("time") => {
            let (hour, minute) = text.split_once(':').unwrap();
            json!(f64::from(hour.parse::<u32>().unwrap() * 60 + minute.parse::<u32>().unwrap()) / 1440.0)
        }
        Some(_) => json!(text.parse::<i64>().unwrap()),
        None => json!(text),
    }
}

/// Equal, up to the float noise of a time.
fn is_same(found: &Value, wanted: &Value) -> bool {
    match (found.as_f64(), wanted.as_f64()) {
        (Some(found), Some(wanted)) => (found - wanted).abs() < 1e-9,
        _ => found == wanted,
    }
}

fn trimmed(mut row: Vec<Value>) -> Vec<Value> {
    while row.last().is_some_and(|cell| cell == "") {
        row.pop();
    }
    row
}

#[test]
fn every_usable_port_call_is_in_the_sheet_cell_for_cell_and_its_dirt_is_told_by_line() {
    for data in test_data::port_calls() {
        let (world, records) = port_calls(&data);
        let (calls, bad) = (records.len() - 1, data.dirt.len());
        assert_eq!((calls, bad), (576, 9), "{}", data.name);
        let run = world.run(&["--json"]);
        run.exit(65)
            .error("9 rows could not be used")
            .error("line 2: field \"ARR_TIME\" \"800\"")
            .hint_with("port-sheet.rejected.csv");
        let sheet = run.sheet();
        assert_eq!(
            sheet["problems"],
            json!(data.dirt.iter().map(problem).collect::<Vec<_>>()),
            "{}",
            data.name
        );
        assert_eq!(
            (&sheet["source_rows"], &sheet["rejected"], &sheet["added"]),
            (&json!(576), &json!(9), &json!(567))
        );
        assert_eq!(sheet["verified"], json!(true));
        assert_rows_are(&world, &records, &data.dirt);

        world.clear_requests();
        world.run(&[]).exit(65);
        assert_eq!((world.counts().reads, world.counts().writes), (2, 0), "a second run writes nothing");
    }
}

/// Every usable record is in the sheet, in order and cell for cell.
#[track_caller]
fn assert_rows_are(world: &World, records: &[csv::StringRecord], dirt: &[Dirt]) {
    let header = &records[0];
    let is_usable = |number: usize| !dirt.iter().any(|dirt| dirt.line == number as u64 + 1);
    let usable = records.iter().enumerate().skip(1).filter(|(number, _)| is_usable(*number));
    let calls =
        usable.map(|(_, call)| header.iter().zip(call).map(|(field, text)| expected(field, text)).collect());
    let header_row = header.iter().map(|field| json!(field)).collect();
    let wanted: Vec<Vec<Value>> = std::iter::once(header_row).chain(calls).map(trimmed).collect();
    let found = world.rows();
    assert_eq!(found.len(), wanted.len());
    for (row, (found, wanted)) in found.iter().zip(&wanted).enumerate() {
        let same = found.len() == wanted.len()
            && found.iter().zip(wanted).all(|(found, wanted)| is_same(found, wanted));
        assert!(same, "row {}: {found:?} is not {wanted:?}", row + 1);
    }
}

#[test]
fn two_calls_with_one_key_are_both_refused_by_line() {
    for data in test_data::port_calls() {
        let (world, records) = port_calls(&data);
        let third = &records[2];
        let (vessel, day) = (third[1].trim(), &third[2]);
        let third_line = data.csv.lines().nth(2).unwrap();
        world.write(
            "export.csv",
            format!("{}{}\n", data.csv, third_line.replacen(&third[3], "23:59", 1)).as_bytes(),
        );
        let run = world.run(&["--json"]);
        run.exit(65);
        let problems = run.sheet()["problems"].to_string();
        for (line, other) in [(3, 578), (578, 3)] {
            let told = format!("line {line}: its key \\\"{vessel} / {day}\\\" is also on line {other}");
            assert!(problems.contains(&told), "{told} is not in {problems}");
        }
        assert_eq!(run.sheet()["added"], json!(566), "{}", data.name);
    }
}

const MIB: u64 = 1024 * 1024;

/// A run that is held at its last request, when all others are behind it, to see the most memory that it has taken.
fn run_and_peak(world: &World, requests: usize) -> (Run, u64) {
    world.clear_requests();
    let path = Some("^/v4/".to_owned());
    world.fault(Fault { path, nth: requests as u64, stall: Stall::Held, ..Fault::default() });
    let process = world.process(&["--json"]).without_trace();
    let running = process.killed_after(Duration::from_secs(600)).spawn();
    // One after the other, each with its own bound: all of them may take minutes on a busy machine.
    (1..=requests).for_each(|request| world.server.wait_for_request("/v4/", request).unwrap());
    let peak = running.peak_memory_bytes();
    world.server.clear_faults();
    (running.wait(), peak)
}

/// The most memory that a run may take: 64 MiB in the executable as it is installed, where a value of the client's is 32
/// bytes. Here the stand-in is built along with it and has `serde_json` keep the order of keys, which makes each value
/// larger; so many of them are held at once.
fn most_memory(values: u64) -> u64 {
    64 * MIB + values * (size_of::<Value>() as u64 - 32)
}

/// Google's recommendation for one request.
const REQUEST_BYTES: usize = 2_000_000;

#[test]
fn a_hundred_thousand_bookings_load_stay_and_change() {
    hotel_bookings().iter().for_each(load_stay_and_change);
}

fn load_stay_and_change(data: &DataSet) {
    let world = world().csv_bytes(numbered(&data.csv, None)).key(&["row"]).columns(&[]).build();
    world.server.quota(0, 0);

    let (load, peak) = run_and_peak(&world, 42);
    let sheet = load.exit(0).sheet();
    assert_eq!((&sheet["added"], &sheet["cells_written"]), (&json!(119_390), &json!(119_390 * 33)));
    assert_eq!((&sheet["reads"], &sheet["writes"]), (&json!(24), &json!(18)));
    let bodies: Vec<usize> = world.requests().iter().map(|request| request.bytes).collect();
    assert!(bodies.iter().all(|bytes| *bytes <= REQUEST_BYTES), "{bodies:?}");
    let allowed = bodies.iter().sum::<usize>().div_ceil(REQUEST_BYTES) + 30;
    assert!(world.counts().reads + world.counts().writes <= allowed, "{:?} of {allowed}", world.counts());
    // 250,000 cells to write: ours, and the client's copy.
    assert!(
        peak <= most_memory(500_000),
        "the load took {} of {} KiB",
        peak / 1024,
        most_memory(500_000) / 1024
    );

    let (no_op, peak) = run_and_peak(&world, 16);
    let sheet = no_op.exit(0).sheet();
    assert_eq!(
        (&sheet["unchanged"], &sheet["writes"], &sheet["reads"]),
        (&json!(119_390), &json!(0), &json!(16))
    );
    let mut calls = world.requests().into_iter().filter(|request| request.path.starts_with("/v4/"));
    assert!(calls.all(|request| request.query.contains("prettyPrint=false")));
    assert!(peak <= most_memory(290_000), "finding nothing to do took {} MiB", peak / MIB);

    world.write("export.csv", numbered(&data.csv, Some(11_939)).as_bytes());
    let (change, peak) = run_and_peak(&world, 19);
    let sheet = change.exit(0).sheet();
    assert_eq!((&sheet["updated"], &sheet["cells_written"]), (&json!(10), &json!(10)));
    assert_eq!((&sheet["reads"], &sheet["writes"]), (&json!(17), &json!(2)));
    assert!(peak <= most_memory(290_000), "ten changes took {} MiB", peak / MIB);

    let bytes = numbered(&data.csv, Some(11_939)).into_bytes();
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(&bytes[..]);
    let rows = world.rows();
    assert_eq!(rows.len(), 119_391);
    for (row, record) in rows.iter().zip(reader.records().map(Result::unwrap)) {
        let wanted = trimmed(record.iter().map(|text| json!(text)).collect());
        assert!(*row == wanted, "{row:?} is not {wanted:?}");
    }
}

/// The peak memory of a run that finds nothing to do.
fn peak_of_a_no_op(rows: usize, columns: usize) -> u64 {
    let header: Vec<String> = (0..columns).map(|column| format!("c{column}")).collect();
    let line =
        |row: usize| (0..columns).map(|column| (row + column).to_string()).collect::<Vec<_>>().join(",");
    let text = std::iter::once(header.join(",")).chain((0..rows).map(line)).collect::<Vec<_>>().join("\n");
    let world = world().csv_bytes(text).key(&["c0"]).columns(&[]).build();
    world.server.quota(0, 0);
    world.process(&[]).without_trace().run().exit(0);
    world.clear_requests();
    world.process(&[]).without_trace().run().exit(0);
    let counts = world.counts();
    assert!(counts.reads > 3 && counts.writes == 0, "{counts:?}");
    run_and_peak(&world, counts.reads).1
}

#[test]
fn memory_grows_with_rows_and_not_with_cells() {
    let narrow = peak_of_a_no_op(60_000, 10);
    let wide = peak_of_a_no_op(60_000, 40);
    assert!(
        wide < narrow + 8 * MIB,
        "four times the cells: {} MiB instead of {} MiB",
        wide / MIB,
        narrow / MIB
    );
}
