//! Real data: five seasons of port calls, dirt included, and a hundred thousand hotel bookings.

use std::io::Read;
use std::path::PathBuf;
use std::time::Duration;

use google_standin::{Fault, Stall};
use serde_json::{Value, json};
use support::{Run, World};

use crate::world;

fn data(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

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

/// The lines of the export that cannot be used, with what is wrong on each. All real.
const DIRT: [(u64, &str); 9] = [
    (2, "field \"ARR_TIME\" \"800\" is not a time such as 14:30"),
    (33, "field \"DEP_TIME\" \"TBD\" is not a time such as 14:30"),
    (80, "field \"BOOKED\" \"63/2013\" is not a date such as 2026-05-13"),
    (206, "field \"ARR_DATE\" \"`9/12/17\" is not a date such as 2026-05-13"),
    (364, "field \"ARR_TIME\" \"800\" is not a time such as 14:30"),
    (368, "field \"DEP_TIME\" \"tbd\" is not a time such as 14:30"),
    (392, "field \"DEP_TIME\" \"24:00: AM\" is not a time such as 14:30"),
    (456, "field \"ARR_DATE\" \"1016/18\" is not a date such as 2026-05-13"),
    (467, "field \"DEP_TIME\" \"TBD\" is not a time such as 14:30"),
];

fn port_calls() -> (World, Vec<csv::StringRecord>) {
    let bytes = data("port-calls-2015-2019.csv");
    let mut reader = csv::Reader::from_reader(&bytes[..]);
    let header = reader.headers().unwrap().clone();
    let kind =
        |field: &str| TYPED.iter().find(|(typed, _)| *typed == field).map_or("text", |(_, kind)| *kind);
    let columns: Vec<(&str, &str, &str)> = header.iter().map(|field| (field, field, kind(field))).collect();
    let records = std::iter::once(header.clone()).chain(reader.records().map(Result::unwrap)).collect();
    (world().csv_bytes(bytes.clone()).key(&KEY).columns(&columns).build(), records)
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
    let (world, records) = port_calls();
    let run = world.run(&["--json"]);
    run.exit(65)
        .error("9 rows could not be used")
        .error("line 2: field \"ARR_TIME\" \"800\"")
        .hint_with("port-sheet.rejected.csv");
    let sheet = run.sheet();
    let problems: Vec<String> = DIRT.iter().map(|(line, why)| format!("line {line}: {why}")).collect();
    assert_eq!(sheet["problems"], json!(problems));
    assert_eq!(
        (&sheet["source_rows"], &sheet["rejected"], &sheet["added"]),
        (&json!(576), &json!(9), &json!(567))
    );
    assert_eq!(sheet["verified"], json!(true));

    let header = &records[0];
    let is_usable = |number: usize| !DIRT.iter().any(|(line, _)| *line == number as u64 + 1);
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

    world.clear_requests();
    world.run(&[]).exit(65);
    assert_eq!((world.counts().reads, world.counts().writes), (2, 0), "a second run writes nothing");
}

#[test]
fn two_calls_with_one_key_are_both_refused_by_line() {
    let (world, records) = port_calls();
    let mut text = String::from_utf8(data("port-calls-2015-2019.csv")).unwrap();
    assert_eq!(&records[2][1], "American Glory");
    let third_line = text.lines().nth(2).unwrap().replace("12:00", "14:00");
    text.push_str(&third_line);
    text.push('\n');
    world.write("export.csv", text.as_bytes());
    let run = world.run(&["--json"]);
    run.exit(65);
    let problems = run.sheet()["problems"].to_string();
    for (line, other) in [(3, 578), (578, 3)] {
        let told =
            format!("line {line}: its key \\\"American Glory / 2015-05-18\\\" also stands on line {other}");
        assert!(problems.contains(&told), "{told} is not in {problems}");
    }
    assert_eq!(run.sheet()["added"], json!(566));
}

/// The hotel bookings with a row number in front, since they have nothing else that identifies them.
pub fn hotel_bookings(change_every: Option<usize>) -> Vec<u8> {
    let mut text = String::new();
    let compressed = data("hotel-bookings.csv.gz");
    flate2::read::GzDecoder::new(&compressed[..]).read_to_string(&mut text).unwrap();
    let mut out = Vec::with_capacity(text.len() + 1_000_000);
    for (number, line) in text.lines().enumerate() {
        let first = if number == 0 { "row".to_owned() } else { number.to_string() };
        let is_changed = number > 0 && change_every.is_some_and(|every| number.is_multiple_of(every));
        let line = if is_changed { line.replacen("Hotel", "Grand Hotel", 1) } else { line.to_owned() };
        out.extend_from_slice(format!("{first},{line}\n").as_bytes());
    }
    out
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
    let world = world().csv_bytes(hotel_bookings(None)).key(&["row"]).columns(&[]).build();
    world.server.quota(0, 0);

    let (load, peak) = run_and_peak(&world, 41);
    let sheet = load.exit(0).sheet();
    assert_eq!((&sheet["added"], &sheet["cells_written"]), (&json!(119_390), &json!(119_390 * 33)));
    assert_eq!((&sheet["reads"], &sheet["writes"]), (&json!(24), &json!(17)));
    let bodies: Vec<usize> = world.requests().iter().map(|request| request.bytes).collect();
    assert!(bodies.iter().all(|bytes| *bytes <= REQUEST_BYTES), "{bodies:?}");
    let allowed = bodies.iter().sum::<usize>().div_ceil(REQUEST_BYTES) + 30;
    assert!(world.counts().reads + world.counts().writes <= allowed, "{:?} of {allowed}", world.counts());
    // 250,000 cells to write: ours, and the client's copy.
    assert!(peak <= most_memory(500_000), "the load took {} MiB", peak / MIB);

    let (no_op, peak) = run_and_peak(&world, 16);
    let sheet = no_op.exit(0).sheet();
    assert_eq!(
        (&sheet["unchanged"], &sheet["writes"], &sheet["reads"]),
        (&json!(119_390), &json!(0), &json!(16))
    );
    let mut calls = world.requests().into_iter().filter(|request| request.path.starts_with("/v4/"));
    assert!(calls.all(|request| request.query.contains("prettyPrint=false")));
    assert!(peak <= most_memory(290_000), "finding nothing to do took {} MiB", peak / MIB);

    world.write("export.csv", &hotel_bookings(Some(11_939)));
    let (change, peak) = run_and_peak(&world, 18);
    let sheet = change.exit(0).sheet();
    assert_eq!((&sheet["updated"], &sheet["cells_written"]), (&json!(10), &json!(10)));
    assert_eq!((&sheet["reads"], &sheet["writes"]), (&json!(17), &json!(1)));
    assert!(peak <= most_memory(290_000), "ten changes took {} MiB", peak / MIB);

    let bytes = hotel_bookings(Some(11_939));
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
