//! The session quota: which UTC day it is, and what people hear of quotas and tasks.
//!
//! The ledger itself is in [`crate::store`]; here is what is decided before it is asked, and how the day is settled for
//! every job that writes to it.

pub mod alerts;
mod clock;
mod day;
mod reclaim;

pub use clock::{Moment, Seen, Verdict, judge};
pub use day::{settle, warning};
pub use reclaim::{MARK, reclaim};
