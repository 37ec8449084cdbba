//! What people wrote in the tab, as it was last seen: their columns beside each booking, and their own rows. The mirror
//! shows it while the sheet cannot be reached.
//!
//! A file of rows in the tab's order of columns. Of a booking's row it holds the key, the note in the status column and
//! what people wrote; all else comes from the source.

use std::path::{Path, PathBuf};

use shared::Result;
use shared::config::Type;

use crate::block::{Block, is_blank};
use crate::column::{Columns, Remembered};
use crate::google::Tab;
use crate::layout::Layout;
use crate::rows::{self, Heading};
use crate::value::Cell;

/// What a person's column is called; behind it stands the type that its cells are shown as, if that is known.
const PEOPLES: &str = "people";
/// What the status column is.
pub const STATUS: &str = "status";

/// How the cells of a person's column are shown; none for other columns.
pub fn shown_as(column: &Remembered) -> Option<Type> {
    let word = column.kind.strip_prefix(PEOPLES)?.trim();
    let known = Type::WORDS.iter().find(|(known, _)| *known == word);
    Some(known.map_or(Type::Text, |(_, kind)| *kind))
}

/// Where a sheet's file is.
pub fn path(dir: &Path, sheet: &str) -> PathBuf {
    dir.join(format!("{sheet}.people"))
}

/// The file being written.
pub struct Writer {
    writer: rows::Writer,
    /// Every column with a header, from left to right.
    places: Vec<u32>,
    /// Those of the key.
    key: Vec<u32>,
    /// Those that a person or a note may have filled: all that the source does not know.
    kept: Vec<u32>,
}

/// Whose row it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// A booking's.
    Booking,
    /// It has no key, so all of it is a person's.
    Person,
}

impl Writer {
    /// Starts a new version of the file.
    ///
    /// # Errors
    /// [`shared::Kind::Io`].
    pub fn create(
        path: &Path,
        home: String,
        columns: &Columns,
        (tab, layout): (&Tab, &Layout),
    ) -> Result<Self> {
        let owned = |at: u32| layout.columns.iter().position(|column| *column == at);
        let ours = layout.headers().map(|(at, header)| {
            let kind = owned(at).map_or(STATUS, |index| columns.kind(index).word());
            (at, Remembered { header: header.to_owned(), kind: kind.to_owned() })
        });
        let peoples = layout.people.iter().map(|(at, header)| {
            let shown_as = tab.shown_as.get(*at as usize).copied().flatten().map_or("", Type::word);
            (*at, Remembered { header: header.clone(), kind: format!("{PEOPLES} {shown_as}") })
        });
        let mut all: Vec<(u32, Remembered)> = ours.chain(peoples).collect();
        all.sort_by_key(|(at, _)| *at);
        let kept = all.iter().map(|(at, _)| *at).filter(|at| owned(*at).is_none()).collect();
        let (places, headers) = all.into_iter().unzip();
        let key = columns.key().iter().map(|&index| layout.columns[index]).collect();
        let writer = rows::Writer::create(path, &Heading::new(home, headers))?;
        Ok(Self { writer, places, key, kept })
    }

    /// Keeps a row, if anything of it is not the source's.
    ///
    /// # Errors
    /// [`shared::Kind::Io`].
    pub fn row(&mut self, block: &Block, row: u32, owner: Owner) -> Result<()> {
        let filled = |at: &u32| !is_blank(block.value(row, Some(*at)));
        let telling = if owner == Owner::Booking { &self.kept } else { &self.places };
        if !telling.iter().any(filled) {
            return Ok(());
        }
        let is_kept = |at: &u32| owner == Owner::Person || self.kept.contains(at) || self.key.contains(at);
        let cell = |at: &u32| match block.value(row, Some(*at)).filter(|_| is_kept(at)) {
            Some(value) => Cell::from_json(value),
            None => Cell::Empty,
        };
        let cells: Vec<Cell> = self.places.iter().map(cell).collect();
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
