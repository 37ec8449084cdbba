//! Text survives the round trip byte for byte, whatever it looks like.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::world;

/// A file of a package of awkward data.
pub fn package(name: &str) -> PathBuf {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/npm");
    support::packages(&sources, Path::new(env!("CARGO_TARGET_TMPDIR"))).join("node_modules").join(name)
}

/// Strings that break programs: those of the package, and those of the real file where it is present.
pub fn naughty_strings() -> Vec<String> {
    let package = std::fs::read(package("big-list-of-naughty-strings/blns.json")).unwrap();
    let lists = [Some(package), test_data::real("naughty-strings.json")].into_iter().flatten();
    lists.flat_map(|list| serde_json::from_slice::<Vec<String>>(&list).unwrap()).collect()
}

/// A CSV text of these records.
fn csv(records: &[Vec<String>]) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    records.iter().for_each(|record| writer.write_record(record).unwrap());
    writer.into_inner().unwrap()
}

#[test]
fn naughty_strings_come_back_byte_for_byte_and_nul_is_refused_with_its_line() {
    let mut naughty = naughty_strings();
    naughty.extend(
        [
            "=cmd|' /C calc'!A0",
            "=1+1",
            "+1",
            "-1",
            "@SUM(1)",
            "007",
            "1e5",
            "TRUE",
            "2026-05-13",
            "'quoted",
            "🌵",
            "\tTab",
            "a\rb",
        ]
        .map(str::to_owned),
    );
    naughty.retain(|text| !text.contains('\0'));
    let mut records = vec![vec!["id".to_owned(), "text".to_owned()]];
    records.extend(naughty.iter().enumerate().map(|(number, text)| vec![format!("n{number}"), text.clone()]));
    let mut bytes = csv(&records);
    bytes.extend_from_slice(b"nul,a\0b\n");
    let world = world().csv_bytes(bytes).key(&["id"]).columns(&[]).build();
    let run = world.run(&["--json"]);
    run.exit(65).error("field \"text\" holds a NUL character");
    assert_eq!((&run.sheet()["added"], &run.sheet()["rejected"]), (&json!(naughty.len()), &json!(1)));

    let rows = world.rows();
    assert_eq!(rows.len(), naughty.len() + 1);
    for (row, text) in rows[1..].iter().zip(&naughty) {
        let found = row.get(1).cloned().unwrap_or_else(|| json!(""));
        assert_eq!(found, json!(text));
    }
    world.clear_requests();
    world.run(&[]).exit(65);
    assert_eq!(world.counts().writes, 0, "and it is still the same text when it is read again");
}

