//! Reads one TOML table key by key and collects every problem, so that all mistakes are reported at once.
//!
//! It checks types and unknown keys. The tables check what values mean.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::time::Duration;

use toml::{Table, Value};

/// The longest duration that is accepted. Much longer ones overflow the calendar.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// The problems of a configuration, one line each, in the order found.
#[derive(Debug, Default)]
pub struct Problems(Vec<String>);

impl Problems {
    /// Adds the problem of one key or table.
    pub fn add(&mut self, place: impl Display, what: impl Display) {
        self.0.push(format!("{place}: {what}"));
    }

    /// One line for each problem.
    pub fn into_lines(self) -> Vec<String> {
        self.0
    }
}

/// A table while it is read. Each key is taken out of it; keys that are left at [`Reader::finish`] are unknown.
pub struct Reader<'a> {
    path: String,
    table: Table,
    known: Vec<&'static str>,
    problems: &'a mut Problems,
}

impl<'a> Reader<'a> {
    /// Starts to read `table`, which is at `path`, such as `sheet.port-sheet`. The path of the whole file is empty.
    pub fn new(path: impl Into<String>, table: Table, problems: &'a mut Problems) -> Self {
        Self { path: path.into(), table, known: Vec::new(), problems }
    }

    /// The path of a key, for nested tables and for problems.
    pub fn place(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// Adds a problem with one key.
    pub fn problem(&mut self, key: &str, what: impl Display) {
        let place = self.place(key);
        self.problems.add(place, what);
    }

    /// Whether the table has this key and it was not taken.
    pub fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// Takes a value of any type.
    pub fn value(&mut self, key: &'static str) -> Option<Value> {
        self.known.push(key);
        self.table.remove(key)
    }

    /// Takes a string that is not blank.
    pub fn text(&mut self, key: &'static str) -> Option<String> {
        match self.value(key)? {
            Value::String(text) if text.trim().is_empty() => self.wrong(key, "must not be blank"),
            Value::String(text) => Some(text),
            other => self.wrong(key, format!("must be a string in quotes, not {}", kind(&other))),
        }
    }

    /// Takes a string that is required.
    pub fn required(&mut self, key: &'static str) -> Option<String> {
        if !self.table.contains_key(key) {
            self.known.push(key);
            return self.wrong(key, "is missing");
        }
        self.text(key)
    }

    /// Takes a list of strings.
    pub fn texts(&mut self, key: &'static str) -> Option<Vec<String>> {
        let Some(Value::Array(values)) = self.value(key).map(|value| self.as_array(key, value))? else {
            return None;
        };
        let texts: Vec<String> = values.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        if texts.len() == values.len() {
            Some(texts)
        } else {
            self.wrong(key, "must hold only strings in quotes")
        }
    }

    /// Takes a string or a list of strings.
    pub fn text_or_texts(&mut self, key: &'static str) -> Option<Vec<String>> {
        match self.table.get(key) {
            Some(Value::Array(_)) => self.texts(key),
            _ => self.text(key).map(|text| vec![text]),
        }
    }

    /// Takes a string that may be blank, such as the delimiter `"\t"`.
    pub fn char(&mut self, key: &'static str) -> Option<String> {
        match self.value(key)? {
            Value::String(text) => Some(text),
            other => self.wrong(key, format!("must be a string in quotes, not {}", kind(&other))),
        }
    }

    fn as_array(&mut self, key: &str, value: Value) -> Option<Value> {
        if value.is_array() {
            Some(value)
        } else {
            self.wrong(key, format!("must be a list in [ ], not {}", kind(&value)))
        }
    }

    /// Takes one of a few names.
    pub fn choice<T: Copy>(&mut self, key: &'static str, names: &[(&str, T)]) -> Option<T> {
        let text = self.char(key)?;
        if let Some((_, value)) = names.iter().find(|(name, _)| *name == text) {
            return Some(*value);
        }
        let list = names.iter().map(|(name, _)| format!("{name:?}")).collect::<Vec<_>>().join(", ");
        self.wrong(key, format!("{text:?} is not one of {list}"))
    }

    /// Takes a whole number.
    pub fn integer(&mut self, key: &'static str) -> Option<i64> {
        match self.value(key)? {
            Value::Integer(number) => Some(number),
            other => self.wrong(key, format!("must be a whole number, not {}", kind(&other))),
        }
    }

    /// Takes `true` or `false`.
    pub fn flag(&mut self, key: &'static str) -> Option<bool> {
        match self.value(key)? {
            Value::Boolean(flag) => Some(flag),
            other => self.wrong(key, format!("must be true or false, not {}", kind(&other))),
        }
    }

    /// Takes a duration such as `30s`, `25m` or `1h 30m`, of at most 366 days.
    pub fn duration(&mut self, key: &'static str) -> Option<Duration> {
        let text = self.text(key)?;
        match humantime::parse_duration(&text) {
            Ok(duration) if duration > LONGEST => {
                self.wrong(key, format!("{text:?} is too long: at most 366 days"))
            }
            Ok(duration) => Some(duration),
            Err(error) => {
                self.wrong(key, format!("{text:?} is not a duration such as \"30s\" or \"25m\": {error}"))
            }
        }
    }

    /// Takes a duration above zero.
    pub fn positive_duration(&mut self, key: &'static str) -> Option<Duration> {
        match self.duration(key)? {
            Duration::ZERO => self.wrong(key, "must be longer than nothing"),
            duration => Some(duration),
        }
    }

    /// Takes a size such as `64 MiB`, in bytes.
    pub fn size(&mut self, key: &'static str) -> Option<u64> {
        let text = self.text(key)?;
        let units = [("KiB", 1024), ("MiB", 1024 * 1024), ("GiB", 1024 * 1024 * 1024)];
        let size = units.iter().find_map(|(unit, bytes): &(_, u64)| {
            text.strip_suffix(unit)?.trim().parse::<u64>().ok()?.checked_mul(*bytes)
        });
        match size {
            Some(1..) => size,
            _ => self.wrong(key, format!("{text:?} is not a size such as \"64 MiB\"")),
        }
    }

    /// Takes a table.
    pub fn table(&mut self, key: &'static str) -> Option<Table> {
        match self.value(key)? {
            Value::Table(table) => Some(table),
            other => self.wrong(key, format!("must be a table [{}], not {}", self.place(key), kind(&other))),
        }
    }

    /// Takes a list of tables, such as `[[alert.sink]]`.
    pub fn tables(&mut self, key: &'static str) -> Vec<Table> {
        let Some(value) = self.value(key) else { return Vec::new() };
        let tables = value.try_into::<Vec<Table>>();
        if tables.is_err() {
            self.problem(key, format!("must be written as [[{}]] tables", self.place(key)));
        }
        tables.unwrap_or_default()
    }

    /// Takes a name that may become a file name.
    pub fn name(&mut self, key: &'static str) -> Option<String> {
        match self.text(key)? {
            name if is_name(&name) => Some(name),
            name => self.wrong(key, format!("{name:?} may hold only letters, digits, - and _")),
        }
    }

    /// Takes a table of named tables, such as `[credential.NAME]`.
    pub fn named_tables(&mut self, key: &'static str) -> Vec<(String, Table)> {
        let mut named = Vec::new();
        for (name, value) in self.table(key).unwrap_or_default() {
            match value {
                Value::Table(table) if is_name(&name) => named.push((name, table)),
                Value::Table(_) => {
                    self.problem(key, format!("the name {name:?} may hold only letters, digits, - and _"))
                }
                other => self
                    .problem(key, format!("{name:?} must be a table [{key}.{name}], not {}", kind(&other))),
            }
        }
        named
    }

    /// Starts to read a nested table. Its problems are added to the same list.
    pub fn nested(&mut self, key: &str, table: Table) -> Reader<'_> {
        Reader::new(self.place(key), table, self.problems)
    }

