//! The spool: the source's snapshot of this run, typed, keyed and checked, on disk; and its index in memory.
//!
//! After this step nothing reads the source again. Memory grows with the rows (a key and a digest each), never with
//! their cells. A bad row never passes in silence: it is counted, told by its line and listed in a file of its own.

use std::collections::HashMap;
use std::collections::hash_map::Entry as Slot;
use std::path::{Path, PathBuf};

use log::info;
use shared::config::{Sheet, Source};
use shared::{Failure, Kind, Result};

use crate::column::{Columns, Digest, Key, KeyHash, short};
use crate::csv_file::CsvFile;
use crate::rows::{self, Heading};
use crate::source;
use crate::value::Cell;

/// How many problems are kept in memory for messages; the file of rejected rows has them all.
const PROBLEMS_SHOWN: usize = 100;

/// One accepted booking.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Where its row begins in the spool.
    pub offset: u64,
    /// What its cells are.
    pub digest: Digest,
    /// Its line in the source; 32 bits, because there is one of these for every booking.
    pub line: u32,
    /// The row of the sheet in which the newest snapshot found it; 0 for none.
    pub row: u32,
}

/// The whole spool of one sheet.
#[derive(Debug)]
pub struct Spool {
    /// Accepted bookings by key.
    pub index: HashMap<KeyHash, Entry>,
    /// Bookings that are in the source but cannot be used, with the key that could still be read.
    pub held: HashMap<KeyHash, u64>,
    /// What all accepted rows are, in order: equal digests mean the same rows.
    pub digest: Digest,
    /// How many data rows the source has, rejected ones included.
    pub source_rows: u64,
    /// How many of them are rejected.
    pub rejected: u64,
    /// How many rejected rows have no readable key: bookings missing from the index may be among them.
    pub unidentified: u64,
    /// The first problems, as `line 12: …`.
    pub problems: Vec<String>,
    /// What its rows are.
    pub heading: Heading,
    /// Where the rows are.
    pub path: PathBuf,
    /// Where the rejected rows are listed.
    pub rejected_path: PathBuf,
}

/// Reads the source into the spool. `last` is the heading of the last verified run's rows.
///
/// # Errors
/// When the source as a whole is refused, or the spool cannot be written.
pub fn fill(dir: &Path, sheet: &Sheet, last: Option<&Heading>) -> Result<(Spool, Columns)> {
    let mut source = source::open(&sheet.source)?;
    let columns = Columns::resolve(sheet, source.fields())?;
    let mut heading = Heading::new(home(sheet), columns.remembered());
    heading.ends_with_line_break = source.ends_with_line_break();
    refuse_a_cut_file(sheet, &heading, last)?;
    let wanted = positions(&columns, source.fields());
    let rejected_path = dir.join(format!("{}.rejected.csv", sheet.name));
    let spool = Spool::empty(heading, dir.join(format!("{}.spool", sheet.name)), rejected_path);
    let writer = rows::Writer::create(&spool.path, &spool.heading)?;
    let rejects = Rejects::create(&spool.rejected_path)?;
    let mut filling = Filling { rejects, spool, writer, columns: &columns, whole: blake3::Hasher::new() };
    while let Some(record) = source.next()? {
        filling.spool.source_rows += 1;
        match record.fields {
            Ok(fields) => {
                let owned: Vec<&str> = wanted.iter().map(|&at| fields[at]).collect();
                filling.record(record.line, &owned)?;
            }
            Err(reason) => filling.reject(record.line, None, &reason, &[])?,
        }
    }
    let spool = filling.finish()?;
    info!("{}: {} rows read, {} refused", describe(&sheet.source), spool.source_rows, spool.rejected);
    Ok((spool, columns))
}

/// The tab that a sheet's rows are about.
pub fn home(sheet: &Sheet) -> String {
    format!("{}/{}", sheet.spreadsheet, sheet.tab)
}

/// An export whose last line always had an end, and has none today, was cut off or is still being written.
fn refuse_a_cut_file(sheet: &Sheet, now: &Heading, last: Option<&Heading>) -> Result<()> {
    if now.ends_with_line_break || !last.is_some_and(|last| last.ends_with_line_break) {
        return Ok(());
    }
    let source = describe(&sheet.source);
    Err(Failure::new(
        Kind::Data,
        format!(
            "the source {source} ends in the middle of a line, which it never did before: it was cut off or is still being written"
        ),
        format!(
            "look at its end: tail -c 200 {source}; the export should write a new file and rename it into place"
        ),
    ))
}

fn describe(source: &Source) -> String {
    match source {
        Source::Csv { path } => path.display().to_string(),
    }
}

/// Where each column's field stands in a record.
fn positions(columns: &Columns, fields: &[String]) -> Vec<usize> {
    let at = |column: &shared::config::Column| fields.iter().position(|field| *field == column.field);
    columns.all().iter().filter_map(at).collect()
}

