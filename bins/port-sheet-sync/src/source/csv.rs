//! A CSV file with a header line, in UTF-8, as RFC 4180 describes it.
//!
//! A file that is not that is refused with what it seems to be; a record that is wrong is handed on with the reason.

use std::cell::Cell;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::SystemTime;

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
    ends_with_line_break: bool,
    state: FileState,
    last_line: u64,
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

fn last_byte(file: &mut File) -> io::Result<Option<u8>> {
    let mut byte = [0];
    if file.metadata()?.len() == 0 {
        return Ok(None);
    }
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut byte)?;
    Ok(Some(byte[0]))
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
        let ends_with_line_break =
            last_byte(&mut file).map_err(|error| missing(path, &error))? == Some(b'\n');
        file.rewind().map_err(|error| missing(path, &error))?;
        let state = FileState::of(&file).map_err(|error| missing(path, &error))?;
        let read_since_record = Rc::new(Cell::new(0));
        let since_record = Rc::clone(&read_since_record);
        let bounded = Bounded { inner: file, since_record, last: Vec::new(), end: 0 };
        let reader = ReaderBuilder::new().flexible(true).from_reader(bounded);
        let (fields, record) = (Vec::new(), ByteRecord::new());
        let mut csv = Self {
            path: path.to_owned(),
            reader,
            read_since_record,
            fields,
            record,
            ends_with_line_break,
            state,
            last_line: 1,
        };
        csv.fields = csv.header()?;
        Ok(csv)
    }

    /// Whether the last line has an end.
    pub fn ends_with_line_break(&self) -> bool {
        self.ends_with_line_break
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

    /// At the end of the file: nobody wrote to it meanwhile, and no quote is left open. The reader takes an open quote
    /// for a field that goes on to the end, with all the lines that follow in it.
    fn check_end(&mut self, last: Option<&csv::Position>) -> Result<()> {
        let file = &mut self.reader.get_mut().inner;
        let state = FileState::of(file).map_err(|error| missing(&self.path, &error))?;
        if state != self.state {
            return Err(Failure::new(
                Kind::Unavailable,
                format!("the source {} was written while it was read", self.path.display()),
                "the next run reads it again; the export should write a new file and rename it into place",
            ));
        }
        let Some(last) = last else { return Ok(()) };
        let mut text = Vec::new();
        let read = file.seek(SeekFrom::Start(last.byte())).and_then(|_| file.read_to_end(&mut text));
        read.map_err(|error| missing(&self.path, &error))?;
        if has_an_open_quote(text) {
            let line = self.last_line;
            return Err(refused(
                &self.path,
                format!(
                    "ends within quotes: a quote that opens in the record on line {line} is never closed"
                ),
                format!("look at that line: sed -n {line}p {}", self.path.display()),
            ));
        }
        Ok(())
    }

    /// The next record, or none at the end.
    ///
    /// # Errors
    /// [`Kind::Unavailable`] when the file cannot be read further, [`Kind::Data`] when a record has no end.
    pub fn next(&mut self) -> Result<Option<Record<'_>>> {
        self.read_since_record.set(0);
        let last = self.record.position().cloned();
        if !self.reader.read_byte_record(&mut self.record).map_err(|error| unreadable(&self.path, &error))? {
            self.check_end(last.as_ref())?;
            return Ok(None);
        }
        let line = self.line();
        self.last_line = line;
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

/// Whether a line put behind the last record of a file becomes a part of it.
fn has_an_open_quote(mut text: Vec<u8>) -> bool {
    text.extend_from_slice(b"\nsentinel\n");
    let mut reader = ReaderBuilder::new().flexible(true).has_headers(false).from_reader(&text[..]);
    let last = reader.byte_records().last().and_then(std::result::Result::ok);
    last.is_none_or(|record| record != vec!["sentinel"])
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

    fn refusal(text: &[u8]) -> Failure {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("export.csv");
        shared::file::replace(&path, text).unwrap();
        let mut csv = Csv::open(&path).unwrap();
        loop {
            match csv.next() {
                Ok(record) => assert!(record.is_some(), "it was accepted"),
                Err(failure) => return failure,
            }
        }
    }

    #[test]
    fn a_quote_that_is_never_closed_does_not_swallow_the_lines_behind_it() {
        let failure = refusal(b"a,b\n1,2\n3,\"open\n4,5\n6,7\n");
        assert_eq!(failure.kind, Kind::Data);
        assert!(failure.message.contains("opens in the record on line 3 is never closed"), "{failure}");
        assert_eq!(lines(b"a,b\n1,\"closed\"\n"), [2]);
        assert_eq!(lines(b"a,b\n1,\"closed\""), [2]);
        assert_eq!(lines(b"a,b\n1,5\" pipe\n"), [2]);
    }

    #[test]
    fn a_file_that_is_written_while_it_is_read_is_left_for_the_next_run() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("export.csv");
        shared::file::replace(&path, b"a,b\n1,2\n").unwrap();
        let mut csv = Csv::open(&path).unwrap();
        io::Write::write_all(&mut fs::OpenOptions::new().append(true).open(&path).unwrap(), b"3,4\n")
            .unwrap();
        let failure = loop {
            match csv.next() {
                Ok(record) => assert!(record.is_some(), "it was accepted"),
                Err(failure) => break failure,
            }
        };
        assert_eq!(failure.kind, Kind::Unavailable);
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
