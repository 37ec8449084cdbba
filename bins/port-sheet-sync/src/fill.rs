//! Fills the spool from the source.
//!
//! After this step nothing reads the source again. A bad row never passes in silence: it is counted, told by its line and
//! listed in a file of its own.

use std::borrow::Cow;
use std::path::Path;

use indexmap::map::Entry as Slot;
use log::info;
use shared::config::{Notation, Sheet, Source};
use shared::private::shell;
use shared::{Failure, Kind, Result};

use crate::column::{Columns, Key, KeyHash, short};
use crate::csv_file::CsvFile;
use crate::rows::{self, Heading};
use crate::source;
use crate::spool::{Entry, Spool, home};
use crate::value::{Cell, Field};

/// How many problems are kept in memory for messages; the file of rejected rows has them all.
const PROBLEMS_SHOWN: usize = 100;

/// Reads the source into the spool. `last` is the heading of the last verified run's rows.
///
/// # Errors
/// When the source as a whole is refused, or the spool cannot be written.
pub async fn fill(
    access: &source::Access<'_>,
    sheet: &Sheet,
    last: Option<&Heading>,
) -> Result<(Spool, Columns)> {
    let wanted = sheet.columns.as_ref().map(|all| all.iter().map(|column| column.field.clone()).collect());
    let mut basin = Basin { dir: &access.spool, sheet, last, filling: None };
    source::read(&sheet.source, access, wanted, &mut basin).await?;
    let filling = basin.filling.ok_or_else(|| Failure::bug("a source ended before it began"))?;
    let (spool, columns) = filling.finish()?;
    info!("{}: {} rows read, {} refused", sheet.source, spool.source_rows, spool.rejected);
    Ok((spool, columns))
}

/// What a source is read into: nothing is written before it is known to be one.
struct Basin<'a> {
    dir: &'a Path,
    sheet: &'a Sheet,
    last: Option<&'a Heading>,
    filling: Option<Filling>,
}

impl source::Sink for Basin<'_> {
    fn begin(&mut self, head: source::Head) -> Result<()> {
        let columns = Columns::resolve(self.sheet, &head.fields)?;
        let mut heading = Heading::new(home(self.sheet), columns.remembered());
        heading.ends_with_line_break = head.ends_with_line_break;
        if let Some(file) = head.file.as_ref().filter(|_| head.unit == "line") {
            refuse_a_cut_file(&self.sheet.source, file, &heading, self.last)?;
        }
        let rejected_path = self.dir.join(format!("{}.rejected.csv", self.sheet.name));
        let spool = Spool::empty(heading, self.dir.join(format!("{}.spool", self.sheet.name)), rejected_path);
        self.filling = Some(Filling {
            writer: rows::Writer::create(&spool.path, &spool.heading)?,
            rejects: Rejects::create(&spool.rejected_path, head.unit)?,
            wanted: positions(&columns, &head.fields),
            unit: head.unit,
            whole: blake3::Hasher::new(),
            room: Vec::new(),
            spool,
            columns,
        });
        Ok(())
    }

    fn record(&mut self, at: u64, record: source::Record<'_, '_>) -> Result<()> {
        let filling = self.filling.as_mut().ok_or_else(|| Failure::bug("a record before its head"))?;
        filling.spool.source_rows += 1;
        match record {
            Ok(fields) => filling.record(at, fields),
            Err(reason) => filling.reject(at, None, &reason, &[]),
        }
    }
}

/// An export whose last line always had an end, and has none today, was cut off or is still being written.
fn refuse_a_cut_file(source: &Source, file: &Path, now: &Heading, last: Option<&Heading>) -> Result<()> {
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

/// Where each column's field stands in a record.
fn positions(columns: &Columns, fields: &[String]) -> Vec<usize> {
    let at = |column: &shared::config::Column| fields.iter().position(|field| *field == column.field);
    columns.all().iter().filter_map(at).collect()
}

/// The spool while it is being filled.
struct Filling {
    spool: Spool,
    writer: rows::Writer,
    rejects: Rejects,
    columns: Columns,
    /// Where each column's field stands in a record.
    wanted: Vec<usize>,
    unit: &'static str,
    whole: blake3::Hasher,
    /// For what a row is digested from.
    room: Vec<u8>,
}

impl Filling {
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
                let first = self.withdraw(&key, line)?.or_else(|| self.spool.held.get(&hash).copied());
                if let Some(first) = first.filter(|_| wrong.is_empty()) {
                    wrong.push(self.stands_twice(&key, first));
                }
                self.reject(line, Some(&key), &wrong.join("; "), fields)
            }
            None => self.reject(line, None, &wrong.join("; "), fields),
        }
    }

    /// Keeps a row, unless another one has its key.
    fn accept(&mut self, line: u64, key: KeyHash, cells: &[Cell<Cow<'_, str>>]) -> Result<bool> {
        let Slot::Vacant(slot) = self.spool.index.entry(key) else { return Ok(false) };
        if self.spool.held.contains_key(&key) {
            return Ok(false);
        }
        let offset = self.writer.row(line, cells)?;
        let digest = self.columns.digest_in(&mut self.room, cells);
        self.whole.update(&digest);
        let line = u32::try_from(line).unwrap_or(u32::MAX);
        slot.insert(Entry { offset, digest, line, row: 0 });
        Ok(true)
    }

    /// Takes an accepted row back because `line` claims the same key: which of them is right is not guessed at.
    fn withdraw(&mut self, key: &Key, line: u64) -> Result<Option<u64>> {
        let Some(first) = self.spool.index.swap_remove(&key.hash) else { return Ok(None) };
        let first = u64::from(first.line);
        let reason = self.stands_twice(key, line);
        self.reject(first, Some(key), &reason, &[])?;
        Ok(Some(first))
    }

    fn reject(&mut self, line: u64, key: Option<&Key>, reason: &str, fields: &[Field<'_>]) -> Result<()> {
        self.spool.rejected += 1;
        match key {
            Some(key) => {
                self.spool.held.entry(key.hash).or_insert(line);
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
        let field = |&index: &usize| self.columns.all()[index].field.as_str();
        self.columns.key().iter().map(field).collect::<Vec<_>>().join(", ")
    }

    fn stands_twice(&self, key: &Key, other: u64) -> String {
        format!("its key {:?} also stands on {} {other}", key.text, self.unit)
    }

    fn finish(mut self) -> Result<(Spool, Columns)> {
        self.spool.digest = short(self.whole.finalize());
        self.writer.commit()?;
        self.rejects.0.commit()?;
        Ok((self.spool, self.columns))
    }
}

/// The list of rejected rows, for the person who mends them: line, reason, then the owned fields where they are known.
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
