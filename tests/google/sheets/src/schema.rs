//! The messages of the Sheets API: reads a request's JSON against them, and prints answers in Google's field order.
//!
//! Knows names, kinds and order only; what a message means is decided where it is applied.

use std::collections::HashMap;
use std::fmt::{self, Display, Formatter};
use std::sync::LazyLock;

use serde_json::{Map, Value};

use crate::ApiError;
use crate::error::Violation;

const TYPES: &str = "type.googleapis.com/google.apps.sheets.v4.";

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| Schema::parse(include_str!("schema.txt")));

struct Schema {
    messages: HashMap<&'static str, Vec<Field>>,
    enums: HashMap<&'static str, Vec<&'static str>>,
}

struct Field {
    name: &'static str,
    kind: &'static str,
    repeated: bool,
    always: bool,
}

impl Schema {
    fn parse(text: &'static str) -> Self {
        let mut paragraphs: Vec<Vec<&'static str>> = Vec::new();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            match paragraphs.last_mut() {
                Some(paragraph) if line.starts_with(' ') => paragraph.extend(line.split_whitespace()),
                _ => paragraphs.push(line.split_whitespace().collect()),
            }
        }
        let mut schema = Self { messages: HashMap::new(), enums: HashMap::new() };
        for paragraph in paragraphs {
            match paragraph.as_slice() {
                ["enum", name, values @ ..] => drop(schema.enums.insert(name, values.to_vec())),
                [name, fields @ ..] => {
                    drop(
                        schema
                            .messages
                            .insert(name, fields.iter().copied().filter_map(Field::parse).collect()),
                    );
                }
                [] => {}
            }
        }
        schema
    }

    fn field(&self, message: &str, name: &str) -> Option<&Field> {
        self.messages.get(message)?.iter().find(|field| field.name == name)
    }
}

impl Field {
    fn parse(text: &'static str) -> Option<Self> {
        let (name, kind) = text.split_once(':')?;
        let single = kind.strip_suffix("[]");
        Some(Self {
            name: name.strip_suffix('!').unwrap_or(name),
            kind: single.unwrap_or(kind),
            repeated: single.is_some(),
            always: name.ends_with('!'),
        })
    }
}

/// Where in a request a value is. Written out only for a violation: a large request has many places.
#[derive(Clone, Copy)]
enum Path<'a> {
    Root(&'a str),
    Field(&'a Path<'a>, &'static str),
    Item(&'a Path<'a>, usize),
}

impl Display for Path<'_> {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root(text) => formatter.write_str(text),
            Self::Field(Self::Root(""), name) => formatter.write_str(&snake_case(name)),
            Self::Field(parent, name) => write!(formatter, "{parent}.{}", snake_case(name)),
            Self::Item(parent, index) => write!(formatter, "{parent}[{index}]"),
        }
    }
}

/// Reads `value` as a `message`: known fields in camelCase, nulls dropped.
///
/// # Errors
/// 400 with one violation for each unknown name and each value of the wrong kind, as Google lists them.
pub fn read(message: &str, value: &Value, path: &str) -> Result<Value, ApiError> {
    let mut violations = Vec::new();
    let read = read_kind(message, value, &Path::Root(path), &mut violations);
    if violations.is_empty() { Ok(read) } else { Err(ApiError::violations(&violations)) }
}

/// Reads one enum value, as a query parameter or a field gives it.
///
/// # Errors
/// 400 when the enum has no such value.
pub fn read_enum(name: &str, text: &str, path: &str) -> Result<String, ApiError> {
    read(name, &Value::String(text.to_owned()), path).map(|_| text.to_owned())
}

fn read_kind(kind: &str, value: &Value, path: &Path<'_>, violations: &mut Vec<Violation>) -> Value {
    let (read, name) = match kind {
        "any" => (Some(value.clone()), ""),
        "i32" => (read_int(value), "TYPE_INT32"),
        "f32" => (read_double(value).map(single_precision), "TYPE_FLOAT"),
        "f64" => (read_double(value).map(number), "TYPE_DOUBLE"),
        "bool" => (read_bool(value), "TYPE_BOOL"),
        "str" => (value.as_str().map(Value::from), "TYPE_STRING"),
        "mask" => (value.as_str().map(Value::from), "type.googleapis.com/google.protobuf.FieldMask"),
        "list" => {
            (value.as_array().cloned().map(Value::Array), "type.googleapis.com/google.protobuf.ListValue")
        }
        _ => match (SCHEMA.messages.get(kind), value) {
            (None, _) => return read_enum_value(kind, value, path, violations),
            (Some(fields), Value::Object(object)) => return read_message(fields, object, path, violations),
            (Some(_), other) => return wrong(&format!("{TYPES}{kind}"), other, path, violations),
        },
    };
    read.unwrap_or_else(|| wrong(name, value, path, violations))
}

