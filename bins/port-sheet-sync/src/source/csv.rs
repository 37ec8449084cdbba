//! A CSV file with a header line, in UTF-8, as RFC 4180 describes it.
//!
//! A file that is not that is refused with what it seems to be; a record that is wrong is handed on with the reason.

use std::cell::Cell;
use std::fs::{self, File};
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use csv::{ByteRecord, ReaderBuilder};
use shared::{Failure, Kind, Result};

use super::Record;

/// The longest record, in bytes. A file without line breaks would otherwise fill the memory.
const RECORD_LIMIT: u64 = 8 * 1024 * 1024;

/// An open CSV file.
#[derive(Debug)]
pub struct Csv {
    path: PathBuf,
    reader: csv::Reader<Bounded<File>>,
    read_since_record: Rc<Cell<u64>>,
    fields: Vec<String>,
    record: ByteRecord,
}

impl Csv {
    /// Opens the file and reads its header line.
    ///
    /// # Errors
    /// [`Kind::Unavailable`] when it is missing or unreadable, [`Kind::Data`] when it is empty or not CSV.
    pub fn open(path: &Path) -> Result<Self> {
        // Opening a pipe would wait for a writer without end.
        let metadata = fs::metadata(path).map_err(|error| missing(path, &error))?;
        if !metadata.is_file() {
            return Err(refused(
                path,
                "is not a regular file",
                format!("see what it is: ls -la {}", path.display()),
            ));
        }
        let mut file = File::open(path).map_err(|error| missing(path, &error))?;
        check_encoding(path, &mut file)?;
        file.rewind().map_err(|error| missing(path, &error))?;
        let read_since_record = Rc::new(Cell::new(0));
        let bounded = Bounded { inner: file, read: Rc::clone(&read_since_record) };
        let reader = ReaderBuilder::new().flexible(true).from_reader(bounded);
        let mut csv = Self {
            path: path.to_owned(),
            reader,
            read_since_record,
            fields: Vec::new(),
            record: ByteRecord::new(),
        };
        csv.fields = csv.header()?;
        Ok(csv)
    }

    /// The names of the fields, in order.
    pub fn fields(&self) -> &[String] {
        &self.fields
    }

    fn header(&mut self) -> Result<Vec<String>> {
        let header = self.reader.byte_headers().cloned().map_err(|error| unreadable(&self.path, &error))?;
        if header.is_empty() {
            return Err(refused(
                &self.path,
                "is empty: it has no header line",
                "look at the export that writes it",
            ));
        }
        let text = |field: &[u8]| {
            std::str::from_utf8(field).ok().filter(|text| !text.contains('\0')).map(str::to_owned)
        };
        header.iter().map(text).collect::<Option<_>>().ok_or_else(|| {
            refused(
                &self.path,
                "is not CSV in UTF-8: its first line is not text",
                format!("file {}", self.path.display()),
            )
        })
    }
}

impl Csv {
    /// The next record, or none at the end.
    ///
    /// # Errors
    /// [`Kind::Unavailable`] when the file cannot be read further, [`Kind::Data`] when a record has no end.
    pub fn next(&mut self) -> Result<Option<Record<'_>>> {
        self.read_since_record.set(0);
        if !self.reader.read_byte_record(&mut self.record).map_err(|error| unreadable(&self.path, &error))? {
            return Ok(None);
        }
        let line = self.record.position().map_or(0, csv::Position::line);
        let fields = if self.record.len() == self.fields.len() {
            let text = |field| std::str::from_utf8(field);
            let texts: std::result::Result<Vec<&str>, _> = self.record.iter().map(text).collect();
            texts.map_err(|_| "is not UTF-8; export the file as UTF-8".to_owned())
        } else {
            Err(format!("has {} fields where the header has {}", self.record.len(), self.fields.len()))
        };
        Ok(Some(Record { line, fields }))
    }
}

/// Refuses what is certainly no UTF-8 text before it is taken apart.
fn check_encoding(path: &Path, file: &mut File) -> Result<()> {
    let mut start = [0; 512];
    let length = file.read(&mut start).map_err(|error| missing(path, &error))?;
    let start = &start[..length];
    let utf8 = path.with_extension("utf8.csv");
    if start.starts_with(&[0xff, 0xfe]) || start.starts_with(&[0xfe, 0xff]) {
        let hint = format!(
            "export it as UTF-8, or convert it: iconv -f UTF-16 -t UTF-8 {} > {}",
            path.display(),
            utf8.display()
        );
        return Err(refused(path, "is UTF-16, not UTF-8", hint));
    }
    let nulls = start.iter().filter(|byte| **byte == 0).count();
    if nulls > start.len() / 8 {
        return Err(refused(
            path,
            "is not CSV text: it holds binary data",
            format!("see what it is: file {}", path.display()),
        ));
    }
    Ok(())
}

/// Stops a record that is too long while it is being read.
#[derive(Debug)]
struct Bounded<R> {
    inner: R,
    read: Rc<Cell<u64>>,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buffer)?;
        self.read.set(self.read.get() + length as u64);
        if self.read.get() > RECORD_LIMIT {
            return Err(io::Error::new(io::ErrorKind::InvalidData, TooLong));
        }
        Ok(length)
    }
}

#[derive(Debug, PartialEq, Eq)]
struct TooLong;

impl std::fmt::Display for TooLong {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "a record is longer than {} MiB", RECORD_LIMIT / 1024 / 1024)
    }
}

impl std::error::Error for TooLong {}

fn missing(path: &Path, error: &io::Error) -> Failure {
    let hint = format!("is the export running? ls -la {}", path.parent().unwrap_or(path).display());
    Failure::new(Kind::Unavailable, format!("cannot read the source {}: {error}", path.display()), hint)
}

fn unreadable(path: &Path, error: &csv::Error) -> Failure {
    match error.kind() {
        csv::ErrorKind::Io(error) if error.get_ref().is_some_and(|inner| inner.is::<TooLong>()) => refused(
            path,
            format!("is not CSV: {error}"),
            format!("a quote that is never closed? head -c 300 {}", path.display()),
        ),
        csv::ErrorKind::Io(error) => missing(path, error),
        _ => refused(path, format!("is not CSV: {error}"), format!("head {}", path.display())),
    }
}

fn refused(path: &Path, why: impl AsRef<str>, hint: impl AsRef<str>) -> Failure {
    Failure::new(Kind::Data, format!("the source {} {}", path.display(), why.as_ref()), hint)
}
