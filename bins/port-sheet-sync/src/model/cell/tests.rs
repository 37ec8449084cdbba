use std::borrow::Cow;

use proptest::prelude::*;

use crate::model::cell::*;
use chrono::{DateTime, FixedOffset, NaiveDateTime};
use shared::config::{Notation, Pattern, TimeZone};

fn typed(field: &Field<'_>, kind: Type, notation: &Notation) -> Result<Cell, String> {
    field.to_cell(kind, notation).map(|cell| cell.map(Cow::into_owned))
}

fn read(text: &str, kind: Type) -> Result<Cell, String> {
    typed(&Field::text(text), kind, &Notation::default())
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
        ("+020-01-01", Type::Date),
        ("-999-01-01", Type::Date),
        ("2020- 1- 1", Type::Date),
        ("8:5", Type::Time),
        ("14:30:5", Type::Time),
        ("14: 30", Type::Time),
        ("2020-01-01T12:00Z", Type::DateTime),
        ("2020-01-01", Type::DateTime),
    ] {
        assert!(read(text, kind).is_err(), "{text}");
    }
}

#[test]
fn the_last_half_second_of_a_day_is_of_that_day_where_there_is_no_next_one() {
    for written in ["23:59:59", "23:59:59.4", "23:59:59.5", "23:59:59.999999"] {
        assert_eq!(parsed(written, Type::Time).shown(Type::Time), "23:59:59", "{written}");
        let typed = typed(&Field::Time(written.parse().unwrap()), Type::Time, &Notation::default()).unwrap();
        assert_eq!(typed, parsed("23:59:59", Type::Time), "{written}");
    }
    let midnight = parsed("2026-05-13 23:59:59.5", Type::DateTime);
    assert_eq!(midnight, parsed("2026-05-14 00:00", Type::DateTime), "the next day begins");
}

#[test]
fn whole_numbers_are_compared_to_their_last_digit() {
    let number = |text: &str| parsed(text, Type::Integer);
    assert!(!number("4539148803436467").is_same(&number("4539148803436468"), Type::Integer));
    assert!(number("4539148803436467").is_same(&number("+4539148803436467"), Type::Integer));
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

fn digested(feed: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut bytes = Vec::new();
    feed(&mut bytes);
    bytes
}

#[test]
fn no_text_goes_on_into_the_next_cell_of_what_is_digested() {
    let row = |texts: [&str; 2]| {
        digested(|bytes| texts.iter().for_each(|text| Cell::Text(*text).digest(Type::Text, bytes)))
    };
    assert_ne!(row(["a\u{1}b", "c"]), row(["a", "b\u{1}c"]));
    assert_ne!(row(["ab", "c"]), row(["a", "bc"]));
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
            let own = digested(|bytes| cell.digest(kind, bytes));
            prop_assert_eq!(own, digested(|bytes| Cell::of_json(Some(&wire)).digest(kind, bytes)));
        }
    }

    #[test]
    fn equal_digests_mean_equal_cells(a in any_cell(), b in any_cell()) {
        let same_digest = digested(|bytes| a.digest(Type::Text, bytes)) == digested(|bytes| b.digest(Type::Text, bytes));
        prop_assert_eq!(same_digest, a == b);
    }

    #[test]
    fn a_date_and_time_is_shown_as_it_was_written(day in 0i64..80_000, second in 0i64..86_400) {
        let at = epoch().and_time(NaiveTime::MIN) + TimeDelta::seconds(day * 86_400 + second);
        let text = at.format("%Y-%m-%d %H:%M:%S").to_string();
        let cell = parsed(&text, Type::DateTime);
        prop_assert_eq!(cell.shown(Type::DateTime), text);
    }

    #[test]
    fn any_text_is_itself_whatever_it_looks_like(text in "[=+@'0-9A-Z-]?[^\\x00]{0,40}") {
        let cell = typed(&Field::text(&text), Type::Text, &Notation::default()).unwrap();
        prop_assert_eq!(cell.shown(Type::Text), text);
    }

    #[test]
    fn a_number_is_the_same_however_it_is_written(whole in -999_999_999i64..999_999_999, cents in 0u32..100) {
        let plain = format!("{whole}.{cents:02}");
        let wanted = parsed(&plain, Type::Number);
        for (decimal, grouping) in [(',', Some('.')), (',', Some(' ')), ('.', Some(',')), ('.', Some('\'')), (',', None)] {
            let notation = Notation { decimal, grouping, ..Notation::default() };
            let grouped = grouped(whole, grouping);
            let read = |text: &str| typed(&Field::text(text), Type::Number, &notation);
            prop_assert_eq!(read(&format!("{grouped}{decimal}{cents:02}")).unwrap(), wanted.clone());
            prop_assert_eq!(read(&whole.to_string()).unwrap(), parsed(&whole.to_string(), Type::Number));
            let other = if decimal == ',' { '.' } else { ',' };
            if grouping != Some(other) {
                let strange = read(&format!("{whole}{other}{cents:02}"));
                prop_assert!(strange.is_err());
            }
        }
    }

    #[test]
    fn a_day_is_the_same_by_every_pattern_and_by_its_type(day in 36_526i64..73_000) {
        let date = epoch() + TimeDelta::days(day);
        let wanted = parsed(&date.to_string(), Type::Date);
        for (pattern, form) in [("DD.MM.YYYY", "%d.%m.%Y"), ("D.M.YYYY", "%-d.%-m.%Y"), ("YYYYMMDD", "%Y%m%d"), ("M/D/YY", "%-m/%-d/%y")] {
            prop_assert_eq!(by_pattern(&date.format(form).to_string(), pattern, Type::Date).unwrap(), wanted.clone());
        }
        prop_assert_eq!(typed(&Field::Date(date), Type::Date, &Notation::default()).unwrap(), wanted);
    }

    #[test]
    fn a_time_is_the_same_by_every_pattern(minute in 0u32..1440) {
        let (hour, minute) = (minute / 60, minute % 60);
        let wanted = parsed(&format!("{hour:02}:{minute:02}"), Type::Time);
        let half = if hour < 12 { "am" } else { "PM" };
        let twelve = if hour % 12 == 0 { 12 } else { hour % 12 };
        for (pattern, text) in [
            ("hh:mm", format!("{hour:02}:{minute:02}")),
            ("hmm", format!("{hour}{minute:02}")),
            ("hhmm", format!("{hour:02}{minute:02}")),
            ("h:mm am", format!("{twelve}:{minute:02} {half}")),
        ] {
            prop_assert_eq!(by_pattern(&text, pattern, Type::Time).unwrap(), wanted.clone());
        }
    }

    #[test]
    fn a_point_in_time_is_the_same_whatever_offset_it_is_written_with(second in 0i64..2_000_000_000, offset in -840i32..840) {
        let notation = Notation { time_zone: TimeZone::named("Europe/Berlin"), ..Notation::default() };
        let at = DateTime::from_timestamp(second, 0).unwrap();
        let offset = FixedOffset::east_opt(offset * 60).unwrap();
        let text = at.with_timezone(&offset).to_rfc3339();
        let wanted = typed(&Field::Instant(at), Type::DateTime, &notation).unwrap();
        prop_assert_eq!(typed(&Field::text(&text), Type::DateTime, &notation).unwrap(), wanted.clone());
        let shown = wanted.shown(Type::DateTime);
        let ahead = NaiveDateTime::parse_from_str(&shown, "%Y-%m-%d %H:%M:%S").unwrap() - at.naive_utc();
        prop_assert!([1, 2].contains(&ahead.num_hours()), "{}", shown);
    }

    #[test]
    fn no_text_makes_reading_it_panic(text in "\\PC{0,30}", grouping in proptest::option::of(proptest::char::any())) {
        let notation = Notation { decimal: ',', grouping, ..Notation::default() };
        for (_, kind) in Type::NAMES {
            drop(typed(&Field::text(&text), kind, &notation));
        }
        for (pattern, kind) in [("D.M.YY", Type::Date), ("h:mm:ss am", Type::Time), ("DD.MM.YYYY hmm", Type::DateTime)] {
            drop(by_pattern(&text, pattern, kind));
        }
    }
}

