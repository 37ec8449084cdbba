//! Ranges of values, gathered until they fill a request.
//!
//! It knows rows and columns, not what they mean.

use serde_json::Value;
use shared::Result;

use super::{count, size};
use crate::a1;
use crate::google::Client;
use crate::value::Cell;

/// Google recommends at most 2 MB a request (<https://developers.google.com/workspace/sheets/api/limits>).
pub(super) const REQUEST_BYTES: usize = 1_900_000;

/// Ranges gathered for the next request: rows below each other in the same columns are one range.
pub(super) struct Ranges<'a> {
    blocks: Vec<Rows>,
    bytes: usize,
    tab: &'a str,
}

/// Rows of cells below each other.
struct Rows {
    row: u32,
    column: u32,
    width: u32,
    values: Vec<Vec<Value>>,
}

impl<'a> Ranges<'a> {
    pub(super) fn new(tab: &'a str) -> Self {
        Self { blocks: Vec::new(), bytes: 0, tab }
    }

    pub(super) fn put(&mut self, row: u32, column: u32, cells: &[Cell]) {
        let values: Vec<Value> = cells.iter().map(Cell::to_json).collect();
        self.bytes += cells.iter().map(size).sum::<usize>() + 2;
        let width = count(cells.len());
        let below = |block: &&mut Rows| {
            block.column == column && block.width == width && block.row + count(block.values.len()) == row
        };
        // The block above is among the last few: one for each run of columns.
        match self.blocks.iter_mut().rev().take(32).find(below) {
            Some(block) => block.values.push(values),
            None => {
                self.bytes += 60 + self.tab.len();
                self.blocks.push(Rows { row, column, width, values: vec![values] });
            }
        }
    }

    /// Whether it is time to send.
    pub(super) fn is_full(&self) -> bool {
        self.bytes >= REQUEST_BYTES
    }

    /// The first and last row gathered.
    pub(super) fn rows(&self) -> Option<(u32, u32)> {
        let first = self.blocks.iter().map(|block| block.row).min()?;
        let last = self.blocks.iter().map(|block| block.row + count(block.values.len()) - 1).max()?;
        Some((first, last))
    }

    pub(super) async fn send(&mut self, client: &mut Client) -> Result<()> {
        self.bytes = 0;
        let range = |block: Rows| {
            let columns = (block.column, block.column + block.width - 1);
            let rows = (block.row, block.row + count(block.values.len()) - 1);
            (a1::range(self.tab, columns, rows), block.values)
        };
        let ranges: Vec<_> = self.blocks.drain(..).map(range).collect();
        if ranges.is_empty() { Ok(()) } else { client.write(&ranges).await }
    }
}
