//! Some rows of the tab, as they were answered, and proof that the owned columns stood where they were looked for.
//!
//! Every request reads the headers again: between two requests a person may insert or move a column.

use serde_json::Value;
use shared::Result;
use shared::config::Type;

use crate::a1;
use crate::google::Client;
use crate::layout::Layout;
use crate::value::Cell;

/// The row of the headers.
const HEADER: (u32, u32) = (1, 1);

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

    /// A row's cells in some columns.
    pub fn values(&self, row: u32, columns: &[u32]) -> Vec<Option<&Value>> {
        columns.iter().map(|&column| self.value(row, Some(column))).collect()
    }

    /// A row's owned cells, status included.
    pub fn owned(&self, row: u32, layout: &Layout) -> Vec<Cell> {
        let columns = layout.columns.iter().chain(&layout.status);
        columns.map(|&column| self.value(row, Some(column)).map_or(Cell::Empty, Cell::from_json)).collect()
    }

    /// One cell.
    pub fn value(&self, row: u32, column: Option<u32>) -> Option<&Value> {
        let column = column?;
        let (start, columns) = self.runs.iter().rev().find(|(start, _)| *start <= column)?;
        columns.get((column - start) as usize)?.get((row - self.first) as usize)
    }
}

/// Whether a cell holds nothing.
pub fn is_blank(value: Option<&Value>) -> bool {
    value.is_none_or(|value| value.as_str().is_some_and(str::is_empty) || value.is_null())
}
