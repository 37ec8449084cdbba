//! What uncommitted journals say was to be written: the base does not know it, and yet no person wrote it.

use std::collections::HashSet;
use std::path::Path;

use shared::Result;
use shared::config::Column;

use super::{Line, lines, pending};
use crate::column::{Columns, KeyHash};
use crate::value::Cell;

/// Values that uncommitted journals say were to be written, by booking and by row: a write that landed in another row,
/// because a person sorted at that moment, is no edit of that person's either. One short digest each.
#[derive(Debug, Default)]
pub struct Intended {
    values: HashSet<u64>,
    added: HashSet<KeyHash>,
    flags: HashSet<(u32, String)>,
}

impl Intended {
    /// Reads the uncommitted journals: all cells that were to change and, of rows that were to be added, those `wanted`.
    ///
    /// # Errors
    /// [`shared::Kind::Io`].
    pub fn read(dir: &Path, columns: &Columns, wanted: &HashSet<KeyHash>) -> Result<Self> {
        let mut intended = Self::default();
        for path in pending(dir) {
            for line in lines(&path)? {
                match line? {
                    // What a person took back is to the sync what a person wrote.
                    Line::Run(heading) if heading.undoes.is_some() => break,
                    Line::Change { row, key, header, new, .. } => {
                        let places = [&key, &row.to_string()];
                        intended.values.extend(places.map(|place| digest(place, &header, &new)));
                    }
                    Line::Flag { row, new, .. } => drop(intended.flags.insert((row, new))),
                    Line::Add { key, cells, .. } => intended.add(columns, wanted, &key, &cells),
                    _ => {}
                }
            }
        }
        Ok(intended)
    }

    /// Rows of a configuration with other columns are not known again.
    fn add(&mut self, columns: &Columns, wanted: &HashSet<KeyHash>, key: &str, cells: &[Cell]) {
        if cells.len() != columns.count() || wanted.is_empty() {
            return;
        }
        let Some(row) = columns.key_of(|index| cells[index].clone()) else { return };
        if wanted.contains(&row.hash) {
            let values =
                columns.all().iter().zip(cells).map(|(column, cell)| digest(key, &column.header, cell));
            self.values.extend(values);
            self.added.insert(row.hash);
        }
    }

    /// The bookings asked for whose rows were to be added.
    pub fn added(&self) -> &HashSet<KeyHash> {
        &self.added
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Whether a status is a flag that was to be set in this row.
    pub fn is_flag_for_row(&self, row: u32, status: &Cell) -> bool {
        matches!(status, Cell::Text(text) if self.flags.contains(&(row, text.clone())))
    }

    /// Whether a value of this column is one that was to be written into this row.
    pub fn is_for_row(&self, row: u32, column: &Column, cell: &Cell) -> bool {
        !self.values.is_empty() && self.values.contains(&digest(&row.to_string(), &column.header, cell))
    }

    /// Whether a value was to be written for this booking or into this row. Whatever the header: columns may have moved at
    /// that moment.
    pub fn holds(&self, key: &str, row: u32, columns: &Columns, cell: &Cell) -> bool {
        let row = row.to_string();
        let holds = |column: &Column| {
            [key, &row].iter().any(|place| self.values.contains(&digest(place, &column.header, cell)))
        };
        !self.values.is_empty() && columns.all().iter().any(holds)
    }
}

/// A value in its place: a booking or a row, and a header.
pub fn digest(place: &str, header: &str, cell: &Cell) -> u64 {
    let mut bytes = Vec::new();
    for text in [place, header] {
        bytes.extend((text.len() as u64).to_le_bytes());
        bytes.extend_from_slice(text.as_bytes());
    }
    // Dates and times to the second, as the sheet answers them with rounding errors.
    cell.digest(shared::config::Type::DateTime, &mut bytes);
    let mut short = [0; 8];
    short.copy_from_slice(&blake3::hash(&bytes).as_bytes()[..8]);
    u64::from_le_bytes(short)
}
