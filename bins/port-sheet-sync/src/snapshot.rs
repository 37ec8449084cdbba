//! What the sheet holds now: the owned columns, read in chunks, compared with the spool's index as they arrive.
//!
//! Only rows that differ are kept. Human columns are not even read.

use std::collections::HashMap;

use serde_json::Value;
use shared::config::Sheet;
use shared::{Failure, Kind, Result};

use crate::a1;
use crate::column::{Columns, Key, KeyHash};
use crate::google::{Client, Tab};
use crate::layout::Layout;
use crate::spool::Spool;
use crate::value::Cell;

/// How many cells one request reads: about 2 MB of answer, and few enough requests for ten million cells in a minute.
const CELLS_A_READ: u32 = 200_000;

/// The sheet, as far as it matters.
#[derive(Debug, Default)]
pub struct Snapshot {
    /// Rows whose booking is in the source with other cells.
    pub differing: Vec<SheetRow>,
    /// Rows whose booking is not in the source.
    pub missing: Vec<MissingRow>,
    /// Rows of bookings that are in the source, but flagged as missing.
    pub flagged_live: Vec<u32>,
    /// Keys that stand in several rows, with those rows.
    pub duplicates: HashMap<KeyHash, (String, Vec<u32>)>,
    /// Rows with owned cells but no key.
    pub blank_keys: Vec<u32>,
    /// How many rows have a key.
    pub keyed: usize,
    /// The last row with an owned cell, the header's at least.
    pub last_row: u32,
}

/// A row of the sheet; rows are counted from 1, as people count them.
#[derive(Clone, Debug)]
pub struct SheetRow {
    /// Its number.
    pub row: u32,
    /// Its booking.
    pub key: Key,
    /// Its owned cells.
    pub cells: Vec<Cell>,
}

/// A row whose booking is not in the source.
#[derive(Clone, Debug)]
pub struct MissingRow {
    /// Its number.
    pub row: u32,
    /// Its booking.
    pub key: Key,
    /// Whether it is flagged already.
    pub flagged: bool,
}

/// Reads the tab and compares it with the spool. Notes in the spool's index where each booking stands.
///
/// # Errors
/// As every request; [`Kind::Data`] when a column that is to get a header holds a person's data.
pub async fn take(
    client: &mut Client,
    sheet: &Sheet,
    tab: &Tab,
    columns: &Columns,
    layout: &Layout,
    spool: &mut Spool,
) -> Result<Snapshot> {
    spool.index.values_mut().for_each(|entry| entry.row = 0);
    let mut snapshot = Snapshot { last_row: 1, ..Snapshot::default() };
    let mut missing = HashMap::new();
    let runs = layout.runs();
    let width: u32 = runs.iter().map(|(first, last)| last - first + 1).sum();
    let rows_a_read = (CELLS_A_READ / width.max(1)).max(1);
    let mut first = 2;
    while first <= tab.rows && width > 0 {
        let last = first.saturating_add(rows_a_read - 1).min(tab.rows);
        let block = Block::read(client, &sheet.tab, &runs, &[(first, last)]).await?.remove(0);
        for row in block.rows() {
            let values = block.values(row, &layout.columns);
            refuse_headless_data(layout, &block, row, sheet)?;
            snapshot.add(row, &values, block.value(row, layout.status), columns, spool, &mut missing);
        }
        first = last + 1;
    }
    Ok(snapshot)
}

impl Snapshot {
    /// Takes one row of the sheet into account.
    pub fn add(
        &mut self,
        row: u32,
        values: &[Option<&Value>],
        status: Option<&Value>,
        columns: &Columns,
        spool: &mut Spool,
        missing: &mut HashMap<KeyHash, u32>,
    ) {
        if values.iter().all(|value| is_blank(*value)) {
            return;
        }
        self.last_row = row;
        let cell = |index: usize| values[index].map_or(Cell::Empty, Cell::from_json);
        let Some(key) = columns.key_of(cell) else { return self.blank_keys.push(row) };
        self.keyed += 1;
        let flagged = !is_blank(status);
        match spool.index.get_mut(&key.hash) {
            Some(entry) if entry.row != 0 => self.duplicate(key, entry.row, row),
            Some(entry) => {
                entry.row = row;
                if flagged {
                    self.flagged_live.push(row);
                }
                if columns.digest_json(values) != entry.digest {
                    self.differing.push(SheetRow { row, key, cells: (0..values.len()).map(cell).collect() });
                }
            }
            None if spool.held.contains_key(&key.hash) => {}
            None => match missing.insert(key.hash, row) {
                Some(first) => self.duplicate(key, first, row),
                None => self.missing.push(MissingRow { row, key, flagged }),
            },
        }
    }

    fn duplicate(&mut self, key: Key, first: u32, row: u32) {
        self.duplicates.entry(key.hash).or_insert_with(|| (key.text, vec![first])).1.push(row);
    }
}

/// The owned cells of some rows, as they were answered.
pub struct Block {
    first: u32,
    runs: Vec<(u32, Vec<Vec<Value>>)>,
}

impl Block {
    /// Reads some spans of rows, all in one request.
    ///
    /// # Errors
    /// As every request.
    pub async fn read(
        client: &mut Client,
        tab: &str,
        runs: &[(u32, u32)],
        spans: &[(u32, u32)],
    ) -> Result<Vec<Self>> {
        let ranges: Vec<String> =
            spans.iter().flat_map(|span| runs.iter().map(|run| a1::range(tab, *run, *span))).collect();
        let mut answers = client.read(&ranges).await?.into_iter();
        let block = |&(first, _): &(u32, u32)| Self {
            first,
            runs: runs.iter().zip(&mut answers).map(|((column, _), values)| (*column, values)).collect(),
        };
        Ok(spans.iter().map(block).collect())
    }

    /// The numbers of the rows that hold anything.
    pub fn rows(&self) -> impl Iterator<Item = u32> + use<> {
        let longest = self.runs.iter().map(|(_, rows)| rows.len()).max().unwrap_or(0);
        let first = self.first;
        (first..).take(longest)
    }

    /// A row's cells in some columns.
    pub fn values(&self, row: u32, columns: &[u32]) -> Vec<Option<&Value>> {
        columns.iter().map(|&column| self.value(row, Some(column))).collect()
    }

    /// One cell.
    pub fn value(&self, row: u32, column: Option<u32>) -> Option<&Value> {
        let column = column?;
        let (start, rows) = self.runs.iter().rev().find(|(start, _)| *start <= column)?;
        rows.get((row - self.first) as usize)?.get((column - start) as usize)
    }
}

fn is_blank(value: Option<&Value>) -> bool {
    value.is_none_or(|value| value.as_str().is_some_and(str::is_empty) || value.is_null())
}

/// A column that is to get a header must be empty: what stands there is a person's.
fn refuse_headless_data(layout: &Layout, block: &Block, row: u32, sheet: &Sheet) -> Result<()> {
    let headless = layout.columns.iter().chain(&layout.status).filter(|column| layout.is_headless(**column));
    let Some(column) = headless.copied().find(|column| !is_blank(block.value(row, Some(*column)))) else {
        return Ok(());
    };
    let letters = a1::letters(column);
    Err(Failure::new(
        Kind::Data,
        format!("column {letters} of tab {:?} has no header in row 1 but data in row {row}", sheet.tab),
        format!("give column {letters} a header in the sheet, so that it is known whose it is"),
    ))
}