fn read_message(
    fields: &[Field],
    object: &Map<String, Value>,
    path: &Path<'_>,
    violations: &mut Vec<Violation>,
) -> Value {
    let mut read = Map::with_capacity(object.len());
    for (name, value) in object {
        let exact = fields.iter().find(|field| field.name == name);
        let Some(field) = exact.or_else(|| fields.iter().find(|field| field.name == camel_case(name))) else {
            violations.push(Violation::unknown_name(name, &path.to_string()));
            continue;
        };
        if value.is_null() {
            continue;
        }
        let inner = Path::Field(path, field.name);
        let value = if field.repeated {
            read_list(field.kind, value, &inner, violations)
        } else {
            read_kind(field.kind, value, &inner, violations)
        };
        read.insert(field.name.to_owned(), value);
    }
    Value::Object(read)
}

/// A lone value stands for a list of one, which is why Google's complaint about it names no index.
fn read_list(kind: &str, value: &Value, path: &Path<'_>, violations: &mut Vec<Violation>) -> Value {
    let Value::Array(items) = value else {
        return Value::Array(vec![read_kind(kind, value, path, violations)]);
    };
    let items = items.iter().enumerate();
    Value::Array(
        items.map(|(index, item)| read_kind(kind, item, &Path::Item(path, index), violations)).collect(),
    )
}

fn read_enum_value(kind: &str, value: &Value, path: &Path<'_>, violations: &mut Vec<Violation>) -> Value {
    let values = SCHEMA.enums.get(kind).map_or(&[][..], Vec::as_slice);
    let named = match value {
        Value::String(text) => values.iter().find(|name| *name == text),
        other => other.as_u64().and_then(|index| values.get(usize::try_from(index).ok()?)),
    };
    match named {
        Some(name) => Value::from(*name),
        None => wrong(&format!("{TYPES}{kind}"), value, path, violations),
    }
}

fn wrong(kind: &str, value: &Value, path: &Path<'_>, violations: &mut Vec<Violation>) -> Value {
    violations.push(Violation::invalid_value(&path.to_string(), kind, value));
    Value::Null
}

fn read_int(value: &Value) -> Option<Value> {
    let number = match value {
        Value::String(text) => text.parse::<f64>().ok()?,
        other => other.as_f64()?,
    };
    let within = number.fract() == 0.0 && (f64::from(i32::MIN)..=f64::from(i32::MAX)).contains(&number);
    within.then_some(number as i64).map(Value::from)
}

fn read_double(value: &Value) -> Option<f64> {
    match value {
        Value::String(text) => text.parse().ok(),
        other => other.as_f64(),
    }
}

fn read_bool(value: &Value) -> Option<Value> {
    match value {
        Value::Bool(_) => Some(value.clone()),
        Value::String(text) if text == "true" => Some(Value::Bool(true)),
        Value::String(text) if text == "false" => Some(Value::Bool(false)),
        _ => None,
    }
}

/// A number as Google prints it: whole ones without a fraction.
pub fn number(value: f64) -> Value {
    if value.fract() == 0.0 && value.abs() < 1e15 { Value::from(value as i64) } else { Value::from(value) }
}

/// Colours travel as 32-bit floats, so a long fraction comes back rounded to one.
fn single_precision(value: f64) -> Value {
    number((value as f32).to_string().parse().unwrap_or(value))
}

/// `value` in Google's field order, without the fields that proto3 does not print.
pub fn print(message: &str, value: Value) -> Value {
    let (fields, mut object) = match (SCHEMA.messages.get(message), value) {
        (Some(fields), Value::Object(object)) => (fields, object),
        (_, other) => return other,
    };
    let mut printed = Map::with_capacity(object.len());
    for field in fields {
        let Some(value) = object.swap_remove(field.name) else { continue };
        let value = match value {
            Value::Array(items) => {
                Value::Array(items.into_iter().map(|item| print(field.kind, item)).collect())
            }
            other => print(field.kind, other),
        };
        if field.always || !is_default(&value) {
            printed.insert(field.name.to_owned(), value);
        }
    }
    Value::Object(printed)
}

fn is_default(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(flag) => !flag,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(_) => false,
    }
}

/// The kind of a message's field, or nothing when it has no such field; `any` knows every field.
pub fn kind_of(message: &str, field: &str) -> Option<&'static str> {
    if message == "any" {
        return Some("any");
    }
    SCHEMA.field(message, field).map(|field| field.kind)
}

/// `start_row_index` as `startRowIndex`; camelCase stays.
pub fn camel_case(name: &str) -> String {
    let mut camel = String::with_capacity(name.len());
    let mut raise = false;
    for character in name.chars() {
        if character == '_' {
            raise = true;
        } else {
            camel.push(if raise { character.to_ascii_uppercase() } else { character });
            raise = false;
        }
    }
    camel
}

fn snake_case(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 4);
    for character in name.chars() {
        if character.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(character.to_ascii_lowercase());
    }
    snake
}
