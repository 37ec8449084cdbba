//! The sheet as it stands, row by row, for an undo.
//!
//! It reads. Where each booking stands is kept in memory; its cells go to a file.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

use shared::config::{OnMissing, Sheet};
use shared::{Failure, Kind, Result};

use crate::block::{Block, is_blank};
use crate::column::{Columns, Key};
use crate::google::{Client, Tab};
use crate::journal::Heading;
use crate::layout::Layout;
use crate::rows;
use crate::value::Cell;

/// How many cells one request reads.
const CELLS_A_READ: u32 = 200_000;

/// How often it is read when people move things about meanwhile.
const TRIES: u32 = 3;

/// The sheet.
pub struct Ground {
    /// The tab.
    pub tab: Tab,
    /// Where the columns of the run stand today.
    pub layout: Layout,
    /// Columns in which something stands below the header.
    pub filled: HashSet<u32>,
    places: HashMap<String, (u32, u64)>,
    by_row: HashMap<u32, Key>,
    keyless: BTreeMap<u32, Vec<Cell>>,
    twice: HashSet<String>,
    cells: rows::Reader,
}

/// A booking's row.
#[derive(Clone, Debug)]
pub struct Standing {
    /// Its number.
    pub row: u32,
    /// Its owned cells.
    pub cells: Vec<Cell>,
    /// Its status cell.
    pub status: Cell,
}

impl Ground {
    /// Reads the tab as the columns of a run's journal have it.
    ///
    /// # Errors
    /// As every request.
    pub async fn read(
        client: &mut Client,
        sheet: &Sheet,
        columns: &Columns,
        heading: &Heading,
        spill: &Path,
    ) -> Result<Self> {
        // The status column is looked for whatever today's policy is.
        let then =
            Sheet { on_missing: OnMissing::Flag, status_header: heading.status.clone(), ..sheet.clone() };
        for _ in 0..TRIES {
            let tab = client.tab(&sheet.tab).await?;
            let layout = Layout::find(&then, columns, &tab.header, tab.columns, &[])?;
            if let Some(ground) = Self::try_read(client, sheet, columns, tab, layout, spill).await? {
                return Ok(ground);
            }
        }
        Err(Failure::new(
            Kind::Busy,
            format!(
                "people moved rows or columns of tab {:?} each time it was read, {TRIES} times",
                sheet.tab
            ),
            "type the same command again",
        ))
    }

    async fn try_read(
        client: &mut Client,
        sheet: &Sheet,
        columns: &Columns,
        tab: Tab,
        layout: Layout,
        spill: &Path,
    ) -> Result<Option<Self>> {
        let heading = rows::Heading::new(String::new(), columns.remembered());
        let mut writer = rows::Writer::create(spill, &heading)?;
        let (mut places, mut by_row, mut twice) = (HashMap::new(), HashMap::new(), HashSet::new());
        let (mut filled, mut keyless) = (HashSet::new(), BTreeMap::new());
        let rows_a_read = (CELLS_A_READ / layout.width().max(1)).max(1);
        let mut first = 2;
        while first <= tab.rows {
            let last = first.saturating_add(rows_a_read - 1).min(tab.rows);
            let rows = (first, last);
            let Some(block) = Block::of_grid(client, &sheet.tab, &layout, rows, tab.rows).await? else {
                return Ok(None);
            };
            for row in block.rows() {
                let all = layout.columns.iter().chain(&layout.status).copied();
                filled.extend(all.filter(|column| !is_blank(block.value(row, Some(*column)))));
                let cells = block.owned(row, &layout);
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
            first = last + 1;
        }
        writer.commit()?;
        let cells = rows::Reader::open(spill)?.ok_or_else(|| Failure::bug("what was just read is gone"))?;
        Ok(Some(Self { tab, layout, filled, places, by_row, keyless, twice, cells }))
    }

    /// Whether no booking stands in the tab.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Whether an owned column is not in the tab any more.
    pub fn is_headless(&self, column: usize) -> bool {
        self.layout.is_headless(self.layout.columns[column])
    }

    /// Whether a booking stands in several rows.
    pub fn has_twice(&self, key: &str) -> bool {
        self.twice.contains(key)
    }

    /// Which booking stands in a row.
    pub fn key_in(&self, row: u32) -> Option<&Key> {
        self.by_row.get(&row)
    }

    /// Rows without a key, with their owned cells and the status cell.
    pub fn keyless(&self) -> &BTreeMap<u32, Vec<Cell>> {
        &self.keyless
    }

    /// Where a booking stands.
    ///
    /// # Errors
    /// [`Kind::Io`].
    pub fn find(&mut self, key: &str) -> Result<Option<Standing>> {
        let Some(&(row, offset)) = self.places.get(key) else { return Ok(None) };
        let (_, mut cells) = self.cells.row_at(offset)?;
        let status = cells.split_off(self.layout.columns.len()).pop().unwrap_or(Cell::Empty);
        Ok(Some(Standing { row, cells, status }))
    }
}
