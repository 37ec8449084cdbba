//! `USER_ENTERED`: what typing a text makes of it.

use serde_json::{Value, json};

use crate::book::book;

/// What a typed text becomes, unformatted and as it is seen.
fn typed(text: &str) -> (Value, Value) {
    let mut book = book(20, 5);
    book.put("B1", &json!([[2], [3]]));
    book.type_in("A1", &json!([[text]]));
    (book.read("A1")[0][0].clone(), book.seen("A1")[0][0].clone())
}

#[test]
fn numbers_lose_their_zeros_and_keep_their_dress() {
    assert_eq!(typed("007"), (json!(7), json!("7")));
    assert_eq!(typed("2,000,000.01"), (json!(2_000_000.01), json!("2,000,000.01")));
    assert_eq!(typed("-1.50"), (json!(-1.5), json!("-1.5")));
    assert_eq!(typed("12%"), (json!(0.12), json!("12%")));
    assert_eq!(typed("$100.15"), (json!(100.15), json!("$100.15")));
    assert_eq!(typed("1e3"), (json!(1000), json!("1.00E+03")));
    assert_eq!(typed("3_1_0"), (json!("3_1_0"), json!("3_1_0")));
    assert_eq!(typed("1,00"), (json!("1,00"), json!("1,00")));
    assert_eq!(typed("12 m"), (json!("12 m"), json!("12 m")));
}

#[test]
fn dates_and_times_become_serial_numbers() {
    assert_eq!(typed("2020-01-01"), (json!(43831), json!("2020-01-01")));
    assert_eq!(typed("1/2/1999"), (json!(36162), json!("1/2/1999")));
    assert_eq!(typed("1900-01-01"), (json!(2), json!("1900-01-01")));
    assert_eq!(typed("12:00"), (json!(0.5), json!("12:00")));
    assert_eq!(typed("2020-01-01 6:00"), (json!(43831.25), json!("2020-01-01 6:00")));
    assert_eq!(typed("36:00"), (json!(1.5), json!("36:00")));
    assert_eq!(typed("1-2").1, "1/2", "a berth number becomes the second of January");
    assert_eq!(typed("2020-13-01").0, "2020-13-01");
}

#[test]
fn truth_text_and_the_apostrophe() {
    assert_eq!(typed("true"), (json!(true), json!("TRUE")));
    assert_eq!(typed("'007"), (json!("007"), json!("007")));
    assert_eq!(typed("'=1+1").0, "=1+1");
    assert_eq!(typed("two\nlines").0, "two\nlines");
    assert_eq!(typed("=").0, "=");
}

#[test]
fn formulas_are_computed() {
    for (formula, value) in [
        ("=4/2", json!(2)),
        ("=1+2*3^2", json!(19)),
        ("=-(1+1)%", json!(-0.02)),
        ("=B1*10+b2", json!(23)),
        ("=SUM(B1:B2, 1)", json!(6)),
        ("=AVERAGE($B$1:B2)", json!(2.5)),
        ("=IF(B1<B2, \"yes\", \"no\")", json!("yes")),
        ("=\"a\"&1&TRUE", json!("a1TRUE")),
        ("=Sheet1!B2+'Sheet1'!B1", json!(5)),
        ("=C9", json!(0)),
        ("=1/0", json!("#DIV/0!")),
        ("=NOSUCH(1)", json!("#NAME?")),
        ("=\"a\"+1", json!("#VALUE!")),
        ("=A1", json!("#REF!")),
        ("=SUM(A1:B2)", json!("#REF!")),
        ("=((", json!("#ERROR!")),
    ] {
        assert_eq!(typed(formula).0, value, "{formula}");
    }
}

#[test]
fn raw_stores_everything_as_it_is_sent() {
    let mut book = book(5, 5);
    book.put("A1", &json!([["007", "=1+1", "TRUE", "2020-01-01", "'x"]]));
    assert_eq!(book.read("A1:E1"), json!([["007", "=1+1", "TRUE", "2020-01-01", "'x"]]));
    let formulas = book.get("/values/B1", &[("valueRenderOption", "FORMULA")]);
    assert_eq!(formulas["values"], json!([["=1+1"]]), "which looks just like a formula");
}

#[test]
fn a_cell_formatted_as_text_takes_typing_as_text() {
    let mut book = book(5, 5);
    let format = json!({"userEnteredFormat": {"numberFormat": {"type": "TEXT"}}});
    let range = crate::book::grid(0, 1, 0, 1);
    book.batch(&json!([{"repeatCell": {"range": range, "cell": format, "fields": "userEnteredFormat.numberFormat"}}]));
    book.type_in("A1", &json!([["007"]]));
    assert_eq!(book.read("A1"), json!([["007"]]));
}

#[test]
fn plain_numbers_show_ten_significant_digits() {
    let mut book = book(2, 9);
    book.put(
        "A1",
        &json!([[
            0.1 + 0.2,
            1.0 / 3.0,
            1_234_567.891_234,
            1e15,
            1.5e-12,
            12_345_678_901_u64,
            44_384.718_443
        ]]),
    );
    let seen =
        json!([["0.3", "0.3333333333", "1234567.891", "1E+15", "1.5E-12", "12345678901", "44384.71844"]]);
    assert_eq!(book.seen("A1:G1"), seen);
}
