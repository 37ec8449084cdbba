//! A source's text, read strictly as one type: what is doubtful is refused, never guessed.
//!
//! Pure. The reason of a refusal names neither field nor line; its caller knows them.

use std::borrow::Cow;

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Timelike};
use shared::config::{Notation, Pattern, Type};

use crate::model::cell::Cell;
use crate::model::cell::days;
use crate::model::cell::fraction;
use crate::model::cell::pattern;
use crate::model::cell::time_of_day;

/// Sheets refuses longer text: "Your input contains more than the maximum of 50000 characters in a single cell."
const TEXT_LIMIT: usize = 50_000;

/// The largest integer that a sheet's double holds exactly.
const INTEGER_LIMIT: i64 = 1 << 53;

pub(super) fn read<'a>(text: &'a str, kind: Type, notation: &Notation) -> Result<Cell<&'a str>, String> {
    if text.as_bytes().contains(&0) {
        return Err("holds a NUL character, which Sheets cannot store".to_owned());
    }
    if kind == Type::Text {
        return plain(text);
    }
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Ok(Cell::Empty);
    }
    match kind {
        Type::Integer => integer(&digits(trimmed, notation)?).map(Cell::Number),
        Type::Number => number(&digits(trimmed, notation)?).map(Cell::Number),
        Type::Boolean => boolean(trimmed, notation).map(Cell::Bool),
        Type::Date => date(trimmed, &notation.patterns).map(|date| Cell::Number(days(date))),
        Type::Time => time(trimmed, &notation.patterns).map(|time| Cell::Number(time_of_day(time))),
        Type::DateTime => datetime(trimmed, notation).map(datetime_cell),
        Type::Text => plain(text),
    }
}

fn plain(text: &str) -> Result<Cell<&str>, String> {
    // Bytes are never fewer than UTF-16 units, so most text need not be counted.
    if text.len() > TEXT_LIMIT && text.encode_utf16().count() > TEXT_LIMIT {
        return Err(format!("is longer than the {TEXT_LIMIT} characters that a cell of Sheets can hold"));
    }
    Ok(if text.is_empty() { Cell::Empty } else { Cell::Text(text) })
}

/// The text with a point for the decimal separator and without grouping.
fn digits<'a>(text: &'a str, notation: &Notation) -> Result<Cow<'a, str>, String> {
    if notation.decimal == '.' && notation.grouping.is_none() {
        return Ok(Cow::Borrowed(text));
    }
    plain_digits(text, notation)
        .map(Cow::Owned)
        .ok_or_else(|| format!("{} is not a number such as {}", quoted(text), example(notation)))
}

fn plain_digits(text: &str, notation: &Notation) -> Option<String> {
    let (whole, rest) = match text.split_once(notation.decimal) {
        Some((whole, rest)) => (whole, Some(rest)),
        None => (text, None),
    };
    let whole = ungrouped(whole, notation.grouping)?;
    if !is_plain(&whole) || !rest.is_none_or(is_plain) {
        return None;
    }
    Some(rest.map_or_else(|| whole.clone(), |rest| format!("{whole}.{rest}")))
}

/// A point or comma that is left is neither a decimal separator nor a grouping one.
fn is_plain(part: &str) -> bool {
    !part.is_empty() && !part.contains(['.', ','])
}

/// Digits without the signs between groups, which hold three digits each but for the first.
fn ungrouped(whole: &str, grouping: Option<char>) -> Option<String> {
    let groups: Vec<&str> = match grouping {
        // Programs write grouping spaces that do not break.
        Some(' ') => whole.split([' ', '\u{a0}', '\u{202f}']).collect(),
        Some(sign) => whole.split(sign).collect(),
        None => vec![whole],
    };
    let first = groups[0].trim_start_matches(['+', '-']);
    let is_grouped = (1..=3).contains(&first.len()) && groups[1..].iter().all(|group| group.len() == 3);
    (groups.len() == 1 || is_grouped).then(|| groups.concat())
}

fn example(notation: &Notation) -> String {
    let grouping = notation.grouping.map(String::from).unwrap_or_default();
    format!("1{grouping}234{}5", notation.decimal)
}

pub(super) fn integer(text: &str) -> Result<f64, String> {
    let number: i64 = text.parse().map_err(|_| format!("{} is not a whole number", quoted(text)))?;
    if number.unsigned_abs() > INTEGER_LIMIT.unsigned_abs() {
        return Err(format!(
            "{} is too large for a sheet to hold exactly; make the column text",
            quoted(text)
        ));
    }
    #[expect(clippy::cast_precision_loss, reason = "the limit is where precision would be lost")]
    Ok(number as f64)
}

