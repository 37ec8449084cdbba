//! What is in the way in a sheet: protected, merged, filtered, full, deleted, too long. Each is handled, or refused with
//! words that a crew understands, and nothing is half written.

use serde_json::{Value, json};
use support::World;

use crate::interference::{NEWER, synced};
use crate::world;

fn area(world: &World, rows: [u64; 2], columns: [u64; 2]) -> Value {
    json!({"sheetId": world.tab_id(), "startRowIndex": rows[0], "endRowIndex": rows[1], "startColumnIndex": columns[0], "endColumnIndex": columns[1]})
}

#[test]
fn a_protected_range_is_named_with_the_account_that_must_be_let_in() {
    for policy in ["flag", "archive", "delete"] {
        let world = synced(&format!("on-missing = {policy:?}"));
        let protected = json!({"range": area(&world, [1, 4], [1, 2]), "description": "Prices", "editors": {"users": [google_standin::OWNER]}});
        world.owner_edits(&json!([{"addProtectedRange": {"protectedRange": protected}}]));
        let before = world.rows();
        // The last row stays, so that only the removal meets the protection.
        world.write_source(&[NEWER[0], "B-101,Alma,2026-05-13,3", "B-103,Cirrus,2026-05-15,5"]);
        let run = world.run(&["--json"]);
        run.exit(65).error("You are trying to edit a protected cell or object");
        run.hint_with("ranges of tab \"Port sheet\" are protected: B2:B4 (Prices)").hint_with(&world.account);
        assert_eq!((world.rows(), world.tabs().len()), (before, 1), "{policy}");
    }
}

#[test]
fn a_header_merged_with_its_neighbour_is_refused_before_anything_is_written() {
    let world = synced("on-missing = \"flag\"");
    world.person_edits(
        &json!([{"mergeCells": {"range": area(&world, [0, 1], [3, 5]), "mergeType": "MERGE_ALL"}}]),
    );
    world.write_source(&NEWER);
    let run = world.run(&[]);
    run.exit(65)
        .error(
            "row 1 of tab \"Port sheet\" is merged over columns D to E, where the header \"Nights\" is or would be",
        )
        .hint_with("Unmerge");
    assert_eq!(world.counts().writes, 0);
}

#[test]
fn a_tab_that_was_deleted_or_renamed_is_told_with_the_tabs_that_are_there() {
    let world = synced("");
    world.person_edits(&json!([{"addSheet": {"properties": {"title": "Other"}}}, {"deleteSheet": {"sheetId": world.tab_id()}}]));
    world
        .run(&[])
        .exit(78)
        .error("has no tab \"Port sheet\"; its tabs are \"Other\"")
        .hint_with("rename it back");
    assert_eq!(world.counts().writes, 0);
}

/// A filter hides rows from people, not from the sync: they are read, written and removed like all others.
#[test]
fn rows_that_a_filter_hides_are_kept_in_step() {
    let world = synced("on-missing = \"delete\"");
    let range = area(&world, [0, 20], [0, 5]);
    let criteria = json!({"1": {"hiddenValues": ["Alma", "Borea"]}});
    world.person_edits(&json!([
        {"setBasicFilter": {"filter": {"range": range, "criteria": criteria}}},
        {"addFilterView": {"filter": {"title": "Only mine", "range": range, "criteria": criteria}}},
    ]));
    world.write_source(&[NEWER[0], NEWER[1], NEWER[3], NEWER[4]]);
    world.run(&[]).exit(0);
    let keys: Vec<_> = world.rows().iter().skip(1).map(|row| (row[0].clone(), row[3].clone())).collect();
    let expected =
        [("B-101", 9), ("B-103", 5), ("B-104", 1)].map(|(key, nights)| (json!(key), json!(nights)));
    assert_eq!(keys, expected);
}

#[test]
fn a_full_spreadsheet_is_told_with_what_makes_room() {
    let world = world().grid(4, 8).build();
    world.run(&[]).exit(0);
    // Everything but the 32 cells of the tab.
    let grid = json!({"rowCount": 9_999_968 / 32, "columnCount": 32});
    world
        .person_edits(&json!([{"addSheet": {"properties": {"title": "Old years", "gridProperties": grid}}}]));
    let before = world.rows();
    world.write_source(&NEWER);
    let run = world.run(&[]);
    run.exit(65).error("above the limit of 10000000 cells").hint_with("delete unused tabs, rows and columns");
    assert_eq!(world.rows(), before);
}

#[test]
fn a_text_longer_than_a_cell_is_refused_and_the_others_are_in_step() {
    let world = synced("");
    let longest = "x".repeat(50_000);
    let long = format!("B-101,{longest}x,2026-05-13,3");
    let fits = format!("B-103,{longest},2026-05-15,5");
    world.write_source(&[NEWER[0], &long, "B-102,Borea,2026-05-14,2", &fits]);
    world.run(&[]).exit(65).error("is longer than the 50000 characters that a cell of Sheets can hold");
    assert_eq!((&world.rows()[1][1], &world.rows()[3][1]), (&json!("Alma"), &json!(longest)));
}
