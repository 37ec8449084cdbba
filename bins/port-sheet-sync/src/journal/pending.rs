//! Pending writes: values of uncommitted journals. The base does not have them, although no user wrote them.

use std::collections::HashSet;
use std::path::Path;

use shared::Result;
use shared::config::Column;

use crate::journal;
use crate::journal::Line;
use crate::journal::lines;
use crate::model::cell::Cell;
use crate::model::column::Columns;
use crate::model::column::KeyHash;

/// The values of uncommitted journals, by booking and by row: a write that landed in another row, because someone sorted at
/// that moment, is not an edit either. One short digest each.
#[derive(Debug, Default)]
pub struct PendingWrites {
    values: HashSet<u64>,
    added: HashSet<KeyHash>,
    flags: HashSet<(u32, String)>,
}

impl PendingWrites {
    /// Reads the uncommitted journals: all changed cells and, of added rows, those `wanted`.
    ///
    /// # Errors
    /// [`shared::Kind::Io`].
    pub fn read(dir: &Path, columns: &Columns, wanted: &HashSet<KeyHash>) -> Result<Self> {
        let mut pending = Self::default();
        for path in journal::pending(dir) {
            for line in lines(&path)? {
                match line? {
                    // What an undo wrote counts as written by a user.
                    Line::Run(heading) if heading.undoes.is_some() => break,
                    Line::Change { row, key, header, new, .. } => {
                        let places = [&key, &row.to_string()];
                        pending.values.extend(places.map(|place| digest(place, &header, &new)));
                    }
                    Line::Flag { row, new, .. } => drop(pending.flags.insert((row, new))),
                    Line::Add { key, cells, .. } => pending.add(columns, wanted, &key, &cells),
                    _ => {}
                }
            }
        }
        Ok(pending)
    }

    /// Rows of a configuration with other columns are left out.
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

    /// The wanted bookings whose rows were added.
    pub fn added(&self) -> &HashSet<KeyHash> {
        &self.added
    }

    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Whether a status is a flag that was set in this row.
    pub fn is_flag_for_row(&self, row: u32, status: &Cell) -> bool {
        matches!(status, Cell::Text(text) if self.flags.contains(&(row, text.clone())))
    }

    /// Whether a value of this column was written into this row.
    pub fn is_for_row(&self, row: u32, column: &Column, cell: &Cell) -> bool {
        !self.values.is_empty() && self.values.contains(&digest(&row.to_string(), &column.header, cell))
    }

    /// Whether a value was written for this booking or into this row, under any header: columns may have moved at that moment.
    pub fn holds(&self, key: &str, row: u32, columns: &Columns, cell: &Cell) -> bool {
        let row = row.to_string();
        !self.values.is_empty()
            && columns.all().iter().any(|column| {
                [key, &row].iter().any(|place| self.values.contains(&digest(place, &column.header, cell)))
            })
    }
}

/// A value in its place: a booking or a row, and a header.
pub fn digest(place: &str, header: &str, cell: &Cell) -> u64 {
    let mut bytes = Vec::new();
    for text in [place, header] {
        bytes.extend((text.len() as u64).to_le_bytes());
        bytes.extend_from_slice(text.as_bytes());
    }
    // Dates and times to the second, as the API returns them with rounding errors.
    cell.digest(shared::config::Type::DateTime, &mut bytes);
    let mut short = [0; 8];
    short.copy_from_slice(&blake3::hash(&bytes).as_bytes()[..8]);
    u64::from_le_bytes(short)
}
