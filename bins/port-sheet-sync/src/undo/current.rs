//! The current sheet, row by row, for an undo.
//!
//! It only reads. The row number of each booking is kept in memory; its cells go to a file.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

use shared::config::{OnMissing, Sheet};
use shared::{Failure, Result};

use crate::google::Client;
use crate::journal::JournalHeader;
use crate::model::cell::Cell;
use crate::model::column::Columns;
use crate::model::column::Key;
use crate::sheet::layout::Layout;
use crate::sheet::owned_row::is_blank;
use crate::sheet::tab::Tab;
use crate::snapshot::chunks::{Chunks, NextChunk, TRIES, never_still, rows_a_read};
use crate::spool::row_file;

pub struct CurrentSheet {
    pub tab: Tab,
    /// Where the columns of the run are today.
    pub layout: Layout,
    /// Columns with a value below the header.
    pub filled: HashSet<u32>,
    places: HashMap<String, (u32, u64)>,
    by_row: HashMap<u32, Key>,
    keyless: BTreeMap<u32, Vec<Cell>>,
    twice: HashSet<String>,
    cells: row_file::RowReader,
}

#[derive(Clone, Debug)]
pub struct BookingRow {
    pub row: u32,
    /// The owned cells.
    pub cells: Vec<Cell>,
    pub status: Cell,
}

impl BookingRow {
    /// An owned cell, or the status cell.
    pub fn cell(&self, column: Option<usize>) -> &Cell {
        column.map_or(&self.status, |column| &self.cells[column])
    }
}

impl CurrentSheet {
    /// Reads the tab as the columns of a run's journal have it.
    ///
    /// # Errors
    /// As every request.
    pub async fn read(
        client: &mut Client,
        sheet: &Sheet,
        columns: &Columns,
        heading: &JournalHeader,
        spill: &Path,
    ) -> Result<Self> {
        // The status column is looked for whatever today's policy is.
        let then =
            Sheet { on_missing: OnMissing::Flag, status_header: heading.status.clone(), ..sheet.clone() };
        for _ in 0..TRIES {
            let tab = client.tab(&sheet.tab).await?;
            let layout = Layout::find(&then, columns, &tab.header, tab.columns, &[])?;
            if let Some(current) = Self::try_read(client, sheet, columns, tab, layout, spill).await? {
                return Ok(current);
            }
        }
        Err(never_still(&sheet.tab, "type the same command again"))
    }

    async fn try_read(
        client: &mut Client,
        sheet: &Sheet,
        columns: &Columns,
        tab: Tab,
        layout: Layout,
        spill: &Path,
    ) -> Result<Option<Self>> {
        let heading = row_file::Header::new(String::new(), columns.remembered());
        let mut writer = row_file::RowWriter::create(spill, &heading)?;
        let (mut places, mut by_row, mut twice) = (HashMap::new(), HashMap::new(), HashSet::new());
        let (mut filled, mut keyless) = (HashSet::new(), BTreeMap::new());
        let rows_a_read = rows_a_read(&layout, 0);
        let mut chunks = Chunks::new(&sheet.tab, &layout, tab.rows, rows_a_read);
        loop {
            let chunk = match chunks.next(client).await? {
                NextChunk::Rows(chunk) => chunk,
                NextChunk::Moved => return Ok(None),
                NextChunk::End => break,
            };
            for row in chunk.rows().filter(|row| chunk.is_new(*row)) {
                let all = layout.columns.iter().chain(&layout.status).copied();
                filled.extend(all.filter(|column| !is_blank(chunk.value(row, Some(*column)))));
                let cells = chunk.owned(row, &layout);
                let Some(key) = columns.key_of(|index| cells[index].clone()) else {
                    if cells.iter().any(|cell| *cell != Cell::Empty) {
                        keyless.insert(row, cells);
                    }
                    continue;
                };
                let offset = writer.row(u64::from(row), &cells)?;
                if places.insert(key.text.clone(), (row, offset)).is_some() {
                    twice.insert(key.text.clone());
                }
                by_row.insert(row, key);
            }
        }
        writer.commit()?;
        let cells =
            row_file::RowReader::open(spill)?.ok_or_else(|| Failure::bug("what was just read is gone"))?;
        Ok(Some(Self { tab, layout, filled, places, by_row, keyless, twice, cells }))
    }

    /// Whether no booking is in the tab.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Whether an owned column is no longer in the tab.
    pub fn is_headless(&self, column: usize) -> bool {
        self.layout.is_headless(self.layout.columns[column])
    }

    /// Whether the tab has a column with a blank header here.
    pub fn has_blank_header(&self, column: u32) -> bool {
        column < self.tab.columns && self.tab.header.get(column as usize).is_none_or(String::is_empty)
    }

    /// Whether a booking is in several rows.
    pub fn has_twice(&self, key: &str) -> bool {
        self.twice.contains(key)
    }

    /// The key of the booking in a row.
    pub fn key_in(&self, row: u32) -> Option<&Key> {
        self.by_row.get(&row)
    }

    /// Rows without a key, with their owned cells and the status cell.
    pub fn keyless(&self) -> &BTreeMap<u32, Vec<Cell>> {
        &self.keyless
    }

    /// A booking's row.
    ///
    /// # Errors
    /// [`shared::Kind::Io`].
    pub fn find(&mut self, key: &str) -> Result<Option<BookingRow>> {
        let Some(&(row, offset)) = self.places.get(key) else { return Ok(None) };
        let (_, mut cells) = self.cells.row_at(offset)?;
        let status = cells.split_off(self.layout.columns.len()).pop().unwrap_or(Cell::Empty);
        Ok(Some(BookingRow { row, cells, status }))
    }
}
