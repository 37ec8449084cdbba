//! A file of bookings that another program writes: opened once, and refused if it changes while it is read.
//!
//! It knows nothing of what is in it.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use shared::sys::secret_file::shell;
use shared::{Failure, Kind, Result};

/// An open export.
#[derive(Debug)]
pub struct Export {
    /// Its name in messages: its path, or the address it came from.
    pub shown: String,
    /// Where it is, for the commands of hints.
    pub path: PathBuf,
    file: File,
    state: FileState,
}

/// What changes when a file is written.
#[derive(Debug, PartialEq, Eq)]
struct FileState {
    length: u64,
    modified: SystemTime,
}

impl FileState {
    fn of(file: &File) -> io::Result<Self> {
        let metadata = file.metadata()?;
        Ok(Self { length: metadata.len(), modified: metadata.modified()? })
    }
}

/// How much of a file is looked at before it is read, in bytes.
const START: u64 = 512;

impl Export {
    /// Opens a regular file.
    ///
    /// # Errors
    /// [`Kind::Unavailable`] when it is missing or unreadable, [`Kind::Data`] when it is another kind of file.
    pub fn open(shown: String, path: &Path) -> Result<Self> {
        // Opening a pipe would wait for a writer without end.
        let metadata = fs::metadata(path).map_err(|error| missing(&shown, path, error))?;
        if !metadata.is_file() {
            let hint = format!("see what it is: ls -la {}", shell(path));
            return Err(Failure::new(Kind::Data, format!("the source {shown} is not a regular file"), hint));
        }
        let opened = File::open(path).and_then(|file| Ok((FileState::of(&file)?, file)));
        let (state, file) = opened.map_err(|error| missing(&shown, path, error))?;
        Ok(Self { shown, path: path.to_owned(), file, state })
    }

    /// Its first bytes.
    ///
    /// # Errors
    /// [`Kind::Unavailable`].
    pub fn start(&mut self) -> Result<Vec<u8>> {
        let mut start = Vec::new();
        let read = self.file.by_ref().take(START).read_to_end(&mut start).and_then(|_| self.file.rewind());
        read.map_err(|error| self.missing(error))?;
        Ok(start)
    }

    /// Whether its last line has an end.
    ///
    /// # Errors
    /// [`Kind::Unavailable`].
    pub fn ends_with_line_break(&mut self) -> Result<bool> {
        let mut last = [0; 2];
        let from = self.state.length.min(2);
        let count = usize::try_from(from).unwrap_or(0);
        let read = self.file.seek(SeekFrom::End(-from.cast_signed()));
        let read =
            read.and_then(|_| self.file.read_exact(&mut last[..count])).and_then(|()| self.file.rewind());
        read.map_err(|error| self.missing(error))?;
        // The second is UTF-16, little end first.
        Ok(last[..count].ends_with(b"\n") || last == *b"\n\0")
    }

    /// The file, for reading it from its beginning.
    ///
    /// # Errors
    /// [`Kind::Unavailable`].
    pub fn reader(&self) -> Result<File> {
        self.file.try_clone().map_err(|error| self.missing(error))
    }

    /// At the end of the file: no program wrote to it meanwhile.
    ///
    /// # Errors
    /// [`Kind::Unavailable`].
    pub fn check_unchanged(&self) -> Result<()> {
        if FileState::of(&self.file).map_err(|error| self.missing(error))? == self.state {
            return Ok(());
        }
        Err(Failure::new(
            Kind::Unavailable,
            format!("the source {} was written while it was read", self.shown),
            "the next run reads it again; the export should write a new file and rename it into place",
        ))
    }

    /// Where it is, as a shell takes it.
    pub fn typed(&self) -> String {
        shell(&self.path)
    }

    /// It cannot be read.
    pub fn missing(&self, error: io::Error) -> Failure {
        missing(&self.shown, &self.path, error)
    }

    /// It is not what it should be.
    pub fn refused(&self, why: impl AsRef<str>, hint: impl AsRef<str>) -> Failure {
        Failure::new(Kind::Data, format!("the source {} {}", self.shown, why.as_ref()), hint)
    }
}

fn missing(shown: &str, path: &Path, error: io::Error) -> Failure {
    let hint = format!("is the export running? ls -la {}", shell(path.parent().unwrap_or(path)));
    Failure::new(Kind::Unavailable, format!("cannot read the source {shown}: {error}"), hint).caused_by(error)
}
