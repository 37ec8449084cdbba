//! JSON: an array of objects, the array at a pointer in a document, or objects one after the other (NDJSON).
//!
//! It is read as a stream; of the document only the record being read is in memory. What is malformed or cut off is
//! refused as a whole; a record that is wrong is passed on, to be rejected, with the reason.

pub mod record;

use std::cell::Cell;
use std::rc::Rc;

use shared::{Failure, Result};
use struson::reader::{
    JsonReader, JsonReaderPosition, JsonStreamReader, ReaderError, ReaderSettings, SyntaxErrorKind, ValueType,
};

use crate::source::Head;
use crate::source::RecordSink;
use crate::source::export::Export;
use crate::source::json::record::JsonFields;
use crate::source::text::Allowance;
use crate::source::text::Bounded;
use crate::source::text::RECORD_LIMIT;
use crate::source::text::TooLong;
use crate::source::text::marked;
use crate::source::text::utf8;

type JsonStream = JsonStreamReader<Bounded>;

/// Reads an export to its end. Without `wanted` fields the first record's names are the fields.
///
/// # Errors
/// [`shared::Kind::Unavailable`] when it cannot be read or changes meanwhile, [`shared::Kind::Data`] when it is not JSON,
/// is cut off, or has no array at the pointer.
pub fn read(
    mut export: Export,
    pointer: &str,
    wanted: Option<Vec<String>>,
    sink: &mut impl RecordSink,
) -> Result<()> {
    let start = export.start()?;
    if start.trim_ascii().is_empty() {
        return Err(export.refused("is empty", "look at the export that writes it"));
    }
    let ends_with_line_break = export.ends_with_line_break()?;
    let encoding = marked(&start).unwrap_or(encoding_rs::UTF_8);
    let allowance = Rc::new(Cell::new(u64::MAX));
    let text = utf8(export.reader()?, encoding).map_err(|error| export.missing(error))?;
    let text = Bounded::new(text, Rc::clone(&allowance));
    let settings = ReaderSettings {
        allow_multiple_top_level: true,
        restrict_number_values: false,
        track_path: false,
        ..ReaderSettings::default()
    };
    let json = JsonStreamReader::new_custom(text, settings);
    let fields = JsonFields::new(wanted);
    let mut reading = Reading { export, json, allowance, fields, ends_with_line_break, count: 0, sink };
    reading.whole(pointer)?;
    reading.finish()
}

struct Reading<'s, S> {
    export: Export,
    json: JsonStream,
    allowance: Allowance,
    fields: JsonFields,
    ends_with_line_break: bool,
    count: u64,
    sink: &'s mut S,
}

