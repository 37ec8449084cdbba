//! What uncommitted journals say was to be written: the base does not know it, and yet no person wrote it.

use std::collections::HashSet;
use std::path::Path;

use shared::Result;
use shared::config::Column;

use super::{Line, lines, pending};
use crate::value::Cell;

/// Values that uncommitted journals say were to be written, by booking and by row: a write that landed in another row,
/// because a person sorted at that moment, is no edit of that person's either. One short digest each.
#[derive(Debug, Default)]
pub struct Intended(HashSet<u64>);

impl Intended {
    /// Reads the uncommitted journals.
    ///
    /// # Errors
    /// [`shared::Kind::Io`].
    pub fn read(dir: &Path) -> Result<Self> {
        let mut intended = HashSet::new();
        for path in pending(dir) {
            for line in lines(&path)? {
                match line? {
                    // What a person took back is to the sync what a person wrote.
                    Line::Run(heading) if heading.undoes.is_some() => break,
                    Line::Change { row, key, header, new, .. } => {
                        intended
                            .extend([digest(&key, &header, &new), digest(&row.to_string(), &header, &new)]);
                    }
                    _ => {}
                }
            }
        }
        Ok(Self(intended))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a value of this column is one that was to be written into this row.
    pub fn is_for_row(&self, row: u32, column: &Column, cell: &Cell) -> bool {
        !self.0.is_empty() && self.0.contains(&digest(&row.to_string(), &column.header, cell))
    }

    /// Whether a value of this column is one that was to be written for this booking or into this row.
    pub fn holds(&self, key: &str, row: u32, column: &Column, cell: &Cell) -> bool {
        let holds = |place: &str| self.0.contains(&digest(place, &column.header, cell));
        !self.0.is_empty() && (holds(key) || holds(&row.to_string()))
    }
}

fn digest(place: &str, header: &str, cell: &Cell) -> u64 {
    let mut hasher = blake3::Hasher::new();
    for text in [place, header] {
        hasher.update(&(text.len() as u64).to_le_bytes());
        hasher.update(text.as_bytes());
    }
    // Dates and times to the second, as the sheet answers them with rounding errors.
    cell.digest(shared::config::Type::DateTime, &mut hasher);
    let mut short = [0; 8];
    short.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
    u64::from_le_bytes(short)
}
