//! Cells: what a source's text means as a column's type, and when two cells are the same.
//!
//! Pure. Text stays text byte for byte; dates and times are the serial numbers that Sheets counts in, days since
//! 1899-12-30 (<https://developers.google.com/workspace/sheets/api/guides/formats#about_date_time_values>).

pub mod field;
pub mod parse;
pub mod pattern;
pub mod spooled;

use std::borrow::Cow;

use chrono::{NaiveDate, NaiveTime, TimeDelta, Timelike};
use serde_json::Value;
use shared::config::Type;

pub use crate::model::cell::field::Field;

const SECONDS_A_DAY: f64 = 86_400.0;

/// What one cell holds. An empty text and an empty cell are the same to Sheets, so here as well.
///
/// Of most cells nothing but the digest is wanted: they borrow their text from where it was read.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell<T = String> {
    /// Nothing.
    Empty,
    /// Text, also text that looks like a number or a formula.
    Text(T),
    /// A number, also a date or time as its serial number.
    Number(f64),
    /// `TRUE` or `FALSE`.
    Bool(bool),
}

impl<'a> Cell<&'a str> {
    /// Reads a value as the Sheets API returns it with `UNFORMATTED_VALUE` and `SERIAL_NUMBER`.
    pub fn of_json(value: Option<&'a Value>) -> Self {
        match value {
            Some(Value::Bool(bool)) => Self::Bool(*bool),
            Some(Value::Number(number)) => number.as_f64().map_or(Self::Empty, Self::Number),
            Some(Value::String(text)) if !text.is_empty() => Self::Text(text),
            _ => Self::Empty,
        }
    }
}

impl Cell {
    /// As [`Cell::of_json`], with a text of its own.
    pub fn from_json(value: &Value) -> Self {
        Cell::of_json(Some(value)).map(str::to_owned)
    }

    /// The value as `values.batchUpdate` takes it with `RAW`. Never null, which would mean "leave the cell alone".
    pub fn to_json(&self) -> Value {
        match self {
            Self::Empty => Value::from(""),
            Self::Text(text) => Value::from(text.as_str()),
            Self::Number(number) => json_number(*number),
            Self::Bool(bool) => Value::from(*bool),
        }
    }

    /// Whether two cells of a column are the same, float noise aside: Sheets returns dates with rounding errors.
    pub fn is_same(&self, other: &Self, kind: Type) -> bool {
        match (self, other) {
            (Self::Number(a), Self::Number(b)) if is_temporal(kind) => whole_seconds(*a) == whole_seconds(*b),
            // A whole number is exact as far as a column takes it, and the last digit of a long one distinguishes two.
            (Self::Number(a), Self::Number(b)) if kind == Type::Integer => a == b,
            // Sheets shows fifteen significant digits.
            (Self::Number(a), Self::Number(b)) => (a - b).abs() <= 1e-15 * a.abs().max(b.abs()),
            _ => self == other,
        }
    }
}

impl<T> Cell<T> {
    /// The same cell with its text in another form.
    pub fn map<U>(self, text: impl FnOnce(T) -> U) -> Cell<U> {
        match self {
            Self::Empty => Cell::Empty,
            Self::Text(own) => Cell::Text(text(own)),
            Self::Number(number) => Cell::Number(number),
            Self::Bool(bool) => Cell::Bool(bool),
        }
    }
}

impl<T: AsRef<str>> Cell<T> {
    /// Appends what makes the cell itself to the bytes that are digested: gathered, since a digest of many small pieces
    /// costs more than all else. Cells with the same bytes are the same; the reverse is decided by [`Cell::is_same`].
    ///
    /// A byte that is never a part of UTF-8 ends a text or begins another value, so that no cell continues into the next.
    pub fn digest(&self, kind: Type, bytes: &mut Vec<u8>) {
        match self {
            Self::Empty => bytes.push(0xff),
            Self::Text(text) => {
                bytes.extend_from_slice(text.as_ref().as_bytes());
                bytes.push(0xff);
            }
            Self::Number(number) => {
                bytes.push(0xfe);
                bytes.extend_from_slice(&digested_number(*number, kind));
            }
            Self::Bool(bool) => bytes.push(if *bool { 0xfd } else { 0xfc }),
        }
    }

