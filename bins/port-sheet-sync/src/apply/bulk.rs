//! A large plan: structure first, then ranges that can be repeated, each request under 2 MB.
//!
//! A run that ends in the middle leaves whole rows only; the next one continues after them.

use shared::{Failure, Kind, Result};

use crate::apply::Target;
use crate::apply::Written;
use crate::apply::atomic::added_edits;
use crate::apply::atomic::cell_edits;
use crate::apply::atomic::flag_edits;
use crate::apply::atomic::format_edits;
use crate::apply::atomic::header_edits;
use crate::apply::atomic::lacking_rows;
use crate::apply::atomic::room_edits;
use crate::apply::atomic::whole_row;
use crate::apply::count;
use crate::apply::guard::ColumnsThen;
use crate::apply::landing::{Landing, landing};
use crate::apply::ranges::{REQUEST_BYTES, Ranges};
use crate::apply::size;
use crate::google::Client;
use crate::google::WriteError;
use crate::model::a1;
use crate::model::cell::Cell;
use crate::model::operation::Operation;
use crate::model::span::{Span, spans};
use crate::plan::Plan;
use crate::plan::RowUpdate;
use crate::sheet::layout::Layout;
use crate::sheet::owned_row::is_blank;
use crate::sheet::snapshot::Differing;
use crate::snapshot::chunk::Chunk;
use crate::spool::row_file;

/// A spreadsheet holds at most ten million cells (Drive help, answer 37603).
const SPREADSHEET_CELLS: u64 = 10_000_000;

/// How many operations go in one request: the client's types take some kilobytes each.
const EDITS_A_REQUEST: usize = 500;

/// How many changed cells go in one request.
const CELLS_A_REQUEST: usize = 5_000;

/// How far back a block is looked for that a row continues: one for each span of columns.
const BLOCKS_AT_ONCE: usize = 32;

/// After how many requests the rows still to write are checked again to be blank. A check costs one request of the
/// minute's sixty, as a write does, and covers all that is left.
const LOOK_EVERY: u32 = 4;

/// Writes a large plan.
pub(super) async fn write(
    client: &mut Client,
    target: &Target<'_>,
    plan: &Plan,
    update: impl FnMut(&Differing) -> Result<RowUpdate>,
    spool: &mut row_file::RowReader,
) -> Result<Written, WriteError> {
    refuse_a_full_spreadsheet(client, target, plan).await?;
    // What finds no place in the minute for its first rows is not begun.
    client.afford(2, 2)?;
    let landing = landing(client, target, plan.adds.len()).await?;
    let mut columns = write_structure(client, target, plan, spool, landing).await?;
    if columns == ColumnsThen::InPlace {
        columns = write_updates(client, target, plan, update).await?;
    }
    if columns == ColumnsThen::Moved {
        return Ok(Written::IntoMovedColumns);
    }
    write_additions(client, target, plan, spool, landing).await?;
    Ok(Written::InBulk)
}

/// Headers, formats, room and the first new row, then flags. The server places that row after everything in the tab, unless it
/// belongs directly below the last booking; the others follow it.
async fn write_structure(
    client: &mut Client,
    target: &Target<'_>,
    plan: &Plan,
    spool: &mut row_file::RowReader,
    landing: Landing,
) -> Result<ColumnsThen, WriteError> {
    let mut edits = header_edits(target);
    edits.extend(format_edits(plan));
    if let Some(first) = plan.adds.first() {
        let (_, cells) = spool.row_at(*first)?;
        edits.extend(room_edits(target, lacking_rows(target, plan.adds.len())));
        edits.extend(added_edits(target, vec![whole_row(target.layout, cells)], landing));
    }
    if !edits.is_empty() && target.guard.edit(client, &edits).await? == ColumnsThen::Moved {
        return Ok(ColumnsThen::Moved);
    }
    for edits in flag_edits(target, plan).chunks(EDITS_A_REQUEST) {
        if target.guard.edit(client, edits).await? == ColumnsThen::Moved {
            return Ok(ColumnsThen::Moved);
        }
    }
    Ok(ColumnsThen::InPlace)
}

