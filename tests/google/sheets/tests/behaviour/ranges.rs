//! Ranges: what is asked, what is echoed.

use proptest::prelude::*;
use serde_json::json;
use sheets_model::{Spreadsheet, Tab};

use crate::book::{Book, OWNER, book, cases, grid};

fn echo(book: &mut Book, range: &str) -> String {
    let path = format!(
        "/values/{}",
        percent_encoding::utf8_percent_encode(range, percent_encoding::NON_ALPHANUMERIC)
    );
    book.get(&path, &[])["range"].as_str().unwrap().to_owned()
}

#[test]
fn the_echo_is_clamped_and_normalised() {
    let mut book = book(1000, 26);
    for (asked, echoed) in [
        ("'Sheet1'", "Sheet1!A1:Z1000"),
        ("Sheet1", "Sheet1!A1:Z1000"),
        ("A:A", "Sheet1!A1:A1000"),
        ("1:1", "Sheet1!A1:Z1"),
        ("A1:1", "Sheet1!A1:Z1"),
        ("A2:A", "Sheet1!A2:A1000"),
        ("A1:C", "Sheet1!A1:C1000"),
        ("D4:A1", "Sheet1!A1:D4"),
        ("A1:A1", "Sheet1!A1"),
        ("A2:F10001", "Sheet1!A2:F1000"),
        ("A1:AA5", "Sheet1!A1:Z5"),
        ("sheet1!b2", "Sheet1!B2"),
        ("$B$2:$C$3", "Sheet1!B2:C3"),
    ] {
        assert_eq!(echo(&mut book, asked), echoed, "{asked}");
    }
}

#[test]
fn a_title_is_quoted_only_when_it_needs_to_be() {
    for (title, quoted) in [
        ("food.csv", "food.csv"),
        ("Port Sheet", "'Port Sheet'"),
        ("profiles-10.csv", "'profiles-10.csv'"),
        ("D3", "'D3'"),
        ("R1C1", "'R1C1'"),
        ("2024", "'2024'"),
        ("Owner's Notes", "'Owner''s Notes'"),
        ("🌵 test", "'🌵 test'"),
    ] {
        let tab = Tab { title: title.to_owned(), rows: 4, columns: 4 };
        let mut book = Book { model: Spreadsheet::with_tabs("book", "", &[tab]), caller: OWNER };
        assert_eq!(echo(&mut book, &format!("'{}'!A1", title.replace('\'', "''"))), format!("{quoted}!A1"));
        assert_eq!(
            echo(&mut book, &format!("{title}!A:A")),
            format!("{quoted}!A1:A4"),
            "unquoted is understood as well"
        );
    }
}

#[test]
fn a_quoted_cell_is_a_tab_and_a_bare_one_is_a_cell() {
    let mut book = book(5, 5);
    assert_eq!(echo(&mut book, "A1"), "Sheet1!A1");
    let refused = book.call("GET", "/values/'A1'", &[], &json!(null)).unwrap_err();
    assert_eq!(refused.message, "Unable to parse range: 'A1'");
}

#[test]
fn what_cannot_be_parsed_is_named_in_full() {
    let mut book = book(5, 5);
    for range in ["Other!A1:B2", "'Other'!A1", "Sheet1!", "Sheet1!nowhere", "A0", ""] {
        let refused = book.call("GET", &format!("/values/{range}"), &[], &json!(null)).unwrap_err();
        assert_eq!(refused.message, format!("Unable to parse range: {range}"));
    }
}

#[test]
fn a_start_beyond_the_grid_is_refused() {
    let mut book = book(1000, 26);
    let refused = book.call("GET", "/values/Sheet1!AA1:AB5", &[], &json!(null)).unwrap_err();
    assert_eq!(
        refused.message,
        "Range (Sheet1!AA1:AB5) exceeds grid limits. Max rows: 1000, max columns: 26"
    );
    let range = json!({"sheetId": 0, "startRowIndex": 1000, "startColumnIndex": 0, "endColumnIndex": 2});
    let refused = book.refusal(&json!({"repeatCell": {"range": range, "cell": {}, "fields": "note"}}));
    assert_eq!(
        refused,
        "Invalid requests[0].repeatCell: Range (Sheet1!A1001:B) exceeds grid limits. Max rows: 1000, max columns: 26"
    );
}

#[test]
fn a_named_range_stands_for_its_cells() {
    let mut book = book(10, 10);
    book.batch(&json!([{"addNamedRange": {"namedRange": {"name": "Berths", "range": grid(1, 3, 1, 4)}}}]));
    assert_eq!(echo(&mut book, "Berths"), "Sheet1!B2:D3");
    assert_eq!(echo(&mut book, "'Sheet1'!Berths"), "Sheet1!B2:D3");
    book.batch(&json!([{"insertDimension": {"range": crate::book::span("ROWS", 0, 1)}}]));
    assert_eq!(echo(&mut book, "Berths"), "Sheet1!B3:D4", "it moves with its rows");
}

#[test]
fn a_slash_in_the_path_is_another_segment_unless_it_is_encoded() {
    let tab = Tab { title: "Trips 2024/25".to_owned(), rows: 4, columns: 4 };
    let mut book = Book { model: Spreadsheet::with_tabs("book", "", &[tab]), caller: OWNER };
    assert_eq!(book.call("GET", "/values/'Trips 2024/25'!A1", &[], &json!(null)).unwrap_err().code, 404);
    assert_eq!(book.get("/values/'Trips%202024%2F25'!A1", &[])["range"], "'Trips 2024/25'!A1");
}

proptest! {
    #![proptest_config(cases(256))]
    #[test]
    fn every_echo_is_read_back_as_itself(top in 0u32..400, left in 0u32..800, height in 1u32..20, width in 1u32..20, title in "[A-Za-z'! .0-9é🌵-]{1,12}") {
        let tab = Tab { title, rows: 420, columns: 820 };
        let mut book = Book { model: Spreadsheet::with_tabs("book", "", &[tab]), caller: OWNER };
        let request = json!({"addNamedRange": {"namedRange": {"name": "the_range", "range": grid(top, top + height, left, left + width)}}});
        book.batch(&json!([request]));
        let first = echo(&mut book, "the_range");
        prop_assert_eq!(&echo(&mut book, &first), &first);
    }
}
