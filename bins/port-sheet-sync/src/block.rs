//! Some rows of the tab, as they were answered, and proof that the owned columns stood where they were looked for.
//!
//! Every request reads the headers again: between two requests a person may insert or move a column.

use serde_json::Value;
use shared::Result;
use shared::config::Type;

use crate::a1;
use crate::column::{Columns, Digest};
use crate::google::Client;
use crate::layout::Layout;
use crate::value::Cell;

/// The row of the headers.
const HEADER: (u32, u32) = (1, 1);

/// How far the last chunk of a grid asks beyond it.
const BEYOND: u32 = 1_000;

/// Owned cells, column by column, as they were answered.
#[derive(Debug)]
pub struct OwnedRows<'a> {
    first: u32,
    columns: Vec<&'a [Value]>,
    digests: Vec<Digest>,
}

impl OwnedRows<'_> {
    /// Row by row.
    pub fn iter(&self) -> impl Iterator<Item = OwnedRow<'_>> {
        let row = |(at, row)| OwnedRow { row, digest: self.digests[at], columns: &self.columns, at };
        (0..self.digests.len()).zip(self.first..).map(row)
    }
}

/// A row's owned cells, one for each owned column.
#[derive(Clone, Copy, Debug)]
pub struct OwnedRow<'a> {
    /// Its number.
    pub row: u32,
    /// What makes its cells themselves.
    pub digest: Digest,
    /// The columns in which they stand.
    pub columns: &'a [&'a [Value]],
    /// Where in each.
    pub at: usize,
}

impl<'a> OwnedRow<'a> {
    /// What the cells hold.
    pub fn values(self) -> impl Iterator<Item = Option<&'a Value>> {
        self.columns.iter().map(move |column| column.get(self.at))
    }

    /// A column's cell.
    pub fn cell(self, index: usize) -> Cell<&'a str> {
        Cell::of_json(self.columns[index].get(self.at))
    }
}

/// The owned cells of a span of rows.
#[derive(Debug)]
pub struct Block {
    first: u32,
    runs: Vec<(u32, Vec<Vec<Value>>)>,
}

impl Block {
    /// Reads some spans of rows, all in one request. None when the headers are not where the layout has them.
    ///
    /// # Errors
    /// As every request.
    pub async fn read(
        client: &mut Client,
        tab: &str,
        layout: &Layout,
        spans: &[(u32, u32)],
    ) -> Result<Option<Vec<Self>>> {
        let runs = layout.runs();
        let spans: Vec<(u32, u32)> = std::iter::once(HEADER).chain(spans.iter().copied()).collect();
        let ranges: Vec<String> =
            spans.iter().flat_map(|span| runs.iter().map(|run| a1::range(tab, *run, *span))).collect();
        let mut answers = client.read(&ranges).await?.into_iter();
        let block = |&(first, _): &(u32, u32)| Self {
            first,
            runs: runs.iter().zip(&mut answers).map(|((column, _), values)| (*column, values)).collect(),
        };
        let mut blocks: Vec<Self> = spans.iter().map(block).collect();
        let header = blocks.remove(0);
        Ok(layout.headers().all(|(column, text)| header.shows(column, text)).then_some(blocks))
    }

    /// Reads a chunk of a grid that had so many rows when it was looked at. None also when there is something behind its last
    /// row: the grid has grown since, and rows may have moved out of the part that is read. To ask for more than there is
    /// costs nothing.
    ///
    /// # Errors
    /// As every request.
    pub async fn of_grid(
        client: &mut Client,
        tab: &str,
        layout: &Layout,
        (first, last): (u32, u32),
        grid: u32,
    ) -> Result<Option<Self>> {
        let asked = if last == grid { last.saturating_add(BEYOND) } else { last };
        let blocks = Self::read(client, tab, layout, &[(first, asked)]).await?;
        let block = blocks.and_then(|mut blocks| blocks.pop());
        Ok(block.filter(|block| block.rows().all(|row| row <= last)))
    }

    /// Whether the first row shows this text. Of a header that is no text, how it is shown is not known here.
    fn shows(&self, column: u32, text: &str) -> bool {
        match self.value(HEADER.0, Some(column)).map(Cell::from_json) {
            Some(Cell::Text(found)) => found == text,
            Some(Cell::Number(_)) => true,
            Some(other) => other.shown(Type::Text) == text,
            None => false,
        }
    }

    /// The numbers of the rows that hold anything.
    pub fn rows(&self) -> impl Iterator<Item = u32> + use<> {
        let columns = self.runs.iter().flat_map(|(_, columns)| columns);
        let longest = columns.map(Vec::len).max().unwrap_or(0);
        let first = self.first;
        (first..).take(longest)
    }

    /// The owned cells of each row, digested.
    pub fn owned_rows<'a>(&'a self, columns: &Columns, places: &[u32]) -> OwnedRows<'a> {
        let found: Vec<&[Value]> = places.iter().map(|&place| self.column(place)).collect();
        let digests = columns.digests(&found, self.rows().count());
        OwnedRows { first: self.first, columns: found, digests }
    }

    /// A row's owned cells, status included.
    pub fn owned(&self, row: u32, layout: &Layout) -> Vec<Cell> {
        let columns = layout.columns.iter().chain(&layout.status);
        columns.map(|&column| self.value(row, Some(column)).map_or(Cell::Empty, Cell::from_json)).collect()
    }

    /// One cell.
    pub fn value(&self, row: u32, column: Option<u32>) -> Option<&Value> {
        self.column(column?).get((row - self.first) as usize)
    }

    /// A column's cells, the first row's first; none of a column that was not read.
    fn column(&self, column: u32) -> &[Value] {
        let run = self.runs.iter().rev().find(|(start, _)| *start <= column);
        let found = run.and_then(|(start, columns)| columns.get((column - start) as usize));
        found.map_or(&[], Vec::as_slice)
    }
}

/// Whether a cell holds nothing.
pub fn is_blank(value: Option<&Value>) -> bool {
    value.is_none_or(|value| value.as_str().is_some_and(str::is_empty) || value.is_null())
}