    /// Reports every key that was not taken.
    pub fn finish(self) {
        for key in self.table.keys() {
            let place = if self.path.is_empty() { key.clone() } else { format!("{}.{key}", self.path) };
            self.problems.add(place, format!("unknown key; known here: {}", self.known.join(", ")));
        }
    }

    fn wrong<T>(&mut self, key: &str, what: impl Display) -> Option<T> {
        self.problem(key, what);
        None
    }
}

/// Takes a whole number within a range.
pub(super) fn count(reader: &mut Reader<'_>, key: &'static str, range: RangeInclusive<u32>) -> Option<u32> {
    let number = reader.integer(key)?;
    let number = u32::try_from(number).ok().filter(|number| range.contains(number));
    if number.is_none() {
        reader.problem(key, format!("must be from {} to {}", range.start(), range.end()));
    }
    number
}

/// Names become file names and are typed on command lines.
fn is_name(name: &str) -> bool {
    let is_plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    (1..=64).contains(&name.len()) && is_plain && !name.starts_with('-')
}

pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "a string",
        Value::Integer(_) | Value::Float(_) => "a number",
        Value::Boolean(_) => "a boolean",
        Value::Datetime(_) => "a date",
        Value::Array(_) => "a list",
        Value::Table(_) => "a table",
    }
}
