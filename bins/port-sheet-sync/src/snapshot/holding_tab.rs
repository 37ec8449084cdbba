//! Reads the tab to which removed rows go.

use std::collections::HashSet;

use shared::Result;

use crate::google::Client;
use crate::model::cell::Cell;
use crate::model::column::Columns;
use crate::sheet::holding_tab::{HeldRow, HeldRows, HoldingTab, MARKS, RemovalTag, has_header};
use crate::sheet::layout::Layout;
use crate::snapshot::chunk::Chunk;
use crate::snapshot::chunks::{Chunks, NextChunk, TRIES, never_still, rows_a_read};

/// Reads the tab, if there is one. `header` is what [`crate::sheet::holding_tab::header`] says of today, `in_doubt` are the
/// removals that are not committed.
///
/// # Errors
/// As every request; [`shared::Kind::Busy`] when rows or columns moved each time.
pub async fn read(
    client: &mut Client,
    place: &HoldingTab,
    columns: &Columns,
    header: &[String],
    in_doubt: &HashSet<RemovalTag>,
) -> Result<Option<HeldRows>> {
    for _ in 0..TRIES {
        let Some(tab) = client.find_tab(&place.title).await? else { return Ok(None) };
        let has_todays_columns = has_header(&tab, header);
        let mut held = HeldRows { place: place.clone(), tab, has_todays_columns, rows: Vec::new() };
        let Some(layout) = held.layout(columns) else { return Ok(Some(held)) };
        if held.read(client, columns, &layout).await? {
            for row in &mut held.rows {
                row.is_in_doubt = in_doubt.contains(&row.mark);
            }
            return Ok(Some(held));
        }
    }
    Err(never_still(
        &place.title,
        "nothing was written; type the same command again, or wait for the next run",
    ))
}

impl HeldRows {
    /// Where the tag and the columns of the key are, as its own first header has them; none when that is no header of ours.
    fn layout(&self, columns: &Columns) -> Option<Layout> {
        let header = &self.tab.header;
        if header.first().is_none_or(|first| first != MARKS) {
            return None;
        }
        let mut found = vec![(0, MARKS.to_owned())];
        for &index in columns.key() {
            let text = &columns.all()[index].header;
            let at = header.iter().position(|other| other == text)?;
            found.push((u32::try_from(at).ok()?, text.clone()));
        }
        Some(Layout::of_found(found, self.tab.columns))
    }

    /// Takes the newest rows in, down to an older header; no when rows or columns moved meanwhile.
    async fn read(&mut self, client: &mut Client, columns: &Columns, layout: &Layout) -> Result<bool> {
        let title = self.place.title.clone();
        let mut chunks = Chunks::new(&title, layout, self.tab.rows, rows_a_read(layout, 0));
        loop {
            let chunk = match chunks.next(client).await? {
                NextChunk::Rows(chunk) => chunk,
                NextChunk::Moved => return Ok(false),
                NextChunk::End => return Ok(true),
            };
            for row in chunk.rows().filter(|row| chunk.is_new(*row)) {
                let Some(Cell::Text(text)) = cell(&chunk, row, 0) else { continue };
                if text == MARKS {
                    return Ok(true);
                }
                let Some(mark) = RemovalTag::parse(&text) else { continue };
                let key = columns.key_of(|index| {
                    let part = columns.key().iter().position(|&key| key == index).unwrap_or(0);
                    cell(&chunk, row, layout.columns[part + 1]).unwrap_or(Cell::Empty)
                });
                self.rows.push(HeldRow { row, mark, key, is_in_doubt: false });
            }
        }
    }
}

fn cell(chunk: &Chunk, row: u32, column: u32) -> Option<Cell> {
    chunk.value(row, Some(column)).map(Cell::from_json)
}
