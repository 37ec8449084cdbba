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
        let since_record = Rc::clone(&read_since_record);
        let bounded = Bounded { inner: file, since_record, last: Vec::new(), end: 0 };
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
    /// The line on which the record begins, counted from 1.
    ///
    /// The reader's own number is that of the line break which it leaves unread before a record: one too few after
    /// every CRLF, and more after blank lines. The breaks it passed are those in the fields, the one at the end, if it
    /// was read, and those that it skipped at the beginning, which are wanted here.
    fn line(&self) -> u64 {
        let end = self.reader.position();
        let start = self.record.position().map_or(0, csv::Position::line);
        let inside = self.record.as_slice().iter().filter(|byte| **byte == b'\n').count() as u64;
        let at_end = u64::from(self.reader.get_ref().is_line_break_before(end.byte()));
        let skipped = (end.line() - start).saturating_sub(inside + at_end);
        start + skipped
    }

    /// The next record, or none at the end.
    ///
    /// # Errors
    /// [`Kind::Unavailable`] when the file cannot be read further, [`Kind::Data`] when a record has no end.
    pub fn next(&mut self) -> Result<Option<Record<'_>>> {
        self.read_since_record.set(0);
        if !self.reader.read_byte_record(&mut self.record).map_err(|error| unreadable(&self.path, &error))? {
            return Ok(None);
        }
        let line = self.line();
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

/// Stops a record that is too long while it is being read, and remembers what was read last.
#[derive(Debug)]
struct Bounded<R> {
    inner: R,
    since_record: Rc<Cell<u64>>,
    last: Vec<u8>,
    end: u64,
}

impl<R> Bounded<R> {
    /// Whether the byte before this offset is a line break. It is among those read last.
    fn is_line_break_before(&self, offset: u64) -> bool {
        let back = usize::try_from(self.end - offset).unwrap_or(usize::MAX);
        let at = self.last.len().checked_sub(back + 1);
        at.is_some_and(|at| self.last[at] == b'\n')
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buffer)?;
        // The last byte of what came before stays: a record may end exactly there.
        self.last.drain(..self.last.len().saturating_sub(1));
        self.last.extend_from_slice(&buffer[..length]);
        self.end += length as u64;
        self.since_record.set(self.since_record.get() + length as u64);
        if self.since_record.get() > RECORD_LIMIT {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &[u8]) -> Vec<u64> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("export.csv");
        shared::file::replace(&path, text).unwrap();
        let mut csv = Csv::open(&path).unwrap();
        let mut lines = Vec::new();
        while let Some(record) = csv.next().unwrap() {
            lines.push(record.line);
        }
        lines
    }

    #[test]
    fn a_record_is_on_the_line_that_an_editor_shows() {
        assert_eq!(lines(b"a,b\n1,2\n3,4\n"), [2, 3]);
        assert_eq!(lines(b"a,b\r\n1,2\r\n3,4\r\n"), [2, 3]);
        assert_eq!(lines(b"a,b\n1,2\n3,4"), [2, 3]);
        assert_eq!(lines(b"a,b\r\n\r\n1,2\r\n\r\n\r\n3,4"), [3, 6]);
        assert_eq!(lines(b"a,b\n\n1,\"x\ny\n\"\n3,4\n"), [3, 6]);
        assert_eq!(lines(b"a,b\r\n1,\"x\r\ny\"\r\n3,4\r\n"), [2, 4]);
    }

    #[test]
    fn lines_are_right_across_the_buffers_of_a_large_file() {
        for line_break in ["\n", "\r\n"] {
            let text: String =
                (0..5_000).map(|row| format!("{row},{}{line_break}", "x".repeat(row % 7))).collect();
            assert_eq!(lines(text.as_bytes()), (2..=5_000).collect::<Vec<u64>>());
        }
    }
}
