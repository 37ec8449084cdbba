//! One JSON object as the fields that are wanted of it, found by name or by JSON pointer.
//!
//! It takes an object apart and keeps nothing but those fields.

use std::collections::{HashMap, HashSet};

use struson::reader::{JsonReader, ReaderError, ValueType};

use crate::model::cell::Field;
use crate::source::json::JsonStream;

/// The fields of every record.
#[derive(Debug)]
pub struct JsonFields {
    /// What records are counted by.
    pub unit: &'static str,
    names: Vec<String>,
    by_pointer: HashMap<String, usize>,
    /// The pointers of everything that has a wanted field inside.
    above: HashSet<String>,
    seen: Vec<bool>,
    /// Whether the configuration names them. If not, the first record does, and no other may have more.
    are_configured: bool,
}

/// A record being read.
#[derive(Default)]
struct FieldValue {
    fields: Vec<Option<Field<'static>>>,
    problem: Option<String>,
}

impl FieldValue {
    /// Remembers what is wrong, the first thing only.
    fn reject(&mut self, why: String) {
        self.problem.get_or_insert(why);
    }
}

/// A kind of value, as messages name it.
pub fn kind(value: ValueType) -> &'static str {
    match value {
        ValueType::Array => "an array",
        ValueType::Object => "an object",
        ValueType::String => "a text",
        ValueType::Number => "a number",
        ValueType::Boolean => "a boolean",
        ValueType::Null => "null",
    }
}

impl JsonFields {
    /// These fields, or those of the first record.
    pub fn new(wanted: Option<Vec<String>>) -> Self {
        let mut fields = Self {
            unit: "record",
            names: Vec::new(),
            by_pointer: HashMap::new(),
            above: HashSet::new(),
            seen: Vec::new(),
            are_configured: wanted.is_some(),
        };
        wanted.into_iter().flatten().for_each(|name| fields.add(name));
        fields
    }

    fn add(&mut self, name: String) {
        let pointer =
            if name.starts_with('/') && self.are_configured { name.clone() } else { child("", &name) };
        let parents = pointer.match_indices('/').map(|(end, _)| pointer[..end].to_owned());
        self.above.extend(parents.collect::<Vec<_>>());
        self.by_pointer.insert(pointer, self.names.len());
        self.names.push(name);
        self.seen.push(false);
    }

    /// Whether they are configured or learnt.
    pub fn are_known(&self) -> bool {
        !self.names.is_empty()
    }

    /// Their names, in order.
    pub fn names(&self) -> Vec<String> {
        self.names.clone()
    }

    /// The first configured field that no record had.
    pub fn never_seen(&self) -> Option<&str> {
        let at = self.seen.iter().position(|seen| !seen)?;
        self.names.get(at).map(String::as_str)
    }

    /// Takes the next value apart.
    pub fn read(
        &mut self,
        json: &mut JsonStream,
    ) -> Result<Result<Vec<Field<'static>>, String>, ReaderError> {
        let found = json.peek()?;
        if found != ValueType::Object {
            json.skip_value()?;
            return Ok(Err(format!("is {}, not an object", kind(found))));
        }
        let is_learning = !self.are_known();
        let mut record = FieldValue { fields: vec![None; self.names.len()], problem: None };
        self.object(json, "", is_learning, &mut record)?;
        record.fields.resize(self.names.len(), None);
        let fields = record.fields.into_iter().map(|field| field.unwrap_or(Field::Empty)).collect();
        Ok(record.problem.map_or(Ok(fields), Err))
    }

    fn object(
        &mut self,
        json: &mut JsonStream,
        pointer: &str,
        is_learning: bool,
        record: &mut FieldValue,
    ) -> Result<(), ReaderError> {
        json.begin_object()?;
        while json.has_next()? {
            let name = json.next_name_owned()?;
            let pointer = child(pointer, &name);
            if !self.are_configured && !self.by_pointer.contains_key(&pointer) {
                if is_learning {
                    self.add(name);
                    record.fields.push(None);
                } else {
                    record.reject(format!(
                        "has the field {name:?}, which the first record has not; name the columns in the configuration"
                    ));
                }
            }
            self.value(json, &pointer, record)?;
        }
        json.end_object()
    }

    fn value(
        &mut self,
        json: &mut JsonStream,
        pointer: &str,
        record: &mut FieldValue,
    ) -> Result<(), ReaderError> {
        let kind_found = json.peek()?;
        let wanted = self.by_pointer.get(pointer).copied();
        let is_nested = matches!(kind_found, ValueType::Object | ValueType::Array);
        if let Some(at) = wanted {
            self.seen[at] = true;
            if is_nested {
                let (name, kind) = (&self.names[at], kind(kind_found));
                record.reject(format!(
                    "field {name:?} holds {kind}; name a part of it, such as field = \"{pointer}/0\" or \"{pointer}/name\""
                ));
            } else if record.fields[at].is_some() {
                record.reject(format!("has the field {:?} twice", self.names[at]));
            }
        }
        match (kind_found, wanted) {
            (ValueType::Object, _) if self.above.contains(pointer) => {
                self.object(json, pointer, false, record)
            }
            (ValueType::Array, _) if self.above.contains(pointer) => self.array(json, pointer, record),
            (_, Some(at)) if !is_nested => {
                record.fields[at] = Some(scalar(json, kind_found)?);
                Ok(())
            }
            _ => json.skip_value(),
        }
    }

    fn array(
        &mut self,
        json: &mut JsonStream,
        pointer: &str,
        record: &mut FieldValue,
    ) -> Result<(), ReaderError> {
        json.begin_array()?;
        let mut index = 0_usize;
        while json.has_next()? {
            self.value(json, &child(pointer, &index.to_string()), record)?;
            index += 1;
        }
        json.end_array()
    }
}

fn scalar(json: &mut JsonStream, kind: ValueType) -> Result<Field<'static>, ReaderError> {
    Ok(match kind {
        ValueType::String => Field::Text(json.next_string()?.into()),
        ValueType::Number => Field::Number(json.next_number_as_string()?.into()),
        ValueType::Boolean => Field::Bool(json.next_bool()?),
        _ => {
            json.next_null()?;
            Field::Empty
        }
    })
}

/// The pointer of a member (RFC 6901, section 3).
fn child(pointer: &str, name: &str) -> String {
    format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"))
}
