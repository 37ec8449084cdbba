//! The ledger of sessions: quotas, tasks, sessions, releases, closed days, and reports for the dashboard.
//!
//! Each operation is one immediate transaction. The rules that every program must keep, ours or not, are constraints and
//! triggers of the schema; this module decides only what to try.

mod clock;
mod dashboard_list;
mod days;
mod grant;
mod lease;
mod outbox;
mod outcome;
mod queue;
mod release;
mod status;

use chrono::NaiveDate;
use rusqlite::types::Type;
use rusqlite::{Row, Transaction};

pub use clock::Turn;
pub use dashboard_list::Listed;
pub use days::ClosedDay;
pub use grant::{Claim, ClaimOutcome, Grant};
pub use lease::ExpiredClaim;
pub use outbox::OutboxReport;
pub use outcome::{Finished, SessionEnding, SessionOutcome};
pub use queue::{Task, TaskState};
pub use release::Released;
pub use status::QuotaStatus;

pub(super) const SCHEMA: &str = include_str!("schema.sql");

/// Reads a day, `YYYY-MM-DD`.
fn day(row: &Row<'_>, index: usize) -> rusqlite::Result<NaiveDate> {
    let text: String = row.get(index)?;
    text.parse().map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(index, Type::Text, Box::<chrono::ParseError>::new(error))
    })
}

/// The day for which sessions count now.
fn today(transaction: &Transaction<'_>) -> rusqlite::Result<NaiveDate> {
    transaction.query_row("SELECT high_water FROM quota_clock", [], |row| day(row, 0))
}

/// Runs a query that counts rows.
fn count(transaction: &Transaction<'_>, query: &str, params: impl rusqlite::Params) -> rusqlite::Result<u64> {
    transaction.prepare(query)?.query_row(params, |row| row.get::<_, i64>(0)).map(i64::unsigned_abs)
}

#[cfg(test)]
mod tests;
