//! Whether a refresh is under way whose answer must not be lost.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;

/// How many refreshes are under way that may bring a changed refresh token.
static UNDER_WAY: AtomicUsize = AtomicUsize::new(0);

/// Goes on with work that is to be given up while a refresh is under way in this process that may bring a changed refresh
/// token: whoever drops it loses that. It takes no longer than one exchange.
pub async fn keep_rotated(mut work: Pin<&mut impl Future>) {
    let is_rotating = || UNDER_WAY.load(Ordering::SeqCst) > 0;
    poll_fn(|task| {
        let goes_on = is_rotating() && work.as_mut().poll(task).is_pending() && is_rotating();
        if goes_on { Poll::Pending } else { Poll::Ready(()) }
    })
    .await;
}

/// A refresh from its request until what it brought is on the disk.
pub(super) struct Rotating;

impl Rotating {
    pub(super) fn begin() -> Self {
        UNDER_WAY.fetch_add(1, Ordering::SeqCst);
        Self
    }
}

impl Drop for Rotating {
    fn drop(&mut self) {
        UNDER_WAY.fetch_sub(1, Ordering::SeqCst);
    }
}