impl Spool {
    /// A spool of no rows.
    pub fn empty(heading: Heading, path: PathBuf, rejected_path: PathBuf) -> Self {
        Self {
            index: HashMap::new(),
            held: HashMap::new(),
            digest: Digest::default(),
            source_rows: 0,
            rejected: 0,
            unidentified: 0,
            problems: Vec::new(),
            heading,
            path,
            rejected_path,
        }
    }

    /// The bookings in the source's order.
    pub fn in_order(&self) -> Vec<(KeyHash, Entry)> {
        let mut entries: Vec<_> = self.index.iter().map(|(key, entry)| (*key, *entry)).collect();
        entries.sort_unstable_by_key(|(_, entry)| entry.offset);
        entries
    }

    /// Opens the rows for reading.
    ///
    /// # Errors
    /// [`shared::Kind::Io`].
    pub fn reader(&self) -> Result<rows::Reader> {
        rows::Reader::open(&self.path)?.ok_or_else(|| Failure::bug("the spool that was just written is gone"))
    }
}

/// The spool while it is being filled.
struct Filling<'a> {
    spool: Spool,
    writer: rows::Writer,
    rejects: Rejects,
    columns: &'a Columns,
    whole: blake3::Hasher,
}

impl Filling<'_> {
    fn record(&mut self, line: u64, fields: &[&str]) -> Result<()> {
        let mut cells = Vec::with_capacity(fields.len());
        let mut wrong = Vec::new();
        let mut key_is_wrong = false;
        for (index, (column, text)) in self.columns.all().iter().zip(fields).enumerate() {
            cells.push(Cell::parse(text, column.kind).unwrap_or_else(|reason| {
                wrong.push(format!("field {:?} {reason}", column.field));
                key_is_wrong |= self.columns.key().contains(&index);
                Cell::Empty
            }));
        }
        let key = self.columns.key_of(|index| cells[index].clone()).filter(|_| !key_is_wrong);
        if key.is_none() && !key_is_wrong {
            wrong.push(format!("its key is blank ({})", self.key_fields()));
        }
        match key {
            Some(key) if wrong.is_empty() => self.accept(line, &key, &cells, fields),
            Some(key) => {
                self.withdraw(&key, line)?;
                self.reject(line, Some(&key), &wrong.join("; "), fields)
            }
            None => self.reject(line, None, &wrong.join("; "), fields),
        }
    }

    fn accept(&mut self, line: u64, key: &Key, cells: &[Cell], fields: &[&str]) -> Result<()> {
        if let Some(first) = self.spool.held.get(&key.hash) {
            let reason = format!("its key {:?} also stands on line {first}", key.text);
            return self.reject(line, Some(key), &reason, fields);
        }
        match self.spool.index.entry(key.hash) {
            Slot::Occupied(_) => {
                let first = self.withdraw(key, line)?;
                let reason = format!("its key {:?} also stands on line {first}", key.text);
                self.reject(line, Some(key), &reason, fields)
            }
            Slot::Vacant(slot) => {
                let offset = self.writer.row(line, cells)?;
                let digest = self.columns.digest(cells);
                self.whole.update(&digest);
                let line = u32::try_from(line).unwrap_or(u32::MAX);
                slot.insert(Entry { offset, digest, line, row: 0 });
                Ok(())
            }
        }
    }

    /// Takes an accepted row back because `line` claims the same key: which of them is right is not guessed at.
    fn withdraw(&mut self, key: &Key, line: u64) -> Result<u64> {
        let Some(first) = self.spool.index.remove(&key.hash) else { return Ok(0) };
        let reason = format!("its key {:?} also stands on line {line}", key.text);
        let first = u64::from(first.line);
        self.reject(first, Some(key), &reason, &[])?;
        Ok(first)
    }

    fn reject(&mut self, line: u64, key: Option<&Key>, reason: &str, fields: &[&str]) -> Result<()> {
        self.spool.rejected += 1;
        match key {
            Some(key) => {
                self.spool.held.entry(key.hash).or_insert(line);
            }
            None => self.spool.unidentified += 1,
        }
        let problem = format!("line {line}: {reason}");
        self.rejects.add(line, reason, fields)?;
        if self.spool.problems.len() < PROBLEMS_SHOWN {
            self.spool.problems.push(problem);
        }
        Ok(())
    }

    fn key_fields(&self) -> String {
        let field = |&index: &usize| self.columns.all()[index].field.as_str();
        self.columns.key().iter().map(field).collect::<Vec<_>>().join(", ")
    }

    fn finish(mut self) -> Result<Spool> {
        self.spool.digest = short(&self.whole);
        self.writer.commit()?;
        self.rejects.0.commit()?;
        Ok(self.spool)
    }
}

/// The list of rejected rows, for the person who mends them: line, reason, then the owned fields where they are known.
struct Rejects(CsvFile);

impl Rejects {
    fn create(path: &Path) -> Result<Self> {
        let mut file = CsvFile::create(path)?;
        file.write(["line", "reason", "fields"])?;
        Ok(Self(file))
    }

    fn add(&mut self, line: u64, reason: &str, fields: &[&str]) -> Result<()> {
        let line = line.to_string();
        self.0.write([&[line.as_str(), reason], fields].concat())
    }
}
