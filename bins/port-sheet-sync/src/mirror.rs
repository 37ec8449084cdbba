//! The mirror: a CSV file of the rows as they should stand, for people, while the sheet cannot be reached.
//!
//! Bookings come from the spool, all else from what was last seen in the sheet. It is there only during an outage: the
//! first run that finds the sheet in step removes it, so that nobody works from an old one.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use shared::config::{OnMissing, Sheet, Type};
use shared::dirs::State;
use shared::{Failure, Kind, Result};

use crate::column::{Columns, KeyHash};
use crate::csv_file::CsvFile;
use crate::people::STATUS;
use crate::spool::Spool;
use crate::value::Cell;
use crate::{base, people, plan, rows};

/// Whether a failure means that the sheet is out of reach, rather than that something is wrong with its content. Where
/// Google takes its time, a run may end before it gave up.
pub fn is_due(failure: &Failure, was_answered: bool) -> bool {
    match failure.kind {
        Kind::Credential | Kind::Unavailable | Kind::Config => true,
        Kind::Busy => !was_answered,
        _ => false,
    }
}

/// Writes the mirror; answers where it is.
///
/// # Errors
/// [`Kind::Io`]; the file then is what it was.
pub fn write(
    state: &State,
    sheet: &Sheet,
    columns: &Columns,
    spool: &Spool,
    today: NaiveDate,
) -> Result<PathBuf> {
    let path = path(state, &sheet.name);
    let seen = Seen::open(&people::path(&state.spool(), &sheet.name), sheet, columns, spool)?;
    let mut mirror = Mirror { file: CsvFile::create(&path)?, columns, seen };
    mirror.header(sheet)?;
    let mut rows = spool.reader()?;
    for (key, entry) in spool.in_order() {
        let (_, cells) = rows.row_at(entry.offset)?;
        mirror.booking(Some(key), &cells, None)?;
    }
    let flag = plan::flag_text(today);
    // Nothing is flagged or removed while a row of the source cannot be identified: the missing booking may be that one.
    let is_clear = spool.unidentified == 0;
    let flags = is_clear && sheet.on_missing == OnMissing::Flag;
    let leave = is_clear && matches!(sheet.on_missing, OnMissing::Archive | OnMissing::Delete);
    base::beside(&base::path(&state.spool(), &sheet.name), columns, spool, |key, cells| {
        let is_bad = spool.held.contains_key(&key);
        if leave && !is_bad {
            return Ok(());
        }
        mirror.booking(Some(key), cells, (flags && !is_bad).then_some(flag.as_str()))
    })?;
    mirror.peoples_rows()?;
    mirror.file.commit()?;
    Ok(path)
}

/// Removes the mirror of a sheet that can be reached again.
///
/// # Errors
/// [`Kind::Io`].
pub fn remove(state: &State, sheet: &str) -> Result<()> {
    let path = path(state, sheet);
    match fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Failure::io("cannot remove", &path, error))
        }
        _ => Ok(()),
    }
}

fn path(state: &State, sheet: &str) -> PathBuf {
    state.mirror().join(format!("{sheet}.csv"))
}

/// One column of the mirror.
#[derive(Clone, Copy)]
enum Place {
    /// An owned column.
    Owned(usize),
    /// The status column, and where it stands in the rows last seen, if it was there.
    Status(Option<usize>),
    /// A person's column: where it stands there, and how it is shown.
    People(usize, Type),
}

/// What was last seen in the sheet.
struct Seen {
    places: Vec<Place>,
    headers: Vec<String>,
    reader: Option<rows::Reader>,
    bookings: HashMap<KeyHash, u64>,
    persons: Vec<u64>,
}

