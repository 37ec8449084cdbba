//! Cells that a write put into the wrong row, because people moved rows at that moment, and what stood there before.
//!
//! Rows of bookings that are in the source are put right by the plan anyway. This is about all others: rows without a key,
//! of bookings that left, of keys that stand twice. Nobody knows what they held but the snapshot before the write, so
//! that is kept until the write was seen to be right.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use shared::{Failure, Result};

use crate::column::Columns;
use crate::journal::Intended;
use crate::plan::RowUpdate;
use crate::rows;
use crate::snapshot::{FlaggedRow, Irregular};
use crate::value::Cell;

/// What the rows that are not simply in step held before the first write that is not committed.
#[derive(Debug, Default)]
pub struct Before {
    by_key: HashMap<String, Vec<Cell>>,
    keyless: Vec<Vec<Cell>>,
}

impl Before {
    /// Keeps a snapshot's file of rows as the one before the writes.
    ///
    /// # Errors
    /// [`shared::Kind::Io`].
    pub fn keep(differing: &Path, before: &Path) -> Result<()> {
        let removed = match fs::remove_file(before) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        };
        let kept = removed.and_then(|()| fs::hard_link(differing, before));
        kept.map_err(|error| Failure::io("cannot write", before, error))
    }

    /// Reads it; nothing is known when there is none.
    ///
    /// # Errors
    /// [`shared::Kind::Io`].
    pub fn read(path: &Path, columns: &Columns) -> Result<Self> {
        let mut before = Self::default();
        let Some(mut reader) = rows::Reader::open(path)? else { return Ok(before) };
        if reader.heading().columns != columns.remembered() {
            return Ok(before);
        }
        while let Some((_, (_, cells))) = reader.row()? {
            match columns.key_of(|index| cells[index].clone()) {
                Some(key) => drop(before.by_key.insert(key.text, cells)),
                None => before.keyless.push(cells),
            }
        }
        Ok(before)
    }

    /// What a booking's row held.
    pub fn of(&self, key: &str) -> Option<&[Cell]> {
        self.by_key.get(key).map(Vec::as_slice)
    }
}

/// What puts stray cells right. `differing` holds the cells of the irregular rows.
///
/// # Errors
/// [`shared::Kind::Io`].
pub fn repairs(
    columns: &Columns,
    intended: &Intended,
    before: &Before,
    irregular: &[Irregular],
    differing: &Path,
) -> Result<Vec<RowUpdate>> {
    let (mut hits, mut keyless) = (Vec::new(), before.keyless.clone());
    let Some(mut reader) = rows::Reader::open(differing)? else { return Ok(Vec::new()) };
    for row in irregular {
        let (_, cells) = reader.row_at(row.offset)?;
        let is_hit = |index: &usize| intended.is_for_row(row.row, &columns.all()[*index], &cells[*index]);
        let hit: Vec<usize> = (0..columns.count()).filter(is_hit).collect();
        match keyless.iter().position(|was| *was == cells) {
            Some(intact) => drop(keyless.swap_remove(intact)),
            None if !hit.is_empty() => hits.push((row.row, cells, hit)),
            None => {}
        }
    }
    let repair = |(row, cells, hit): (u32, Vec<Cell>, Vec<usize>)| {
        let key = columns.key_of(|index| cells[index].clone()).map(|key| key.text);
        let was = match &key {
            Some(key) => before.of(key).map(<[Cell]>::to_vec),
            None => keyless_before(&mut keyless, &cells, &hit),
        }?;
        let differs = |index: &usize| was[*index] != cells[*index];
        let changes: Vec<_> =
            hit.into_iter().filter(differs).map(|index| (index, was[index].clone())).collect();
        let key = key.unwrap_or_default();
        (!changes.is_empty()).then_some(RowUpdate { row, key, before: cells, changes, drifts: Vec::new() })
    };
    Ok(hits.into_iter().filter_map(repair).collect())
}

/// Flags that landed in rows of nobody's booking.
pub fn flags(intended: &Intended, others: &[FlaggedRow]) -> impl Iterator<Item = FlaggedRow> {
    others.iter().filter(|other| intended.is_flag_for_row(other.row, &other.status)).cloned()
}

/// Which row without a key this was before the cells at `hit` were written over: one of those known whose other cells are
/// the same, or a blank one. None when it was neither, so that nothing is guessed at.
pub fn keyless_before(known: &mut Vec<Vec<Cell>>, now: &[Cell], hit: &[usize]) -> Option<Vec<Cell>> {
    let fits = |was: &[Cell]| (0..now.len()).all(|index| hit.contains(&index) || was[index] == now[index]);
    if let Some(at) = known.iter().position(|was| fits(was)) {
        return Some(known.swap_remove(at));
    }
    let blank = vec![Cell::Empty; now.len()];
    fits(&blank).then_some(blank)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(cells: [&str; 3]) -> Vec<Cell> {
        cells.map(|text| if text.is_empty() { Cell::Empty } else { Cell::Text(text.to_owned()) }).to_vec()
    }

    #[test]
    fn a_row_is_known_again_by_the_cells_that_were_not_written_over() {
        let mut known = vec![row(["", "late", "7"]), row(["", "early", "3"])];
        let was = keyless_before(&mut known, &row(["", "early", "9"]), &[2]);
        assert_eq!(was, Some(row(["", "early", "3"])));
        assert_eq!(known.len(), 1, "each is found once");
        assert_eq!(keyless_before(&mut known, &row(["", "", "9"]), &[2]), Some(row(["", "", ""])));
        assert_eq!(keyless_before(&mut known, &row(["", "other", "9"]), &[2]), None);
    }
}
