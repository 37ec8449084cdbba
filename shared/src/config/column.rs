//! `[[sheet.NAME.column]]`: an owned column, its type, and how the source writes its values.
//!
//! The sync converts the values.

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use toml::{Table, Value};

use super::pattern::Pattern;
use super::{OnEdit, Reader};

/// One owned column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// The field of the source.
    pub field: String,
    /// The text in the sheet's first row.
    pub header: String,
    /// The type of its values.
    pub kind: Type,
    /// How the source writes its values.
    pub notation: Notation,
    /// The policy for cells that a user edited, if it differs from the sheet's.
    pub on_edit: Option<OnEdit>,
}

/// The type of a column's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// Text, byte for byte.
    Text,
    /// A whole number, as a number in the sheet.
    Integer,
    /// A decimal number, as a number in the sheet.
    Number,
    /// `true` or `false`.
    Boolean,
    /// A day, as a serial number with a date format.
    Date,
    /// A time of day.
    Time,
    /// A day and a time.
    DateTime,
}

/// How a source writes a column's values as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notation {
    /// The decimal separator: a point or a comma.
    pub decimal: char,
    /// The character between groups of three digits, if there is one.
    pub grouping: Option<char>,
    /// The patterns of dates and times, tried in order. Empty for ISO 8601.
    pub patterns: Vec<Pattern>,
    /// The words for true and for false, in lower case. `None` for the usual ones.
    pub words: Option<[Vec<String>; 2]>,
    /// The time zone in which instants are written to the sheet.
    pub time_zone: Option<TimeZone>,
}

/// A time zone of the IANA database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeZone(jiff::tz::TimeZone);

impl TimeZone {
    /// Finds a zone such as `Europe/Berlin` in the system's database.
    pub fn named(name: &str) -> Option<Self> {
        jiff::tz::TimeZone::get(name).ok().map(Self)
    }

    /// The local time of an instant. `None` beyond the ends of the calendar.
    pub fn local(&self, instant: DateTime<Utc>) -> Option<NaiveDateTime> {
        let timestamp = jiff::Timestamp::from_second(instant.timestamp()).ok()?;
        let offset = TimeDelta::try_seconds(self.0.to_offset(timestamp).seconds().into())?;
        instant.naive_utc().checked_add_signed(offset)
    }
}

impl Default for Notation {
    fn default() -> Self {
        Self { decimal: '.', grouping: None, patterns: Vec::new(), words: None, time_zone: None }
    }
}

impl Type {
    /// The names in the configuration and in remembered layouts.
    pub const NAMES: [(&'static str, Self); 7] = [
        ("text", Self::Text),
        ("integer", Self::Integer),
        ("number", Self::Number),
        ("boolean", Self::Boolean),
        ("date", Self::Date),
        ("time", Self::Time),
        ("datetime", Self::DateTime),
    ];

    /// The name in the configuration.
    pub fn as_str(self) -> &'static str {
        Self::NAMES.iter().find(|(_, kind)| *kind == self).map_or("", |(name, _)| name)
    }

    fn is_temporal(self) -> bool {
        matches!(self, Self::Date | Self::Time | Self::DateTime)
    }
}

impl Column {
    /// A text column with the field's name as its header.
    pub fn text(field: &str) -> Self {
        Self {
            field: field.to_owned(),
            header: field.to_owned(),
            kind: Type::Text,
            notation: Notation::default(),
            on_edit: None,
        }
    }

    pub(super) fn read(mut reader: Reader<'_>) -> Self {
        let field = reader.required("field").unwrap_or_default();
        let header = reader.text("header").unwrap_or_else(|| field.clone());
        let kind = reader.choice("type", &Type::NAMES).unwrap_or(Type::Text);
        let notation = Notation::read(&mut reader, kind);
        let on_edit = reader.choice("on-edit", &OnEdit::NAMES);
        reader.finish();
        Self { field, header, kind, notation, on_edit }
    }
}

