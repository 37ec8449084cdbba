//! What rows held before the first write that is not committed.

use crate::model::cell::Cell;
use crate::model::column::Columns;
use crate::spool::row_file;
use shared::Result;
use shared::sys::atomic_file;
use std::collections::HashMap;
use std::path::Path;

/// What the rows that are not simply in step held before the first write that is not committed.
#[derive(Debug, Default)]
pub struct BeforeImage {
    pub by_key: HashMap<String, Vec<Cell>>,
    pub keyless: Vec<Vec<Cell>>,
}

impl BeforeImage {
    /// Keeps a snapshot's file of rows as the one before the writes.
    ///
    /// # Errors
    /// [`shared::Kind::Io`].
    pub fn keep(differing: &Path, before: &Path) -> Result<()> {
        atomic_file::link_over(differing, before)
    }

    /// Reads it; empty when there is no file.
    ///
    /// # Errors
    /// [`shared::Kind::Io`].
    pub fn read(path: &Path, columns: &Columns) -> Result<Self> {
        let mut before = Self::default();
        let Some(mut reader) = row_file::RowReader::open(path)? else { return Ok(before) };
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
