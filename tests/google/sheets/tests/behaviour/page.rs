//! The page for a browser.

use serde_json::json;

use crate::book::{book, filled, grid};

#[test]
fn values_are_escaped_and_struck_ones_are_struck() {
    let mut book = filled(5, 5, &json!([["<b>head</b>", "a & b"], ["gone"]]));
    let strike = json!({"userEnteredFormat": {"textFormat": {"strikethrough": true}}});
    book.batch(
        &json!([{"repeatCell": {"range": grid(1, 2, 0, 1), "cell": strike, "fields": "userEnteredFormat"}}]),
    );
    let page = book.model.html();
    assert!(page.contains("<td>&lt;b&gt;head&lt;/b&gt;</td><td>a &amp; b</td>"), "{page}");
    assert!(page.contains("<td><s>gone</s></td>"));
    assert!(page.contains("<h2 id=\"0\">Sheet1</h2>"));
}

#[test]
fn a_large_tab_is_cut_and_the_page_says_so() {
    let mut book = book(1000, 2);
    book.put("A900", &json!([["the end"]]));
    let page = book.model.html();
    assert!(page.contains("The first 500 of 900 rows.") && !page.contains("the end"));
}
