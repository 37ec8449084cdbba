//! The pauses between tries: exponential, with jitter, bounded, and never shorter than a server's `Retry-After`.
//!
//! It only computes pauses. Whether to retry is decided where the failure is classified.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};

use super::counters;

/// The pauses between the six tries of a request.
///
/// With the default first pause of one second they add up to at least 31 seconds and, with jitter, to about a minute: long
/// enough for a per-minute quota to refill
/// (<https://developers.google.com/workspace/sheets/api/limits>).
const PAUSES: usize = 5;

/// The longest `Retry-After` for which a run waits, twice the minute of a quota. A longer one is left to the next run, which
/// must not be blocked by this one.
const LONGEST_WAIT: Duration = Duration::from_secs(120);

/// The pauses between the tries of a request. The first is at least `first`, each further one twice the previous one, and
/// jitter is added.
pub fn pauses(first: Duration) -> impl Iterator<Item = Duration> + Send {
    pauses_between(first, PAUSES + 1)
}

/// The pauses between this number of tries.
pub fn pauses_between(first: Duration, tries: usize) -> impl Iterator<Item = Duration> + Send {
    ExponentialBuilder::default()
        .with_min_delay(first)
        .with_max_delay(first.saturating_mul(64))
        .with_factor(2.0)
        .with_jitter()
        .with_max_times(tries.saturating_sub(1))
        .build()
        .inspect(|_| counters::retry())
}

/// The longer of our pause and the server's `Retry-After`; `None` when that is too long for a run.
pub fn at_least(pause: Duration, retry_after: Option<Duration>) -> Option<Duration> {
    let required = retry_after.unwrap_or_default();
    (required <= LONGEST_WAIT).then(|| pause.max(required))
}

#[cfg(test)]
mod tests {
    use crate::sys::retry::*;

    #[test]
    fn pauses_double_and_end() {
        let pauses: Vec<_> = pauses(Duration::from_secs(1)).collect();
        assert_eq!(pauses.len(), PAUSES);
        for (pause, least) in pauses.iter().zip([1, 2, 4, 8, 16]) {
            assert!((least..=2 * least).contains(&pause.as_secs()), "{pauses:?}");
        }
    }

    #[test]
    fn a_longer_retry_after_wins() {
        let pause = Duration::from_secs(2);
        assert_eq!(at_least(pause, Some(Duration::from_secs(9))), Some(Duration::from_secs(9)));
        assert_eq!(at_least(pause, Some(Duration::from_secs(1))), Some(pause));
        assert_eq!(at_least(pause, None), Some(pause));
    }

    #[test]
    fn a_retry_after_that_no_run_can_wait_out_ends_the_tries() {
        let pause = Duration::from_secs(2);
        assert_eq!(at_least(pause, Some(LONGEST_WAIT)), Some(LONGEST_WAIT));
        assert_eq!(at_least(pause, Some(LONGEST_WAIT + Duration::from_secs(1))), None);
    }
}
