//! Why a request brought nothing, and what its caller must do about it.

use shared::Failure;

/// Why a request brought nothing.
#[derive(Debug)]
pub enum WriteError {
    /// It was refused: the sheet is unchanged.
    Rejected(Failure),
    /// It may have been applied: look before trying again.
    OutcomeUnknown(Failure),
    /// It was refused because another run has written since the sheet was read: the sheet must be read again.
    Outdated(Failure),
}

impl From<Failure> for WriteError {
    fn from(failure: Failure) -> Self {
        Self::Rejected(failure)
    }
}

impl WriteError {
    /// The same, with where it happened.
    pub fn within(self, place: impl std::fmt::Display) -> Self {
        match self {
            Self::Rejected(failure) => Self::Rejected(failure.within(place)),
            Self::OutcomeUnknown(failure) => Self::OutcomeUnknown(failure.within(place)),
            Self::Outdated(failure) => Self::Outdated(failure.within(place)),
        }
    }

    /// The failure, without a further request.
    pub fn into_failure(self) -> Failure {
        match self {
            Self::Rejected(failure) | Self::OutcomeUnknown(failure) | Self::Outdated(failure) => failure,
        }
    }
}
