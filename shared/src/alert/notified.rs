//! What was reported of an outage.

use chrono::{DateTime, Utc};

/// What was reported of the present outage.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notified {
    /// When it was first reported.
    pub first: Option<DateTime<Utc>>,
    /// When it was escalated.
    pub escalated: Option<DateTime<Utc>>,
    /// When the last reminder was sent.
    pub reminded: Option<DateTime<Utc>>,
}
