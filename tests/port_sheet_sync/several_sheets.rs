//! Several sheets in one configuration: one after the other, each on its own, with one look at a spreadsheet that they
//! share.

use google_standin::{Fault, Person};
use serde_json::{Value, json};
use support::{Builder, Run, World};

use crate::world;

/// Adds a sheet with a source of its own, in a new tab of the same spreadsheet. `name` orders the sheets.
pub fn add_sheet(world: &World, name: &str, tab: &str, policies: &str) {
    let grid = json!({"rowCount": 10, "columnCount": 8});
    let properties = json!({"sheetId": id(name), "title": tab, "gridProperties": grid});
    world.owner_edits(&json!([{"addSheet": {"properties": properties}}]));
    add_to_config(world, name, tab, policies);
}

/// The id of an added tab.
fn id(name: &str) -> u32 {
    name.bytes().map(u32::from).sum()
}

fn add_to_config(world: &World, name: &str, tab: &str, policies: &str) {
    let source = world.path(&format!("{name}.csv"));
    world.write(&format!("{name}.csv"), format!("berth,quay\n{name}-1,North\n{name}-2,South\n").as_bytes());
    world.append_to_config(&format!(
        "[sheet.{name}]\ncredential = \"port-sheet\"\nspreadsheet = {:?}\ntab = {tab:?}\nkey = [\"berth\"]\n{policies}\n\
         [sheet.{name}.source]\nkind = \"csv\"\npath = {source:?}",
        world.spreadsheet
    ));
}

/// The usual sheet, and two small ones beside it.
fn three(builder: Builder) -> World {
    let world = builder.build();
    add_sheet(&world, "quay-a", "Quay A", "");
    add_sheet(&world, "quay-b", "Quay B", "");
    world
}

fn outcomes(run: &Run) -> Vec<(String, Value)> {
    let result = run.json();
    let sheets = result["sheets"].as_array().unwrap();
    sheets.iter().map(|sheet| (sheet["sheet"].as_str().unwrap().to_owned(), sheet["exit"].clone())).collect()
}

#[test]
fn three_tabs_of_one_spreadsheet_share_one_token_and_one_look_at_their_headers() {
    let world = three(world());
    world.run(&[]).exit(0);
    assert_eq!(
        json!(world.rows_of("Quay B")),
        json!([["berth", "quay"], ["quay-b-1", "North"], ["quay-b-2", "South"]])
    );
    world.clear_requests();
    let run = world.run(&["--json"]);
    run.exit(0);
    let counts = world.counts();
    assert_eq!(
        (counts.tokens, counts.reads, counts.writes),
        (1, 4, 0),
        "one for the headers, one for each tab"
    );
    let reads: Vec<Value> =
        run.json()["sheets"].as_array().unwrap().iter().map(|sheet| sheet["reads"].clone()).collect();
    assert_eq!(json!(reads), json!([2, 1, 1]), "each request is counted once");
}

#[test]
fn what_was_seen_before_a_write_is_looked_at_again() {
    let world = three(world());
    world.run(&[]).exit(0);
    world.write_source(&crate::outage::NEWER);
    world.clear_requests();
    world.run(&[]).exit(0);
    // Headers of three tabs, rows, a write and the end of its safety copy, rows read back; headers of the two others, and their rows.
    assert_eq!((world.counts().reads, world.counts().writes), (6, 2));
    assert_eq!(json!(world.rows()), crate::outage::newest_rows());
}

#[test]
fn one_sheet_that_fails_does_not_stop_the_next() {
    let world = three(world());
    world.write("export.csv", b"no,such,header\n");
    world.write("quay-a.csv", b"berth,quay\n,North\n");
    let run = world.run(&["--json"]);
    run.exit(65);
    assert_eq!(
        outcomes(&run),
        [("port-sheet".into(), json!(65)), ("quay-a".into(), json!(65)), ("quay-b".into(), json!(0))]
    );
    assert_eq!(world.rows_of("Quay B").len(), 3);
}

#[test]
fn a_tab_that_is_gone_is_its_own_sheets_failure() {
    let world = world().build();
    add_to_config(&world, "a-lost", "Lost", "");
    add_sheet(&world, "quay-b", "Quay B", "");
    let run = world.run(&["--json"]);
    run.exit(78).error(
        "sheet \"a-lost\": the spreadsheet has no tab \"Lost\"; its tabs are \"Port sheet\", \"Quay B\"",
    );
    assert_eq!(
        outcomes(&run),
        [("a-lost".into(), json!(78)), ("port-sheet".into(), json!(0)), ("quay-b".into(), json!(0))]
    );
    assert_eq!((world.rows().len(), world.rows_of("Quay B").len()), (4, 3));
}

