//! Whether a refresh is under way whose answer must not be lost.

use std::sync::atomic::{AtomicUsize, Ordering};

/// How many refreshes are under way that may bring a changed refresh token.
static UNDER_WAY: AtomicUsize = AtomicUsize::new(0);

/// Whether a refresh is under way in this process that may bring a changed refresh token: whoever drops it loses that.
/// It takes no longer than one exchange.
pub fn is_rotating() -> bool {
    UNDER_WAY.load(Ordering::SeqCst) > 0
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
