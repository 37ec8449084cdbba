//! What a source gives for one field, and what that is as a column's type.
//!
//! Pure. A value that the source has typed itself is taken as it is; only text is read by the column's notation.

use std::borrow::Cow;

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use shared::config::{Notation, Type};

use crate::model::cell::Cell;
use crate::model::cell::days;
use crate::model::cell::parse;
use crate::model::cell::parse::quoted;
use crate::model::cell::time_of_day;

/// One field of a record.
#[derive(Clone, Debug, PartialEq)]
pub enum Field<'a> {
    /// Nothing: NULL, or a field that is not there.
    Empty,
    /// Text.
    Text(Cow<'a, str>),
    /// True or false.
    Bool(bool),
    /// A number in decimal digits with a point, exact.
    Number(Cow<'a, str>),
    /// A day.
    Date(NaiveDate),
    /// A time of day.
    Time(NaiveTime),
    /// A day and a time, wherever that is.
    DateTime(NaiveDateTime),
    /// A point in time.
    Instant(DateTime<Utc>),
}

impl<'a> Field<'a> {
    /// A borrowed text.
    pub fn text(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }

    /// The field as text, as a text column shows it.
    pub fn to_text(&self, notation: &Notation) -> Cow<'_, str> {
        match self {
            Self::Empty => Cow::Borrowed(""),
            Self::Text(text) | Self::Number(text) => Cow::Borrowed(text),
            Self::Bool(bool) => Cow::Borrowed(if *bool { "true" } else { "false" }),
            Self::Date(date) => date.to_string().into(),
            Self::Time(time) => time.to_string().into(),
            Self::DateTime(at) => at.to_string().into(),
            Self::Instant(at) => match local(*at, notation) {
                Some(at) => at.to_string().into(),
                None => at.format("%Y-%m-%dT%H:%M:%S%.fZ").to_string().into(),
            },
        }
    }

    /// The field as a cell of a column.
    ///
    /// # Errors
    /// Why it cannot be that, without naming field or line.
    pub fn to_cell(&self, kind: Type, notation: &Notation) -> Result<Cell<Cow<'_, str>>, String> {
        match (self, kind) {
            (Self::Text(text), _) => parse::read(text, kind, notation).map(|cell| cell.map(Cow::Borrowed)),
            (Self::Empty, _) => Ok(Cell::Empty),
            (_, Type::Text) => {
                let text = self.to_text(notation);
                parse::read(&text, kind, notation).map(|cell| cell.map(|text| Cow::Owned(text.to_owned())))
            }
            (Self::Bool(bool), Type::Boolean) => Ok(Cell::Bool(*bool)),
            (Self::Number(number), Type::Integer) => parse::integer(without_zeros(number)).map(Cell::Number),
            (Self::Number(number), Type::Number) => parse::number(number).map(Cell::Number),
            (Self::Number(number), Type::Boolean) => parse::boolean(number, notation).map(Cell::Bool),
            (Self::Date(date), Type::Date) => Ok(Cell::Number(days(*date))),
            (Self::Time(time), Type::Time) => Ok(Cell::Number(time_of_day(*time))),
            (Self::DateTime(at), Type::DateTime) => Ok(parse::datetime_cell(*at)),
            (Self::Instant(at), Type::DateTime) => {
                local(*at, notation).map(parse::datetime_cell).ok_or_else(parse::needs_time_zone)
            }
            _ => Err(format!(
                "{} is {}, which a column of type {:?} cannot hold",
                quoted(&self.to_text(notation)),
                self.is(),
                kind.as_str()
            )),
        }
    }

    fn is(&self) -> &'static str {
        match self {
            Self::Empty => "nothing",
            Self::Text(_) => "text",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::Date(_) => "a date",
            Self::Time(_) => "a time",
            Self::DateTime(_) | Self::Instant(_) => "a date and time",
        }
    }
}

fn local(at: DateTime<Utc>, notation: &Notation) -> Option<NaiveDateTime> {
    notation.time_zone.as_ref()?.local(at)
}

/// `12.00` from a database is a whole number.
fn without_zeros(number: &str) -> &str {
    match number.split_once('.') {
        Some((whole, rest)) if rest.bytes().all(|digit| digit == b'0') => whole,
        _ => number,
    }
}
