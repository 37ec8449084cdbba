//! Whether a run that failed says anything that the run before did not say. It decides; printing is `output`'s.

use chrono::{DateTime, Utc};
use serde_json::Value;

/// How often a failure that goes on is told again, in seconds: with each quarter of the day.
const AGAIN_EVERY: i64 = 6 * 60 * 60;

/// Whether the failures in this result are other ones than those in the result before it, or a quarter of the day has
/// begun since. A result that cannot be read counts as another.
pub(super) fn is_new(before: &str, result: &str) -> bool {
    let parse = |text: &str| {
        serde_json::from_str::<Value>(text).ok().map(|value| (failures(&value), quarter(&value)))
    };
    match (parse(before), parse(result)) {
        (Some(before), Some(now)) => before != now,
        _ => true,
    }
}

fn quarter(result: &Value) -> Option<i64> {
    let started: DateTime<Utc> = result["started"].as_str()?.parse().ok()?;
    Some(started.timestamp().div_euclid(AGAIN_EVERY))
}

/// What failed in a result and in every part of it. Hints may name a time, so they do not count.
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
    use super::*;

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
    fn what_goes_on_is_told_again_with_each_quarter_of_the_day() {
        let before = result("2026-05-13T17:59:59Z", "h", "b");
        assert!(is_new(&before, &result("2026-05-13T18:00:00Z", "h", "b")));
    }
}
