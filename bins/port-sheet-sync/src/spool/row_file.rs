//! The file format of the spool and the base: rows of cells, one JSON array a line, behind a line that says which
//! columns they are.
//!
//! It writes and reads; what the rows mean is the spool's and the base's. A base of another version or of other columns
//! is still read: cells are found by header.

use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use shared::cause::Cause;
use shared::sys::atomic_file::Draft;
use shared::{Failure, Result};

use crate::model::cell::Cell;
use crate::model::column::Remembered;

/// The format's version. A file of another one is as good as none.
const VERSION: u32 = 2;

/// The first line of the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    version: u32,
    /// The spreadsheet and the tab: rows of another one say nothing about this one.
    pub home: String,
    /// The columns of the rows.
    pub columns: Vec<Remembered>,
    /// Whether the source's last line had an end, so that a later one without is recognised as cut off.
    pub ends_with_line_break: bool,
}

impl Header {
    /// A heading of the present version.
    pub fn new(home: String, columns: Vec<Remembered>) -> Self {
        Self { version: VERSION, home, columns, ends_with_line_break: false }
    }
}

/// One row: the line it had in the source (0 when it has left the source) and its cells.
pub type Row = (u64, Vec<Cell>);

/// A file of rows being written.
#[derive(Debug)]
pub struct RowWriter {
    draft: Draft,
    path: PathBuf,
    buffer: Vec<u8>,
    offset: u64,
}

/// How much is gathered before it is written, in bytes.
const BUFFER: usize = 64 * 1024;

impl RowWriter {
    /// Starts a new version of the file.
    ///
    /// # Errors
    /// [`shared::Kind::Io`].
    pub fn create(path: &Path, heading: &Header) -> Result<Self> {
        let mut writer =
            Self { draft: Draft::new(path)?, path: path.to_owned(), buffer: Vec::new(), offset: 0 };
        writer.line(heading)?;
        Ok(writer)
    }

    /// Adds a row; returns where it begins.
    ///
    /// # Errors
    /// [`shared::Kind::Io`].
    pub fn row<T: AsRef<str>>(&mut self, line: u64, cells: &[Cell<T>]) -> Result<u64> {
        let begins = self.offset;
        self.line(&(line, cells))?;
        Ok(begins)
    }

    fn line(&mut self, value: &impl Serialize) -> Result<()> {
        let before = self.buffer.len();
        serde_json::to_writer(&mut self.buffer, value).map_err(Failure::defect)?;
        self.buffer.push(b'\n');
        self.offset += (self.buffer.len() - before) as u64;
        if self.buffer.len() >= BUFFER { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<()> {
        let written = self.draft.file().write_all(&self.buffer);
        self.buffer.clear();
        written.map_err(|error| Failure::io("cannot write", &self.path, error))
    }

    /// Puts the file in its place.
    ///
    /// # Errors
    /// [`shared::Kind::Io`].
    pub fn commit(mut self) -> Result<()> {
        self.flush()?;
        self.draft.commit()
    }
}

/// A file of rows being read.
#[derive(Debug)]
pub struct RowReader {
    file: BufReader<File>,
    path: PathBuf,
    heading: Header,
    offset: u64,
    line: String,
}

impl RowReader {
    /// Opens the file; none when it does not exist or has another version's format.
    ///
    /// # Errors
    /// [`shared::Kind::Io`] when it cannot be read.
    pub fn open(path: &Path) -> Result<Option<Self>> {
        let file = match File::open(path) {
            Ok(file) => BufReader::new(file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Failure::io("cannot read", path, error)),
        };
        let heading = Header::new(String::new(), Vec::new());
        let mut reader = Self { file, path: path.to_owned(), heading, offset: 0, line: String::new() };
        // Read as any value first: another version's heading may have other fields.
        let Some(heading) = reader.parsed::<serde_json::Value>()?.and_then(heading_of) else {
            return Ok(None);
        };
        reader.heading = heading;
        Ok(Some(reader))
    }

    /// What its rows are.
    pub fn heading(&self) -> &Header {
        &self.heading
    }

    /// The next row and where it begins.
    ///
    /// # Errors
    /// [`shared::Kind::Io`] when the file cannot be read or is damaged.
    pub fn row(&mut self) -> Result<Option<(u64, Row)>> {
        let begins = self.offset;
        Ok(self.parsed()?.map(|row| (begins, row)))
    }

    /// The row that begins there.
    ///
    /// # Errors
    /// [`shared::Kind::Io`] when the file cannot be read or is damaged.
    pub fn row_at(&mut self, offset: u64) -> Result<Row> {
        // Relative, so that rows read in order come out of the buffer.
        let ahead = offset.cast_signed() - self.offset.cast_signed();
        self.file.seek_relative(ahead).map_err(|error| self.unreadable(error))?;
        self.offset = offset;
        self.parsed()?
            .ok_or_else(|| self.unreadable(io::Error::new(io::ErrorKind::UnexpectedEof, "a row is missing")))
    }

    fn parsed<T: for<'de> Deserialize<'de>>(&mut self) -> Result<Option<T>> {
        self.line.clear();
        let length = self.file.read_line(&mut self.line).map_err(|error| self.unreadable(error))?;
        self.offset += length as u64;
        if length == 0 {
            return Ok(None);
        }
        serde_json::from_str(&self.line).map(Some).map_err(|error| self.unreadable(error))
    }

    fn unreadable(&self, error: impl fmt::Display + Into<Cause>) -> Failure {
        let hint = format!(
            "if it is damaged, move it aside; the next run reads the sheet anew: mv {0} {0}.damaged",
            self.path.display()
        );
        Failure { hint, ..Failure::io("cannot read", &self.path, error) }
    }
}

/// Opens a file that this run wrote.
///
/// # Errors
/// [`shared::Kind::Io`] when it cannot be read; a bug when it is gone.
pub fn reopen(path: &Path) -> Result<RowReader> {
    RowReader::open(path)?.ok_or_else(|| Failure::bug("a file of rows that was just written is gone"))
}

fn heading_of(value: serde_json::Value) -> Option<Header> {
    serde_json::from_value(value).ok().filter(|heading: &Header| heading.version == VERSION)
}
