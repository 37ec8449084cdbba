//! Whether a run that failed says anything that the run before did not say. It decides; printing is `output`'s.

use serde_json::Value;

use crate::Result;
use crate::store::{Run, Store};

/// Whether the failures in this result are other ones than those of the job's last run, or people are told of an event.
///
/// # Errors
/// As the store's.
pub(super) fn is_new(store: &mut Store, run: &Run, result: &str) -> Result<bool> {
    if store.told_since(run.started)? {
        return Ok(true);
    }
    let before = store.result_before(run)?;
    Ok(before.is_none_or(|before| failures(&before) != failures(result)))
}

/// What failed in a result and in every part of it. Hints may name a time, so they do not count.
fn failures(result: &str) -> Vec<String> {
    let mut found = Vec::new();
    collect(&serde_json::from_str(result).unwrap_or_default(), &mut found);
    found
}

fn collect(part: &Value, found: &mut Vec<String>) {
    match part {
        Value::Object(fields) => {
            let error = fields.get("error").filter(|error| error.is_object());
            found.extend(error.map(|error| format!("{}: {}", error["kind"], error["message"])));
            fields.values().for_each(|field| collect(field, found));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_found_in_every_part_and_hints_do_not_count() {
        let result = |hint: &str, second: &str| {
            let error = |message: &str| format!(r#"{{"kind":"io","message":"{message}","hint":"{hint}"}}"#);
            let (first, second) = (error("a"), error(second));
            format!(r#"{{"run":"1","error":{first},"credentials":[{{"error":{second}}},{{"error":null}}]}}"#)
        };
        assert_eq!(failures(&result("h", "b")), [r#""io": "a""#, r#""io": "b""#]);
        assert_eq!(failures(&result("h", "b")), failures(&result("at 12:00", "b")));
        assert_ne!(failures(&result("h", "b")), failures(&result("h", "c")));
    }
}
