//! Takes up what a runner left that is gone: its processes are killed first, then its claim is taken back.

use log::warn;

use super::Moment;
use crate::store::{Lost, Store};
use crate::{Result, family};

/// The variable that marks everything that a session starts, with its runner's ULID.
pub const MARK: &str = "SESSION_RUN";

/// Ends the sessions whose runner has not been heard of for a lease. In this order, so that a crash in between leaves
/// the claim, and nothing of the old session is alive when its task may begin again.
///
/// # Errors
/// [`crate::Kind::Io`] when the ledger cannot be written.
pub fn reclaim(store: &mut Store, moment: &Moment) -> Result<Vec<Lost>> {
    for lost in store.expired(moment)? {
        warn!("the runner {} of task {:?} is gone: what it started is ended", lost.runner, lost.task);
        family::kill_marked(&format!("{MARK}={}", lost.runner));
    }
    store.take_back(moment)
}
