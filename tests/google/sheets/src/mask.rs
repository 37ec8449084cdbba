//! Field masks: `a.b.c`, `a/b/c`, `a(b,c)`, `*`, in queries and in requests.
//!
//! Selects and copies parts of JSON messages; it does not know what the parts are for.

use serde_json::{Map, Value};

use crate::schema;

/// Which fields of a message are meant.
#[derive(Clone, Debug, PartialEq)]
pub enum Mask {
    /// All of it.
    All,
    /// These fields, each with what is meant of it.
    Fields(Vec<(String, Mask)>),
}

impl Mask {
    /// Reads a mask; nothing when its parentheses do not match or a name is missing.
    pub fn parse(text: &str) -> Option<Self> {
        let mut rest = text;
        let mut mask = Self::Fields(Vec::new());
        mask.read_list(&mut rest)?;
        rest.trim().is_empty().then_some(mask)
    }

    fn read_list(&mut self, rest: &mut &str) -> Option<()> {
        loop {
            self.read_path(rest)?;
            match rest.trim_start().strip_prefix(',') {
                Some(after) => *rest = after,
                None => return Some(()),
            }
        }
    }

    fn read_path(&mut self, rest: &mut &str) -> Option<()> {
        let text = rest.trim_start();
        let end = text.find(['.', '/', '(', ')', ',']).unwrap_or(text.len());
        let name = schema::camel_case(text[..end].trim());
        *rest = &text[end..];
        if name.is_empty() {
            return None;
        }
        if name == "*" {
            *self = Self::All;
        }
        let inner = self.enter(name);
        if let Some(after) = rest.strip_prefix(['.', '/']) {
            *rest = after;
            return inner.read_path(rest);
        }
        if let Some(after) = rest.strip_prefix('(') {
            *rest = after;
            inner.read_list(rest)?;
            *rest = rest.trim_start().strip_prefix(')')?;
            return Some(());
        }
        *inner = Self::All;
        Some(())
    }

    /// The mask of one field, added when it is new. A field named whole stays whole.
    fn enter(&mut self, name: String) -> &mut Self {
        let Self::Fields(fields) = self else { return self };
        let at = fields.iter().position(|(known, _)| *known == name).unwrap_or_else(|| {
            fields.push((name, Self::Fields(Vec::new())));
            fields.len() - 1
        });
        &mut fields[at].1
    }

    /// What is meant of the field `name`, if it is meant at all.
    pub fn field(&self, name: &str) -> Option<&Self> {
        match self {
            Self::All => Some(self),
            Self::Fields(fields) => fields.iter().find(|(known, _)| known == name).map(|(_, mask)| mask),
        }
    }

    /// The first path that `message` does not have.
    pub fn unknown_path(&self, message: &str) -> Option<String> {
        let Self::Fields(fields) = self else { return None };
        fields.iter().find_map(|(name, inner)| match schema::kind_of(message, name) {
            None => Some(name.clone()),
            Some(kind) => inner.unknown_path(kind).map(|path| format!("{name}.{path}")),
        })
    }

    /// What the mask selects of `value`. Selected messages stay as `{}` when nothing inside them is.
    pub fn select(&self, value: Value) -> Value {
        match (self, value) {
            (Self::All, whole) => whole,
            (_, Value::Array(items)) => {
                Value::Array(items.into_iter().map(|item| self.select(item)).collect())
            }
            (Self::Fields(_), Value::Object(object)) => {
                let fields = object.into_iter();
                Value::Object(
                    fields
                        .filter_map(|(name, value)| self.field(&name).map(|mask| (name, mask.select(value))))
                        .collect(),
                )
            }
            (_, scalar) => scalar,
        }
    }

    /// What the mask selects of a value that stays where it is.
    pub fn selected_of(&self, value: &Value) -> Value {
        match (self, value) {
            (Self::Fields(_), Value::Object(object)) => {
                let fields = object.iter();
                let field = |(name, value): (&String, &Value)| {
                    Some((name.clone(), self.field(name)?.selected_of(value)))
                };
                Value::Object(fields.filter_map(field).collect())
            }
            (Self::Fields(_), Value::Array(items)) => {
                Value::Array(items.iter().map(|item| self.selected_of(item)).collect())
            }
            _ => value.clone(),
        }
    }

    /// Copies what the mask names from `source` to `target`; what `source` lacks is removed there.
    pub fn copy(&self, target: &mut Map<String, Value>, source: &Map<String, Value>) {
        let Self::Fields(fields) = self else {
            target.clone_from(source);
            return;
        };
        for (name, inner) in fields {
            match (inner, source.get(name)) {
                (Self::All, Some(value)) => drop(target.insert(name.clone(), value.clone())),
                (Self::All, None) => drop(target.shift_remove(name)),
                (_, value) => copy_inside(inner, target, name, value),
            }
        }
    }
}

fn copy_inside(inner: &Mask, target: &mut Map<String, Value>, name: &str, source: Option<&Value>) {
    let empty = Map::new();
    let source = source.and_then(Value::as_object).unwrap_or(&empty);
    let mut part = target.get(name).and_then(Value::as_object).cloned().unwrap_or_default();
    inner.copy(&mut part, source);
    if part.is_empty() {
        target.shift_remove(name);
    } else {
        target.insert(name.to_owned(), Value::Object(part));
    }
}
