//! A response body that ends as it should, breaks off half-way, or stops for ever.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::body::{Body, Bytes, Frame, SizeHint};

/// How a body comes to its end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Ending {
    /// All of it is sent, chunked as Google does it.
    Whole,
    /// The true length is announced, half of it is sent, and the connection is closed.
    Cut,
    /// The true length is announced, half of it is sent, and nothing more comes.
    Stalled,
}

/// The body of one response.
#[derive(Debug)]
pub(crate) struct Paced {
    rest: Bytes,
    announced: Option<u64>,
    ending: Ending,
    is_flushed: bool,
}

/// The connection must be closed here.
#[derive(Debug)]
pub(crate) struct BrokenOff;

impl std::fmt::Display for BrokenOff {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("the connection ends here on purpose")
    }
}

impl std::error::Error for BrokenOff {}

impl From<Infallible> for BrokenOff {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

impl Paced {
    pub(crate) fn new(bytes: Bytes, ending: Ending) -> Self {
        let length = bytes.len() as u64;
        let is_announced = ending != Ending::Whole || bytes.is_empty();
        let rest = if ending == Ending::Whole { bytes } else { bytes.slice(..bytes.len() / 2) };
        Self { rest, announced: is_announced.then_some(length), ending, is_flushed: false }
    }
}

impl Body for Paced {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        if !self.rest.is_empty() {
            return Poll::Ready(Some(Ok(Frame::data(std::mem::take(&mut self.rest)))));
        }
        match self.ending {
            Ending::Whole => Poll::Ready(None),
            Ending::Stalled => Poll::Pending,
            // The error discards what hyper still buffers, so it gets a turn to write that first.
            Ending::Cut if !self.is_flushed => {
                self.is_flushed = true;
                context.waker().wake_by_ref();
                Poll::Pending
            }
            Ending::Cut => Poll::Ready(Some(Err(BrokenOff))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.ending == Ending::Whole && self.rest.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        self.announced.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}
