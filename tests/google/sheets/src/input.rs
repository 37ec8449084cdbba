//! What a value in a request becomes in a cell: stored as it is (`RAW`) or read as if typed (`USER_ENTERED`).
//!
//! Reads in the en_US locale only. Dates are `chrono`'s business.

use std::sync::LazyLock;

use chrono::{Datelike, NaiveDate, NaiveTime, Timelike};
use regex::{Captures, Regex};
use serde_json::{Value, json};

use crate::ApiError;
use crate::cell::{Cell, Entered};

/// The longest text a cell takes, in characters.
const LONGEST_TEXT: usize = 50_000;

/// The year of a date typed without one. Google takes the current year; a model without a clock takes this.
const YEAR_UNSAID: i32 = 2026;

/// `ValueInputOption`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputOption {
    /// JSON types as they are.
    Raw,
    /// As if a person had typed it.
    UserEntered,
}

impl InputOption {
    /// The option of this name.
    ///
    /// # Errors
    /// 400 when there is none: the API has no default.
    pub fn read(name: Option<&str>) -> Result<Self, ApiError> {
        match name {
            Some("RAW") => Ok(Self::Raw),
            Some("USER_ENTERED") => Ok(Self::UserEntered),
            _ => Err(ApiError::invalid("'valueInputOption' is required but not specified")),
        }
    }

    /// Puts a JSON value into a cell.
    pub fn enter(self, value: &Value, cell: &mut Cell) {
        let (entered, format) = match value {
            Value::Number(number) => (Entered::Number(number.as_f64().unwrap_or_default()), None),
            Value::Bool(flag) => (Entered::Bool(*flag), None),
            Value::String(text) if self == Self::Raw || is_plain_text(cell) => (Entered::text(text), None),
            Value::String(text) => typed(text),
            _ => (Entered::Empty, None),
        };
        cell.value = entered;
        if let Some(format) = format {
            cell.edit_attributes(|attributes| {
                attributes.entry("userEnteredFormat").or_insert_with(|| json!({}))["numberFormat"] = format;
            });
        }
    }
}

/// Refuses a text longer than a cell takes.
pub fn check_length(text: &str) -> Result<(), ApiError> {
    if text.len() > LONGEST_TEXT && text.chars().count() > LONGEST_TEXT {
        let message = "Your input contains more than the maximum of 50000 characters in a single cell.";
        return Err(ApiError::invalid(message));
    }
    Ok(())
}

/// A cell formatted as text takes whatever is typed as text.
fn is_plain_text(cell: &Cell) -> bool {
    let Some(format) = cell.number_format() else { return false };
    format["type"] == "TEXT" || format["pattern"] == "@"
}

type Typed = (Entered, Option<Value>);

/// Reads a text as if it were typed into a cell: its value, and the number format it brings along.
pub fn typed(text: &str) -> Typed {
    if let Some(rest) = text.strip_prefix('\'') {
        return (Entered::text(rest), None);
    }
    if text.len() > 1 && text.starts_with('=') {
        return (Entered::Formula(text.into()), None);
    }
    let trimmed = text.trim();
    if trimmed.eq_ignore_ascii_case("true") || trimmed.eq_ignore_ascii_case("false") {
        return (Entered::Bool(trimmed.eq_ignore_ascii_case("true")), None);
    }
    number(trimmed).or_else(|| moment(trimmed)).unwrap_or_else(|| (Entered::text(text), None))
}

static NUMBER: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?x)^ (?P<open>\()? (?P<sign>[+-])? (?P<currency>\$)? (?P<sign2>[+-])?
          (?P<digits>\d{1,3}(?:,\d{3})+|\d+)? (?P<fraction>\.\d*)? (?P<power>[eE][+-]?\d+)?
          \s* (?P<percent>%)? (?P<close>\))? $",
    )
    .ok()
});

/// A number with all a person may put around it: sign, parentheses, `$`, thousands, fraction, power, `%`.
fn number(text: &str) -> Option<Typed> {
    let parts = NUMBER.as_ref()?.captures(text)?;
    let has = |name: &str| parts.name(name).is_some();
    let part = |name: &str| parts.name(name).map_or("", |part| part.as_str());
    if part("digits").is_empty() && part("fraction").len() < 2 {
        return None;
    }
    if has("open") != has("close") || (has("sign") && has("sign2")) || (has("percent") && has("currency")) {
        return None;
    }
    let plain = format!("{}{}{}", part("digits").replace(',', ""), part("fraction"), part("power"));
    let size: f64 = plain.parse().ok().filter(|size: &f64| size.is_finite())?;
    let size = if has("percent") { percent(&plain)? } else { size };
    let negative = has("open") || part("sign") == "-" || part("sign2") == "-";
    let value = if negative { -size } else { size };
    Some((Entered::Number(value), number_format(&parts)))
}

