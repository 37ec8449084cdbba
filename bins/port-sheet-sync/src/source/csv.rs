//! CSV with a header line, as RFC 4180 describes it, in any encoding and with any separator.
//!
//! A file that is not that is refused with what it seems to be; a record that is wrong is passed on, to be rejected, with the reason.

use std::cell::Cell;
use std::io::Read;
use std::rc::Rc;

use csv::{ByteRecord, ReaderBuilder, StringRecord};
use encoding_rs::Encoding;
use shared::{Failure, Result};

use crate::model::cell::Field;
use crate::source::Head;
use crate::source::RecordSink;
use crate::source::export::Export;
use crate::source::text::Allowance;
use crate::source::text::Bounded;
use crate::source::text::RECORD_LIMIT;
use crate::source::text::TooLong;
use crate::source::text::marked;
use crate::source::text::utf8;

/// A line put behind the last one. It comes back as a record of its own unless a quote before it is still open: the reader
/// takes an open quote for a field that continues to the end, with all the lines that follow in it. It is made of characters
/// that no text has, none of them ASCII, since any ASCII character may be the delimiter.
const BEHIND: &str = "\u{fdd0}\u{fdd1}\u{fdd2}\u{fdd3}";

/// How much is read at once, in bytes.
const BUFFER: usize = 64 * 1024;

/// Reads an export to its end.
///
/// # Errors
/// [`shared::Kind::Unavailable`] when it cannot be read or changes meanwhile, [`shared::Kind::Data`] when it is not CSV.
pub fn read(
    export: Export,
    delimiter: u8,
    encoding: &'static Encoding,
    sink: &mut impl RecordSink,
) -> Result<()> {
    let mut csv = Csv::open(export, delimiter, encoding)?;
    sink.begin(Head {
        fields: csv.fields.clone(),
        unit: "line",
        file: Some(csv.export.path.clone()),
        ends_with_line_break: csv.ends_with_line_break,
    })?;
    while csv.advance()? {
        let line = csv.last_line;
        // Whole records are checked for being text, since field by field takes several times as long.
        match StringRecord::from_byte_record(std::mem::take(&mut csv.record)) {
            Ok(record) => {
                match csv.fields_of(&record) {
                    Ok(fields) => sink.record(line, Ok(&fields))?,
                    Err(reason) => sink.record(line, Err(reason))?,
                }
                csv.record = record.into_byte_record();
            }
            Err(error) => {
                sink.record(line, Err(csv.no_text()))?;
                csv.record = error.into_byte_record();
            }
        }
    }
    Ok(())
}

/// An open CSV file.
struct Csv {
    export: Export,
    reader: csv::Reader<Bounded>,
    allowance: Allowance,
    fields: Vec<String>,
    record: ByteRecord,
    ends_with_line_break: bool,
    encoding: &'static Encoding,
    last_line: u64,
}

impl Csv {
    /// Opens the file and reads its header line.
    fn open(mut export: Export, delimiter: u8, encoding: &'static Encoding) -> Result<Self> {
        let start = export.start()?;
        let encoding = marked(&start).unwrap_or(encoding);
        let is_utf16 = encoding == encoding_rs::UTF_16LE || encoding == encoding_rs::UTF_16BE;
        let nulls = start.iter().filter(|byte| **byte == 0).count();
        if !is_utf16 && nulls > start.len() / 8 {
            let hint = format!("see what it is: file {}", export.typed());
            return Err(export.refused("is not CSV text: it holds binary data", hint));
        }
        let ends_with_line_break = export.ends_with_line_break()?;
        let allowance = Rc::new(Cell::new(RECORD_LIMIT));
        let text = utf8(export.reader()?, encoding).map_err(|error| export.missing(error))?;
        let text = text.chain(std::io::Cursor::new(format!("\n{BEHIND}\n")));
        let bounded = Bounded::new(Box::new(text), Rc::clone(&allowance));
        let mut builder = ReaderBuilder::new();
        builder.flexible(true).delimiter(delimiter).buffer_capacity(BUFFER);
        let reader = builder.from_reader(bounded);
        let (fields, record) = (Vec::new(), ByteRecord::new());
        let mut csv =
            Self { export, reader, allowance, fields, record, ends_with_line_break, encoding, last_line: 1 };
        csv.fields = csv.header()?;
        Ok(csv)
    }

    fn header(&mut self) -> Result<Vec<String>> {
        let header = self.reader.byte_headers().cloned().map_err(|error| self.unreadable(error))?;
        if is_behind(&header) {
            return Err(self
                .export
                .refused("is empty: it has no header line", "look at the export that writes it"));
        }
        if header.iter().any(|field| field.trim_ascii_end().ends_with(BEHIND.as_bytes())) {
            return Err(self.open_quote());
        }
        header.iter().map(header_text).collect::<Option<_>>().ok_or_else(|| {
            self.export.refused(
                format!("is not CSV in {}: its first line is not text", self.encoding.name()),
                format!("file {}", self.export.typed()),
            )
        })
    }

    /// The line on which the record begins, counted from 1.
    ///
    /// The reader's own number is that of the line break which it leaves unread before a record: one too few after
    /// every CRLF, and more after blank lines. The breaks it passed are those in the fields, the one at the end, if it
    /// was read, and those that it skipped at the beginning, which are wanted here.
    fn line(&self) -> u64 {
        let end = self.reader.position();
        let start = self.record.position().map_or(0, csv::Position::line);
        let at_end = u64::from(self.reader.get_ref().is_line_break_before(end.byte()));
        match (end.line() - start).saturating_sub(at_end) {
            0 => start,
            passed => {
                let inside = self.record.as_slice().iter().filter(|byte| **byte == b'\n').count() as u64;
                start + passed.saturating_sub(inside)
            }
        }
    }

