//! Ranges of values, gathered until they fill a request.
//!
//! It knows rows and columns, not what they mean.

use shared::cause::Cause;
use shared::{Failure, Result};

use crate::apply::count;
use crate::google::Client;
use crate::google::Lines;
use crate::model::a1;
use crate::model::cell::Cell;
use crate::model::span::Span;

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

impl Rows {
    fn lines(mut self, tab: &str) -> Result<Lines> {
        // A vector that grew has up to half of its memory unused.
        self.json.shrink_to_fit();
        let columns = Span::of_length(self.column, self.width);
        let rows = Span::of_length(self.row, self.count);
        let json = String::from_utf8(self.json)
            .map_err(|error| Failure::bug(error.to_string()).caused_by(Cause::new(error.utf8_error())))?;
        Ok(Lines { range: a1::range(tab, columns, rows), json })
    }
}

impl<'a> Ranges<'a> {
    pub(super) fn new(tab: &'a str) -> Self {
        Self { blocks: Vec::new(), bytes: 0, cells: 0, tab }
    }

    pub(super) fn put(&mut self, row: u32, column: u32, cells: &[Cell]) -> Result<()> {
        let width = count(cells.len());
        // The block above is among the last few: one for each span of columns.
        let above = self.blocks.iter().rev().take(32).position(|block| {
            block.column == column && block.width == width && block.row + block.count == row
        });
        let at = above.map_or(self.blocks.len(), |back| self.blocks.len() - 1 - back);
        if at == self.blocks.len() {
            self.bytes += 60 + self.tab.len();
            self.blocks.push(Rows { row, column, width, count: 0, json: Vec::new() });
        }
        let block = &mut self.blocks[at];
        let before = block.json.len();
        let values: Vec<_> = cells.iter().map(Cell::to_json).collect();
        serde_json::to_writer(&mut block.json, &values).map_err(Failure::defect)?;
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
        let ranges: Vec<_> = self.blocks.drain(..).map(|rows| rows.lines(tab)).collect::<Result<_>>()?;
        if ranges.is_empty() { Ok(()) } else { client.write(&ranges).await }
    }
}
