//! The loop of rounds that a sync and an undo share: read, plan, write, until the sheet holds what it should.

use std::time::Duration;

use log::info;
use shared::sys::retry;
use shared::{Failure, Result};
use tokio::time::sleep;

use crate::google::WriteError;

/// The result of one round.
pub enum RoundOutcome {
    /// The sheet holds what it should.
    Settled,
    /// Something was written, and the sheet must be read again.
    Again {
        /// True if the round deliberately left part of its plan for the next one.
        planned_leftovers: bool,
    },
    /// Google may or may not have carried out the request, or has refused it because another run has written.
    InDoubt {
        /// Why that is unknown.
        failure: Failure,
        /// As of [`RoundOutcome::Again`].
        planned_leftovers: bool,
    },
}

impl RoundOutcome {
    /// The outcome of a write of which `planned_leftovers` says whether it is the whole plan.
    ///
    /// # Errors
    /// When Google rejected the write.
    pub fn of_write(written: Result<Self, WriteError>, planned_leftovers: bool) -> Result<Self> {
        match written {
            Ok(outcome) => Ok(outcome),
            Err(WriteError::OutcomeUnknown(failure) | WriteError::Outdated(failure)) => {
                Ok(Self::InDoubt { failure, planned_leftovers })
            }
            Err(WriteError::Rejected(failure)) => Err(failure),
        }
    }
}

/// What a round knows of the rounds before it.
#[derive(Clone, Copy, Default)]
pub struct EarlierRounds {
    /// How many there were.
    pub count: u32,
    /// How many of them wrote something.
    pub written: u32,
    /// True if the last one deliberately left part of its plan for this one.
    pub planned_leftovers: bool,
}

/// Work that is done in rounds.
pub trait Rounds {
    /// Runs one round. It fails when there were too many before it.
    ///
    /// # Errors
    /// When the work cannot be done.
    async fn round(&mut self, earlier: EarlierRounds) -> Result<RoundOutcome>;
}

/// Runs rounds until one is settled. After a write whose outcome is unknown, it pauses first.
///
/// # Errors
/// As the rounds; and the failure of a write whose outcome is unknown, when the pauses are used up.
pub async fn until_settled(work: &mut impl Rounds, first_pause: Duration) -> Result<()> {
    let mut pauses = retry::pauses(first_pause);
    let mut earlier = EarlierRounds::default();
    loop {
        earlier.planned_leftovers = match work.round(earlier).await? {
            RoundOutcome::Settled => return Ok(()),
            RoundOutcome::Again { planned_leftovers } => {
                earlier.written += 1;
                planned_leftovers
            }
            RoundOutcome::InDoubt { failure, planned_leftovers } => {
                let Some(pause) = pauses.next() else { return Err(failure) };
                info!("{failure}; it may have been done all the same, so the sheet is read again");
                sleep(pause).await;
                planned_leftovers
            }
        };
        earlier.count += 1;
    }
}
