//! Alerts and pings on their way out.

mod dispatch;
mod fallback;
pub mod monitor;
pub mod sink;

pub use dispatch::{Dispatcher, LIMIT, machine};
pub use fallback::{are_records_back, report_unrecorded};