/// Changed cells of rows that exist: users' cells are beside them, so each request is guarded.
async fn write_updates(
    client: &mut Client,
    target: &Target<'_>,
    plan: &Plan,
    mut update: impl FnMut(&Differing) -> Result<RowUpdate>,
) -> Result<ColumnsThen, WriteError> {
    let mut gathered = Gathered::default();
    let updates = plan.updates.iter().map(&mut update);
    for changed in updates.chain(plan.repairs.iter().cloned().map(Ok)) {
        let RowUpdate { row, changes, .. } = changed?;
        gathered.extend(cell_edits(target.layout, row, &changes));
        if gathered.is_full() && gathered.send(client, target).await? == ColumnsThen::Moved {
            return Ok(ColumnsThen::Moved);
        }
    }
    gathered.send(client, target).await
}

/// Changed cells that are gathered for the next request. Rows below each other with the same columns are one operation.
#[derive(Default)]
struct Gathered {
    blocks: Vec<Operation>,
    cells: usize,
    bytes: usize,
}

impl Gathered {
    fn extend(&mut self, edits: Vec<Operation>) {
        for edit in edits {
            let Operation::Write { row, column, cells } = edit else { continue };
            self.cells += cells.len();
            self.bytes += cells.iter().map(size).sum::<usize>();
            let above = self.blocks.iter_mut().rev().take(BLOCKS_AT_ONCE).find_map(|block| match block {
                Operation::WriteBlock { row: first, column: at, rows }
                    if *at == column && *first + count(rows.len()) == row && rows[0].len() == cells.len() =>
                {
                    Some(rows)
                }
                _ => None,
            });
            match above {
                Some(rows) => rows.push(cells),
                None => self.blocks.push(Operation::WriteBlock { row, column, rows: vec![cells] }),
            }
        }
    }

    fn is_full(&self) -> bool {
        self.blocks.len() >= EDITS_A_REQUEST
            || self.cells >= CELLS_A_REQUEST
            || self.bytes >= REQUEST_BYTES / 2
    }

    async fn send(&mut self, client: &mut Client, target: &Target<'_>) -> Result<ColumnsThen, WriteError> {
        let Self { blocks, .. } = std::mem::take(self);
        if blocks.is_empty() { Ok(ColumnsThen::InPlace) } else { target.guard.edit(client, &blocks).await }
    }
}

/// Every new row but the first.
async fn write_additions(
    client: &mut Client,
    target: &Target<'_>,
    plan: &Plan,
    spool: &mut row_file::RowReader,
    landing: Landing,
) -> Result<(), WriteError> {
    let Some(place) = landing_row(client, target, plan, spool).await? else { return Ok(()) };
    let last = place + count(plan.adds.len()) - 1;
    make_room(client, target, plan, last).await?;
    client.progress().begins(plan.adds.len() as u64);
    let mut ranges = Ranges::new(&target.sheet.tab);
    let mut sent = 0;
    for (row, offset) in (place..=last).zip(&plan.adds).skip(1) {
        let (_, cells) = spool.row_at(*offset)?;
        for span in spans(target.layout.columns.clone(), 0) {
            ranges.put(row, span.first, &in_span(target.layout, &cells, span))?;
        }
        // Between rows only: half a row, without its key, would belong to no booking if the run ended there.
        if ranges.is_full() || row == last {
            let done = ranges.first_row().unwrap_or(row) - place;
            let rows = BlankRows { last, landing };
            let send = send_into_blank_rows(client, target, &mut ranges, rows, sent).await;
            send.map_err(|trouble| {
                trouble.within(format_args!("{done} of {} new rows are written", plan.adds.len()))
            })?;
            sent += 1;
            client.progress().rows(u64::from(row - place) + 1);
        }
    }
    Ok(())
}

/// The rows that are still to be written, down to the last new one.
#[derive(Clone, Copy)]
struct BlankRows {
    last: u32,
    landing: Landing,
}

