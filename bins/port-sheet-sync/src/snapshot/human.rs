//! The human columns of each booking and the rows that users added, as last read. The mirror shows them while the sheet
//! cannot be reached.
//!
//! A file of rows in the tab's order of columns. Of a booking's row it holds the key, the note in the status column and
//! the human cells; everything else comes from the source.

use std::path::{Path, PathBuf};

use shared::Result;
use shared::config::Type;

use crate::model::cell::Cell;
use crate::model::column::Columns;
use crate::model::column::Remembered;
use crate::sheet::layout::Layout;
use crate::sheet::owned_row::is_blank;
use crate::sheet::tab::Tab;
use crate::snapshot::chunk::Chunk;
use crate::spool::row_file;
use crate::spool::row_file::Header;

/// The kind of a human column in the file; after it comes the type that its cells are shown as, if that is known.
const PEOPLES: &str = "people";
/// What the status column is.
pub const STATUS: &str = "status";

/// The type that a human column's cells are shown as; `None` for other columns.
pub fn shown_as(column: &Remembered) -> Option<Type> {
    let word = column.kind.strip_prefix(PEOPLES)?.trim();
    let known = Type::NAMES.iter().find(|(known, _)| *known == word);
    Some(known.map_or(Type::Text, |(_, kind)| *kind))
}

/// Where a sheet's file is.
pub fn path(dir: &Path, sheet: &str) -> PathBuf {
    dir.join(format!("{sheet}.people"))
}

/// The file being written.
pub struct HumanWriter {
    writer: row_file::RowWriter,
    /// Every column with a header, from left to right.
    places: Vec<u32>,
    /// Those of the key.
    key: Vec<u32>,
    /// Those that a user or a note may have filled: all that are not in the source.
    kept: Vec<u32>,
}

/// Whose row it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// A booking's.
    Booking,
    /// It has no key, so a user wrote all of it.
    User,
}

impl HumanWriter {
    /// Starts a new version of the file.
    ///
    /// # Errors
    /// [`shared::Kind::Io`].
    pub fn create(path: &Path, home: String, columns: &Columns, tab: &Tab, layout: &Layout) -> Result<Self> {
        let ours = layout.headers().map(|(at, header)| {
            let kind = owned_index(layout, at).map_or(STATUS, |index| columns.kind(index).as_str());
            (at, Remembered { header: header.to_owned(), kind: kind.to_owned() })
        });
        let peoples = layout.people.iter().map(|(at, header)| {
            let shown_as = tab.shown_as.get(*at as usize).copied().flatten().map_or("", Type::as_str);
            (*at, Remembered { header: header.clone(), kind: format!("{PEOPLES} {shown_as}") })
        });
        let mut all: Vec<(u32, Remembered)> = ours.chain(peoples).collect();
        all.sort_by_key(|(at, _)| *at);
        let kept = all.iter().map(|(at, _)| *at).filter(|at| owned_index(layout, *at).is_none()).collect();
        let (places, headers) = all.into_iter().unzip();
        let key = columns.key().iter().map(|&index| layout.columns[index]).collect();
        let writer = row_file::RowWriter::create(path, &Header::new(home, headers))?;
        Ok(Self { writer, places, key, kept })
    }

    /// Keeps a row, if anything of it is not the source's.
    ///
    /// # Errors
    /// [`shared::Kind::Io`].
    pub fn row(&mut self, chunk: &Chunk, row: u32, owner: Owner) -> Result<()> {
        let human = if owner == Owner::Booking { &self.kept } else { &self.places };
        if human.iter().all(|at| is_blank(chunk.value(row, Some(*at)))) {
            return Ok(());
        }
        let mut cells = Vec::with_capacity(self.places.len());
        for at in &self.places {
            let is_kept = owner == Owner::User || self.kept.contains(at) || self.key.contains(at);
            let value = chunk.value(row, Some(*at)).filter(|_| is_kept);
            cells.push(value.map_or(Cell::Empty, Cell::from_json));
        }
        self.writer.row(u64::from(row), &cells)?;
        Ok(())
    }

    /// Puts the file in its place.
    ///
    /// # Errors
    /// [`shared::Kind::Io`].
    pub fn commit(self) -> Result<()> {
        self.writer.commit()
    }
}

/// Which owned column is at this place.
fn owned_index(layout: &Layout, at: u32) -> Option<usize> {
    layout.columns.iter().position(|column| *column == at)
}
