//! Where bookings come from: records, one after the other, each with its line or row.
//!
//! A source is read once, as a stream, and passed on record by record; it is never held whole. It knows nothing of
//! columns, types or keys.

pub mod csv;
pub mod database;
pub mod download;
pub mod export;
pub mod json;
pub mod mysql;
pub mod postgres;
pub mod sqlite;
pub mod text;
pub mod web;

use std::path::{Path, PathBuf};

use shared::config::{self, Origin, ServerKind};
use shared::{Failure, Kind, Result, Secret};
use tokio::time::Instant;

use crate::model::cell::Field;
use crate::source::download::BodyFormat;
use crate::source::export::Export;

/// What a source is like, known before its first record.
#[derive(Debug)]
pub struct Head {
    /// The names of its fields, in order.
    pub fields: Vec<String>,
    /// What its records are counted by: `line`, `record` or `row`, from 1.
    pub unit: &'static str,
    /// The file that is read, for the commands of hints.
    pub file: Option<PathBuf>,
    /// Whether its last line has an end, where it has lines.
    pub ends_with_line_break: bool,
}

/// A record's fields in the head's order, or why it is rejected.
pub type Record<'a, 'f> = Result<&'a [Field<'f>], String>;

/// What receives the records of a source.
pub trait RecordSink {
    /// Takes what is known before the first record. Called once.
    ///
    /// # Errors
    /// When a source like that is refused.
    fn begin(&mut self, head: Head) -> Result<()>;

    /// Takes a record and its place.
    ///
    /// # Errors
    /// When it cannot be kept.
    fn record(&mut self, at: u64, record: Record<'_, '_>) -> Result<()>;
}

/// What a source may need to be reached.
#[derive(Debug)]
pub struct SourceAccess<'a> {
    /// The sheet's name, for the files of downloads.
    pub sheet: &'a str,
    /// Where downloads are kept.
    pub spool: PathBuf,
    /// Where files of secrets lie.
    pub credentials: PathBuf,
    /// systemd's directory of credentials.
    pub granted: Option<&'a Path>,
    /// When the run must be done.
    pub end: Instant,
}

impl SourceAccess<'_> {
    /// The secret in a file: its first line, held to the rules of credential files.
    fn secret(&self, file: &Path) -> Result<Secret> {
        let path = shared::sys::secret_file::locate(file, self.granted, &self.credentials);
        let content = shared::sys::secret_file::read(&path, self.granted)?;
        let text = std::str::from_utf8(&content).unwrap_or_default().trim_end_matches(['\n', '\r']);
        if text.is_empty() || text.contains(char::is_control) {
            return Err(Failure::new(
                Kind::Credential,
                format!("credential file {} does not hold one line of text", path.display()),
                format!("put the secret alone into it: editor {}", shared::sys::secret_file::shell(&path)),
            ));
        }
        Ok(Secret::new(text))
    }
}

/// Reads a source to its end. `wanted` are the fields that the configuration names, if it names any.
///
/// # Errors
/// When it cannot be reached or is not of its kind, and whatever the sink refuses.
pub async fn read(
    source: &config::Source,
    access: &SourceAccess<'_>,
    wanted: Option<Vec<String>>,
    sink: &mut impl RecordSink,
) -> Result<()> {
    match source {
        config::Source::Csv { origin, delimiter, encoding } => {
            csv::read(export(origin, BodyFormat::Lines, access).await?, *delimiter, encoding, sink)
        }
        config::Source::Json { origin, pointer } => {
            let format = if pointer.is_empty() { BodyFormat::Either } else { BodyFormat::Document };
            json::read(export(origin, format, access).await?, pointer, wanted, sink)
        }
        config::Source::Sqlite { path, query } => sqlite::read(path, query, sink),
        config::Source::Server(server) => {
            let password = server.password_file.as_deref().map(|file| access.secret(file)).transpose()?;
            match server.kind {
                ServerKind::Postgres => postgres::read(server, password, sink).await,
                ServerKind::Mysql => mysql::read(server, password, sink).await,
            }
        }
    }
}

/// The file of a source, fetched first where it lies on a web server.
async fn export(origin: &Origin, format: BodyFormat, access: &SourceAccess<'_>) -> Result<Export> {
    match origin {
        Origin::File(path) => Export::open(path.display().to_string(), path),
        Origin::Web(web) => {
            let path = download::fetch(web, format, access).await?;
            Export::open(web.address.to_string(), &path)
        }
    }
}
