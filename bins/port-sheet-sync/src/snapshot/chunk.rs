//! Some rows of the tab, as Google returned them, and proof that the owned columns were where they were expected.
//!
//! Every request reads the headers again: between two requests a user may insert or move a column.

use serde_json::Value;
use shared::Result;
use shared::config::Type;

use crate::google::Client;
use crate::model::a1;
use crate::model::cell::Cell;
use crate::model::column::Columns;
use crate::model::span::Span;
use crate::sheet::layout::Layout;
use crate::sheet::owned_row::{OwnedRows, is_blank};

/// The row of the headers.
const HEADER: u32 = 1;

/// How far the last chunk of a grid asks beyond it.
const BEYOND: u32 = 1_000;

/// The owned cells of a span of rows.
#[derive(Debug)]
pub struct Chunk {
    first: u32,
    runs: Vec<(u32, Vec<Vec<Value>>)>,
}

impl Chunk {
    /// Reads some spans of rows, all in one request. None when the headers are not where the layout has them.
    ///
    /// # Errors
    /// As every request.
    pub async fn read(
        client: &mut Client,
        tab: &str,
        layout: &Layout,
        spans: &[Span],
    ) -> Result<Option<Vec<Self>>> {
        let runs = layout.spans();
        let spans: Vec<Span> = std::iter::once(Span::one(HEADER)).chain(spans.iter().copied()).collect();
        let ranges: Vec<String> =
            spans.iter().flat_map(|span| runs.iter().map(|run| a1::range(tab, *run, *span))).collect();
        let mut answers = client.read(&ranges).await?.into_iter();
        let mut chunks = Vec::with_capacity(spans.len());
        for span in &spans {
            let columns = runs.iter().zip(&mut answers).map(|(run, values)| (run.first, values));
            chunks.push(Self { first: span.first, runs: columns.collect() });
        }
        let header = chunks.remove(0);
        // A header that is new since the layout was made may be another run's.
        let is_still_blank = |column: u32| is_blank(header.value(HEADER, Some(column)));
        let is_in_place = layout.headers().all(|(column, text)| header.shows(column, text))
            && layout.headless().all(is_still_blank);
        Ok(is_in_place.then_some(chunks))
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
        first: u32,
        last: u32,
        grid: u32,
    ) -> Result<Option<Self>> {
        let asked = if last == grid { last.saturating_add(BEYOND) } else { last };
        let chunks = Self::read(client, tab, layout, &[Span::new(first, asked)]).await?;
        let chunk = chunks.and_then(|mut chunks| chunks.pop());
        Ok(chunk.filter(|chunk| chunk.rows().all(|row| row <= last)))
    }

    /// Whether the first row shows this text. Of a header that is no text, how it is shown is not known here.
    fn shows(&self, column: u32, text: &str) -> bool {
        match self.value(HEADER, Some(column)).map(Cell::from_json) {
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

    /// Whether a row was not in the chunk before.
    pub fn is_new(&self, row: u32) -> bool {
        row > self.first || self.first == 2
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