#[test]
fn the_most_serious_failure_gives_the_exit_code() {
    let world = world().build();
    add_to_config(&world, "z-lost", "Lost", "");
    world.write_source(&["booking_id,vessel,arrival,nights", "B-101,Alma,soon,3"]);
    let run = world.run(&["--json"]);
    run.exit(78);
    assert_eq!(outcomes(&run), [("port-sheet".into(), json!(65)), ("z-lost".into(), json!(78))]);
}

#[test]
fn one_sheet_alone_is_synced_by_name() {
    let world = three(world());
    let run = world.run(&["--json", "--sheet", "quay-b"]);
    run.exit(0);
    assert_eq!(outcomes(&run), [("quay-b".into(), json!(0))]);
    assert_eq!((world.rows().len(), world.rows_of("Quay A").len(), world.rows_of("Quay B").len()), (0, 0, 3));
    world
        .run(&["--sheet", "quay"])
        .exit(64)
        .error("has no sheet \"quay\"; it has port-sheet, quay-a, quay-b");
}

#[test]
fn a_row_that_a_person_adds_to_the_last_tab_while_the_first_is_written_is_no_row_to_add_twice() {
    let world = three(world());
    world.run(&[]).exit(0);
    world.write_source(&crate::outage::NEWER);
    world.clear_requests();
    let headers = [("Retry-After".to_owned(), "1".to_owned())].into();
    world.fault(Fault {
        status: Some(429),
        headers,
        path: Some("^/v4/.*:batchUpdate".into()),
        ..Fault::default()
    });
    let running = world.process(&["--json"]).spawn();
    world.server.wait_for_request("^POST /v4", 1).unwrap();
    // Below the grid's ten rows, so that the grid grows.
    let cells = ["quay-b-3", "West"].map(|text| json!({"userEnteredValue": {"stringValue": text}}));
    world.person_edits(&json!([
        {"appendDimension": {"sheetId": id("quay-b"), "dimension": "ROWS", "length": 2}},
        {"updateCells": {
            "start": {"sheetId": id("quay-b"), "rowIndex": 10, "columnIndex": 0},
            "rows": [{"values": cells}],
            "fields": "userEnteredValue",
        }},
    ]));
    world.write("quay-b.csv", b"berth,quay\nquay-b-1,North\nquay-b-2,South\nquay-b-3,West\n");
    running.wait().exit(0);
    let rows = world.rows_of("Quay B");
    assert_eq!(rows.iter().filter(|row| row.first() == Some(&json!("quay-b-3"))).count(), 1, "{rows:?}");
}

#[test]
fn one_version_of_the_file_covers_all_its_tabs() {
    let scopes = ["spreadsheets", "drive.metadata.readonly"];
    let scopes = scopes.map(|scope| format!("https://www.googleapis.com/auth/{scope}")).to_vec();
    let world = three(world().person(Person { scopes: Some(scopes), ..Person::default() }));
    world.run(&[]).exit(0);
    // The later tabs' loads moved the version after the earlier ones were read.
    world.run(&[]).exit(0);
    world.clear_requests();
    let run = world.run(&["--json"]);
    assert_eq!(world.requests().len(), 2, "the token and the version");
    for sheet in run.exit(0).json()["sheets"].as_array().unwrap() {
        assert_eq!((&sheet["fast_path"], &sheet["verified"]), (&json!(true), &json!(true)), "{sheet}");
    }
    world.write("quay-a.csv", b"berth,quay\nquay-a-1,North\nquay-a-2,East\n");
    let run = world.run(&["--json"]);
    let result = run.exit(0).json();
    let fast: Vec<Value> =
        result["sheets"].as_array().unwrap().iter().map(|sheet| sheet["fast_path"].clone()).collect();
    assert_eq!(
        json!(fast),
        json!([true, false, true]),
        "what was the same at the start of the run needs no look"
    );
    assert_eq!(world.rows_of("Quay A")[2][1], json!("East"));
    let run = world.run(&["--json"]);
    let fast: Vec<Value> = run.exit(0).json()["sheets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|sheet| sheet["fast_path"].clone())
        .collect();
    assert_eq!(json!(fast), json!([false, true, false]), "the write moved the version of the others");
}

#[test]
fn an_archive_that_is_the_tab_of_another_sheet_is_refused() {
    let world = world().policy("on-missing = \"archive\"").policy("archive-tab = \"quay A\"").build();
    add_sheet(&world, "quay-a", "Quay A", "");
    world.run(&[]).exit(78).error("archive-tab: is the tab of sheet \"quay-a\"");
}
