//! The mirror: a CSV file of the rows that the sheet should hold, for its users, while the sheet cannot be reached.
//!
//! Bookings come from the spool, everything else from what was last read from the sheet. The file exists only during an
//! outage: the first run that finds the sheet in step removes it, so that no one works from an old one.

use std::collections::HashMap;

use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use shared::config::{OnMissing, Sheet, Type};
use shared::sys::atomic_file;
use shared::sys::dirs::StateDir;
use shared::{Failure, Kind, Result};

use crate::model::cell::Cell;
use crate::model::column::Columns;
use crate::model::column::KeyHash;
use crate::plan;
use crate::snapshot::human;
use crate::snapshot::human::STATUS;
use crate::spool::Spool;
use crate::spool::base;
use crate::spool::csv_file::CsvFile;
use crate::spool::row_file;

/// Whether a failure means that the sheet is out of reach, rather than that something is wrong with its content. Where
/// Google takes its time, a run may end before it gave up.
pub fn is_due(failure: &Failure, was_answered: bool) -> bool {
    match failure.kind {
        Kind::Credential | Kind::Unavailable | Kind::Config => true,
        Kind::Busy => !was_answered,
        _ => false,
    }
}

/// Writes the mirror; returns its path.
///
/// # Errors
/// [`Kind::Io`]; the file then is what it was.
pub fn write(
    state: &StateDir,
    sheet: &Sheet,
    columns: &Columns,
    spool: &Spool,
    today: NaiveDate,
) -> Result<PathBuf> {
    let path = path(state, &sheet.name);
    let seen = HumanRows::open(&human::path(&state.spool(), &sheet.name), sheet, columns, spool)?;
    let mut mirror = Mirror { file: CsvFile::create(&path)?, columns, seen };
    mirror.header(sheet)?;
    let mut rows = spool.reader()?;
    for (key, entry) in spool.in_order() {
        let (_, cells) = rows.row_at(entry.offset)?;
        mirror.booking(Some(key), &cells, None)?;
    }
    let flag = plan::flag_text(today);
    // No row is flagged or removed while a row of the source cannot be identified: the missing booking may be that one.
    let is_clear = spool.unidentified == 0;
    let flags = is_clear && sheet.on_missing == OnMissing::Flag;
    let leave = is_clear && matches!(sheet.on_missing, OnMissing::Archive | OnMissing::Delete);
    base::beside(&base::path(&state.spool(), &sheet.name), columns, spool, |key, cells| {
        let is_unusable = spool.unusable.contains_key(&key);
        if leave && !is_unusable {
            return Ok(());
        }
        mirror.booking(Some(key), cells, (flags && !is_unusable).then_some(flag.as_str()))
    })?;
    mirror.keyless_rows()?;
    mirror.file.commit()?;
    Ok(path)
}

/// Removes the mirror of a sheet that can be reached again.
///
/// # Errors
/// [`Kind::Io`].
pub fn remove(state: &StateDir, sheet: &str) -> Result<()> {
    atomic_file::remove_if_present(&path(state, sheet))
}

fn path(state: &StateDir, sheet: &str) -> PathBuf {
    state.mirror().join(format!("{sheet}.csv"))
}

#[derive(Clone, Copy)]
enum MirrorColumn {
    Owned(usize),
    /// The status column, and its index in the rows last read, if it was there.
    Status(Option<usize>),
    /// A human column: its index there, and how it is shown.
    Human(usize, Type),
}

impl MirrorColumn {
    fn is_owned(self, index: usize) -> bool {
        matches!(self, Self::Owned(owned) if owned == index)
    }
}

/// What the sheet held when it was last read.
struct HumanRows {
    places: Vec<MirrorColumn>,
    headers: Vec<String>,
    reader: Option<row_file::RowReader>,
    bookings: HashMap<KeyHash, u64>,
    keyless: Vec<u64>,
}

