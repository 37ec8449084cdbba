//! The ledger of sessions: quotas, tasks, sessions, releases, closed days, and what the dashboard is still to be told.
//!
//! Each operation is one immediate transaction. The rules that must hold for every program, ours or not, are constraints
//! and triggers of the schema; what is decided here is what to try.

mod clock;
mod days;
mod ending;
mod grant;
mod lease;
mod offer;
mod posts;
mod queue;
mod release;
mod standing;

use chrono::NaiveDate;
use rusqlite::types::Type;
use rusqlite::{Row, Transaction};

pub use clock::Turn;
pub use days::ClosedDay;
pub use ending::{Ending, Finished, SessionOutcome};
pub use grant::{Claim, Grant, Refused};
pub use lease::Lost;
pub use offer::Listed;
pub use posts::Post;
pub use queue::{Task, TaskState};
pub use release::Released;
pub use standing::Standing;

pub(super) const SCHEMA: &str = include_str!("schema.sql");

/// A day as the ledger writes it.
fn day(row: &Row<'_>, index: usize) -> rusqlite::Result<NaiveDate> {
    let text: String = row.get(index)?;
    text.parse().map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(index, Type::Text, Box::<chrono::ParseError>::new(error))
    })
}

/// The ledger's day.
fn today(transaction: &Transaction<'_>) -> rusqlite::Result<NaiveDate> {
    transaction.query_row("SELECT high_water FROM quota_clock", [], |row| day(row, 0))
}

/// A number of rows.
fn count(transaction: &Transaction<'_>, query: &str, params: impl rusqlite::Params) -> rusqlite::Result<u64> {
    transaction.prepare(query)?.query_row(params, |row| row.get::<_, i64>(0)).map(i64::unsigned_abs)
}

#[cfg(test)]
mod tests;
