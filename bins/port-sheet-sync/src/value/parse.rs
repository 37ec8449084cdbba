//! A source's text, read strictly as one type: what is doubtful is refused, never guessed.
//!
//! Pure. The reason of a refusal names neither field nor line; its caller knows them.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime, Timelike};

use super::Cell;

/// Sheets refuses longer text: "Your input contains more than the maximum of 50000 characters in a single cell."
const TEXT_LIMIT: usize = 50_000;

/// The largest integer that a sheet's double holds exactly.
const INTEGER_LIMIT: i64 = 1 << 53;

pub(super) fn parse_text(text: &str) -> Result<Cell, String> {
    // Bytes are never fewer than UTF-16 units, so most text need not be counted.
    if text.len() > TEXT_LIMIT && text.encode_utf16().count() > TEXT_LIMIT {
        return Err(format!("is longer than the {TEXT_LIMIT} characters that a cell of Sheets can hold"));
    }
    Ok(if text.is_empty() { Cell::Empty } else { Cell::Text(text.to_owned()) })
}

pub(super) fn parse_integer(text: &str) -> Result<f64, String> {
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

pub(super) fn parse_number(text: &str) -> Result<f64, String> {
    let plain = text.chars().all(|c| c.is_ascii_digit() || matches!(c, '+' | '-' | '.' | 'e' | 'E'));
    let number = text.parse::<f64>().ok().filter(|number| plain && number.is_finite());
    number.ok_or_else(|| format!("{} is not a number such as 12.5", quoted(text)))
}

pub(super) fn parse_boolean(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "1" => Ok(true),
        "false" | "no" | "0" => Ok(false),
        _ => Err(format!("{} is not true or false", quoted(text))),
    }
}

pub(super) fn parse_date(text: &str) -> Result<NaiveDate, String> {
    // The length keeps out years that are not four digits, which chrono would take.
    let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().filter(|_| text.len() == 10);
    date.ok_or_else(|| format!("{} is not a date such as 2026-05-13", quoted(text)))
}

pub(super) fn parse_time(text: &str) -> Result<NaiveTime, String> {
    let time = ["%H:%M", "%H:%M:%S", "%H:%M:%S%.f"]
        .iter()
        .find_map(|form| NaiveTime::parse_from_str(text, form).ok());
    // A leap second is no time of day in Sheets.
    let time = time.filter(|time| time.nanosecond() < 1_000_000_000);
    time.ok_or_else(|| format!("{} is not a time such as 14:30", quoted(text)))
}

pub(super) fn parse_datetime(text: &str) -> Result<NaiveDateTime, String> {
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