pub(super) fn number(text: &str) -> Result<f64, String> {
    let plain = text.chars().all(|c| c.is_ascii_digit() || matches!(c, '+' | '-' | '.' | 'e' | 'E'));
    let number = text.parse::<f64>().ok().filter(|number| plain && number.is_finite());
    number.ok_or_else(|| format!("{} is not a number such as 12.5", quoted(text)))
}

pub(super) fn boolean(text: &str, notation: &Notation) -> Result<bool, String> {
    let word = text.to_lowercase();
    match (&notation.words, word.as_str()) {
        (Some([yes, _]), _) if yes.contains(&word) => Ok(true),
        (Some([_, no]), _) if no.contains(&word) => Ok(false),
        (None, "true" | "yes" | "1") => Ok(true),
        (None, "false" | "no" | "0") => Ok(false),
        (None, _) => Err(format!("{} is not true or false", quoted(text))),
        (Some([yes, no]), _) => {
            Err(format!("{} is not one of {}", quoted(text), [yes.join(", "), no.join(", ")].join(", ")))
        }
    }
}

fn date(text: &str, patterns: &[Pattern]) -> Result<NaiveDate, String> {
    if !patterns.is_empty() {
        return by_pattern(text, patterns, |found| found.date());
    }
    iso_date(text).ok_or_else(|| format!("{} is not a date such as 2026-05-13", quoted(text)))
}

fn time(text: &str, patterns: &[Pattern]) -> Result<NaiveTime, String> {
    if !patterns.is_empty() {
        return by_pattern(text, patterns, |found| found.time());
    }
    iso_time(text).ok_or_else(|| format!("{} is not a time such as 14:30", quoted(text)))
}

fn datetime(text: &str, notation: &Notation) -> Result<NaiveDateTime, String> {
    if !notation.patterns.is_empty() {
        return by_pattern(text, &notation.patterns, |found| Some(found.date()?.and_time(found.time()?)));
    }
    if let Some(at) = iso_datetime(text) {
        return Ok(at);
    }
    // A lower-case t and a blank are RFC 3339 as well, and what databases write.
    let instant = DateTime::parse_from_rfc3339(text).ok().filter(|at| at.nanosecond() < 1_000_000_000);
    match (instant, &notation.time_zone) {
        (Some(at), Some(zone)) => {
            zone.local(at.to_utc()).ok_or_else(|| format!("{} is out of range", quoted(text)))
        }
        (Some(_), None) => Err(format!("{} {}", quoted(text), needs_time_zone())),
        (None, _) => Err(format!("{} is not a date and time such as 2026-05-13 14:30", quoted(text))),
    }
}

/// What a point in time needs before it can be shown.
pub(super) fn needs_time_zone() -> String {
    "names a time zone: say with time-zone in which one to show it".to_owned()
}

pub(super) fn datetime_cell<T>(at: NaiveDateTime) -> Cell<T> {
    Cell::Number(days(at.date()) + fraction(at.time()))
}

fn by_pattern<T>(
    text: &str,
    patterns: &[Pattern],
    value: impl Fn(&pattern::PatternMatch) -> Option<T>,
) -> Result<T, String> {
    let found = patterns.iter().find_map(|pattern| value(&pattern::find(text, pattern)?));
    found.ok_or_else(|| {
        let known = patterns.iter().map(Pattern::text).collect::<Vec<_>>().join(" or ");
        format!("{} is not written as {known}", quoted(text))
    })
}

fn iso_date(text: &str) -> Option<NaiveDate> {
    // The length keeps out years that are not four digits, which chrono would take, as it would a sign and blanks.
    let is_plain = text.len() == 10
        && text.starts_with(|c: char| c.is_ascii_digit())
        && !text.contains(char::is_whitespace);
    NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().filter(|_| is_plain)
}

fn iso_time(text: &str) -> Option<NaiveTime> {
    let forms = ["%H:%M", "%H:%M:%S", "%H:%M:%S%.f"];
    let time = forms.iter().find_map(|form| NaiveTime::parse_from_str(text, form).ok());
    // Chrono would take blanks, and `8:5`, which may be five past eight or ten to nine.
    let is_plain = !text.contains(char::is_whitespace)
        && text.split([':', '.']).skip(1).take(2).all(|part| part.len() >= 2);
    // A leap second is no time of day in Sheets.
    time.filter(|time| is_plain && time.nanosecond() < 1_000_000_000)
}

fn iso_datetime(text: &str) -> Option<NaiveDateTime> {
    let (date, time) = text.split_once(['T', ' '])?;
    Some(iso_date(date)?.and_time(iso_time(time.trim_start())?))
}

/// The text in quotes, cut to what fits on a line.
pub(super) fn quoted(text: &str) -> String {
    let short: String = text.chars().take(40).collect();
    if short.len() < text.len() { format!("{short:?}…") } else { format!("{short:?}") }
}