/// Checks now and then that the columns are where they were and that all rows still to write are blank. Google has no request
/// that writes only in that case, so a moment remains; a row that a user entered before it is not overwritten, and everything is
/// planned again.
async fn send_into_blank_rows(
    client: &mut Client,
    target: &Target<'_>,
    ranges: &mut Ranges<'_>,
    rows: BlankRows,
    sent: u32,
) -> Result<(), WriteError> {
    if let Some(first) = ranges.first_row().filter(|_| sent.is_multiple_of(LOOK_EVERY)) {
        refuse_filled_rows(client, target, Span::new(first, rows.last), rows.landing).await?;
    }
    Ok(ranges.send(client).await?)
}

async fn refuse_filled_rows(
    client: &mut Client,
    target: &Target<'_>,
    rows: Span,
    landing: Landing,
) -> Result<(), WriteError> {
    let layout = target.layout.written();
    let all = Span::new(0, target.layout.width().max(target.tab.columns) - 1);
    let columns = match landing {
        Landing::BelowEverything => vec![all],
        Landing::BelowTheBookings => layout.spans(),
    };
    let title = &target.sheet.tab;
    let header = a1::range(title, all, Span::one(1));
    let ranges: Vec<String> = std::iter::once(header)
        .chain(columns.iter().map(|columns| a1::range(title, *columns, rows)))
        .collect();
    let mut found = client.read(&ranges).await?.into_iter();
    let header = found.next().unwrap_or_default();
    let stands = |(column, text): (u32, &str)| {
        let shown = header.get(column as usize).and_then(|cells| cells.first()).map(Cell::from_json);
        shown.is_some_and(|cell| match cell {
            Cell::Text(shown) => shown == text,
            // How a number is shown is not known here.
            other => other != Cell::Empty,
        })
    };
    if !layout.headers().all(stands) {
        return Err(busy(format!(
            "columns moved while bookings were being added in rows {} to {}",
            rows.first, rows.last
        )));
    }
    if found.flatten().flatten().any(|value| !is_blank(Some(&value))) {
        return Err(busy(format!(
            "someone wrote into rows {} to {} while bookings were being added there",
            rows.first, rows.last
        )));
    }
    Ok(())
}

fn busy(what: String) -> WriteError {
    WriteError::OutcomeUnknown(Failure::new(Kind::Busy, what, "the next run continues from here"))
}

fn in_span(layout: &Layout, cells: &[Cell], span: Span) -> Vec<Cell> {
    span.iter()
        .filter_map(|column| layout.columns.iter().position(|place| *place == column))
        .map(|index| cells[index].clone())
        .collect()
}

/// Google would refuse the request that goes over the limit, but only after others were made.
async fn refuse_a_full_spreadsheet(client: &mut Client, target: &Target<'_>, plan: &Plan) -> Result<()> {
    let lacking = lacking_rows(target, plan.adds.len());
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

/// Where the first new row landed, counted from 1. `None` when it is not found, so that everything is read again.
async fn landing_row(
    client: &mut Client,
    target: &Target<'_>,
    plan: &Plan,
    spool: &mut row_file::RowReader,
) -> Result<Option<u32>> {
    let Some(first) = plan.adds.first() else { return Ok(None) };
    let (_, cells) = spool.row_at(*first)?;
    let key = target.columns.key_of(|index| cells[index].clone());
    let grid = target.tab.rows + lacking_rows(target, plan.adds.len());
    let span = Span::new(target.snapshot.last_row + 1, grid + 1);
    let Some(mut blocks) = Chunk::read(client, &target.sheet.tab, &target.layout.written(), &[span]).await?
    else {
        return Ok(None);
    };
    let chunk = blocks.remove(0);
    Ok(chunk.rows().find(|&row| {
        let found = target.columns.key_of(|index| {
            chunk.value(row, Some(target.layout.columns[index])).map_or(Cell::Empty, Cell::from_json)
        });
        found == key
    }))
}

/// Grows the grid to its last new row, if human cells below the bookings moved that row down.
async fn make_room(
    client: &mut Client,
    target: &Target<'_>,
    plan: &Plan,
    last: u32,
) -> Result<(), WriteError> {
    let present = target.tab.rows + lacking_rows(target, plan.adds.len());
    let edits = room_edits(target, last.saturating_sub(present));
    if edits.is_empty() { Ok(()) } else { client.edit(target.tab.id, &edits).await }
}