    /// Reads the next record; false at the end of a whole file.
    fn advance(&mut self) -> Result<bool> {
        self.allowance.set(RECORD_LIMIT);
        if !self.read_record()? {
            return Err(self.open_quote());
        }
        if is_behind(&self.record) && !self.read_record()? {
            self.export.check_unchanged()?;
            return Ok(false);
        }
        self.last_line = self.line();
        Ok(true)
    }

    fn read_record(&mut self) -> Result<bool> {
        self.reader.read_byte_record(&mut self.record).map_err(|error| self.unreadable(error))
    }

    fn fields_of<'r>(&self, record: &'r StringRecord) -> Result<Vec<Field<'r>>, String> {
        if record.len() == self.fields.len() {
            // By number: collected from an iterator of unknown length, each field would be moved twice.
            return Ok((0..record.len()).map(|at| Field::text(&record[at])).collect());
        }
        Err(format!("has {} fields where the header has {}", record.len(), self.fields.len()))
    }

    fn no_text(&self) -> String {
        match self.encoding.name() {
            "UTF-8" => "is not UTF-8; export the file as UTF-8, or name its encoding".to_owned(),
            other => format!("holds bytes that are not {other}"),
        }
    }

    fn open_quote(&self) -> Failure {
        let line = self.last_line;
        self.export.refused(
            format!("ends within quotes: a quote that opens in the record on line {line} is never closed"),
            format!("look at that line: sed -n {line}p {}", self.export.typed()),
        )
    }

    fn unreadable(&self, error: csv::Error) -> Failure {
        let path = self.export.typed();
        let words = error.to_string();
        match error.into_kind() {
            csv::ErrorKind::Io(error) if TooLong::is(&error) => self.export.refused(
                format!("is not CSV: {error}"),
                format!("a quote that is never closed? head -c 300 {path}"),
            ),
            csv::ErrorKind::Io(error) => self.export.missing(error),
            _ => self.export.refused(format!("is not CSV: {words}"), format!("head {path}")),
        }
    }
}

fn is_behind(record: &ByteRecord) -> bool {
    record.len() == 1 && &record[0] == BEHIND.as_bytes()
}

fn header_text(field: &[u8]) -> Option<String> {
    std::str::from_utf8(field).ok().filter(|text| !text.contains('\0')).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io;

    use shared::Kind;

    use super::*;
    use crate::source::Record;

    /// Remembers the lines of records.
    #[derive(Default)]
    struct Lines(Vec<u64>);

    impl RecordSink for Lines {
        fn begin(&mut self, _: Head) -> Result<()> {
            Ok(())
        }

        fn record(&mut self, at: u64, _: Record<'_, '_>) -> Result<()> {
            self.0.push(at);
            Ok(())
        }
    }

    fn opened(dir: &tempfile::TempDir, text: &[u8]) -> Export {
        let path = dir.path().join("export.csv");
        shared::sys::atomic_file::replace(&path, text).unwrap();
        Export::open(path.display().to_string(), &path).unwrap()
    }

    fn try_lines(text: &[u8]) -> Result<Vec<u64>> {
        try_lines_of(text, b',')
    }

    fn try_lines_of(text: &[u8], delimiter: u8) -> Result<Vec<u64>> {
        let dir = tempfile::tempdir().unwrap();
        let mut lines = Lines::default();
        read(opened(&dir, text), delimiter, encoding_rs::UTF_8, &mut lines)?;
        Ok(lines.0)
    }

    fn lines(text: &[u8]) -> Vec<u64> {
        try_lines(text).unwrap()
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
    fn a_quote_that_is_never_closed_does_not_swallow_the_lines_behind_it() {
        let failure = try_lines(b"a,b\n1,2\n3,\"open\n4,5\n6,7\n").unwrap_err();
        assert_eq!(failure.kind, Kind::Data);
        assert!(failure.message.contains("opens in the record on line 3 is never closed"), "{failure}");
        assert_eq!(lines(b"a,b\n1,\"closed\"\n"), [2]);
        assert_eq!(lines(b"a,b\n1,\"closed\""), [2]);
        assert_eq!(lines(b"a,b\n1,5\" pipe\n"), [2]);
        assert!(try_lines(b"a,\"b\n1,2\n").unwrap_err().message.contains("on line 1 is never closed"));
    }

    #[test]
    fn whatever_stands_between_fields_the_file_ends_where_it_ends() {
        for delimiter in (1..=127).filter(|sign| !matches!(sign, b'"' | b'\n' | b'\r' | b'1' | b'A')) {
            let text = [&[b'1', delimiter, b'A'][..]; 3].join(&b'\n');
            assert_eq!(try_lines_of(&text, delimiter).unwrap(), [2, 3], "{:?}", char::from(delimiter));
        }
    }

    #[test]
    fn a_file_that_is_written_while_it_is_read_is_left_for_the_next_run() {
        let dir = tempfile::tempdir().unwrap();
        let export = opened(&dir, b"a,b\n1,2\n");
        io::Write::write_all(&mut fs::OpenOptions::new().append(true).open(&export.path).unwrap(), b"3,4\n")
            .unwrap();
        let failure = read(export, b',', encoding_rs::UTF_8, &mut Lines::default()).unwrap_err();
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
