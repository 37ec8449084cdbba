//! Fills the spool from the source.
//!
//! After this step nothing reads the source again. A record that cannot be used is rejected: it is counted, reported
//! by its line and listed in a file of its own.

use std::borrow::Cow;
use std::path::Path;

use indexmap::map::Entry;
use log::info;
use shared::config::{Notation, Sheet, Source};
use shared::sys::secret_file::shell;
use shared::{Failure, Kind, Result};

use crate::model::cell::Cell;
use crate::model::cell::Field;
use crate::model::column::Columns;
use crate::model::column::Key;
use crate::model::column::KeyHash;
use crate::model::column::short;
use crate::source;
use crate::spool::Spool;
use crate::spool::SpooledRow;
use crate::spool::csv_file::CsvFile;
use crate::spool::home;
use crate::spool::row_file;
use crate::spool::row_file::Header;

/// How many problems are kept in memory for messages; the file of rejected rows has them all.
const PROBLEMS_SHOWN: usize = 100;

/// The source as this run read it.
pub struct Ingested {
    pub spool: Spool,
    /// The owned columns, found in the source's fields.
    pub columns: Columns,
}

/// Reads the source into the spool. `last` is the heading of the last verified run's rows.
///
/// # Errors
/// When the source as a whole is refused, or the spool cannot be written.
pub async fn fill(
    access: &source::SourceAccess<'_>,
    sheet: &Sheet,
    last: Option<&Header>,
) -> Result<Ingested> {
    let wanted = sheet.columns.as_ref().map(|all| all.iter().map(|column| column.field.clone()).collect());
    let mut basin = SpoolSink { dir: &access.spool, sheet, last, builder: None };
    source::read(&sheet.source, access, wanted, &mut basin).await?;
    let builder = basin.builder.ok_or_else(|| Failure::bug("a source ended before it began"))?;
    let (spool, columns) = builder.finish()?;
    info!("{}: {} rows read, {} refused", sheet.source, spool.source_rows, spool.rejected);
    Ok(Ingested { spool, columns })
}

/// Receives a source; it writes only after the head of the source is known.
struct SpoolSink<'a> {
    dir: &'a Path,
    sheet: &'a Sheet,
    last: Option<&'a Header>,
    builder: Option<SpoolBuilder>,
}

impl source::RecordSink for SpoolSink<'_> {
    fn begin(&mut self, head: source::Head) -> Result<()> {
        let columns = Columns::resolve(self.sheet, &head.fields)?;
        let mut heading = Header::new(home(self.sheet), columns.remembered());
        heading.ends_with_line_break = head.ends_with_line_break;
        if let Some(file) = head.file.as_ref().filter(|_| head.unit == "line") {
            refuse_a_cut_file(&self.sheet.source, file, &heading, self.last)?;
        }
        let rejected_path = self.dir.join(format!("{}.rejected.csv", self.sheet.name));
        let spool = Spool::empty(heading, self.dir.join(format!("{}.spool", self.sheet.name)), rejected_path);
        self.builder = Some(SpoolBuilder {
            writer: row_file::RowWriter::create(&spool.path, &spool.heading)?,
            rejects: Rejects::create(&spool.rejected_path, head.unit)?,
            wanted: positions(&columns, &head.fields),
            unit: head.unit,
            whole: blake3::Hasher::new(),
            scratch: Vec::new(),
            spool,
            columns,
        });
        Ok(())
    }

    fn record(&mut self, at: u64, record: source::Record<'_, '_>) -> Result<()> {
        let builder = self.builder.as_mut().ok_or_else(|| Failure::bug("a record before its head"))?;
        builder.spool.source_rows += 1;
        match record {
            Ok(fields) => builder.record(at, fields),
            Err(reason) => builder.reject(at, None, &reason, &[]),
        }
    }
}

/// An export whose last line always had an end, and has none today, was cut off or is still being written.
fn refuse_a_cut_file(source: &Source, file: &Path, now: &Header, last: Option<&Header>) -> Result<()> {
    if now.ends_with_line_break || !last.is_some_and(|last| last.ends_with_line_break) {
        return Ok(());
    }
    Err(Failure::new(
        Kind::Data,
        format!(
            "the source {source} ends in the middle of a line, which it never did before: it was cut off or is still being written"
        ),
        format!(
            "look at its end: tail -c 200 {}; the export should write a new file and rename it into place",
            shell(file)
        ),
    ))
}

/// The position of each column's field in a record.
fn positions(columns: &Columns, fields: &[String]) -> Vec<usize> {
    let columns = columns.all().iter();
    columns.filter_map(|column| fields.iter().position(|field| *field == column.field)).collect()
}

