//! A large plan: structure first, then ranges that can be repeated, each request under 2 MB.
//!
//! A run that ends in the middle leaves whole rows only; the next one goes on behind them.

use shared::{Failure, Kind, Result};

use super::atomic::{
    cell_edits, flag_edits, format_edits, header_edits, lacking_rows, room_edits, whole_row,
};
use super::ranges::Ranges;
use super::{Target, count};
use crate::a1;
use crate::block::{Block, is_blank};
use crate::edit::Edit;
use crate::google::{Client, Trouble};
use crate::layout::{Layout, runs};
use crate::plan::{Plan, RowUpdate};
use crate::rows;
use crate::snapshot::Differing;
use crate::value::Cell;

/// A spreadsheet holds at most ten million cells (Drive help, answer 37603).
const SPREADSHEET_CELLS: u64 = 10_000_000;

/// How many flags go in one request: the client's types take some kilobytes each.
const EDITS_A_REQUEST: usize = 500;

/// After how many requests it is looked again whether the rows to be written are still blank. A look costs a request of
/// the minute's sixty, as a write does, and what is looked at is all that is left.
const LOOK_EVERY: u32 = 4;

/// Writes a large plan.
pub(super) async fn write(
    client: &mut Client,
    target: &Target<'_>,
    plan: &Plan,
    update: impl FnMut(&Differing) -> Result<RowUpdate>,
    spool: &mut rows::Reader,
) -> std::result::Result<(), Trouble> {
    refuse_a_full_spreadsheet(client, target, plan).await?;
    // What finds no place in the minute for its first rows is not begun.
    client.afford(2, 2)?;
    write_structure(client, target, plan, spool).await?;
    write_updates(client, target, plan, update).await?;
    write_additions(client, target, plan, spool).await
}

/// Headers, formats, flags, room and the first new row. The server places that row behind everything people have written;
/// the others follow it.
async fn write_structure(
    client: &mut Client,
    target: &Target<'_>,
    plan: &Plan,
    spool: &mut rows::Reader,
) -> std::result::Result<(), Trouble> {
    let mut edits = header_edits(target);
    edits.extend(format_edits(plan));
    if let Some(first) = plan.adds.first() {
        let (_, cells) = spool.row_at(*first)?;
        edits.extend(room_edits(target, lacking_rows(target, plan.adds.len())));
        edits.push(Edit::Append(vec![whole_row(target.layout, cells)]));
    }
    if !edits.is_empty() {
        client.edit(target.tab.id, &edits).await?;
    }
    for edits in flag_edits(target, plan).chunks(EDITS_A_REQUEST) {
        client.edit(target.tab.id, edits).await?;
    }
    Ok(())
}

async fn write_updates(
    client: &mut Client,
    target: &Target<'_>,
    plan: &Plan,
    mut update: impl FnMut(&Differing) -> Result<RowUpdate>,
) -> Result<()> {
    let mut ranges = Ranges::new(&target.sheet.tab);
    let updates = plan.updates.iter().map(&mut update);
    for changed in updates.chain(plan.strays.iter().cloned().map(Ok)) {
        let RowUpdate { row, changes, .. } = changed?;
        for edit in cell_edits(target.layout, row, &changes) {
            if let Edit::Write { row, column, cells } = edit {
                ranges.put(row + 1, column, &cells)?;
            }
        }
        if ranges.is_full() {
            ranges.send(client).await?;
        }
    }
    ranges.send(client).await
}

