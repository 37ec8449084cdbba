//! JSON in the place of CSV: what can be used arrives, and a document that is not whole changes nothing.

use serde_json::{Value, json};
use support::World;

use crate::values::{naughty_strings, package};
use crate::world;

/// A world whose source is this JSON.
fn json_world(builder: support::Builder, text: &str, more: &str) -> World {
    let world = builder.build();
    world.write("export.json", text.as_bytes());
    world.set_source(&format!("kind = \"json\"\npath = {:?}\n{more}", world.path("export.json")));
    world
}

#[test]
fn nested_fields_typed_values_and_nulls_arrive_as_what_they_are() {
    let columns = [
        ("id", "Booking", "integer"),
        ("/customer/name", "Customer", "text"),
        ("/stops/0/port", "First port", "text"),
        ("fee", "Fee", "number"),
        ("paid", "Paid", "boolean"),
        ("arrival", "Arrival", "date"),
    ];
    let text = r#"{"ok": true, "data": {"bookings": [
        {"id": 7, "customer": {"name": "=1+1"}, "stops": [{"port": "Kiel"}], "fee": 0.1, "paid": true, "arrival": "2026-05-13"},
        {"id": 8, "customer": null, "stops": [], "fee": null, "paid": false, "arrival": ""}
    ]}}"#;
    let world = json_world(world().key(&["id"]).columns(&columns), text, "pointer = \"/data/bookings\"");
    world.run(&[]).exit(0);
    assert_eq!(
        json!(world.rows()[1..]),
        json!([[7, "=1+1", "Kiel", 0.1, true, 46155], [8, "", "", "", false]])
    );
    world.clear_requests();
    world.run(&[]).exit(0);
    assert_eq!(world.counts().writes, 0);
}

#[test]
fn bad_records_are_told_by_their_number_and_field_and_lines_by_their_line() {
    let columns = [("id", "Booking", "text"), ("nights", "Nights", "integer")];
    let told = [
        "2: field \"nights\" holds an object; name a part of it",
        "3: field \"nights\" \"2.5\" is not a whole number",
        "4: is a text, not an object",
    ];
    let records = [
        r#"{"id": "a", "nights": 2.00}"#,
        r#"{"id": "b", "nights": {}}"#,
        r#"{"id": "c", "nights": 2.5}"#,
        "\"d\"",
    ];
    let array = json_world(world().key(&["id"]).columns(&columns), &format!("[{}]", records.join(",")), "");
    let lines = json_world(world().key(&["id"]).columns(&columns), &records.join("\n"), "");
    for (world, unit) in [(array, "record"), (lines, "line")] {
        let run = world.run(&["--json"]);
        let problems = run.exit(65).sheet()["problems"].clone();
        for (problem, told) in problems.as_array().unwrap().iter().zip(told) {
            assert!(problem.as_str().unwrap().starts_with(&format!("{unit} {told}")), "{problem}");
        }
        assert_eq!((problems.as_array().unwrap().len(), &world.rows()[1]), (3, &vec![json!("a"), json!(2)]));
    }
}

#[test]
fn a_document_that_is_cut_off_or_no_document_changes_nothing() {
    let world = json_world(
        world(),
        r#"[{"booking_id":"B-1","vessel":"Alma","arrival":"2026-05-13","nights":1}]"#,
        "",
    );
    world.run(&[]).exit(0);
    let before = (world.rows(), world.snapshot(&world.state().join("spool")));
    for (text, error) in [
        ("", "is empty"),
        (
            r#"[{"booking_id":"B-1","vessel":"Alma","arrival":"2026-05-13","nights":1},{"booki"#,
            "is cut off: its JSON ends on line 1, column 80",
        ),
        (r#"[{"booking_id":"B-1"}"#, "is cut off"),
        ("<html>", "is not JSON"),
        (r#"{"booking_id":"B-1","vessel":"A","arrival":"","nights":1"#, "is cut off"),
        (r#"[{"booking_id":"B-1","vessel":"A"}]"#, "has no field \"arrival\" in any of its 1 records"),
        (r#""text""#, "holds no array of bookings but a text"),
    ] {
        world.write("export.json", text.as_bytes());
        world.run(&[]).exit(65).error(error);
        assert!((world.rows(), world.snapshot(&world.state().join("spool"))) == before, "{error}");
    }
}

#[test]
fn naughty_strings_and_the_spectrum_arrive_as_they_are_written() {
    let naughty: Vec<String> = naughty_strings().into_iter().filter(|text| !text.contains('\0')).collect();
    let records: Vec<Value> =
        naughty.iter().enumerate().map(|(at, text)| json!({"id": at.to_string(), "text": text})).collect();
    let world = json_world(world().key(&["id"]).columns(&[]), &json!(records).to_string(), "");
    world.run(&[]).exit(0);
    for (row, text) in world.rows()[1..].iter().zip(&naughty) {
        assert_eq!(row.get(1).cloned().unwrap_or_else(|| json!("")), json!(text));
    }
    let utf8 = std::fs::read_to_string(package("csv-spectrum/json/utf8.json")).unwrap();
    let expected: Vec<Value> = serde_json::from_str(&utf8).unwrap();
    let spectrum = json_world(crate::world().key(&["a"]).columns(&[]), &utf8, "");
    spectrum.run(&[]).exit(0);
    let rows = spectrum.rows();
    for (row, record) in rows[1..].iter().zip(&expected) {
        for (name, found) in rows[0].iter().zip(row) {
            assert_eq!(*found, record[name.as_str().unwrap()]);
        }
    }
}

/// 200,000 records of 300 bytes are 60 MB of JSON; the limit is far below that.
#[test]
fn a_large_array_is_never_held_whole() {
    let world = world().key(&["id"]).columns(&[("id", "Booking", "text")]).build();
    let filler = "x".repeat(280);
    let records: Vec<String> = (0..200_000)
        .map(|id| format!("{}{{\"id\":{id},\"filler\":\"{filler}\"}}", if id == 0 { "[" } else { "," }))
        .collect();
    world.write_pieces("export.json", records.iter().map(String::as_bytes).chain([&b"]"[..]]));
    world.set_source(&format!("kind = \"json\"\npath = {:?}", world.path("export.json")));
    world.server.quota(0, 0);
    let run = world.process(&["--dry-run", "--json"]).without_trace().memory_limit(56 * 1024 * 1024).run();
    assert_eq!(run.exit(0).sheet()["source_rows"], json!(200_000));
}
