//! Counters for the metrics file: retries, responses 401, how early an access token was renewed.
//!
//! They are global, since a process is one run. No decision depends on them.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use chrono::TimeDelta;

static RETRIES: AtomicU64 = AtomicU64::new(0);
static UNAUTHENTICATED: AtomicU64 = AtomicU64::new(0);
/// Seconds; `i64::MIN` until a token is renewed.
static REFRESH_MARGIN: AtomicI64 = AtomicI64::new(i64::MIN);

/// The counters at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counters {
    /// Requests sent again after a failure.
    pub retries: u64,
    /// Responses 401 of the API.
    pub unauthenticated: u64,
    /// Seconds between the last renewal of a token and its expiry; negative if it had expired. `None` without a renewal.
    pub refresh_margin: Option<i64>,
}

/// Counts a request that is sent again.
pub fn retry() {
    RETRIES.fetch_add(1, Ordering::Relaxed);
}

/// Counts a response 401.
pub fn unauthenticated() {
    UNAUTHENTICATED.fetch_add(1, Ordering::Relaxed);
}

/// Records the renewal of a token that would have expired after `left`.
pub fn refreshed_early(left: TimeDelta) {
    REFRESH_MARGIN.store(left.num_seconds(), Ordering::Relaxed);
}

/// The counters up to now.
pub fn read() -> Counters {
    let margin = REFRESH_MARGIN.load(Ordering::Relaxed);
    Counters {
        retries: RETRIES.load(Ordering::Relaxed),
        unauthenticated: UNAUTHENTICATED.load(Ordering::Relaxed),
        refresh_margin: (margin != i64::MIN).then_some(margin),
    }
}
