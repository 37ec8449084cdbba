//! The outcome of a run.

/// The outcome of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Verified success, also when there was no work.
    Ok,
    /// At least one failure.
    Failed,
    /// The run did not begin, because another run holds the lock.
    Skipped,
}

impl Outcome {
    /// The name in records.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }
}
