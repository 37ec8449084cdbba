//! Decides whether a failed run has failures that the previous run did not print. Pure.

use chrono::{DateTime, Utc};
use serde_json::Value;

/// A failure that continues is printed again in each quarter of the day, in seconds.
const AGAIN_EVERY: i64 = 6 * 60 * 60;

/// True if this result has other failures than the one before it, or a new quarter of the day has begun since. A result
/// that cannot be read counts as new.
pub(super) fn is_new(before: &str, result: &str) -> bool {
    match (serde_json::from_str::<Value>(before), serde_json::from_str::<Value>(result)) {
        (Ok(before), Ok(now)) => failures(&before) != failures(&now) || quarter(&before) != quarter(&now),
        _ => true,
    }
}

fn quarter(result: &Value) -> Option<i64> {
    let started: DateTime<Utc> = result["started"].as_str()?.parse().ok()?;
    Some(started.timestamp().div_euclid(AGAIN_EVERY))
}

/// The failures of a result and of every part of it. Hints may contain a time, so they do not count.
fn failures(result: &Value) -> Vec<String> {
    let mut found = Vec::new();
    collect(result, &mut found);
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
    use crate::run::repeat::*;

    fn result(started: &str, hint: &str, second: &str) -> String {
        let error = |message: &str| format!(r#"{{"kind":"io","message":"{message}","hint":"{hint}"}}"#);
        let (first, second) = (error("a"), error(second));
        format!(
            r#"{{"started":"{started}","error":{first},"credentials":[{{"error":{second}}},{{"error":null}}]}}"#
        )
    }

    #[test]
    fn another_failure_in_any_part_is_news_and_another_hint_is_not() {
        let noon = "2026-05-13T12:00:00Z";
        let before = result(noon, "h", "b");
        assert!(!is_new(&before, &result("2026-05-13T17:59:59Z", "at 18:00", "b")));
        assert!(is_new(&before, &result(noon, "h", "c")));
        assert!(is_new("{", &before));
    }

    #[test]
    fn a_failure_that_continues_is_new_again_in_each_quarter_of_the_day() {
        let before = result("2026-05-13T17:59:59Z", "h", "b");
        assert!(is_new(&before, &result("2026-05-13T18:00:00Z", "h", "b")));
    }
}
