//! The `fields` parameter: `a,b(c,d),e/f` chooses what of an answer is sent. Unknown names choose nothing.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// The fields chosen; no fields below one mean all of it.
#[derive(Debug, Default)]
pub(super) struct Mask(BTreeMap<String, Mask>);

impl Mask {
    pub(super) fn parse(text: &str) -> Self {
        let mut mask = Self::default();
        let mut rest = text;
        while !rest.is_empty() {
            rest = mask.read_one(rest).trim_start_matches([',', ')', ' ']);
        }
        mask
    }

    /// Reads one field with what is chosen below it; returns what follows.
    fn read_one<'t>(&mut self, text: &'t str) -> &'t str {
        let end = text.find([',', '(', ')', '/', '.']).unwrap_or(text.len());
        let (name, rest) = text.split_at(end);
        let below = self.0.entry(name.trim().to_owned()).or_default();
        match rest.chars().next() {
            Some('/' | '.') => below.read_one(&rest[1..]),
            Some('(') => below.read_group(&rest[1..]),
            _ => rest,
        }
    }

    /// Reads a bracketed list; returns what follows its closing bracket.
    fn read_group<'t>(&mut self, mut rest: &'t str) -> &'t str {
        while !rest.is_empty() && !rest.starts_with(')') {
            rest = self.read_one(rest).trim_start_matches([',', ' ']);
        }
        rest.strip_prefix(')').unwrap_or(rest)
    }

    pub(super) fn apply(&self, value: &Value) -> Value {
        match value {
            Value::Array(items) => items.iter().map(|item| self.apply(item)).collect(),
            Value::Object(fields) if !self.0.is_empty() => Value::Object(self.choose(fields)),
            other => other.clone(),
        }
    }

    fn choose(&self, fields: &Map<String, Value>) -> Map<String, Value> {
        let every = self.0.get("*");
        let chosen = fields.iter().filter_map(|(name, value)| {
            let below = self.0.get(name).or(every)?;
            Some((name.clone(), below.apply(value)))
        });
        chosen.collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Mask;

    #[test]
    fn a_mask_chooses_in_lists_brackets_and_paths() {
        let value = json!({"kind": "k", "files": [{"id": 1, "name": "n", "owner": {"me": true, "at": "x"}}]});
        let shown = |mask: &str| Mask::parse(mask).apply(&value);
        assert_eq!(shown("kind"), json!({"kind": "k"}));
        assert_eq!(
            shown("files(id, owner/me),kind"),
            json!({"kind": "k", "files": [{"id": 1, "owner": {"me": true}}]})
        );
        assert_eq!(shown("files(id,owner(at))"), json!({"files": [{"id": 1, "owner": {"at": "x"}}]}));
        assert_eq!(shown("*"), value);
        assert_eq!(shown("nothing"), json!({}));
        assert_eq!(shown("files(id"), json!({"files": [{"id": 1}]}), "an open bracket ends with the text");
    }
}