impl HumanRows {
    fn open(path: &Path, sheet: &Sheet, columns: &Columns, spool: &Spool) -> Result<Self> {
        let reader =
            row_file::RowReader::open(path)?.filter(|reader| reader.heading().home == spool.heading.home);
        let headings = reader.as_ref().map(|reader| reader.heading().columns.clone()).unwrap_or_default();
        let (mut places, mut headers) = (Vec::new(), Vec::new());
        for (at, column) in headings.iter().enumerate() {
            let owned = columns.all().iter().position(|known| known.header == column.header);
            let place = match (owned, human::shown_as(column)) {
                (_, Some(kind)) => MirrorColumn::Human(at, kind),
                (Some(index), None) => MirrorColumn::Owned(index),
                (None, None) if column.kind == STATUS => MirrorColumn::Status(Some(at)),
                // It was owned then; of what it holds only keys are known.
                (None, None) => MirrorColumn::Human(at, Type::Text),
            };
            places.push(place);
            headers.push(column.header.clone());
        }
        for (index, column) in columns.all().iter().enumerate() {
            if !places.iter().any(|place| place.is_owned(index)) {
                places.push(MirrorColumn::Owned(index));
                headers.push(column.header.clone());
            }
        }
        let has_status = places.iter().any(|place| matches!(place, MirrorColumn::Status(_)));
        if sheet.on_missing == OnMissing::Flag && !has_status {
            places.push(MirrorColumn::Status(None));
            headers.push(sheet.status_header.clone());
        }
        let mut seen = Self { places, headers, reader, bookings: HashMap::new(), keyless: Vec::new() };
        seen.index(columns)?;
        Ok(seen)
    }

    /// Finds the row of each booking, and the rows without a key.
    fn index(&mut self, columns: &Columns) -> Result<()> {
        let Some(reader) = &mut self.reader else { return Ok(()) };
        let at: Vec<Option<usize>> = (0..columns.count())
            .map(|index| self.places.iter().position(|place| place.is_owned(index)))
            .collect();
        while let Some((offset, (_, cells))) = reader.row()? {
            let key = columns
                .key_of(|index| at[index].and_then(|at| cells.get(at)).cloned().unwrap_or(Cell::Empty));
            match key {
                Some(key) => drop(self.bookings.entry(key.hash).or_insert(offset)),
                None => self.keyless.push(offset),
            }
        }
        Ok(())
    }

    fn row_at(&mut self, offset: Option<u64>) -> Result<Vec<Cell>> {
        match (&mut self.reader, offset) {
            (Some(reader), Some(offset)) => Ok(reader.row_at(offset)?.1),
            _ => Ok(Vec::new()),
        }
    }
}

/// The file being written.
struct Mirror<'a> {
    file: CsvFile,
    columns: &'a Columns,
    seen: HumanRows,
}

impl Mirror<'_> {
    /// The headers in the sheet's order; new ones at the right end.
    fn header(&mut self, sheet: &Sheet) -> Result<()> {
        log::info!("sheet {:?}: writing the mirror", sheet.name);
        self.file.write(self.seen.headers.iter().map(|header| harmless(header.clone())))
    }

    /// A booking's row: its owned cells, its human cells, and its flag if it gets or has one.
    fn booking(&mut self, key: Option<KeyHash>, owned: &[Cell], flag: Option<&str>) -> Result<()> {
        let offset = key.and_then(|key| self.seen.bookings.get(&key)).copied();
        let theirs = self.seen.row_at(offset)?;
        self.file.write(self.seen.places.iter().map(|place| match *place {
            MirrorColumn::Owned(index) => shown(&owned[index], self.columns.kind(index)),
            MirrorColumn::Status(at) => match (flag, at.and_then(|at| theirs.get(at))) {
                (None, _) => String::new(),
                (Some(flag), None | Some(Cell::Empty)) => flag.to_owned(),
                (Some(_), Some(noted)) => shown(noted, Type::Text),
            },
            MirrorColumn::Human(at, kind) => {
                theirs.get(at).map_or_else(String::new, |cell| shown(cell, kind))
            }
        }))
    }

    /// The rows without a key, whole.
    fn keyless_rows(&mut self) -> Result<()> {
        for offset in std::mem::take(&mut self.seen.keyless) {
            let cells = self.seen.row_at(Some(offset))?;
            // The places begin with the columns that were seen, in the order of the cells.
            let blanks = std::iter::repeat_n(Cell::Empty, self.seen.places.len() - cells.len());
            let cells: Vec<Cell> = cells.into_iter().chain(blanks).collect();
            self.file.write(self.seen.places.iter().zip(&cells).map(|(place, cell)| match *place {
                MirrorColumn::Owned(index) => shown(cell, self.columns.kind(index)),
                MirrorColumn::Human(_, kind) => shown(cell, kind),
                MirrorColumn::Status(_) => shown(cell, Type::Text),
            }))?;
        }
        Ok(())
    }
}

/// A cell as the sheet shows it. Only text can be taken for a formula.
fn shown(cell: &Cell, kind: Type) -> String {
    match cell {
        Cell::Text(text) => harmless(text.clone()),
        _ => cell.shown(kind).into_owned(),
    }
}

/// Text that a spreadsheet program would take for a formula when it opens the file gets an apostrophe in front.
fn harmless(text: String) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text }
}
