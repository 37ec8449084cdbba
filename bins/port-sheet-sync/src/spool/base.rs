//! The base: what the last verified run left in the sheet, so that a user's edit is distinguished from an old value.
//!
//! It is a file of rows beside the spool. A row with line 0 is one whose booking had left the source already.

use std::collections::{HashMap, HashSet};

use std::path::{Path, PathBuf};

use shared::Result;
use shared::sys::atomic_file;

use crate::model::cell::Cell;
use crate::model::column::Columns;
use crate::model::column::KeyHash;
use crate::model::column::Remembered;
use crate::spool::Spool;
use crate::spool::row_file;
use crate::spool::row_file::Header;

/// Where a sheet's base is.
pub fn path(dir: &Path, sheet: &str) -> PathBuf {
    dir.join(format!("{sheet}.base"))
}

/// What the base says about the rows that a plan needs.
#[derive(Debug, Default)]
pub struct BaseRow {
    /// The rows asked for: whether their booking was in the source then.
    pub live_rows: HashMap<KeyHash, bool>,
    /// How many bookings were in the source at that run.
    pub live: usize,
}

/// The base, opened for a plan.
#[derive(Debug)]
pub struct Base {
    reader: row_file::RowReader,
    positions: Vec<Option<usize>>,
    offsets: HashMap<KeyHash, u64>,
}

/// What the last verified run of this very tab was about; none when there was none.
///
/// # Errors
/// [`shared::Kind::Io`] when the base is there but cannot be read.
pub fn heading(path: &Path, home: &str) -> Result<Option<Header>> {
    let reader = row_file::RowReader::open(path)?;
    Ok(reader.map(|reader| reader.heading().clone()).filter(|heading| heading.home == home))
}

impl Base {
    /// Looks up some rows; none when there is no base of this tab, or none that can be compared.
    ///
    /// # Errors
    /// [`shared::Kind::Io`] when it is there but cannot be read.
    pub fn look_up(
        path: &Path,
        home: &str,
        columns: &Columns,
        wanted: &HashSet<KeyHash>,
    ) -> Result<Option<(BaseRow, Self)>> {
        let Some(mut reader) =
            row_file::RowReader::open(path)?.filter(|reader| reader.heading().home == home)
        else {
            return Ok(None);
        };
        let positions = positions(columns, &reader.heading().columns);
        if columns.key().iter().any(|&index| positions[index].is_none()) {
            return Ok(None);
        }
        let (mut known, mut offsets) = (BaseRow::default(), HashMap::new());
        while let Some((offset, (line, cells))) = reader.row()? {
            known.live += usize::from(line != 0);
            if let Some(key) = key_of(columns, &positions, &cells).filter(|key| wanted.contains(key)) {
                known.live_rows.insert(key, line != 0);
                offsets.insert(key, offset);
            }
        }
        Ok(Some((known, Self { reader, positions, offsets })))
    }

    /// A row's cells in today's order of columns; a cell is none when its column is new. None for a row not asked for.
    ///
    /// # Errors
    /// [`shared::Kind::Io`].
    pub fn cells(&mut self, key: KeyHash) -> Result<Option<Vec<Option<Cell>>>> {
        let Some(&offset) = self.offsets.get(&key) else { return Ok(None) };
        let (_, mut cells) = self.reader.row_at(offset)?;
        let positions = self.positions.iter();
        let taken = positions.map(|at| Some(std::mem::replace(cells.get_mut((*at)?)?, Cell::Empty)));
        Ok(Some(taken.collect()))
    }
}

/// Visits the rows that a base has beside those of the spool: bookings that left the source, or that cannot be used at
/// the moment.
///
/// # Errors
/// [`shared::Kind::Io`], and as `visit`.
pub fn beside(
    path: &Path,
    columns: &Columns,
    spool: &Spool,
    mut visit: impl FnMut(KeyHash, &[Cell]) -> Result<()>,
) -> Result<()> {
    let reader = row_file::RowReader::open(path)?;
    let ours = reader.filter(|reader| reader.heading().home == spool.heading.home);
    let Some(mut reader) = ours else { return Ok(()) };
    let positions = positions(columns, &reader.heading().columns);
    while let Some((_, (_, cells))) = reader.row()? {
        let key = key_of(columns, &positions, &cells).filter(|key| !spool.index.contains_key(key));
        if let Some(key) = key {
            visit(key, &positions.iter().map(|at| cell(&cells, *at)).collect::<Vec<_>>())?;
        }
    }
    Ok(())
}

/// The positions of today's columns in the base's rows: those of the same header and type.
fn positions(columns: &Columns, then: &[Remembered]) -> Vec<Option<usize>> {
    columns.remembered().iter().map(|now| then.iter().position(|column| column == now)).collect()
}

fn key_of(columns: &Columns, positions: &[Option<usize>], cells: &[Cell]) -> Option<KeyHash> {
    columns.key_of(|index| cell(cells, positions[index])).map(|key| key.hash)
}

/// A cell at a position; blank for a column that the row does not have.
fn cell(cells: &[Cell], at: Option<usize>) -> Cell {
    at.and_then(|at| cells.get(at)).cloned().unwrap_or(Cell::Empty)
}

/// Makes the spool the new base. Rows of the sheet whose booking has left the source, or cannot be used at the moment,
/// keep what the base said of them.
///
/// # Errors
/// [`shared::Kind::Io`]; the old base then is what it was.
pub fn commit(path: &Path, columns: &Columns, spool: &Spool, missing: &HashSet<KeyHash>) -> Result<()> {
    if missing.is_empty() && spool.rejected == 0 {
        return atomic_file::link_over(&spool.path, path);
    }
    let mut writer = row_file::RowWriter::create(path, &spool.heading)?;
    let mut reader = spool.reader()?;
    for (_, entry) in spool.in_order() {
        let (line, cells) = reader.row_at(entry.offset)?;
        writer.row(line, &cells)?;
    }
    let carried: HashSet<KeyHash> = spool.unusable.keys().chain(missing).copied().collect();
    if let Some((known, mut base)) = Base::look_up(path, &spool.heading.home, columns, &carried)? {
        for key in carried {
            let Some(cells) = base.cells(key)? else { continue };
            let was_live = known.live_rows.get(&key).copied().unwrap_or(false);
            let cells: Vec<Cell> = cells.into_iter().map(|cell| cell.unwrap_or(Cell::Empty)).collect();
            writer.row(u64::from(was_live && !missing.contains(&key)), &cells)?;
        }
    }
    writer.commit()
}

/// Forgets what the last verified run left, since nothing of it is left.
///
/// # Errors
/// [`shared::Kind::Io`].
pub fn forget(path: &Path) -> Result<()> {
    atomic_file::remove_if_present(path)
}