    /// The cell as the sheet shows it, and as it identifies a booking: the number 1001 and the text "1001" are the
    /// same key, since a user may have typed it.
    pub fn shown(&self, kind: Type) -> Cow<'_, str> {
        match self {
            Self::Empty => Cow::Borrowed(""),
            Self::Text(text) => Cow::Borrowed(text.as_ref()),
            Self::Number(number) => Cow::Owned(shown_number(*number, kind)),
            Self::Bool(bool) => Cow::Borrowed(if *bool { "TRUE" } else { "FALSE" }),
        }
    }
}

/// The number format of a column's cells: Google's type and pattern, for those types that need one.
pub fn number_format(kind: Type) -> Option<(&'static str, &'static str)> {
    match kind {
        Type::Date => Some(("DATE", "yyyy-mm-dd")),
        Type::Time => Some(("TIME", "hh:mm:ss")),
        Type::DateTime => Some(("DATE_TIME", "yyyy-mm-dd hh:mm:ss")),
        Type::Text | Type::Integer | Type::Number | Type::Boolean => None,
    }
}

fn digested_number(number: f64, kind: Type) -> [u8; 8] {
    // Adding zero makes minus zero plus zero.
    if is_temporal(kind) { whole_seconds(number).to_le_bytes() } else { (number + 0.0).to_le_bytes() }
}

fn is_temporal(kind: Type) -> bool {
    matches!(kind, Type::Date | Type::Time | Type::DateTime)
}

/// Day zero of Sheets' calendar.
fn epoch() -> NaiveDate {
    NaiveDate::from_ymd_opt(1899, 12, 30).unwrap_or_default()
}

#[expect(clippy::cast_precision_loss, reason = "days of four-digit years are small")]
fn days(date: NaiveDate) -> f64 {
    (date - epoch()).num_days() as f64
}

/// A time to the second, as a part of a day: all of it for the last half second.
fn fraction(time: NaiveTime) -> f64 {
    let half_up = if time.nanosecond() >= 500_000_000 { 1.0 } else { 0.0 };
    (f64::from(time.num_seconds_from_midnight()) + half_up) / SECONDS_A_DAY
}

/// A time of day to the second, as a part of a day. No time of day is the end of it, so the last second has half a second
/// more than the others.
fn time_of_day(time: NaiveTime) -> f64 {
    fraction(time).min((SECONDS_A_DAY - 1.0) / SECONDS_A_DAY)
}

/// A serial number in seconds, float noise aside.
#[expect(clippy::cast_possible_truncation, reason = "a cast from float saturates, and no date is that far")]
pub fn whole_seconds(serial: f64) -> i64 {
    (serial * SECONDS_A_DAY).round() as i64
}

fn shown_number(number: f64, kind: Type) -> String {
    let at = is_temporal(kind)
        .then(|| {
            epoch()
                .and_time(NaiveTime::MIN)
                .checked_add_signed(TimeDelta::try_seconds(whole_seconds(number))?)
        })
        .flatten();
    match (kind, at) {
        (Type::Date, Some(at)) if whole_seconds(number) % 86_400 == 0 => at.format("%Y-%m-%d").to_string(),
        (Type::Time, Some(at)) if (0.0..1.0).contains(&number) => at.format("%H:%M:%S").to_string(),
        (Type::Date | Type::DateTime, Some(at)) => at.format("%Y-%m-%d %H:%M:%S").to_string(),
        _ => number.to_string(),
    }
}

/// Whole numbers without a decimal point, as Google writes them.
pub fn json_number(number: f64) -> Value {
    #[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
    if number.fract() == 0.0 && number.abs() < 9e15 {
        Value::from(number as i64)
    } else {
        Value::from(number)
    }
}

#[cfg(test)]
mod tests;