#[test]
fn csv_spectrum_arrives_as_its_authors_say_it_reads() {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(package("csv-spectrum/csvs")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert_eq!(files.len(), 12);
    for file in files {
        let stem = file.file_stem().unwrap().to_str().unwrap();
        let expected = std::fs::read_to_string(package(&format!("csv-spectrum/json/{stem}.json"))).unwrap();
        let mut expected: Vec<Value> = match serde_json::from_str(&expected).unwrap() {
            Value::Array(records) => records,
            record => vec![record],
        };
        // The phone number in this one's JSON is not the one in its CSV.
        if stem == "location_coordinates" {
            expected[0]["Contact Phone Number"] = json!("2095257564");
        }
        let source = std::fs::read(&file).unwrap();
        let header = csv::Reader::from_reader(&source[..]).headers().unwrap().clone();
        let key = header.get(0).unwrap();
        let world = world().csv_bytes(source).key(&[key]).columns(&[]).build();
        // Some of these files have no field that identifies a record; then all but the header is refused, by line.
        let run = world.run(&["--json"]);
        let sheet = run.sheet();
        let keys: Vec<&str> = expected.iter().map(|record| record[key].as_str().unwrap()).collect();
        let is_key =
            |text: &&&str| !text.trim().is_empty() && keys.iter().filter(|other| other == text).count() == 1;
        let usable: Vec<usize> = (0..keys.len()).filter(|&at| is_key(&&keys[at])).collect();
        assert_eq!(sheet["added"], json!(usable.len()), "{stem}");
        assert_eq!(sheet["rejected"], json!(keys.len() - usable.len()), "{stem}");
        let rows = world.rows();
        for (row, at) in rows.iter().skip(1).zip(usable) {
            for (column, field) in header.iter().enumerate() {
                let found = row.get(column).cloned().unwrap_or_else(|| json!(""));
                assert_eq!(found, expected[at][field], "{stem}, record {at}, field {field}");
            }
        }
    }
}

#[test]
fn typed_values_are_typed_in_the_sheet_and_shown_by_a_number_format() {
    let world = world()
        .csv(&[
            "id,on,at,both,count,weight,paid",
            "a,2026-05-13,14:30,2026-05-13 14:30:15,12,2.50,yes",
            "b,,,,,,",
        ])
        .columns(&[
            ("id", "Id", "text"),
            ("on", "On", "date"),
            ("at", "At", "time"),
            ("both", "Both", "datetime"),
            ("count", "Count", "integer"),
            ("weight", "Weight", "number"),
            ("paid", "Paid", "boolean"),
        ])
        .build();
    world.run(&[]).exit(0);
    let rows = world.rows();
    assert_eq!(rows[1][..3], [json!("a"), json!(46155), json!(14.5 / 24.0)]);
    assert_eq!(rows[1][4..], [json!(12), json!(2.5), json!(true)]);
    assert_eq!(rows[2], [json!("b")]);
    let page = world.server.call_as(
        support::PERSON,
        "GET",
        &format!("/v4/spreadsheets/{}/values/'Port%20sheet'!B2:D2", world.spreadsheet),
        None,
    );
    assert_eq!(page.1["values"], json!([["2026-05-13", "14:30:00", "2026-05-13 14:30:15"]]));
}

#[test]
fn values_are_read_as_the_source_writes_them_and_by_no_other_rule() {
    let lines = [
        "id;fee;count;day;at;both;instant;paid",
        "a;1.234,5;1 234;13.5.26;800;05/13/2026 2:30 PM;2026-01-13T23:30:00Z;Ja",
        "b;1,234.5;1,234;2026-05-13;8;13/05/2026 14:30;2026-01-13 23:30;yes",
    ];
    let world = world()
        .csv(&lines)
        .key(&["id"])
        .columns(&[
            ("id", "Id", "text"),
            ("fee", "Fee", "number"),
            ("count", "Count", "integer"),
            ("day", "Day", "date"),
            ("at", "At", "time"),
            ("both", "Both", "datetime"),
            ("instant", "Instant", "datetime"),
            ("paid", "Paid", "boolean"),
        ])
        .notation("fee", "decimal = \",\"\ngrouping = \".\"")
        .notation("count", "grouping = \" \"")
        .notation("day", "pattern = \"D.M.YY\"")
        .notation("at", "pattern = [\"hh:mm\", \"hmm\"]")
        .notation("both", "pattern = \"MM/DD/YYYY h:mm am\"")
        .notation("instant", "time-zone = \"Europe/Berlin\"")
        .notation("paid", "true-words = [\"ja\"]\nfalse-words = [\"nein\"]")
        .build();
    world.replace_in_config("kind = \"csv\"", "kind = \"csv\"\ndelimiter = \";\"");
    let run = world.run(&["--json"]);
    for told in [
        "field \"fee\" \"1,234.5\" is not a number such as 1.234,5",
        "field \"count\" \"1,234\" is not a",
        "field \"day\" \"2026-05-13\" is not written as D.M.YY",
        "field \"at\" \"8\" is not written as hh:mm or hmm",
        "field \"both\" \"13/05/2026 14:30\" is not written as MM/DD/YYYY h:mm am",
        "field \"paid\" \"yes\" is not one of ja, nein",
    ] {
        run.exit(65).error(told);
    }
    // Half past midnight of the next day, an hour ahead in winter.
    let wanted =
        json!(["a", 1234.5, 1234, 46155, 8.0 / 24.0, 46155.0 + 14.5 / 24.0, 46036.0 + 0.5 / 24.0, true]);
    assert_eq!(json!(world.rows()[1]), wanted);
    world.clear_requests();
    world.run(&[]).exit(65);
    assert_eq!(world.counts().writes, 0);
}

#[test]
fn what_a_person_types_is_compared_as_what_it_is() {
    let world = world()
        .csv(&["id,paid,fee,at", "a,true,0.3,2026-05-13 14:30:15"])
        .columns(&[
            ("id", "Id", "text"),
            ("paid", "Paid", "boolean"),
            ("fee", "Fee", "number"),
            ("at", "At", "datetime"),
        ])
        .build();
    world.run(&[]).exit(0);
    for (cell, typed) in [("B2", json!("TRUE")), ("C2", json!("0.3")), ("D2", json!("2026-05-13 14:30:15"))] {
        world.person_writes(cell, typed);
    }
    world.clear_requests();
    let run = world.run(&["--json"]);
    assert_eq!((&run.exit(0).sheet()["drifted"], world.counts().writes), (&json!(0), 0));
    world.person_writes("B2", "'TRUE");
    let run = world.run(&["--json"]);
    assert_eq!(run.exit(0).sheet()["drifted"], json!(1), "a text is no boolean");
    assert_eq!(world.rows()[1][1], json!(true));
}

#[test]
fn a_long_number_whose_last_digit_changes_is_written() {
    let lines = ["id,card", "a,4539148803436467"];
    let world = world().csv(&lines).columns(&[("id", "Id", "text"), ("card", "Card", "integer")]).build();
    world.run(&[]).exit(0);
    world.write_source(&[lines[0], "a,4539148803436468"]);
    assert_eq!(world.run(&["--json"]).exit(0).sheet()["updated"], json!(1));
    assert_eq!(world.rows()[1][1].as_f64(), Some(4_539_148_803_436_468.0));
}

#[test]
fn a_number_format_is_set_once_and_what_people_choose_afterwards_stays() {
    let world = world().build();
    world.run(&[]).exit(0);
    let chosen = json!({"type": "DATE", "pattern": "d.m.yyyy"});
    let column =
        json!({"sheetId": world.tab_id(), "startRowIndex": 1, "startColumnIndex": 2, "endColumnIndex": 3});
    world.person_edits(&json!([{"repeatCell": {
        "range": column,
        "cell": {"userEnteredFormat": {"numberFormat": chosen}},
        "fields": "userEnteredFormat.numberFormat",
    }}]));
    let arrivals = ["B-101,Alma,2026-06-13,3", "B-102,Borea,2026-06-14,2", "B-103,Cirrus,2026-06-15,5"];
    world.write_source(&[&support::BOOKINGS[..1], &arrivals, &["B-104,Dorado,2026-06-16,1"]].concat());
    assert_eq!(world.run(&["--json"]).exit(0).sheet()["updated"], json!(3));
    let path = format!(
        "/v4/spreadsheets/{}?ranges='Port%20sheet'!C2:C5&fields=sheets.data.rowData.values.userEnteredFormat.numberFormat",
        world.spreadsheet
    );
    let answer = world.server.call_as(support::PERSON, "GET", &path, None).1;
    let rows = answer["sheets"][0]["data"][0]["rowData"].as_array().unwrap().clone();
    let formats: Vec<_> =
        rows.iter().map(|row| row["values"][0]["userEnteredFormat"]["numberFormat"].clone()).collect();
    assert_eq!(formats, vec![chosen; 4]);
}

/// Five seasons of port calls, in which people wrote some times of arrival as `800`.
#[test]
fn eight_hundred_is_a_time_of_arrival_only_where_the_pattern_says_so() {
    for data in test_data::port_calls() {
        let columns =
            [("VESSEL NAME", "Vessel", "text"), ("ARR_DATE", "Day", "date"), ("ARR_TIME", "Time", "time")];
        let calls = world().csv_bytes(data.csv).key(&["VESSEL NAME", "ARR_DATE"]).columns(&columns);
        let world = calls.notation("ARR_TIME", "pattern = [\"hh:mm\", \"hmm\"]").build();
        let read = world.run(&["--json"]).exit(65).sheet();
        assert_eq!((&read["added"], &read["rejected"]), (&json!(574), &json!(2)), "{}", read["problems"]);
        assert_eq!(world.rows()[1][2], json!(8.0 / 24.0));
        world.replace_in_config("pattern = [\"hh:mm\", \"hmm\"]", "");
        let strict = world.run(&["--json"]);
        strict.exit(65).error("line 2: field \"ARR_TIME\" \"800\" is not a time such as 14:30");
        assert_eq!(strict.sheet()["rejected"], json!(4), "{}", data.name);
    }
}

/// What a date was shown as would show four passengers as the third of January 1900.
#[test]
fn a_number_is_never_shown_as_a_date() {
    let number = ("n", "Number", "number");
    for (kind, text, shown) in [
        ("date", "2026-05-13", "2026-05-13"),
        ("time", "12:30", "12:30:00"),
        ("datetime", "2026-05-13 12:30", "2026-05-13 12:30:00"),
    ] {
        for (other, value) in [("number", "4"), ("integer", "4"), ("text", "4")] {
            let world = world()
                .csv(&["id,n", &format!("B-1,{text}")])
                .key(&["id"])
                .columns(&[("id", "Booking", "text"), ("n", "Number", kind)])
                .build();
            world.run(&[]).exit(0);
            assert_eq!(world.rows_as("Port sheet", "FORMATTED_VALUE")[1][1], shown);
            world.replace_in_config(&format!("type = \"{kind}\""), &format!("type = \"{other}\""));
            world.write_source(&["id,n", &format!("B-1,{value}"), "B-2,5"]);
            world.run(&[]).exit(0);
            let rows = world.rows_as("Port sheet", "FORMATTED_VALUE");
            assert_eq!((&rows[1][1], &rows[2][1]), (&json!("4"), &json!("5")), "{kind} to {other}");
            world.clear_requests();
            world.run(&[]).exit(0);
            assert_eq!(world.counts().writes, 0, "a format is set once: people may choose another");
        }
    }
    let world =
        world().csv(&["id,n", "B-1,4"]).key(&["id"]).columns(&[("id", "Booking", "text"), number]).build();
    for (cell, text) in [("A1", "Booking"), ("B1", "Number"), ("A2", "B-1")] {
        world.person_writes(cell, text);
    }
    let range =
        json!({"sheetId": world.tab_id(), "startRowIndex": 1, "startColumnIndex": 1, "endColumnIndex": 2});
    let format = json!({"userEnteredFormat": {"numberFormat": {"type": "DATE", "pattern": "yyyy-mm-dd"}}});
    world.person_edits(&json!([{"repeatCell": {"range": range, "cell": format, "fields": "userEnteredFormat.numberFormat"}}]));
    world.run(&[]).exit(0);
    assert_eq!(world.rows_as("Port sheet", "FORMATTED_VALUE")[1][1], "4", "a column that is taken over");
}
