//! `state.db`: what must outlive a run, in SQLite.
//!
//! Short immediate transactions, a busy timeout and a rollback journal, so that any other process, of any language,
//! can read and write beside us. Only this module sends SQL to it.

mod credentials;
mod events;
mod quota;
mod rate_limit;
mod runs;
mod sinks;
mod subjects;
mod summary;

use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use rusqlite::types::Type;
use rusqlite::{Connection, ErrorCode, Row, Transaction, TransactionBehavior};

use crate::cause::Cause;
use crate::sys::atomic_file;
use crate::{Failure, Kind, Result};

pub use credentials::{Attempt, Blocked, Purpose, Recovery};
pub use quota::{
    Claim, ClaimOutcome, ClosedDay, ExpiredClaim, Finished, Grant, Listed, OutboxReport, QuotaStatus,
    Released, SessionEnding, SessionOutcome, Task, TaskState, Turn,
};
pub use rate_limit::{Bucket, RequestKind};
pub use runs::{Run, RunEnd};
pub use sinks::SinkState;
pub use summary::{CredentialStats, QuotaDay, QuotaSummary, RunRecord, RunSummary};

/// The schema's version, in `PRAGMA user_version`. A newer database is refused, not guessed at.
const SCHEMA_VERSION: i64 = 6;

/// How long to wait for another process's transaction.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// The open database.
#[derive(Debug)]
pub struct Store {
    connection: Connection,
    path: PathBuf,
}

impl Store {
    /// Opens the database, making or upgrading it as needed. The file is 0600.
    ///
    /// # Errors
    /// [`Kind::Io`] when it cannot be used, is damaged, or was written by a newer version.
    pub fn open(path: &Path) -> Result<Self> {
        // SQLite would create it with the umask's mode.
        atomic_file::open_private(path).map_err(|error| Failure::io("cannot open", path, error))?;
        let connection = Connection::open(path).map_err(|error| unusable(path, error))?;
        let mut store = Self { connection, path: path.to_owned() };
        store.prepare().map_err(|error| unusable(path, error))?;
        store.migrate()?;
        Ok(store)
    }

    fn prepare(&self) -> rusqlite::Result<()> {
        self.connection.busy_timeout(BUSY_TIMEOUT)?;
        // An idle WAL database cannot be opened read-only by another user; at our rate TRUNCATE costs nothing.
        self.connection.pragma_update(None, "journal_mode", "TRUNCATE")?;
        self.connection.pragma_update(None, "synchronous", "FULL")?;
        self.connection.pragma_update(None, "foreign_keys", true)
    }

    fn migrate(&mut self) -> Result<()> {
        let version = self.version()?;
        if version > SCHEMA_VERSION {
            return Err(Failure::new(
                Kind::Io,
                format!(
                    "{} was written by a newer version (schema {version}, this one knows {SCHEMA_VERSION})",
                    self.path.display()
                ),
                "install the newer port-jobs again",
            ));
        }
        if version == SCHEMA_VERSION {
            return Ok(());
        }
        self.transaction(|transaction| {
            // Another process may have done it while this one waited for the lock.
            let version: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
            if version < 1 {
                transaction.execute_batch(runs::SCHEMA)?;
            }
            if version < 2 {
                transaction.execute_batch(credentials::SCHEMA)?;
                transaction.execute_batch(events::SCHEMA)?;
            }
            if version < 3 {
                transaction.execute_batch(rate_limit::SCHEMA)?;
            }
            if version < 4 {
                subjects::migrate(transaction)?;
            }
            if version < 5 {
                transaction.execute_batch(quota::SCHEMA)?;
            }
            if version < 6 {
                subjects::adopt_credentials(transaction)?;
            }
            transaction.pragma_update(None, "user_version", SCHEMA_VERSION)
        })
    }

    fn version(&self) -> Result<i64> {
        let version = self.connection.pragma_query_value(None, "user_version", |row| row.get(0));
        version.map_err(|error| unusable(&self.path, error))
    }

    /// Runs `work` in one transaction that holds the write lock from its start: a deferred one could fail with
    /// "database is locked" in the middle, busy timeout or not.
    fn transaction<T>(&mut self, work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>) -> Result<T> {
        let path = &self.path;
        let started = self.connection.transaction_with_behavior(TransactionBehavior::Immediate);
        let done = started.and_then(|transaction| {
            let value = work(&transaction)?;
            transaction.commit()?;
            Ok(value)
        });
        done.map_err(|error| unusable(path, error))
    }
}

/// Times are text in UTC to the millisecond, so that they sort and any SQLite client reads them.
fn stamp(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// A time that cannot be read counts as unknown: a history is worth less than a run.
fn time(row: &Row<'_>, index: usize) -> rusqlite::Result<Option<DateTime<Utc>>> {
    let text: Option<String> = row.get(index)?;
    Ok(text.and_then(|text| text.parse().ok()))
}

/// A time as [`stamp`] writes it.
fn parse_stamp(text: &str) -> rusqlite::Result<DateTime<Utc>> {
    text.parse().map_err(|error| rusqlite::Error::FromSqlConversionFailure(0, Type::Text, Box::new(error)))
}

fn unusable(path: &Path, error: rusqlite::Error) -> Failure {
    let shown = path.display();
    let hint = match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            format!("another program holds a transaction open on it; see which: fuser -v {shown}")
        }
        Some(ErrorCode::DiskFull) => format!("the disk is full: df -h {shown}"),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            format!(
                "move it aside; the sheets do not depend on it, only the history of runs and of credentials, and the sessions and tasks of quotas: mv {shown} {shown}.damaged"
            )
        }
        _ => format!("look at it: ls -la {shown}; df -h {shown}"),
    };
    Failure::new(Kind::Io, format!("cannot use the run records in {shown}: {error}"), hint)
        .caused_by(Cause::new(error))
}