impl<S: RecordSink> Reading<'_, S> {
    fn whole(&mut self, pointer: &str) -> Result<()> {
        for token in pointer.split('/').skip(1) {
            let token = token.replace("~1", "/").replace("~0", "~");
            if !descend(&mut self.json, &token).map_err(|error| self.malformed(error))? {
                return Err(self.export.refused(
                    format!("has nothing at pointer {pointer:?}"),
                    "did the booking system change? correct pointer in the configuration",
                ));
            }
        }
        match self.json.peek().map_err(|error| self.malformed(error))? {
            ValueType::Array => self.array(),
            ValueType::Object if pointer.is_empty() => self.objects(),
            other => Err(self.export.refused(
                format!("holds no array of bookings but {}", record::kind(other)),
                "name the array with pointer, such as pointer = \"/data/bookings\"",
            )),
        }
    }

    fn array(&mut self) -> Result<()> {
        self.begin("record")?;
        self.step(JsonStream::begin_array)?;
        while self.step(JsonStream::has_next)? {
            self.record(self.count + 1)?;
        }
        self.step(JsonStream::end_array)?;
        // The rest after the array is read as well: a document that was cut off there is refused.
        self.step(JsonStream::skip_to_top_level)?;
        if self.step(JsonStream::has_next)? {
            return Err(self.export.refused("continues after its end", "look at the program that writes it"));
        }
        Ok(())
    }

    fn objects(&mut self) -> Result<()> {
        self.begin("line")?;
        loop {
            self.step(JsonStream::peek)?;
            let line = self.json.current_position(false).line_pos.map_or(0, |position| position.line + 1);
            self.record(line)?;
            if !self.step(JsonStream::has_next)? {
                return Ok(());
            }
        }
    }

    /// Gives the sink the head, unless the fields come from the first record.
    fn begin(&mut self, unit: &'static str) -> Result<()> {
        self.fields.unit = unit;
        if self.fields.are_known() { self.tell() } else { Ok(()) }
    }

    fn tell(&mut self) -> Result<()> {
        self.sink.begin(Head {
            fields: self.fields.names(),
            unit: self.fields.unit,
            file: Some(self.export.path.clone()),
            ends_with_line_break: self.ends_with_line_break,
        })
    }

    fn record(&mut self, at: u64) -> Result<()> {
        self.allowance.set(RECORD_LIMIT);
        let were_known = self.fields.are_known();
        let read = self.fields.read(&mut self.json);
        self.allowance.set(u64::MAX);
        let record = read.map_err(|error| self.malformed(error))?;
        if !were_known {
            self.tell()?;
        }
        self.count += 1;
        self.sink.record(at, record.as_deref().map_err(Clone::clone))
    }

    fn step<T>(&mut self, step: impl FnOnce(&mut JsonStream) -> Result<T, ReaderError>) -> Result<T> {
        step(&mut self.json).map_err(|error| self.malformed(error))
    }

    fn finish(self) -> Result<()> {
        self.export.check_unchanged()?;
        let hint = "did the booking system change? correct it, or name the new fields in the configuration";
        if !self.fields.are_known() {
            let why = "holds no record, and no column table names its fields";
            return Err(self
                .export
                .refused(why, "name the columns in the configuration, or try again later"));
        }
        match self.fields.never_seen() {
            Some(field) if self.count > 0 => {
                let why = format!("has no field {field:?} in any of its {} records", self.count);
                Err(self.export.refused(why, hint))
            }
            _ => Ok(()),
        }
    }

    fn malformed(&self, error: ReaderError) -> Failure {
        let path = self.export.typed();
        let (what, at) = match error {
            ReaderError::IoError { error, .. } if TooLong::is(&error) => {
                return self.export.refused(format!("is not JSON: {error}"), format!("head -c 300 {path}"));
            }
            ReaderError::IoError { error, .. } if error.kind() != std::io::ErrorKind::InvalidData => {
                return self.export.missing(error);
            }
            ReaderError::IoError { error, location } => (error.to_string(), location),
            ReaderError::SyntaxError(error) if error.kind == SyntaxErrorKind::IncompleteDocument => {
                let why = format!("is cut off: its JSON ends{}", place(&error.location));
                return self.export.refused(why, format!("look at its end: tail -c 200 {path}"));
            }
            ReaderError::SyntaxError(error) => (error.kind.to_string(), error.location),
            ReaderError::MaxNestingDepthExceeded { location, .. } => {
                ("nested too deeply".to_owned(), location)
            }
            other => {
                return self.export.refused(format!("is not JSON: {other}"), format!("head -c 300 {path}"));
            }
        };
        self.export
            .refused(format!("is not JSON: {what}{}", place(&at)), format!("look at it: head -c 300 {path}"))
    }
}

fn place(at: &JsonReaderPosition) -> String {
    at.line_pos.map_or(String::new(), |at| format!(" on line {}, column {}", at.line + 1, at.column + 1))
}

/// Goes to a member of the object or an element of the array that comes next; false if there is none.
fn descend(json: &mut JsonStream, token: &str) -> Result<bool, ReaderError> {
    match json.peek()? {
        ValueType::Object => {
            json.begin_object()?;
            while json.has_next()? {
                if json.next_name()? == token {
                    return Ok(true);
                }
                json.skip_value()?;
            }
            Ok(false)
        }
        ValueType::Array => {
            json.begin_array()?;
            let Ok(index) = token.parse::<u64>() else { return Ok(false) };
            for _ in 0..index {
                if !json.has_next()? {
                    return Ok(false);
                }
                json.skip_value()?;
            }
            json.has_next()
        }
        _ => Ok(false),
    }
}

#[cfg(test)]
mod tests;
