//! The session quota: which UTC day it is, and the events of quotas and tasks. Pure but for [`Moment::read`].
//!
//! The ledger is in [`crate::store`].

pub mod alerts;
mod clock;

pub use clock::{ClockReading, Moment, Verdict, judge};
