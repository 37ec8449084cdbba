//! How long to pause between tries: exponential, jittered, bounded, and never shorter than a server asked.
//!
//! It only computes pauses; what may be tried again is decided where the failure is classified.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};

use crate::tally;

/// The tries of a request: at most six, so five pauses.
///
/// With the default first pause of one second they add up to at least 31 seconds and, with jitter, to about a
/// minute: long enough for a per-minute quota to be refilled
/// (<https://developers.google.com/workspace/sheets/api/limits>).
const PAUSES: usize = 5;

/// The longest `Retry-After` that a run waits out, twice the minute of a quota: a longer one is for the next run, which
/// must not find this one asleep.
const PATIENCE: Duration = Duration::from_secs(120);

/// The pauses between tries of a request, the first one `first` long on average, each twice the one before.
pub fn pauses(first: Duration) -> impl Iterator<Item = Duration> + Send {
    pauses_between(first, PAUSES + 1)
}

/// The pauses between so many tries.
pub fn pauses_between(first: Duration, tries: usize) -> impl Iterator<Item = Duration> + Send {
    ExponentialBuilder::default()
        .with_min_delay(first)
        .with_max_delay(first.saturating_mul(64))
        .with_factor(2.0)
        .with_jitter()
        .with_max_times(tries.saturating_sub(1))
        .build()
        .inspect(|_| tally::retry())
}

/// The pause to take: ours, or the server's `Retry-After` when that is longer; none when it is too long for a run.
pub fn at_least(pause: Duration, retry_after: Option<Duration>) -> Option<Duration> {
    let asked = retry_after.unwrap_or_default();
    (asked <= PATIENCE).then(|| pause.max(asked))
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(at_least(pause, Some(PATIENCE)), Some(PATIENCE));
        assert_eq!(at_least(pause, Some(PATIENCE + Duration::from_secs(1))), None);
    }
}
