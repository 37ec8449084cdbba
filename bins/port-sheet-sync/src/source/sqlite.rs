//! A query of an SQLite database of another program: read only, one row at a time.
//!
//! The file is never written and never made; a schema that calls functions of its own is not trusted.

use std::fs;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, ErrorCode, OpenFlags, Row};
use shared::cause::Cause;
use shared::config::Query;
use shared::sys::secret_file::shell;
use shared::{Failure, Kind, Result};

use crate::model::cell::Field;
use crate::source::RecordSink;
use crate::source::database;

/// How long another program may hold the database.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// After this many steps of its virtual machine SQLite asks whether to continue.
const STEPS: i32 = 10_000;

/// Reads the rows of a query.
///
/// # Errors
/// [`Kind::Unavailable`] when the file is missing, busy or the query takes too long, [`Kind::Data`] when it is no
/// database, [`Kind::Config`] when the query is wrong or would write.
pub fn read(path: &Path, query: &Query, sink: &mut impl RecordSink) -> Result<()> {
    let source = Database { path, query };
    let metadata = fs::metadata(path).map_err(|error| source.missing(error))?;
    if !metadata.is_file() {
        let hint = format!("see what it is: ls -la {}", shell(path));
        return Err(Failure::new(
            Kind::Data,
            format!("the source {} is not a regular file", path.display()),
            hint,
        ));
    }
    let connection = source.open().map_err(|error| source.refused(error))?;
    let mut statement = connection.prepare(&query.sql).map_err(|error| source.refused(error))?;
    if statement.column_count() == 0 || !statement.readonly() {
        return Err(source.wrong_query("it must return rows and change nothing"));
    }
    let fields: Vec<String> = statement.column_names().map(str::to_owned).collect();
    sink.begin(database::head(fields.clone()))?;
    let mut rows = statement.query([]).map_err(|error| source.refused(error))?;
    let mut at = 0;
    while let Some(row) = rows.next().map_err(|error| source.refused(error))? {
        at += 1;
        match record(row, &fields) {
            Ok(record) => sink.record(at, Ok(&record))?,
            Err(reason) => sink.record(at, Err(reason))?,
        }
    }
    Ok(())
}

fn record<'r>(row: &'r Row<'_>, fields: &[String]) -> Result<Vec<Field<'r>>, String> {
    fields.iter().enumerate().map(|(index, name)| field(row, index, name)).collect()
}

fn field<'r>(row: &'r Row<'_>, index: usize, name: &str) -> Result<Field<'r>, String> {
    match row.get_ref(index) {
        Ok(ValueRef::Null) => Ok(Field::Empty),
        Ok(ValueRef::Integer(number)) => Ok(Field::Number(number.to_string().into())),
        Ok(ValueRef::Real(number)) => Ok(Field::Number(number.to_string().into())),
        Ok(ValueRef::Text(text)) => {
            std::str::from_utf8(text).map(Field::text).map_err(|_| format!("field {name:?} is not UTF-8"))
        }
        Ok(ValueRef::Blob(_)) => Err(format!("field {name:?} is a BLOB, which a sheet cannot hold")),
        Err(error) => Err(format!("field {name:?}: {error}")),
    }
}

struct Database<'a> {
    path: &'a Path,
    query: &'a Query,
}

impl Database<'_> {
    fn open(&self) -> rusqlite::Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(self.path, flags)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
        let end = Instant::now() + self.query.timeout;
        connection.progress_handler(STEPS, Some(move || Instant::now() > end))?;
        Ok(connection)
    }

    fn missing(&self, error: io::Error) -> Failure {
        let path = self.path.display();
        let hint = format!("is the booking system there? ls -la {}", shell(self.path));
        Failure::new(Kind::Unavailable, format!("cannot read the source {path}: {error}"), hint)
            .caused_by(error)
    }

    fn wrong_query(&self, why: &str) -> Failure {
        let path = self.path.display();
        let hint = format!("try it: sqlite3 -readonly {} \"SELECT …\"", shell(self.path));
        Failure::new(Kind::Config, format!("the query of the source {path} cannot be used: {why}"), hint)
    }

    fn refused(&self, error: rusqlite::Error) -> Failure {
        self.explain(&error).caused_by(Cause::new(error))
    }

    fn explain(&self, error: &rusqlite::Error) -> Failure {
        let (path, typed) = (self.path.display(), shell(self.path));
        let message = format!("cannot read the source {path}: {error}");
        match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
                Failure::new(Kind::Data, message, format!("see what it is: file {typed}"))
            }
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Failure::new(
                Kind::Unavailable,
                message,
                format!("another program holds it; the next run tries again: fuser -v {typed}"),
            ),
            Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => Failure::new(
                Kind::Unavailable,
                message,
                "may this user read it? a database in WAL mode needs its -wal and -shm files beside it, or a directory that this user can write",
            ),
            Some(ErrorCode::OperationInterrupted) => Failure::new(
                Kind::Unavailable,
                format!(
                    "the query of the source {path} took longer than {}",
                    humantime::format_duration(self.query.timeout)
                ),
                "make the query cheaper, or raise timeout of the source",
            ),
            Some(ErrorCode::SystemIoFailure | ErrorCode::OutOfMemory | ErrorCode::DiskFull) => {
                Failure::new(Kind::Io, message, format!("look at it: ls -la {typed}; df -h {typed}"))
            }
            _ => self.wrong_query(&error.to_string()),
        }
    }
}
