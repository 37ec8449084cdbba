use proptest::prelude::*;

use super::*;
use shared::config::Notation;

fn read(text: &str, kind: Type) -> Result<Cell, String> {
    Field::text(text).to_cell(kind, &Notation::default())
}

fn parsed(text: &str, kind: Type) -> Cell {
    read(text, kind).unwrap()
}

#[test]
fn text_stays_text_whatever_it_looks_like() {
    for text in ["007", "=1+1", "+1", "-", "@x", "TRUE", " padded ", "a\r\nb", "'quoted", "1e5", "🌵"] {
        assert_eq!(parsed(text, Type::Text), Cell::Text(text.to_owned()));
    }
    assert_eq!(parsed("", Type::Text), Cell::Empty);
}

#[test]
fn what_a_cell_cannot_hold_is_refused() {
    assert!(read("a\0b", Type::Text).unwrap_err().contains("NUL"));
    assert!(read(&"x".repeat(50_000), Type::Text).is_ok());
    assert!(read(&"é".repeat(50_000), Type::Text).is_ok());
    assert!(read(&"x".repeat(50_001), Type::Text).unwrap_err().contains("50000"));
    assert!(read(&"🌵".repeat(25_001), Type::Text).is_err());
}

#[test]
fn numbers_are_strict() {
    assert_eq!(parsed(" 9007199254740992 ", Type::Integer), Cell::Number(9_007_199_254_740_992.0));
    assert_eq!(parsed("-12.50", Type::Number), Cell::Number(-12.5));
    for (text, kind) in [
        ("9007199254740993", Type::Integer),
        ("12.5", Type::Integer),
        ("inf", Type::Number),
        ("NaN", Type::Number),
        ("1,5", Type::Number),
        ("1e999", Type::Number),
        ("maybe", Type::Boolean),
    ] {
        assert!(read(text, kind).is_err(), "{text}");
    }
    assert_eq!(parsed("YES", Type::Boolean), Cell::Bool(true));
}

#[test]
fn dates_are_the_serial_numbers_of_sheets() {
    assert_eq!(parsed("2020-01-01", Type::Date), Cell::Number(43_831.0));
    assert_eq!(parsed("1999-01-02", Type::Date), Cell::Number(36_162.0));
    assert_eq!(parsed("12:00", Type::Time), Cell::Number(0.5));
    assert_eq!(parsed("1900-01-01 12:00", Type::DateTime), Cell::Number(2.5));
    assert_eq!(parsed("1900-01-01T12:00:00.2", Type::DateTime), Cell::Number(2.5));
    for (text, kind) in [
        ("2020-02-30", Type::Date),
        ("20-01-01", Type::Date),
        ("01/02/2020", Type::Date),
        ("800", Type::Time),
        ("24:00", Type::Time),
        ("TA", Type::Time),
        ("2020-01-01T12:00Z", Type::DateTime),
        ("2020-01-01", Type::DateTime),
    ] {
        assert!(read(text, kind).is_err(), "{text}");
    }
}

#[test]
fn float_noise_is_no_difference_but_a_second_is() {
    let noisy = Cell::Number(44_384.718_443_000_38);
    let exact = Cell::Number(44_384.718_443);
    assert!(noisy.is_same(&exact, Type::DateTime));
    assert!(!Cell::Number(44_384.5).is_same(&Cell::Number(44_384.5 + 1.0 / 86_400.0), Type::DateTime));
    assert!(Cell::Number(0.1 + 0.2).is_same(&Cell::Number(0.3), Type::Number));
    assert!(!Cell::Number(5.0).is_same(&Cell::Text("5".into()), Type::Text));
}

fn digest(feed: impl FnOnce(&mut blake3::Hasher)) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new();
    feed(&mut hasher);
    hasher.finalize()
}

fn any_cell() -> impl Strategy<Value = Cell> {
    prop_oneof![
        Just(Cell::Empty),
        ".*".prop_map(|text| read(&text.replace('\0', ""), Type::Text).unwrap()),
        any::<bool>().prop_map(Cell::Bool),
        proptest::num::f64::NORMAL.prop_map(Cell::Number),
        (-100_000i64..100_000).prop_map(|number| parsed(&number.to_string(), Type::Integer)),
    ]
}

proptest! {
    #[test]
    fn a_cell_survives_the_wire_the_spool_and_both_digests(cell in any_cell()) {
        let wire: Value = serde_json::from_str(&cell.to_json().to_string()).unwrap();
        prop_assert_eq!(&Cell::from_json(&wire), &cell);
        let spooled: Cell = serde_json::from_str(&serde_json::to_string(&cell).unwrap()).unwrap();
        prop_assert_eq!(&spooled, &cell);
        for kind in [Type::Text, Type::Number] {
            let own = digest(|hasher| cell.digest(kind, hasher));
            prop_assert_eq!(own, digest(|hasher| digest_json(Some(&wire), kind, hasher)));
        }
    }

    #[test]
    fn equal_digests_mean_equal_cells(a in any_cell(), b in any_cell()) {
        let same_digest = digest(|hasher| a.digest(Type::Text, hasher)) == digest(|hasher| b.digest(Type::Text, hasher));
        prop_assert_eq!(same_digest, a == b);
    }

    #[test]
    fn a_date_and_time_is_shown_as_it_was_written(day in 0i64..80_000, second in 0i64..86_400) {
        let at = epoch().and_time(NaiveTime::MIN) + TimeDelta::seconds(day * 86_400 + second);
        let text = at.format("%Y-%m-%d %H:%M:%S").to_string();
        prop_assert_eq!(parsed(&text, Type::DateTime).shown(Type::DateTime), text);
    }
}
