//! Writes a plan into the sheet: a small one as a single atomic request, a large one as bounded, repeatable ranges.
//!
//! It decides only how, never what. Whether it worked is for the verification to say.

use log::info;
use serde_json::Value;
use shared::config::Sheet;
use shared::{Failure, Kind, Result};

use crate::a1;
use crate::column::Columns;
use crate::edit::Edit;
use crate::google::{Client, Tab, Trouble};
use crate::layout::{Layout, runs};
use crate::plan::Plan;
use crate::rows;
use crate::snapshot::{Block, Snapshot};
use crate::value::{Cell, number_format};

/// A plan of at most this many cells goes as one atomic request; the client's types take some kilobytes a cell.
const ATOMIC_CELLS: u64 = 2_000;

/// Google recommends at most 2 MB a request (<https://developers.google.com/workspace/sheets/api/limits>).
const REQUEST_BYTES: usize = 1_900_000;

/// A spreadsheet holds at most ten million cells (Drive help, answer 37603).
const SPREADSHEET_CELLS: u64 = 10_000_000;

/// Everything needed to write.
pub struct Target<'a> {
    /// The sheet's configuration.
    pub sheet: &'a Sheet,
    /// Its tab, as the snapshot found it.
    pub tab: &'a Tab,
    /// Its columns.
    pub columns: &'a Columns,
    /// Where they stand.
    pub layout: &'a Layout,
    /// The snapshot that the plan was made from.
    pub snapshot: &'a Snapshot,
}

/// How a plan was written, and so how it is verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// In one request: a few rows are to be read back.
    Atomically,
    /// In many: everything is to be read again.
    InBulk,
}

/// Writes the plan.
///
/// # Errors
/// [`Trouble::Refused`] when a request was refused; [`Trouble::Unknown`] when it may have been applied, so that the sheet
/// must be read and planned again.
pub async fn apply(
    client: &mut Client,
    target: &Target<'_>,
    plan: &Plan,
    spool: &mut rows::Reader,
) -> std::result::Result<Written, Trouble> {
    let refused = Trouble::Refused;
    let rows = if plan.cells(target.columns.count()) <= ATOMIC_CELLS {
        let rows = added_rows(target, plan, spool).map_err(refused)?;
        let text: usize = rows.iter().flatten().map(size).sum();
        (text <= REQUEST_BYTES && changes_size(plan) <= REQUEST_BYTES).then_some(rows)
    } else {
        None
    };
    match rows {
        Some(rows) => {
            client.edit(target.tab.id, &atomic_edits(target, plan, rows)).await?;
            Ok(Written::Atomically)
        }
        None => bulk(client, target, plan, spool).await.map(|()| Written::InBulk),
    }
}

/// The whole plan as one list of edits.
fn atomic_edits(target: &Target<'_>, plan: &Plan, added: Vec<Vec<Cell>>) -> Vec<Edit> {
    let mut edits = header_edits(target);
    edits.extend(plan.formats.iter().map(|&(column, format)| Edit::NumberFormat {
        column,
        from_row: 1,
        format,
    }));
    edits.extend(
        plan.updates.iter().flat_map(|update| cell_edits(target.layout, update.row, &update.changes)),
    );
    edits.extend(flag_edits(target, plan));
    let free = target.tab.rows.saturating_sub(target.snapshot.last_row);
    let lacking = count(added.len()).saturating_sub(free);
    if lacking > 0 {
        edits.push(Edit::GrowRows(lacking));
        edits.extend(new_row_formats(target));
    }
    if !added.is_empty() {
        edits.push(Edit::Append(added));
    }
    edits
}

/// New headers, and the columns of the grid that they need.
fn header_edits(target: &Target<'_>) -> Vec<Edit> {
    let lacking = target.layout.width().saturating_sub(target.tab.columns);
    let grow = (lacking > 0).then_some(Edit::GrowColumns(lacking));
    let write = |(column, text): &(u32, String)| Edit::Write {
        row: 0,
        column: *column,
        cells: vec![Cell::Text(text.clone())],
    };
    grow.into_iter().chain(target.layout.added.iter().map(write)).collect()
}

/// The number formats of rows that are about to be added to the grid; those above keep what people chose.
fn new_row_formats(target: &Target<'_>) -> Vec<Edit> {
    let format = |(index, &column): (usize, &u32)| {
        let format = number_format(target.columns.kind(index))?;
        Some(Edit::NumberFormat { column, from_row: target.tab.rows, format })
    };
    target.layout.columns.iter().enumerate().filter_map(format).collect()
}

