//! Cells: what a source's text means as a column's type, and when two cells are the same.
//!
//! Pure. Text stays text byte for byte; dates and times are the serial numbers that Sheets counts in, days since
//! 1899-12-30 (<https://developers.google.com/workspace/sheets/api/guides/formats#about_date_time_values>).

use std::fmt;

use chrono::{NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike};
use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde::ser::{Serialize, Serializer};
use serde_json::Value;
use shared::config::Type;

/// Sheets refuses longer text: "Your input contains more than the maximum of 50000 characters in a single cell."
const TEXT_LIMIT: usize = 50_000;

/// The largest integer that a sheet's double holds exactly.
const INTEGER_LIMIT: i64 = 1 << 53;

const SECONDS_A_DAY: f64 = 86_400.0;

/// What one cell holds. An empty text and an empty cell are the same to Sheets, so here as well.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// Nothing.
    Empty,
    /// Text, also text that looks like a number or a formula.
    Text(String),
    /// A number, also a date or time as its serial number.
    Number(f64),
    /// `TRUE` or `FALSE`.
    Bool(bool),
}

impl Cell {
    /// Reads a source's text as a column's type.
    ///
    /// # Errors
    /// Why it cannot be that, without naming field or line.
    pub fn parse(text: &str, kind: Type) -> Result<Self, String> {
        if text.contains('\0') {
            return Err("holds a NUL character, which Sheets cannot store".to_owned());
        }
        if kind == Type::Text {
            return parse_text(text);
        }
        let trimmed = text.trim();
        if trimmed.is_empty() {
            return Ok(Self::Empty);
        }
        match kind {
            Type::Integer => parse_integer(trimmed).map(Self::Number),
            Type::Number => parse_number(trimmed).map(Self::Number),
            Type::Boolean => parse_boolean(trimmed).map(Self::Bool),
            Type::Date => parse_date(trimmed).map(|date| Self::Number(days(date))),
            Type::Time => parse_time(trimmed).map(|time| Self::Number(fraction(time))),
            Type::DateTime => {
                parse_datetime(trimmed).map(|at| Self::Number(days(at.date()) + fraction(at.time())))
            }
            Type::Text => unreachable!("handled above"),
        }
    }