/// The format that the dress of a number brings along; a bare one brings none.
fn number_format(parts: &Captures<'_>) -> Option<Value> {
    let part = |name: &str| parts.name(name).map_or("", |part| part.as_str());
    let decimals = if part("fraction").len() > 1 { ".00" } else { "" };
    let (kind, pattern) = if !part("percent").is_empty() {
        ("PERCENT", format!("0{decimals}%"))
    } else if !part("currency").is_empty() {
        ("CURRENCY", format!("$#,##0{decimals}"))
    } else if !part("power").is_empty() {
        ("SCIENTIFIC", "0.00E+00".to_owned())
    } else if part("digits").contains(',') {
        ("NUMBER", format!("#,##0{decimals}"))
    } else {
        return None;
    };
    Some(json!({"type": kind, "pattern": pattern}))
}

/// Shifts the decimal point in the text, for dividing by 100 would show in the last digits.
fn percent(plain: &str) -> Option<f64> {
    if plain.contains(['e', 'E']) {
        plain.parse::<f64>().ok().map(|size| size / 100.0)
    } else {
        format!("{plain}e-2").parse().ok()
    }
}

/// Date notations, each with the format the cell takes.
const DATES: [(&str, &str); 9] = [
    ("%Y-%m-%d", "yyyy-mm-dd"),
    ("%Y/%m/%d", "yyyy/mm/dd"),
    ("%m/%d/%Y", "m/d/yyyy"),
    ("%m-%d-%Y", "m-d-yyyy"),
    ("%b %d, %Y", "mmm d, yyyy"),
    ("%B %d, %Y", "mmmm d, yyyy"),
    ("%d %b %Y", "d mmm yyyy"),
    ("%d %B %Y", "d mmmm yyyy"),
    ("%d-%b-%Y", "d-mmm-yyyy"),
];

const TIMES: [(&str, &str); 4] = [
    ("%H:%M:%S", "h:mm:ss"),
    ("%H:%M", "h:mm"),
    ("%I:%M:%S %p", "h:mm:ss am/pm"),
    ("%I:%M %p", "h:mm am/pm"),
];

/// A date, a time of day, both, or a duration.
fn moment(text: &str) -> Option<Typed> {
    if !text.starts_with(|first: char| first.is_ascii_alphanumeric()) || text.len() > 40 {
        return None;
    }
    let typed = |serial: f64, kind: &str, pattern: &str| {
        Some((Entered::Number(serial), Some(json!({"type": kind, "pattern": pattern}))))
    };
    if let Some((serial, pattern)) = date(text) {
        return typed(serial, "DATE", pattern);
    }
    if let Some((fraction, pattern)) = time(text) {
        return typed(fraction, "TIME", pattern);
    }
    if let Some((fraction, pattern)) = duration(text) {
        return typed(fraction, "TIME", pattern);
    }
    let (day, clock) =
        text.match_indices(' ').find_map(|(at, _)| Some((date(&text[..at])?, time(&text[at + 1..])?)))?;
    typed(day.0 + clock.0, "DATE_TIME", &format!("{} {}", day.1, clock.1))
}

fn date(text: &str) -> Option<(f64, &'static str)> {
    let found = DATES
        .iter()
        .find_map(|(notation, pattern)| Some((NaiveDate::parse_from_str(text, notation).ok()?, *pattern)));
    let (day, pattern) = found.or_else(|| short_date(text))?;
    let day = if (0..100).contains(&day.year()) { day.with_year(century(day.year()))? } else { day };
    let epoch = NaiveDate::from_ymd_opt(1899, 12, 30)?;
    Some(((day - epoch).num_days() as f64, pattern)).filter(|_| (1000..10_000).contains(&day.year()))
}

/// `1/2` and `1-2` are dates of the current year.
fn short_date(text: &str) -> Option<(NaiveDate, &'static str)> {
    let (month, day) = text.split_once('/').or_else(|| text.split_once('-'))?;
    let plain = |part: &str| part.len() <= 2 && part.bytes().all(|byte| byte.is_ascii_digit());
    if !plain(month) || !plain(day) {
        return None;
    }
    Some((NaiveDate::from_ymd_opt(YEAR_UNSAID, month.parse().ok()?, day.parse().ok()?)?, "m/d"))
}

fn century(year: i32) -> i32 {
    if year < 30 { 2000 + year } else { 1900 + year }
}

fn time(text: &str) -> Option<(f64, &'static str)> {
    let found = TIMES
        .iter()
        .find_map(|(notation, pattern)| Some((NaiveTime::parse_from_str(text, notation).ok()?, *pattern)));
    found.map(|(time, pattern)| (f64::from(time.num_seconds_from_midnight()) / 86_400.0, pattern))
}

/// More hours than a day has make a duration.
fn duration(text: &str) -> Option<(f64, &'static str)> {
    let parts: Vec<u32> = text.split(':').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let seconds = |hours: u32, minutes: u32, seconds: u32| {
        f64::from(hours) * 3600.0 + f64::from(minutes) * 60.0 + f64::from(seconds)
    };
    match parts.as_slice() {
        [hours, minutes] if *minutes < 60 => Some((seconds(*hours, *minutes, 0) / 86_400.0, "[h]:mm")),
        [hours, minutes, rest] if *minutes < 60 && *rest < 60 => {
            Some((seconds(*hours, *minutes, *rest) / 86_400.0, "[h]:mm:ss"))
        }
        _ => None,
    }
}