/// Changed cells, one write for each run of neighbours.
fn cell_edits(layout: &Layout, row: u32, changes: &[(usize, Cell)]) -> Vec<Edit> {
    let cell_at = |column: u32| {
        changes.iter().find(|(index, _)| layout.columns[*index] == column).map(|(_, cell)| cell.clone())
    };
    let positions = changes.iter().map(|(index, _)| layout.columns[*index]).collect();
    let write = |(first, last): (u32, u32)| Edit::Write {
        row: row - 1,
        column: first,
        cells: (first..=last).filter_map(cell_at).collect(),
    };
    runs(positions).into_iter().map(write).collect()
}

fn flag_edits(target: &Target<'_>, plan: &Plan) -> Vec<Edit> {
    let Some(status) = target.layout.status else { return Vec::new() };
    let mut edits = Vec::new();
    let flags = plan.flags.iter().map(|flag| (flag.row, Cell::Text(plan.flag_text.clone()), true));
    let unflags = plan.unflags.iter().map(|&row| (row, Cell::Empty, false));
    for (row, cell, struck) in flags.chain(unflags) {
        edits.push(Edit::Write { row: row - 1, column: status, cells: vec![cell] });
        let strike =
            |(first, last): (u32, u32)| Edit::Strike { row: row - 1, columns: (first, last + 1), struck };
        edits.extend(runs(target.layout.columns.clone()).into_iter().map(strike));
    }
    edits
}

/// New rows, from column A to the last owned column; human columns in between stay blank.
fn added_rows(target: &Target<'_>, plan: &Plan, spool: &mut rows::Reader) -> Result<Vec<Vec<Cell>>> {
    let row = |entry: &crate::spool::Entry| Ok(whole_row(target.layout, spool.row_at(entry.offset)?.1));
    plan.adds.iter().map(row).collect()
}

fn whole_row(layout: &Layout, cells: Vec<Cell>) -> Vec<Cell> {
    let width = layout.columns.iter().max().map_or(0, |last| *last as usize + 1);
    let mut row = vec![Cell::Empty; width];
    for (column, cell) in layout.columns.iter().zip(cells) {
        row[*column as usize] = cell;
    }
    row
}

/// A large plan: structure first, then ranges that can be repeated, each request under 2 MB.
async fn bulk(
    client: &mut Client,
    target: &Target<'_>,
    plan: &Plan,
    spool: &mut rows::Reader,
) -> std::result::Result<(), Trouble> {
    refuse_a_full_spreadsheet(client, target, plan).await.map_err(Trouble::Refused)?;
    let mut edits = header_edits(target);
    edits.extend(plan.formats.iter().map(|&(column, format)| Edit::NumberFormat {
        column,
        from_row: 1,
        format,
    }));
    if let Some(first) = plan.adds.first() {
        // The server places the first new row behind everything people have written; the others follow it.
        let cells = spool.row_at(first.offset).map_err(Trouble::Refused)?.1;
        edits.push(Edit::Append(vec![whole_row(target.layout, cells)]));
    }
    if !edits.is_empty() {
        client.edit(target.tab.id, &edits).await?;
    }
    for edits in flag_edits(target, plan).chunks(500) {
        client.edit(target.tab.id, edits).await?;
    }
    let mut ranges = Ranges::new(&target.sheet.tab);
    for update in &plan.updates {
        for edit in cell_edits(target.layout, update.row, &update.changes) {
            if let Edit::Write { row, column, cells } = edit {
                ranges.put(row + 1, column, &cells);
            }
        }
        ranges.send_if_full(client).await.map_err(Trouble::Refused)?;
    }
    if let Some(place) = landing_row(client, target, plan, spool).await.map_err(Trouble::Refused)? {
        make_room(client, target, place, count(plan.adds.len())).await?;
        for (row, entry) in (place..).zip(&plan.adds).skip(1) {
            let (_, cells) = spool.row_at(entry.offset).map_err(Trouble::Refused)?;
            for (first, last) in runs(target.layout.columns.clone()) {
                ranges.put(row, first, &in_run(target.layout, &cells, first, last));
            }
            ranges.send_if_full(client).await.map_err(Trouble::Refused)?;
        }
    }
    ranges.send(client).await.map_err(Trouble::Refused)
}

fn in_run(layout: &Layout, cells: &[Cell], first: u32, last: u32) -> Vec<Cell> {
    let at = |column: u32| layout.columns.iter().position(|place| *place == column);
    (first..=last).filter_map(at).map(|index| cells[index].clone()).collect()
}

