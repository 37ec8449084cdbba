//! A CSV file for users: written beside its place, 0600, and put there whole.
//!
//! It writes records; what is in them is its caller's.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use shared::sys::atomic_file::Draft;
use shared::{Failure, Result};

/// A CSV file being written.
pub struct CsvFile {
    writer: csv::Writer<File>,
    draft: Draft,
    path: PathBuf,
}

impl CsvFile {
    /// Starts a new version of the file.
    ///
    /// # Errors
    /// [`shared::Kind::Io`].
    pub fn create(path: &Path) -> Result<Self> {
        let draft = Draft::new(path)?;
        let file = draft.file().try_clone().map_err(|error| Failure::io("cannot write", path, error))?;
        let writer = csv::WriterBuilder::new().flexible(true).from_writer(file);
        Ok(Self { writer, draft, path: path.to_owned() })
    }

    /// Adds a record.
    ///
    /// # Errors
    /// [`shared::Kind::Io`].
    pub fn write<T: AsRef<[u8]>>(&mut self, record: impl IntoIterator<Item = T>) -> Result<()> {
        self.writer
            .write_record(record)
            .map_err(|error| Failure::io("cannot write", &self.path, io::Error::from(error)))
    }

    /// Puts the file in its place.
    ///
    /// # Errors
    /// [`shared::Kind::Io`].
    pub fn commit(mut self) -> Result<()> {
        self.writer.flush().map_err(|error| Failure::io("cannot write", &self.path, error))?;
        self.draft.commit()
    }
}