impl Seen {
    fn open(path: &Path, sheet: &Sheet, columns: &Columns, spool: &Spool) -> Result<Self> {
        let reader = rows::Reader::open(path)?.filter(|reader| reader.heading().home == spool.heading.home);
        let headings = reader.as_ref().map(|reader| reader.heading().columns.clone()).unwrap_or_default();
        let owned = |header: &str| columns.all().iter().position(|column| column.header == header);
        let (mut places, mut headers) = (Vec::new(), Vec::new());
        for (at, column) in headings.iter().enumerate() {
            let place = match (owned(&column.header), people::shown_as(column)) {
                (_, Some(kind)) => Place::People(at, kind),
                (Some(index), None) => Place::Owned(index),
                (None, None) if column.kind == STATUS => Place::Status(Some(at)),
                // It was owned then; of what it holds only keys are known.
                (None, None) => Place::People(at, Type::Text),
            };
            places.push(place);
            headers.push(column.header.clone());
        }
        for (index, column) in columns.all().iter().enumerate() {
            if !places.iter().any(|place| matches!(place, Place::Owned(owned) if *owned == index)) {
                places.push(Place::Owned(index));
                headers.push(column.header.clone());
            }
        }
        let has_status = places.iter().any(|place| matches!(place, Place::Status(_)));
        if sheet.on_missing == OnMissing::Flag && !has_status {
            places.push(Place::Status(None));
            headers.push(sheet.status_header.clone());
        }
        let mut seen = Self { places, headers, reader, bookings: HashMap::new(), persons: Vec::new() };
        seen.index(columns)?;
        Ok(seen)
    }

    /// Finds where each booking's row is, and those of people.
    fn index(&mut self, columns: &Columns) -> Result<()> {
        let Some(reader) = &mut self.reader else { return Ok(()) };
        let owned = |place: &Place, index: usize| matches!(place, Place::Owned(owned) if *owned == index);
        let at: Vec<Option<usize>> = (0..columns.count())
            .map(|index| self.places.iter().position(|place| owned(place, index)))
            .collect();
        while let Some((offset, (_, cells))) = reader.row()? {
            let cell = |index: usize| at[index].and_then(|at| cells.get(at)).cloned().unwrap_or(Cell::Empty);
            match columns.key_of(cell) {
                Some(key) => drop(self.bookings.entry(key.hash).or_insert(offset)),
                None => self.persons.push(offset),
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
    seen: Seen,
}

impl Mirror<'_> {
    /// The headers in the sheet's order; new ones at the right end.
    fn header(&mut self, sheet: &Sheet) -> Result<()> {
        log::info!("sheet {:?}: writing the mirror", sheet.name);
        self.file.write(self.seen.headers.iter().map(|header| harmless(header.clone())))
    }

    /// A booking's row: its owned cells, what people wrote beside it, and its flag if it gets or has one.
    fn booking(&mut self, key: Option<KeyHash>, owned: &[Cell], flag: Option<&str>) -> Result<()> {
        let offset = key.and_then(|key| self.seen.bookings.get(&key)).copied();
        let theirs = self.seen.row_at(offset)?;
        let text = |place: &Place| match *place {
            Place::Owned(index) => shown(&owned[index], self.columns.kind(index)),
            Place::Status(at) => match (flag, at.and_then(|at| theirs.get(at))) {
                (None, _) => String::new(),
                (Some(flag), None | Some(Cell::Empty)) => flag.to_owned(),
                (Some(_), Some(noted)) => shown(noted, Type::Text),
            },
            Place::People(at, kind) => theirs.get(at).map_or_else(String::new, |cell| shown(cell, kind)),
        };
        self.file.write(self.seen.places.iter().map(text))
    }

    /// The rows that are people's own, whole.
    fn peoples_rows(&mut self) -> Result<()> {
        for offset in std::mem::take(&mut self.seen.persons) {
            let cells = self.seen.row_at(Some(offset))?;
            // The places begin with the columns that were seen, in the order of the cells.
            let text = |(place, cell): (&Place, &Cell)| match *place {
                Place::Owned(index) => shown(cell, self.columns.kind(index)),
                Place::People(_, kind) => shown(cell, kind),
                Place::Status(_) => shown(cell, Type::Text),
            };
            let blanks = std::iter::repeat_n(Cell::Empty, self.seen.places.len() - cells.len());
            let cells: Vec<Cell> = cells.into_iter().chain(blanks).collect();
            self.file.write(self.seen.places.iter().zip(&cells).map(text))?;
        }
        Ok(())
    }
}

/// A cell as people see it. Only text can be taken for a formula.
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