/// The columns of a sheet. `None` if the configuration names none.
pub(super) fn read_all(reader: &mut Reader<'_>) -> Option<Vec<Column>> {
    let Value::Array(values) = reader.value("column")? else {
        reader.problem("column", "must be written as [[sheet.NAME.column]] tables");
        return None;
    };
    let tables: Vec<Table> = values.into_iter().filter_map(|value| value.try_into().ok()).collect();
    let numbered = (1..).zip(tables);
    Some(
        numbered
            .map(|(number, table)| Column::read(reader.nested(&format!("column[{number}]"), table)))
            .collect(),
    )
}

impl Notation {
    fn read(reader: &mut Reader<'_>, kind: Type) -> Self {
        let is_number = matches!(kind, Type::Integer | Type::Number);
        let decimal = reader.choice("decimal", &[(".", '.'), (",", ',')]);
        let grouping =
            reader.choice("grouping", &[(".", '.'), (",", ','), (" ", ' '), ("'", '\''), ("’", '’')]);
        refuse_unless(reader, kind == Type::Number, "decimal", decimal.is_some(), "\"number\"");
        refuse_unless(reader, is_number, "grouping", grouping.is_some(), "\"integer\" and \"number\"");
        // An integer has no decimal separator, so this one only has to differ from the grouping.
        let decimal =
            decimal.unwrap_or(if kind == Type::Integer && grouping == Some('.') { ',' } else { '.' });
        if grouping == Some(decimal) && kind == Type::Number {
            reader.problem(
                "grouping",
                format!("must be another sign than the decimal {:?}", decimal.to_string()),
            );
        }
        Self {
            decimal,
            grouping,
            patterns: read_patterns(reader, kind),
            words: read_words(reader, kind),
            time_zone: read_time_zone(reader, kind),
        }
    }
}

fn read_patterns(reader: &mut Reader<'_>, kind: Type) -> Vec<Pattern> {
    let texts = reader.text_or_texts("pattern");
    refuse_unless(
        reader,
        kind.is_temporal(),
        "pattern",
        texts.is_some(),
        "\"date\", \"time\" and \"datetime\"",
    );
    if !kind.is_temporal() {
        return Vec::new();
    }
    let mut patterns = Vec::new();
    for text in texts.unwrap_or_default() {
        match Pattern::parse(&text, kind) {
            Ok(pattern) => patterns.push(pattern),
            Err(why) => reader.problem("pattern", format!("{text:?} {why}")),
        }
    }
    patterns
}

fn read_words(reader: &mut Reader<'_>, kind: Type) -> Option<[Vec<String>; 2]> {
    let [yes, no] = ["true-words", "false-words"].map(|key| {
        let words = reader.texts(key);
        refuse_unless(reader, kind == Type::Boolean, key, words.is_some(), "\"boolean\"");
        words.map(|words| words.iter().map(|word| word.trim().to_lowercase()).collect::<Vec<_>>())
    });
    let (yes, no) = match (yes, no) {
        (None, None) => return None,
        (yes, no) => (yes.unwrap_or_default(), no.unwrap_or_default()),
    };
    for (key, words) in [("true-words", &yes), ("false-words", &no)] {
        if words.is_empty() || words.iter().any(String::is_empty) {
            reader
                .problem(key, "must name at least one word, none of them blank, and so must the other list");
        }
    }
    if let Some(both) = yes.iter().find(|word| no.contains(word)) {
        reader.problem("false-words", format!("{both:?} is also in true-words"));
    }
    Some([yes, no])
}

fn read_time_zone(reader: &mut Reader<'_>, kind: Type) -> Option<TimeZone> {
    let name = reader.text("time-zone");
    let takes_it = matches!(kind, Type::DateTime | Type::Text);
    refuse_unless(reader, takes_it, "time-zone", name.is_some(), "\"datetime\" and \"text\"");
    let name = name?;
    let zone = TimeZone::named(&name);
    if zone.is_none() {
        reader.problem(
            "time-zone",
            format!("{name:?} is not in this machine's time zones: say one such as \"Europe/Berlin\", and see that the package tzdata is installed"),
        );
    }
    zone
}

fn refuse_unless(reader: &mut Reader<'_>, fits: bool, key: &str, is_set: bool, types: &str) {
    if is_set && !fits {
        reader.problem(key, format!("is only for columns of type {types}"));
    }
}
