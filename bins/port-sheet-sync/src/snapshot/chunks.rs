//! The one loop that reads a tab: chunk by chunk below its header, until its end or until something moved.

use shared::{Failure, Kind, Result};

use crate::google::Client;
use crate::model::cell::Cell;
use crate::sheet::layout::Layout;
use crate::snapshot::chunk::Chunk;

/// How many cells one request reads at most: the client holds each of them at about 64 bytes.
const CELLS_A_READ: u32 = 290_000;

/// About how many bytes one response has at most, as Google recommends.
const BYTES_A_READ: u64 = 2_000_000;

/// How often a tab is read when users move rows or columns meanwhile.
pub const TRIES: u32 = 3;

/// The chunks of a tab. Neighbours share a row, so that a row that was inserted or removed between two requests is found.
pub struct Chunks<'a> {
    tab: &'a str,
    layout: &'a Layout,
    rows: u32,
    rows_a_read: u32,
    next: u32,
    seam: Option<Vec<Cell>>,
}

/// What reading the next chunk gave.
pub enum NextChunk {
    /// Rows of the tab; the first of them was in the chunk before, unless it is row 2.
    Rows(Chunk),
    /// Headers or rows are not where they were.
    Moved,
    /// Everything was read.
    End,
}

impl<'a> Chunks<'a> {
    /// The columns of a layout in a tab whose grid has this many rows.
    pub fn new(tab: &'a str, layout: &'a Layout, rows: u32, rows_a_read: u32) -> Self {
        Self { tab, layout, rows, rows_a_read, next: 2, seam: None }
    }

    /// Reads the next chunk, in one request.
    ///
    /// # Errors
    /// As every request.
    pub async fn next(&mut self, client: &mut Client) -> Result<NextChunk> {
        if self.next > self.rows || self.layout.spans().is_empty() {
            return Ok(NextChunk::End);
        }
        let first = self.next;
        let last = first.saturating_add(self.rows_a_read - 1).min(self.rows);
        let chunk = Chunk::of_grid(client, self.tab, self.layout, first, last, self.rows).await?;
        let Some(chunk) = chunk else { return Ok(NextChunk::Moved) };
        if self.seam.as_ref().is_some_and(|seam| *seam != chunk.owned(first, self.layout)) {
            return Ok(NextChunk::Moved);
        }
        self.seam = Some(chunk.owned(last, self.layout));
        self.next = if last == self.rows { last + 1 } else { last };
        Ok(NextChunk::Rows(chunk))
    }

    /// The last row that was read.
    pub fn read_until(&self) -> u32 {
        self.next.min(self.rows)
    }
}

/// How many rows of a layout's columns one request reads. `row_bytes` is about the length of a row.
pub fn rows_a_read(layout: &Layout, row_bytes: u64) -> u32 {
    let width: u32 = layout.spans().iter().map(|span| span.length()).sum();
    let by_bytes = u32::try_from(BYTES_A_READ / row_bytes.max(1)).unwrap_or(u32::MAX);
    // Two rows at least, since the last one of a chunk is read again as the first of the next; and a power of two, which
    // is what the client's lists have room for.
    1 << by_bytes.min(CELLS_A_READ / width.max(1)).max(2).ilog2()
}

/// The tab could not be read in any of the tries, because something moved each time.
pub fn never_still(tab: &str, hint: &str) -> Failure {
    Failure::new(
        Kind::Busy,
        format!("rows or columns of tab {tab:?} moved each time it was read, {TRIES} times"),
        hint,
    )
}