/// The spool while it is being filled.
struct SpoolBuilder {
    spool: Spool,
    writer: row_file::RowWriter,
    rejects: Rejects,
    columns: Columns,
    /// The position of each column's field in a record.
    wanted: Vec<usize>,
    unit: &'static str,
    whole: blake3::Hasher,
    /// The bytes that a row is digested from; kept, since there are many rows.
    scratch: Vec<u8>,
}

impl SpoolBuilder {
    fn record(&mut self, line: u64, fields: &[Field<'_>]) -> Result<()> {
        let mut cells = Vec::with_capacity(self.wanted.len());
        let mut wrong = Vec::new();
        let mut key_is_wrong = false;
        for (index, (column, at)) in self.columns.all().iter().zip(&self.wanted).enumerate() {
            cells.push(fields[*at].to_cell(column.kind, &column.notation).unwrap_or_else(|reason| {
                wrong.push(format!("field {:?} {reason}", column.field));
                key_is_wrong |= self.columns.key().contains(&index);
                Cell::Empty
            }));
        }
        let hash = self.columns.key_hash(|index| &cells[index]).filter(|_| !key_is_wrong);
        if hash.is_none() && !key_is_wrong {
            wrong.push(format!("its key is blank ({})", self.key_fields()));
        }
        match hash {
            Some(hash) if wrong.is_empty() && self.accept(line, hash, &cells)? => Ok(()),
            Some(hash) => {
                let key = Key { hash, text: self.columns.key_text(|index| &cells[index]) };
                let first = self.withdraw(&key, line)?.or_else(|| self.spool.unusable.get(&hash).copied());
                if let Some(first) = first.filter(|_| wrong.is_empty()) {
                    wrong.push(self.is_there_twice(&key, first));
                }
                self.reject(line, Some(&key), &wrong.join("; "), fields)
            }
            None => self.reject(line, None, &wrong.join("; "), fields),
        }
    }

    /// Keeps a row, unless another one has its key.
    fn accept(&mut self, line: u64, key: KeyHash, cells: &[Cell<Cow<'_, str>>]) -> Result<bool> {
        let Entry::Vacant(slot) = self.spool.index.entry(key) else { return Ok(false) };
        if self.spool.unusable.contains_key(&key) {
            return Ok(false);
        }
        let offset = self.writer.row(line, cells)?;
        let digest = self.columns.digest_in(&mut self.scratch, cells);
        self.whole.update(&digest);
        let line = u32::try_from(line).unwrap_or(u32::MAX);
        slot.insert(SpooledRow { offset, digest, line, row: 0 });
        Ok(true)
    }

    /// Takes an accepted row back because `line` claims the same key: which of them is right is not guessed at.
    fn withdraw(&mut self, key: &Key, line: u64) -> Result<Option<u64>> {
        let Some(first) = self.spool.index.swap_remove(&key.hash) else { return Ok(None) };
        let first = u64::from(first.line);
        let reason = self.is_there_twice(key, line);
        self.reject(first, Some(key), &reason, &[])?;
        Ok(Some(first))
    }

    fn reject(&mut self, line: u64, key: Option<&Key>, reason: &str, fields: &[Field<'_>]) -> Result<()> {
        self.spool.rejected += 1;
        match key {
            Some(key) => {
                self.spool.unusable.entry(key.hash).or_insert(line);
            }
            None => self.spool.unidentified += 1,
        }
        let problem = format!("{} {line}: {reason}", self.unit);
        let owned = self.wanted.iter().filter_map(|&at| fields.get(at));
        let texts: Vec<_> = owned.map(|field| field.to_text(&Notation::default()).into_owned()).collect();
        self.rejects.add(line, reason, &texts)?;
        if self.spool.problems.len() < PROBLEMS_SHOWN {
            self.spool.problems.push(problem);
        }
        Ok(())
    }

    fn key_fields(&self) -> String {
        let fields = self.columns.key().iter().map(|&index| self.columns.all()[index].field.as_str());
        fields.collect::<Vec<_>>().join(", ")
    }

    fn is_there_twice(&self, key: &Key, other: u64) -> String {
        format!("its key {:?} is also on {} {other}", key.text, self.unit)
    }

    fn finish(mut self) -> Result<(Spool, Columns)> {
        self.spool.digest = short(self.whole.finalize());
        self.writer.commit()?;
        self.rejects.0.commit()?;
        Ok((self.spool, self.columns))
    }
}

/// The list of rejected rows, for the user who corrects them: line, reason, then the owned fields where they are known.
struct Rejects(CsvFile);

impl Rejects {
    fn create(path: &Path, unit: &str) -> Result<Self> {
        let mut file = CsvFile::create(path)?;
        file.write([unit, "reason", "fields"])?;
        Ok(Self(file))
    }

    fn add(&mut self, line: u64, reason: &str, fields: &[String]) -> Result<()> {
        let line = line.to_string();
        let fields = fields.iter().map(String::as_str);
        self.0.write([line.as_str(), reason].into_iter().chain(fields))
    }
}