    /// Reads a value as the Sheets API answers it with `UNFORMATTED_VALUE` and `SERIAL_NUMBER`.
    pub fn from_json(value: &Value) -> Self {
        match value {
            Value::Bool(bool) => Self::Bool(*bool),
            Value::Number(number) => number.as_f64().map_or(Self::Empty, Self::Number),
            Value::String(text) if !text.is_empty() => Self::Text(text.clone()),
            _ => Self::Empty,
        }
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

    /// Whether two cells of a column are the same, float noise aside: Sheets answers dates with rounding errors.
    pub fn is_same(&self, other: &Self, kind: Type) -> bool {
        match (self, other) {
            (Self::Number(a), Self::Number(b)) if is_temporal(kind) => whole_seconds(*a) == whole_seconds(*b),
            // Sheets shows fifteen significant digits.
            (Self::Number(a), Self::Number(b)) => (a - b).abs() <= 1e-15 * a.abs().max(b.abs()),
            _ => self == other,
        }
    }

    /// Feeds what makes the cell itself into a digest. Cells that digest alike are the same; the reverse is decided
    /// by [`Cell::is_same`].
    pub fn digest(&self, kind: Type, hasher: &mut blake3::Hasher) {
        match self {
            Self::Empty => digest_empty(hasher),
            Self::Text(text) => digest_text(text, hasher),
            Self::Number(number) => digest_number(*number, kind, hasher),
            Self::Bool(bool) => digest_bool(*bool, hasher),
        }
    }

    /// The cell as a person reads it, and as it identifies a booking: the number 1001 and the text "1001" are the
    /// same key, since a person may have typed it.
    pub fn shown(&self, kind: Type) -> String {
        match self {
            Self::Empty => String::new(),
            Self::Text(text) => text.clone(),
            Self::Number(number) => shown_number(*number, kind),
            Self::Bool(bool) => if *bool { "TRUE" } else { "FALSE" }.to_owned(),
        }
    }
}

/// As [`Cell::from_json`] and [`Cell::digest`] in one, without a copy of the text.
pub fn digest_json(value: Option<&Value>, kind: Type, hasher: &mut blake3::Hasher) {
    match value {
        Some(Value::String(text)) if !text.is_empty() => digest_text(text, hasher),
        Some(Value::Number(number)) => match number.as_f64() {
            Some(number) => digest_number(number, kind, hasher),
            None => digest_empty(hasher),
        },
        Some(Value::Bool(bool)) => digest_bool(*bool, hasher),
        _ => digest_empty(hasher),
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

fn digest_empty(hasher: &mut blake3::Hasher) {
    hasher.update(&[0]);
}

fn digest_text(text: &str, hasher: &mut blake3::Hasher) {
    hasher.update(&[1]);
    hasher.update(&(text.len() as u64).to_le_bytes());
    hasher.update(text.as_bytes());
}

fn digest_number(number: f64, kind: Type, hasher: &mut blake3::Hasher) {
    hasher.update(&[2]);
    if is_temporal(kind) {
        hasher.update(&whole_seconds(number).to_le_bytes());
    } else {
        // Adding zero makes minus zero plus zero.
        hasher.update(&(number + 0.0).to_bits().to_le_bytes());
    }
}

fn digest_bool(bool: bool, hasher: &mut blake3::Hasher) {
    hasher.update(&[3, u8::from(bool)]);
}

fn is_temporal(kind: Type) -> bool {
    matches!(kind, Type::Date | Type::Time | Type::DateTime)
}

fn parse_text(text: &str) -> Result<Cell, String> {
    // Bytes are never fewer than UTF-16 units, so most text need not be counted.
    if text.len() > TEXT_LIMIT && text.encode_utf16().count() > TEXT_LIMIT {
        return Err(format!("is longer than the {TEXT_LIMIT} characters that a cell of Sheets can hold"));
    }
    Ok(if text.is_empty() { Cell::Empty } else { Cell::Text(text.to_owned()) })
}

fn parse_integer(text: &str) -> Result<f64, String> {
    let number: i64 = text.parse().map_err(|_| format!("{} is not a whole number", quoted(text)))?;
    if number.abs() > INTEGER_LIMIT {
        return Err(format!(
            "{} is too large for a sheet to hold exactly; make the column text",
            quoted(text)
        ));
    }
    #[expect(clippy::cast_precision_loss, reason = "the limit is where precision would be lost")]
    Ok(number as f64)
}

fn parse_number(text: &str) -> Result<f64, String> {
    let plain = text.chars().all(|c| c.is_ascii_digit() || matches!(c, '+' | '-' | '.' | 'e' | 'E'));
    let number = text.parse::<f64>().ok().filter(|number| plain && number.is_finite());
    number.ok_or_else(|| format!("{} is not a number such as 12.5", quoted(text)))
}

fn parse_boolean(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "1" => Ok(true),
        "false" | "no" | "0" => Ok(false),
        _ => Err(format!("{} is not true or false", quoted(text))),
    }
}

fn parse_date(text: &str) -> Result<NaiveDate, String> {
    // The length keeps out years that are not four digits, which chrono would take.
    let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().filter(|_| text.len() == 10);
    date.ok_or_else(|| format!("{} is not a date such as 2026-05-13", quoted(text)))
}

fn parse_time(text: &str) -> Result<NaiveTime, String> {
    let time = ["%H:%M", "%H:%M:%S", "%H:%M:%S%.f"]
        .iter()
        .find_map(|form| NaiveTime::parse_from_str(text, form).ok());
    // A leap second is no time of day in Sheets.
    let time = time.filter(|time| time.nanosecond() < 1_000_000_000);
    time.ok_or_else(|| format!("{} is not a time such as 14:30", quoted(text)))
}

fn parse_datetime(text: &str) -> Result<NaiveDateTime, String> {
    let wrong =
        || format!("{} is not a date and time such as 2026-05-13 14:30 (without a time zone)", quoted(text));
    let (date, time) = text.split_once(['T', ' ']).ok_or_else(wrong)?;
    match (parse_date(date), parse_time(time.trim_start())) {
        (Ok(date), Ok(time)) => Ok(date.and_time(time)),
        _ => Err(wrong()),
    }
}

/// The text in quotes, cut to what fits on a line.
fn quoted(text: &str) -> String {
    let short: String = text.chars().take(40).collect();
    if short.len() < text.len() { format!("{short:?}…") } else { format!("{short:?}") }
}

/// Day zero of Sheets' calendar.
fn epoch() -> NaiveDate {
    NaiveDate::from_ymd_opt(1899, 12, 30).unwrap_or_default()
}

#[expect(clippy::cast_precision_loss, reason = "days of four-digit years are small")]
fn days(date: NaiveDate) -> f64 {
    (date - epoch()).num_days() as f64
}

/// A time of day to the second, as a part of a day.
fn fraction(time: NaiveTime) -> f64 {
    let half_up = if time.nanosecond() >= 500_000_000 { 1.0 } else { 0.0 };
    (f64::from(time.num_seconds_from_midnight()) + half_up) / SECONDS_A_DAY
}

#[expect(clippy::cast_possible_truncation, reason = "a cast from float saturates, and no date is that far")]
fn whole_seconds(serial: f64) -> i64 {
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

impl Serialize for Cell {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Empty => serializer.serialize_unit(),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Number(number) => serializer.serialize_f64(*number),
            Self::Bool(bool) => serializer.serialize_bool(*bool),
        }
    }
}

impl<'de> Deserialize<'de> for Cell {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(CellVisitor)
    }
}

struct CellVisitor;

#[expect(
    clippy::cast_precision_loss,
    reason = "the spool writes numbers as floats; integers are only their short form"
)]
impl Visitor<'_> for CellVisitor {
    type Value = Cell;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("null, a string, a number or a boolean")
    }

    fn visit_unit<E: Error>(self) -> Result<Cell, E> {
        Ok(Cell::Empty)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Cell, E> {
        Ok(Cell::Text(text.to_owned()))
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Cell, E> {
        Ok(Cell::Text(text))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Cell, E> {
        Ok(Cell::Number(number))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Cell, E> {
        Ok(Cell::Number(number as f64))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Cell, E> {
        Ok(Cell::Number(number as f64))
    }

    fn visit_bool<E: Error>(self, bool: bool) -> Result<Cell, E> {
        Ok(Cell::Bool(bool))
    }
}

#[cfg(test)]
mod tests;
