//! Cells that a write put into the wrong row, because rows moved at that moment, and what those rows held before.
//!
//! The plan repairs rows of bookings that are in the source anyway. This module repairs all others: rows without a key, of
//! bookings that left, of duplicate keys. Only the snapshot before the write has their old cells, so it is kept until the
//! write was verified.

use std::path::Path;

use shared::Result;

use crate::journal::PendingWrites;
use crate::model::cell::Cell;
use crate::model::column::Columns;
use crate::plan::RowUpdate;
use crate::sheet::snapshot::FlaggedRow;
use crate::sheet::snapshot::IrregularRow;
use crate::spool::before_image::BeforeImage;
use crate::spool::row_file;

/// The updates that restore misplaced cells. `differing` holds the cells of the irregular rows.
///
/// # Errors
/// [`shared::Kind::Io`].
pub fn repairs(
    columns: &Columns,
    pending: &PendingWrites,
    before: &BeforeImage,
    irregular: &[IrregularRow],
    differing: &Path,
) -> Result<Vec<RowUpdate>> {
    let Some(mut reader) = row_file::RowReader::open(differing)? else { return Ok(Vec::new()) };
    let mut rows = HitRows::new(before.keyless.clone());
    for row in irregular {
        let (_, cells) = reader.row_at(row.offset)?;
        let hit = (0..columns.count())
            .filter(|index| pending.is_for_row(row.row, &columns.all()[*index], &cells[*index]))
            .collect();
        rows.add(HitRow { row: row.row, cells, hit });
    }
    let HitRows { mut known, hits } = rows;
    Ok(hits.into_iter().filter_map(|row| repair(columns, before, &mut known, row)).collect())
}

fn repair(
    columns: &Columns,
    before: &BeforeImage,
    known: &mut Vec<Vec<Cell>>,
    row: HitRow,
) -> Option<RowUpdate> {
    let key = columns.key_of(|index| row.cells[index].clone()).map(|key| key.text);
    let was = match &key {
        Some(key) => before.of(key).map(<[Cell]>::to_vec),
        None => keyless_before(known, &row.cells, &row.hit),
    }?;
    let changes = row.changes(&was);
    let key = key.unwrap_or_default();
    let update = RowUpdate { row: row.row, key, before: row.cells, changes, drifts: Vec::new() };
    (!update.changes.is_empty()).then_some(update)
}

/// A row, and the columns in which it holds what was written into its place.
pub struct HitRow {
    pub row: u32,
    pub cells: Vec<Cell>,
    pub hit: Vec<usize>,
}

impl HitRow {
    /// The hit cells that held something else before the write, with that.
    pub fn changes(&self, was: &[Cell]) -> Vec<(usize, Cell)> {
        let differing = self.hit.iter().filter(|index| was[**index] != self.cells[**index]);
        differing.map(|index| (*index, was[*index].clone())).collect()
    }
}

/// The rows that a write hit, and the rows without a key as they were before it.
pub struct HitRows {
    /// Those of which no row is an unchanged copy.
    pub known: Vec<Vec<Cell>>,
    pub hits: Vec<HitRow>,
}

impl HitRows {
    pub fn new(known: Vec<Vec<Cell>>) -> Self {
        Self { known, hits: Vec::new() }
    }

    /// Adds a row of the sheet. A row that is as it was before is not hit.
    pub fn add(&mut self, row: HitRow) {
        match self.known.iter().position(|was| *was == row.cells) {
            Some(intact) => drop(self.known.swap_remove(intact)),
            None if !row.hit.is_empty() => self.hits.push(row),
            None => {}
        }
    }
}

/// Flags that landed in rows whose booking is not in the source.
pub fn flags(pending: &PendingWrites, others: &[FlaggedRow]) -> impl Iterator<Item = FlaggedRow> {
    others.iter().filter(|other| pending.is_flag_for_row(other.row, &other.status)).cloned()
}

/// The row without a key that this was before the cells at `hit` were overwritten: a known one whose other cells are the
/// same, or a blank one. `None` if it was neither: a guess could destroy cells.
pub fn keyless_before(known: &mut Vec<Vec<Cell>>, now: &[Cell], hit: &[usize]) -> Option<Vec<Cell>> {
    if let Some(at) = known.iter().position(|was| is_same_but_at(hit, was, now)) {
        return Some(known.swap_remove(at));
    }
    let blank = vec![Cell::Empty; now.len()];
    is_same_but_at(hit, &blank, now).then_some(blank)
}

fn is_same_but_at(hit: &[usize], was: &[Cell], now: &[Cell]) -> bool {
    (0..now.len()).all(|index| hit.contains(&index) || was[index] == now[index])
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
