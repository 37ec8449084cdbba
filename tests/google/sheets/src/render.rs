//! What a cell looks like from outside: its value in the three renderings of the API, and its formatted text.
//!
//! Number formats are ECMA-376's and the crate `ssfmt`'s; this module only chooses the format.

use serde_json::Value;
use ssfmt::NumberFormat;

use crate::cell::{Cell, Entered};
use crate::formula::{self, Computed};
use crate::{Spreadsheet, schema};

/// `ValueRenderOption`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueRender {
    /// As a person sees it.
    Formatted,
    /// As JSON types.
    Unformatted,
    /// Formulas as they were typed, the rest as JSON types.
    Formula,
}

impl ValueRender {
    /// The option of this name; formatted when there is none.
    pub fn read(name: Option<&str>) -> Self {
        match name {
            Some("UNFORMATTED_VALUE") => Self::Unformatted,
            Some("FORMULA") => Self::Formula,
            _ => Self::Formatted,
        }
    }
}

/// `DateTimeRenderOption`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DateRender {
    /// Days since 1899-12-30.
    Serial,
    /// In the cell's format.
    Formatted,
}

impl DateRender {
    /// The option of this name; serial numbers when there is none.
    pub fn read(name: Option<&str>) -> Self {
        if name == Some("FORMATTED_STRING") { Self::Formatted } else { Self::Serial }
    }
}

/// How values must be written out.
#[derive(Clone, Copy, Debug)]
pub struct Rendering {
    /// Values in general.
    pub values: ValueRender,
    /// Dates, where values are not formatted anyway.
    pub dates: DateRender,
}

impl Spreadsheet {
    /// What a cell of a tab amounts to, formulas computed.
    pub(crate) fn computed(&self, sheet: usize, cell: &Cell) -> Computed {
        match &cell.value {
            Entered::Empty => Computed::Empty,
            Entered::Number(number) => Computed::Number(*number),
            Entered::Bool(flag) => Computed::Bool(*flag),
            Entered::Text(text) => Computed::Text(text.to_string()),
            Entered::Formula(source) => formula::compute(self, sheet, source),
        }
    }

    /// A cell's value as `values.get` writes it; `""` when it has none.
    pub(crate) fn rendered(&self, sheet: usize, cell: &Cell, rendering: Rendering) -> Value {
        if let (ValueRender::Formula, Entered::Formula(source)) = (rendering.values, &cell.value) {
            return Value::from(&**source);
        }
        let computed = self.computed(sheet, cell);
        let as_text = rendering.values == ValueRender::Formatted
            || (rendering.dates == DateRender::Formatted && is_date(cell.number_format()));
        match computed {
            computed if as_text => Value::from(formatted(cell, &computed)),
            Computed::Number(number) => schema::number(number),
            Computed::Bool(flag) => Value::Bool(flag),
            other => Value::from(formatted(cell, &other)),
        }
    }
}

/// A computed value as a person sees it in this cell.
pub fn formatted(cell: &Cell, computed: &Computed) -> String {
    match computed {
        Computed::Empty => String::new(),
        Computed::Number(number) => format_number(*number, cell.number_format()),
        Computed::Bool(flag) => if *flag { "TRUE" } else { "FALSE" }.to_owned(),
        Computed::Text(text) => text.clone(),
        Computed::Error(error) => error.text().to_owned(),
    }
}

/// Whether a `NumberFormat` message shows dates or times.
pub fn is_date(format: Option<&Value>) -> bool {
    let Some(format) = format else { return false };
    match format.get("type").and_then(Value::as_str) {
        Some("DATE" | "TIME" | "DATE_TIME") => true,
        _ => pattern(format)
            .is_some_and(|pattern| NumberFormat::parse(pattern).is_ok_and(|parsed| parsed.is_date_format())),
    }
}

/// The pattern of a `NumberFormat` message, or the one en_US uses for its type.
fn pattern(format: &Value) -> Option<&str> {
    let given = format.get("pattern").and_then(Value::as_str).filter(|pattern| !pattern.is_empty());
    given.or_else(|| match format.get("type")?.as_str()? {
        "NUMBER" => Some("#,##0.00"),
        "PERCENT" => Some("0.00%"),
        "CURRENCY" => Some("$#,##0.00"),
        "DATE" => Some("m/d/yyyy"),
        "TIME" => Some("h:mm:ss AM/PM"),
        "DATE_TIME" => Some("m/d/yyyy h:mm:ss"),
        "SCIENTIFIC" => Some("0.00E+00"),
        _ => None,
    })
}

/// A number in a `NumberFormat`, or as Google writes it when it has none.
pub fn format_number(number: f64, format: Option<&Value>) -> String {
    let Some(pattern) = format.and_then(pattern).filter(|pattern| *pattern != "@") else {
        return automatic(number);
    };
    ssfmt::format_default(since_1899(number, pattern), pattern).unwrap_or_else(|_| automatic(number))
}

/// ECMA-376 counts days from another epoch than Google before March 1900, for it has a 29th of February then.
fn since_1899(number: f64, pattern: &str) -> f64 {
    let shows_date =
        pattern.contains(['y', 'd', 'Y', 'D']) && is_date(Some(&serde_json::json!({"pattern": pattern})));
    if shows_date && (2.0..61.0).contains(&number) { number - 1.0 } else { number }
}

/// Ten significant digits, whole numbers in full, very large and very small ones in powers of ten.
fn automatic(number: f64) -> String {
    let size = number.abs();
    if number.fract() == 0.0 && size < 1e15 {
        return (number as i64).to_string();
    }
    if !(1e-9..1e15).contains(&size) {
        return scientific(number);
    }
    let text = format!("{number:.*}", decimals(size));
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// As many decimals as make ten significant digits; below one, ten decimals.
fn decimals(size: f64) -> usize {
    if size < 1.0 {
        return 10;
    }
    let whole_digits = format!("{size:.0}").len();
    10_usize.saturating_sub(whole_digits)
}

fn scientific(number: f64) -> String {
    let text = format!("{number:.5e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let mantissa = mantissa.trim_end_matches('0').trim_end_matches('.');
    let (sign, digits) = exponent.strip_prefix('-').map_or(("+", exponent), |digits| ("-", digits));
    format!("{mantissa}E{sign}{digits:0>2}")
}
