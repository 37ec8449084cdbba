//! Ranges of values, gathered until they fill a request.
//!
//! It knows rows and columns, not what they mean.

use shared::{Failure, Result};

use super::count;
use crate::a1;
use crate::google::{Client, Lines};
use crate::value::Cell;

/// Google recommends at most 2 MB a request (<https://developers.google.com/workspace/sheets/api/limits>).
pub(super) const REQUEST_BYTES: usize = 1_900_000;

/// How many cells one request writes: the client holds each of them twice, at 64 bytes, while it makes a request.
pub(super) const REQUEST_CELLS: usize = 250_000;

/// Ranges gathered for the next request: rows below each other in the same columns are one range.
pub(super) struct Ranges<'a> {
    blocks: Vec<Rows>,
    bytes: usize,
    cells: usize,
    tab: &'a str,
}

/// Rows of cells below each other.
struct Rows {
    row: u32,
    column: u32,
    width: u32,
    count: u32,
    json: Vec<u8>,
}

impl<'a> Ranges<'a> {
    pub(super) fn new(tab: &'a str) -> Self {
        Self { blocks: Vec::new(), bytes: 0, cells: 0, tab }
    }

    pub(super) fn put(&mut self, row: u32, column: u32, cells: &[Cell]) -> Result<()> {
        let width = count(cells.len());
        let is_above =
            |block: &Rows| block.column == column && block.width == width && block.row + block.count == row;
        // The block above is among the last few: one for each run of columns.
        let above = self.blocks.iter().rev().take(32).position(is_above);
        let at = above.map_or(self.blocks.len(), |back| self.blocks.len() - 1 - back);
        if at == self.blocks.len() {
            self.bytes += 60 + self.tab.len();
            self.blocks.push(Rows { row, column, width, count: 0, json: Vec::new() });
        }
        let block = &mut self.blocks[at];
        let before = block.json.len();
        let values: Vec<_> = cells.iter().map(Cell::to_json).collect();
        serde_json::to_writer(&mut block.json, &values).map_err(|error| Failure::bug(error.to_string()))?;
        block.json.push(b'\n');
        block.count += 1;
        self.bytes += block.json.len() - before;
        self.cells += cells.len();
        Ok(())
    }

    /// Whether it is time to send.
    pub(super) fn is_full(&self) -> bool {
        self.bytes >= REQUEST_BYTES || self.cells >= REQUEST_CELLS
    }

    /// The first row gathered.
    pub(super) fn first_row(&self) -> Option<u32> {
        self.blocks.iter().map(|block| block.row).min()
    }

    pub(super) async fn send(&mut self, client: &mut Client) -> Result<()> {
        (self.bytes, self.cells) = (0, 0);
        let tab = self.tab;
        let lines = |block: Rows| {
            let columns = (block.column, block.column + block.width - 1);
            let rows = (block.row, block.row + block.count - 1);
            let json = String::from_utf8(block.json).map_err(|error| Failure::bug(error.to_string()))?;
            Ok(Lines { range: a1::range(tab, columns, rows), json })
        };
        let ranges: Vec<_> = self.blocks.drain(..).map(lines).collect::<Result<_>>()?;
        if ranges.is_empty() { Ok(()) } else { client.write(&ranges).await }
    }
}
