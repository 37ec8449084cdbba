//! For quota-reset and session-run alone: the day of the ledger, claims of dead runners, and the dashboard.

pub mod dashboard;
mod day;
mod reclaim;

pub use day::{settle, warning};
pub use reclaim::{MARK, reclaim};