/// Every new row but the first.
async fn write_additions(
    client: &mut Client,
    target: &Target<'_>,
    plan: &Plan,
    spool: &mut rows::Reader,
) -> std::result::Result<(), Trouble> {
    let Some(place) = landing_row(client, target, plan, spool).await? else { return Ok(()) };
    let last = place + count(plan.adds.len()) - 1;
    make_room(client, target, plan, last).await?;
    client.progress().begins(plan.adds.len() as u64);
    let mut ranges = Ranges::new(&target.sheet.tab);
    let mut sent = 0;
    for (row, offset) in (place..=last).zip(&plan.adds).skip(1) {
        let (_, cells) = spool.row_at(*offset)?;
        for (first, last) in runs(target.layout.columns.clone()) {
            ranges.put(row, first, &in_run(target.layout, &cells, first, last))?;
        }
        // Between rows only: half a row, without its key, would be nobody's if the run ended there.
        if ranges.is_full() || row == last {
            let done = ranges.first_row().unwrap_or(row) - place;
            let send = send_into_blank_rows(client, target, &mut ranges, last, sent).await;
            send.map_err(|trouble| {
                trouble.within(format_args!("{done} of {} new rows are written", plan.adds.len()))
            })?;
            sent += 1;
            client.progress().rows(u64::from(row - place) + 1);
        }
    }
    Ok(())
}

/// Looks now and then, in every column, whether all rows that are still to be written are blank. Google has no request
/// that writes only then, so this leaves a moment; a person who entered a row before it is not written over, and
/// everything is planned again.
async fn send_into_blank_rows(
    client: &mut Client,
    target: &Target<'_>,
    ranges: &mut Ranges<'_>,
    last: u32,
    sent: u32,
) -> std::result::Result<(), Trouble> {
    if let Some(first) = ranges.first_row().filter(|_| sent.is_multiple_of(LOOK_EVERY)) {
        look(client, target, (first, last)).await?;
    }
    Ok(ranges.send(client).await?)
}

async fn look(
    client: &mut Client,
    target: &Target<'_>,
    rows: (u32, u32),
) -> std::result::Result<(), Trouble> {
    let columns = (0, target.layout.width().max(target.tab.columns) - 1);
    let found = client.read(&[a1::range(&target.sheet.tab, columns, rows)]).await?;
    if found.iter().flatten().flatten().any(|value| !is_blank(Some(value))) {
        return Err(Trouble::Unknown(Failure::new(
            Kind::Busy,
            format!(
                "somebody wrote into rows {} to {} while bookings were being added there",
                rows.0, rows.1
            ),
            "the next run goes on from here",
        )));
    }
    Ok(())
}

fn in_run(layout: &Layout, cells: &[Cell], first: u32, last: u32) -> Vec<Cell> {
    let at = |column: u32| layout.columns.iter().position(|place| *place == column);
    (first..=last).filter_map(at).map(|index| cells[index].clone()).collect()
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

/// Where the first new row landed, counted from 1. None when it cannot be told, so that everything is read again.
async fn landing_row(
    client: &mut Client,
    target: &Target<'_>,
    plan: &Plan,
    spool: &mut rows::Reader,
) -> Result<Option<u32>> {
    let Some(first) = plan.adds.first() else { return Ok(None) };
    let (_, cells) = spool.row_at(*first)?;
    let key = target.columns.key_of(|index| cells[index].clone());
    let grid = target.tab.rows + lacking_rows(target, plan.adds.len());
    let span = (target.snapshot.last_row + 1, grid + 1);
    let Some(mut blocks) = Block::read(client, &target.sheet.tab, &target.layout.written(), &[span]).await?
    else {
        return Ok(None);
    };
    let block = blocks.remove(0);
    let key_in = |row: u32| {
        let cell = |index: usize| {
            block.value(row, Some(target.layout.columns[index])).map_or(Cell::Empty, Cell::from_json)
        };
        target.columns.key_of(cell)
    };
    Ok(block.rows().find(|&row| key_in(row) == key))
}

/// Grows the grid to its last new row, where people's cells below the bookings pushed that down.
async fn make_room(
    client: &mut Client,
    target: &Target<'_>,
    plan: &Plan,
    last: u32,
) -> std::result::Result<(), Trouble> {
    let present = target.tab.rows + lacking_rows(target, plan.adds.len());
    let edits = room_edits(target, last.saturating_sub(present));
    if edits.is_empty() { Ok(()) } else { client.edit(target.tab.id, &edits).await }
}
