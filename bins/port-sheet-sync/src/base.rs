//! The base: what the last verified run left in the sheet, so that a person's edit can be told from an old value.
//!
//! It is a file of rows beside the spool. A row with line 0 is one whose booking had left the source already.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use shared::{Failure, Result};

use crate::column::{Columns, KeyHash, Remembered};
use crate::rows;
use crate::snapshot::Snapshot;
use crate::spool::Spool;
use crate::value::Cell;

/// Where a sheet's base is.
pub fn path(dir: &Path, sheet: &str) -> PathBuf {
    dir.join(format!("{sheet}.base"))
}

/// What the base says about the rows that a plan needs.
#[derive(Debug, Default)]
pub struct Known {
    /// The rows asked for; a cell is none when its column is new.
    pub rows: HashMap<KeyHash, KnownRow>,
    /// How many bookings were in the source at that run.
    pub live: usize,
}

/// One row of the base.
#[derive(Debug)]
pub struct KnownRow {
    /// Whether its booking was in the source.
    pub live: bool,
    /// Its cells, in today's order of columns.
    pub cells: Vec<Option<Cell>>,
}

/// The columns of the last verified run; none when there was none.
///
/// # Errors
/// [`shared::Kind::Io`] when the base is there but cannot be read.
pub fn columns(path: &Path) -> Result<Vec<Remembered>> {
    Ok(rows::Reader::open(path)?.map(|reader| reader.columns().to_vec()).unwrap_or_default())
}

/// Reads what the base says about some rows; none when there is no base that can be compared.
///
/// # Errors
/// [`shared::Kind::Io`] when it is there but cannot be read.
pub fn look_up(path: &Path, columns: &Columns, wanted: &HashSet<KeyHash>) -> Result<Option<Known>> {
    let Some(mut reader) = rows::Reader::open(path)? else { return Ok(None) };
    let positions = positions(columns, reader.columns());
    if columns.key().iter().any(|&index| positions[index].is_none()) {
        return Ok(None);
    }
    let mut known = Known::default();
    while let Some((line, mut cells)) = reader.row()? {
        known.live += usize::from(line != 0);
        let Some(key) = key_of(columns, &positions, &cells).filter(|key| wanted.contains(key)) else {
            continue;
        };
        let mut take = |at: &Option<usize>| {
            at.and_then(|at| cells.get_mut(at)).map(|cell| std::mem::replace(cell, Cell::Empty))
        };
        known
            .rows
            .insert(key, KnownRow { live: line != 0, cells: positions.iter().map(&mut take).collect() });
    }
    Ok(Some(known))
}

/// Where today's columns stand in the base's rows: those of the same header and type.
fn positions(columns: &Columns, then: &[Remembered]) -> Vec<Option<usize>> {
    columns.remembered().iter().map(|now| then.iter().position(|column| column == now)).collect()
}

fn key_of(columns: &Columns, positions: &[Option<usize>], cells: &[Cell]) -> Option<KeyHash> {
    let cell = |index: usize| positions[index].and_then(|at| cells.get(at)).cloned().unwrap_or(Cell::Empty);
    columns.key_of(cell).map(|key| key.hash)
}

/// Makes the spool the new base. Rows of the sheet whose booking has left the source, or cannot be used at the moment,
/// keep what the base said of them.
///
/// # Errors
/// [`shared::Kind::Io`]; the old base then is what it was.
pub fn commit(path: &Path, columns: &Columns, spool: &Spool, snapshot: &Snapshot) -> Result<()> {
    if snapshot.missing.is_empty() && spool.rejected == 0 {
        return link(&spool.path, path);
    }
    let mut writer = rows::Writer::create(path, columns.remembered())?;
    let mut reader = spool.reader()?;
    for (_, entry) in spool.in_order() {
        let (line, cells) = reader.row_at(entry.offset)?;
        writer.row(line, &cells)?;
    }
    let missing: HashSet<KeyHash> = snapshot.missing.iter().map(|row| row.key.hash).collect();
    let carried: HashSet<KeyHash> = spool.held.keys().chain(&missing).copied().collect();
    for (key, row) in look_up(path, columns, &carried)?.unwrap_or_default().rows {
        let line = u64::from(row.live && !missing.contains(&key));
        let cells: Vec<Cell> = row.cells.into_iter().map(|cell| cell.unwrap_or(Cell::Empty)).collect();
        writer.row(line, &cells)?;
    }
    writer.commit()
}

/// Gives the spool the base's name as well. The next run replaces the spool by a new file, so the base stays as it is.
fn link(spool: &Path, base: &Path) -> Result<()> {
    let fresh = base.with_extension("base-new");
    let linked = match fs::remove_file(&fresh) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => fs::hard_link(spool, &fresh),
    };
    linked.and_then(|()| fs::rename(&fresh, base)).map_err(|error| Failure::io("cannot write", base, error))
}