fn by_pattern(text: &str, pattern: &str, kind: Type) -> Result<Cell, String> {
    let patterns = vec![Pattern::parse(pattern, kind).unwrap()];
    typed(&Field::text(text), kind, &Notation { patterns, ..Notation::default() })
}

/// A whole number with a sign between groups of three digits.
fn grouped(whole: i64, sign: Option<char>) -> String {
    let digits = whole.unsigned_abs().to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().map(|group| std::str::from_utf8(group).unwrap()).collect();
    let minus = if whole < 0 { "-" } else { "" };
    format!("{minus}{}", groups.join(&sign.map(String::from).unwrap_or_default()))
}

#[test]
fn what_only_looks_like_a_pattern_or_a_group_is_refused() {
    for (text, pattern, kind) in [
        ("31.02.2026", "DD.MM.YYYY", Type::Date),
        ("1.2.2026", "DD.MM.YYYY", Type::Date),
        ("13.05.2026 ", "DD.MM.YYYY.", Type::Date),
        ("2026-05-13", "DD.MM.YYYY", Type::Date),
        ("8", "hmm", Type::Time),
        ("2460", "hmm", Type::Time),
        ("0:30 am", "h:mm am", Type::Time),
        ("13:00 pm", "h:mm am", Type::Time),
        ("1:00 xm", "h:mm am", Type::Time),
        ("+8:00", "h:mm", Type::Time),
    ] {
        assert!(by_pattern(text, pattern, kind).is_err(), "{text} by {pattern}");
    }
    let notation = Notation { decimal: ',', grouping: Some('.'), ..Notation::default() };
    for text in
        ["1.23,5", "1234.567", ".123", "1..234", "1.234.5", "1,5,5", "1,234.5", "1.2345", "12,", "0x1F", ","]
    {
        let read = typed(&Field::text(text), Type::Number, &notation);
        assert!(read.is_err(), "{text}: {read:?}");
    }
}

#[test]
fn a_type_that_the_source_gave_is_neither_reread_nor_bent() {
    let notation = Notation { decimal: ',', grouping: Some('.'), ..Notation::default() };
    let number = Field::Number("1.234".into());
    assert_eq!(typed(&number, Type::Number, &notation), Ok(Cell::Number(1.234)));
    assert_eq!(typed(&number, Type::Text, &notation), Ok(Cell::Text("1.234".into())));
    assert_eq!(typed(&Field::Number("12.00".into()), Type::Integer, &notation), Ok(Cell::Number(12.0)));
    for (field, kind, told) in [
        (Field::Number("12.50".into()), Type::Integer, "\"12.50\" is not a whole number"),
        (Field::Number("NaN".into()), Type::Number, "\"NaN\" is not a number"),
        (
            Field::Bool(true),
            Type::Integer,
            "\"true\" is a boolean, which a column of type \"integer\" cannot hold",
        ),
        (Field::Instant(DateTime::UNIX_EPOCH), Type::DateTime, "say with time-zone in which one to show it"),
        (Field::Date(epoch()), Type::DateTime, "is a date, which a column of type \"datetime\" cannot hold"),
    ] {
        let refused = typed(&field, kind, &notation).unwrap_err();
        assert!(refused.contains(told), "{refused}");
    }
}
