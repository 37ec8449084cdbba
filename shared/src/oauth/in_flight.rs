//! Counts the refreshes in flight whose response must not be lost.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;

/// How many refreshes of this process may still return a changed refresh token.
static IN_FLIGHT: AtomicUsize = AtomicUsize::new(0);

/// Continues cancelled work for as long as a refresh of this process is in flight. Dropping the work earlier would lose
/// a changed refresh token. It takes no longer than one exchange.
pub async fn finish_refreshes(mut work: Pin<&mut impl Future>) {
    poll_fn(|task| {
        let is_unfinished = any_in_flight() && work.as_mut().poll(task).is_pending() && any_in_flight();
        if is_unfinished { Poll::Pending } else { Poll::Ready(()) }
    })
    .await;
}

fn any_in_flight() -> bool {
    IN_FLIGHT.load(Ordering::SeqCst) > 0
}

/// A refresh, from its request until its result is on the disk.
pub(super) struct RefreshInFlight;

impl RefreshInFlight {
    pub(super) fn begin() -> Self {
        IN_FLIGHT.fetch_add(1, Ordering::SeqCst);
        Self
    }
}

impl Drop for RefreshInFlight {
    fn drop(&mut self) {
        IN_FLIGHT.fetch_sub(1, Ordering::SeqCst);
    }
}
