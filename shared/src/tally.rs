//! What happens deep inside a run and is only ever counted: retries, answers 401, how early a token was fetched anew.
//!
//! One executable is one run, so these are the process's own; handing a counter through every call would tell nobody more.
//! Nothing is ever decided by them.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use chrono::TimeDelta;

static RETRIES: AtomicU64 = AtomicU64::new(0);
static UNAUTHENTICATED: AtomicU64 = AtomicU64::new(0);
/// Seconds; `i64::MIN` while no token was fetched anew.
static REFRESH_MARGIN: AtomicI64 = AtomicI64::new(i64::MIN);

/// What was counted so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tally {
    /// Requests that were tried again.
    pub retries: u64,
    /// Answers 401 from the API.
    pub unauthenticated: u64,
    /// How long before its end a token was last fetched anew, in seconds; negative when it was late.
    pub refresh_margin: Option<i64>,
}

/// A request is tried again.
pub fn retry() {
    RETRIES.fetch_add(1, Ordering::Relaxed);
}

/// The API did not accept a token.
pub fn unauthenticated() {
    UNAUTHENTICATED.fetch_add(1, Ordering::Relaxed);
}

/// A token with so much left was fetched anew.
pub fn refreshed_early(left: TimeDelta) {
    REFRESH_MARGIN.store(left.num_seconds(), Ordering::Relaxed);
}

/// What was counted so far.
pub fn so_far() -> Tally {
    let margin = REFRESH_MARGIN.load(Ordering::Relaxed);
    Tally {
        retries: RETRIES.load(Ordering::Relaxed),
        unauthenticated: UNAUTHENTICATED.load(Ordering::Relaxed),
        refresh_margin: (margin != i64::MIN).then_some(margin),
    }
}
