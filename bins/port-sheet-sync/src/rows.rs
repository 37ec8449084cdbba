//! The file format of the spool and the base: rows of cells, one JSON array a line, behind a line that says which
//! columns they are.
//!
//! It writes and reads; what the rows mean is the spool's and the base's. A base of another version or of other columns
//! is still read: cells are found by header.

use std::fs::File;
use std::io::{BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use shared::file::Draft;
use shared::{Failure, Result};

use crate::column::Remembered;
use crate::value::Cell;

/// The format's version. A file of another one is as good as none.
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Heading {
    version: u32,
    columns: Vec<Remembered>,
}

/// One row: the line it had in the source (0 when it has left the source) and its cells.
pub type Row = (u64, Vec<Cell>);

/// A file of rows being written.
#[derive(Debug)]
pub struct Writer {
    draft: Draft,
    path: PathBuf,
    buffer: Vec<u8>,
    offset: u64,
}

/// How much is gathered before it is written, in bytes.
const BUFFER: usize = 64 * 1024;

impl Writer {
    /// Starts a new version of the file.
    ///
    /// # Errors
    /// [`shared::Kind::Io`].
    pub fn create(path: &Path, columns: Vec<Remembered>) -> Result<Self> {
        let mut writer =
            Self { draft: Draft::new(path)?, path: path.to_owned(), buffer: Vec::new(), offset: 0 };
        writer.line(&Heading { version: VERSION, columns })?;
        Ok(writer)
    }

    /// Adds a row; answers where it begins.
    ///
    /// # Errors
    /// [`shared::Kind::Io`].
    pub fn row(&mut self, line: u64, cells: &[Cell]) -> Result<u64> {
        let begins = self.offset;
        self.line(&(line, cells))?;
        Ok(begins)
    }

    fn line(&mut self, value: &impl Serialize) -> Result<()> {
        let before = self.buffer.len();
        serde_json::to_writer(&mut self.buffer, value).map_err(|error| Failure::bug(error.to_string()))?;
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
pub struct Reader {
    file: BufReader<File>,
    path: PathBuf,
    columns: Vec<Remembered>,
    line: String,
}

impl Reader {
    /// Opens the file; none when it does not exist or has another version's format.
    ///
    /// # Errors
    /// [`shared::Kind::Io`] when it cannot be read.
    pub fn open(path: &Path) -> Result<Option<Self>> {
        let file = match File::open(path) {
            Ok(file) => BufReader::new(file),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Failure::io("cannot read", path, error)),
        };
        let mut reader = Self { file, path: path.to_owned(), columns: Vec::new(), line: String::new() };
        let Some(heading) = reader.parsed::<Heading>()?.filter(|heading| heading.version == VERSION) else {
            return Ok(None);
        };
        reader.columns = heading.columns;
        Ok(Some(reader))
    }

    /// The columns of its rows.
    pub fn columns(&self) -> &[Remembered] {
        &self.columns
    }

    /// The next row.
    ///
    /// # Errors
    /// [`shared::Kind::Io`] when the file cannot be read or is damaged.
    pub fn row(&mut self) -> Result<Option<Row>> {
        self.parsed()
    }

    /// The row that begins there.
    ///
    /// # Errors
    /// [`shared::Kind::Io`] when the file cannot be read or is damaged.
    pub fn row_at(&mut self, offset: u64) -> Result<Row> {
        self.file.seek(SeekFrom::Start(offset)).map_err(|error| self.unreadable(&error))?;
        self.parsed()?.ok_or_else(|| self.unreadable(&"a row is missing"))
    }

    fn parsed<T: for<'de> Deserialize<'de>>(&mut self) -> Result<Option<T>> {
        self.line.clear();
        let length = self.file.read_line(&mut self.line).map_err(|error| self.unreadable(&error))?;
        if length == 0 {
            return Ok(None);
        }
        serde_json::from_str(&self.line).map(Some).map_err(|error| self.unreadable(&error))
    }

    fn unreadable(&self, error: &dyn std::fmt::Display) -> Failure {
        let mut failure = Failure::io("cannot read", &self.path, error);
        failure.hint = format!(
            "if it is damaged, move it aside; the next run reads the sheet anew: mv {0} {0}.damaged",
            self.path.display()
        );
        failure
    }
}