/// Google would refuse the request that goes over the limit, but only after others were made.
async fn refuse_a_full_spreadsheet(client: &mut Client, target: &Target<'_>, plan: &Plan) -> Result<()> {
    let free = target.tab.rows.saturating_sub(target.snapshot.last_row);
    let lacking = count(plan.adds.len()).saturating_sub(free);
    let columns = target.layout.width().max(target.tab.columns);
    let cells = client.cells().await? + u64::from(lacking) * u64::from(columns);
    if cells <= SPREADSHEET_CELLS {
        return Ok(());
    }
    Err(Failure::new(
        Kind::Data,
        format!(
            "{} new bookings would make {cells} cells, and a spreadsheet holds at most {SPREADSHEET_CELLS}",
            plan.adds.len()
        ),
        "delete unused columns, rows and tabs of the spreadsheet, or give this sheet a spreadsheet of its own",
    ))
}

/// Where the first new row landed, counted from 1. None when it cannot be told, so that everything is read again.
async fn landing_row(
    client: &mut Client,
    target: &Target<'_>,
    plan: &Plan,
    spool: &mut rows::Reader,
) -> Result<Option<u32>> {
    let Some(first) = plan.adds.first() else { return Ok(None) };
    let (_, cells) = spool.row_at(first.offset)?;
    let key = target.columns.key_of(|index| cells[index].clone());
    let key_columns = target.columns.key().iter().map(|&index| target.layout.columns[index]).collect();
    let span = (target.snapshot.last_row + 1, target.tab.rows + 1);
    let block = Block::read(client, &target.sheet.tab, &runs(key_columns), &[span]).await?.remove(0);
    let key_in = |row: u32| {
        let cell = |index: usize| {
            block.value(row, Some(target.layout.columns[index])).map_or(Cell::Empty, Cell::from_json)
        };
        target.columns.key_of(cell)
    };
    Ok(block.rows().find(|&row| key_in(row) == key))
}

/// Grows the grid so that `rows` rows fit from `place` on. Growing never removes anything.
async fn make_room(
    client: &mut Client,
    target: &Target<'_>,
    place: u32,
    rows: u32,
) -> std::result::Result<(), Trouble> {
    let present = target.tab.rows.max(place);
    let lacking = (place - 1 + rows).saturating_sub(present);
    if lacking == 0 {
        return Ok(());
    }
    info!("growing the grid by {lacking} rows");
    let mut edits = vec![Edit::GrowRows(lacking)];
    edits.extend(new_row_formats(target));
    client.edit(target.tab.id, &edits).await
}

/// Ranges gathered for the next request: rows below each other in the same columns are one range.
struct Ranges<'a> {
    blocks: Vec<Rows>,
    bytes: usize,
    tab: &'a str,
}

/// Rows of cells below each other.
struct Rows {
    row: u32,
    column: u32,
    width: u32,
    values: Vec<Vec<Value>>,
}

impl<'a> Ranges<'a> {
    fn new(tab: &'a str) -> Self {
        Self { blocks: Vec::new(), bytes: 0, tab }
    }

    fn put(&mut self, row: u32, column: u32, cells: &[Cell]) {
        let values: Vec<Value> = cells.iter().map(Cell::to_json).collect();
        self.bytes += cells.iter().map(size).sum::<usize>() + 2;
        let width = count(cells.len());
        let below = |block: &&mut Rows| {
            block.column == column && block.width == width && block.row + count(block.values.len()) == row
        };
        // The block above is among the last few: one for each run of columns.
        match self.blocks.iter_mut().rev().take(32).find(below) {
            Some(block) => block.values.push(values),
            None => {
                self.bytes += 60 + self.tab.len();
                self.blocks.push(Rows { row, column, width, values: vec![values] });
            }
        }
    }

    /// Called between rows only: half a row, without its key, would be nobody's if the run ended there.
    async fn send_if_full(&mut self, client: &mut Client) -> Result<()> {
        if self.bytes >= REQUEST_BYTES { self.send(client).await } else { Ok(()) }
    }

    async fn send(&mut self, client: &mut Client) -> Result<()> {
        self.bytes = 0;
        let range = |block: Rows| {
            let columns = (block.column, block.column + block.width - 1);
            let rows = (block.row, block.row + count(block.values.len()) - 1);
            (a1::range(self.tab, columns, rows), block.values)
        };
        let ranges: Vec<_> = self.blocks.drain(..).map(range).collect();
        if ranges.is_empty() { Ok(()) } else { client.write(&ranges).await }
    }
}

/// About how many bytes a cell takes in a request.
fn size(cell: &Cell) -> usize {
    match cell {
        Cell::Empty => 3,
        Cell::Bool(_) => 6,
        Cell::Number(_) => 12,
        // Quotes and line breaks are escaped.
        Cell::Text(text) => {
            text.len() + text.bytes().filter(|byte| matches!(byte, b'"' | b'\\' | 0..=31)).count() * 5 + 3
        }
    }
}

fn changes_size(plan: &Plan) -> usize {
    plan.updates.iter().flat_map(|update| &update.changes).map(|(_, cell)| size(cell)).sum()
}

/// A grid has at most ten million cells, so every count fits.
fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
