//! Times and durations in messages and records.

use std::time::Duration;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

/// A duration in a message: from a minute on to the nearest minute, from two days on in whole days.
pub fn duration_text(duration: TimeDelta) -> String {
    let seconds = duration.to_std().unwrap_or_default().as_secs();
    if duration >= TimeDelta::days(2) {
        return format!("{} days", duration.num_days());
    }
    let exact = if seconds >= 60 { (seconds + 30) / 60 * 60 } else { seconds };
    humantime::format_duration(Duration::from_secs(exact)).to_string()
}

/// A time in UTC to the second, as `2026-05-13T12:00:00Z`.
pub fn timestamp(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_rounded_to_minutes_and_a_long_one_to_days() {
        assert_eq!(duration_text(TimeDelta::seconds(45_029)), "12h 30m");
        assert_eq!(duration_text(TimeDelta::seconds(45_030)), "12h 31m");
        assert_eq!(duration_text(TimeDelta::seconds(59)), "59s");
        assert_eq!(duration_text(TimeDelta::hours(47)), "1day 23h");
        assert_eq!(duration_text(TimeDelta::hours(24 * 40 + 13)), "40 days");
    }
}
