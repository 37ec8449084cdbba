//! Events: decided in [`crate::alert`], stored once, delivered to each sink.
//!
//! Pure: the caller that records an outcome stores the events in the same transaction, so that of several jobs at once
//! only one reports it.

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// Something that worked has failed, and someone must act.
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
    /// No failure, but worth knowing.
    Notice,
    /// Something is not as it should be, and nothing has failed.
    Warning,
    /// Work waits for a decision.
    NeedsYou,
}

impl EventKind {
    /// The name in records.
    pub fn as_str(self) -> &'static str {
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

/// What users should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// What it is about, as the configuration names it: `credential.port-sheet`.
    pub subject: String,
    /// What happened.
    pub kind: EventKind,
    /// One line.
    pub text: String,
    /// What to do about it.
    pub hint: String,
    /// Of events with the same key only the first is kept.
    pub dedup_key: Option<String>,
}

/// The subject of a credential's events.
pub fn credential_subject(credential: &str) -> String {
    format!("credential.{credential}")
}
