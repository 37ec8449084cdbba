//! Cleans up after a runner that died: its processes are killed first, then its claim is reclaimed.

use log::warn;

use crate::Result;
use crate::quota::Moment;
use crate::store::{ExpiredClaim, Store};
use crate::sys::process_tree;

/// The environment variable with the runner's ULID, in every process that a session starts.
pub const MARK: &str = "SESSION_RUN";

/// Ends the sessions of runners that sent no heartbeat for a lease. A crash between the two steps leaves the claim, so no
/// process of the old session is running when its task may begin again.
///
/// # Errors
/// [`crate::Kind::Io`] when the ledger cannot be written.
pub fn reclaim(store: &mut Store, moment: &Moment) -> Result<Vec<ExpiredClaim>> {
    for claim in store.expired(moment)? {
        warn!("the runner {} of task {:?} is gone: what it started is killed", claim.runner, claim.task);
        process_tree::kill_marked(&format!("{MARK}={}", claim.runner));
    }
    store.reclaim(moment)
}
