//! What people are to hear: decided in [`crate::alert`], stored once, delivered to each sink.
//!
//! Pure: whoever records an outcome stores the events in the same transaction, so that of several jobs at once only
//! one tells.

use std::time::Duration;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Something that worked failed, and a person must act.
    FirstFailure,
    /// It failed again and again.
    Escalated,
    /// From now on it is probed until it works again.
    ActiveRecovery,
    /// It still fails.
    Reminder,
    /// It works again.
    Recovered,
    /// It works, and will not for long.
    Forecast,
    /// Two bookings have the same thing at the same time.
    DoubleBooking,
    /// Nothing is wrong; it is worth knowing.
    Notice,
    /// Something is not as it should be, and nothing has failed.
    Warning,
    /// Work waits for a person.
    NeedsYou,
}

impl Kind {
    /// The word that records hold.
    pub fn word(self) -> &'static str {
        match self {
            Self::FirstFailure => "first-failure",
            Self::Escalated => "escalated",
            Self::ActiveRecovery => "active-recovery",
            Self::Reminder => "reminder",
            Self::Recovered => "recovered",
            Self::Forecast => "forecast",
            Self::DoubleBooking => "double-booking",
            Self::Notice => "notice",
            Self::Warning => "warning",
            Self::NeedsYou => "needs-you",
        }
    }
}

/// One thing to tell people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// What it is about, as the configuration names it: `credential.port-sheet`.
    pub subject: String,
    /// What happened.
    pub kind: Kind,
    /// One line for people.
    pub text: String,
    /// What to do about it.
    pub hint: String,
    /// Of events with the same mark only the first is kept.
    pub once: Option<String>,
}

/// The subject of a credential's events.
pub fn subject(credential: &str) -> String {
    format!("credential.{credential}")
}

/// A length of time for people: to the nearest minute once it is longer than one, in whole days once it is two.
pub fn shown(length: TimeDelta) -> String {
    let seconds = length.to_std().unwrap_or_default().as_secs();
    if length >= TimeDelta::days(2) {
        return format!("{} days", length.num_days());
    }
    let exact = if seconds >= 60 { (seconds + 30) / 60 * 60 } else { seconds };
    humantime::format_duration(Duration::from_secs(exact)).to_string()
}

/// A time for people, to the second.
pub fn stamp(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_is_told_to_the_minute_and_a_long_one_in_days() {
        assert_eq!(shown(TimeDelta::seconds(45_029)), "12h 30m");
        assert_eq!(shown(TimeDelta::seconds(45_030)), "12h 31m");
        assert_eq!(shown(TimeDelta::seconds(59)), "59s");
        assert_eq!(shown(TimeDelta::hours(47)), "1day 23h");
        assert_eq!(shown(TimeDelta::hours(24 * 40 + 13)), "40 days");
    }
}
