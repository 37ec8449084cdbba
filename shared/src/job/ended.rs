//! A run that has ended, as all that follows it sees it.

use chrono::{DateTime, Utc};

use crate::Failure;
use crate::alert::Findings;
use crate::metrics::Numbers;
use crate::store::{Outcome, Run};

/// A run that has ended.
pub(super) struct Ended<'a> {
    pub run: &'a Run,
    pub finished: DateTime<Utc>,
    pub outcome: Outcome,
    pub exit: u8,
    pub findings: Findings,
    pub numbers: Numbers,
    /// Why the run could not be recorded.
    pub unrecorded: Option<Failure>,
}
