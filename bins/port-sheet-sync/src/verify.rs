//! Reads back what an atomic request wrote, keys included: that finds a user who sorts or inserts rows at the same moment.
//!
//! It returns whether the sheet holds what was planned; the caller decides what follows.

use std::collections::HashMap;

use log::info;
use shared::{Kind, Result};

use crate::apply::Target;
use crate::google::Client;
use crate::model::cell::Cell;
use crate::model::column::Key;
use crate::model::column::KeyHash;
use crate::model::span::{Span, spans};
use crate::plan::Plan;
use crate::plan::RowUpdate;
use crate::snapshot::chunk::Chunk;
use crate::spool::Spool;

/// More spans than this make reading everything again the cheaper way.
const SPANS: usize = 40;

/// Rows with at most this many others between them are read as one span.
const GAP: u32 = 19;

/// Whether the rows that the plan touched now hold what it wanted. False also when they are too many to be read one by
/// one.
///
/// # Errors
/// As every request.
pub async fn is_written(
    client: &mut Client,
    target: &Target<'_>,
    plan: &Plan,
    updates: &[RowUpdate],
    spool: &Spool,
) -> Result<bool> {
    let mut spans = spans(touched(plan), GAP);
    if spans.len() > SPANS {
        return Ok(false);
    }
    let appended = !plan.adds.is_empty();
    if appended {
        let from = target.snapshot.last_row + 1;
        let rows = target.tab.rows.max(target.snapshot.last_row)
            + u32::try_from(plan.adds.len()).unwrap_or(u32::MAX);
        spans.push(Span::new(from, rows));
    }
    if spans.is_empty() {
        return Ok(true);
    }
    let layout = target.layout.written();
    let mut chunks = match Chunk::read(client, &target.sheet.tab, &layout, &spans).await {
        Ok(Some(chunks)) => chunks,
        Ok(None) => {
            info!("a column moved while the sheet was written");
            return Ok(false);
        }
        // Rows that were deleted meanwhile cannot be read any more.
        Err(failure) if failure.kind == Kind::Data => return Ok(false),
        Err(failure) => return Err(failure),
    };
    let tail = if appended { chunks.pop() } else { None };
    let found = ReadBack { target, chunks: &chunks, spans: &spans };
    let updated = updates.iter().chain(&plan.repairs).all(|update| found.holds(update));
    let flags = plan.flags.iter().all(|flag| found.is_flagged(flag.row, &flag.key, true));
    let flagged = flags && plan.unflags.iter().all(|row| found.is_flagged(row.row, &row.key, false));
    let added = tail.is_none_or(|tail| all_added(target, plan, spool, &tail));
    if !(updated && flagged && added) {
        info!(
            "someone changed the sheet while it was written (as planned: updates {updated}, flags {flagged}, new rows {added})"
        );
    }
    Ok(updated && flagged && added)
}

fn touched(plan: &Plan) -> Vec<u32> {
    let flags = plan.flags.iter().map(|flag| flag.row);
    plan.updates
        .iter()
        .map(|update| update.row)
        .chain(plan.repairs.iter().map(|repair| repair.row))
        .chain(flags)
        .chain(plan.unflags.iter().map(|row| row.row))
        .collect()
}

/// The rows that were read back.
struct ReadBack<'a> {
    target: &'a Target<'a>,
    chunks: &'a [Chunk],
    spans: &'a [Span],
}

impl ReadBack<'_> {
    fn chunk(&self, row: u32) -> Option<&Chunk> {
        let at = self.spans.iter().position(|span| span.contains(row))?;
        self.chunks.get(at)
    }

    fn cell(&self, row: u32, column: u32) -> Cell {
        self.chunk(row).and_then(|chunk| chunk.value(row, Some(column))).map_or(Cell::Empty, Cell::from_json)
    }

    /// Every owned cell of the row, not only the changed ones: another booking may be there by now.
    fn holds(&self, update: &RowUpdate) -> bool {
        self.target.layout.columns.iter().enumerate().all(|(index, &column)| {
            let changed = update.changes.iter().find(|(changed, _)| *changed == index).map(|(_, cell)| cell);
            let wanted = changed.unwrap_or(&update.before[index]);
            self.cell(update.row, column).is_same(wanted, self.target.columns.kind(index))
        })
    }

    /// The booking is still in this row, and the row is flagged or not, as wanted.
    fn is_flagged(&self, row: u32, key: &Key, wanted: bool) -> bool {
        let found = self.target.columns.key_of(|index| self.cell(row, self.target.layout.columns[index]));
        let status = self.target.layout.status.map_or(Cell::Empty, |column| self.cell(row, column));
        found.is_some_and(|found| found.hash == key.hash) && (status != Cell::Empty) == wanted
    }
}

/// Every added booking is exactly once after the old rows, whole.
fn all_added(target: &Target<'_>, plan: &Plan, spool: &Spool, tail: &Chunk) -> bool {
    let mut found: HashMap<KeyHash, usize> = HashMap::new();
    for row in tail.owned_rows(target.columns, &target.layout.columns).iter() {
        let Some(key) = target.columns.key_hash(|index| row.cell(index)) else { continue };
        let whole = spool.index.get(&key).is_some_and(|entry| entry.digest == row.digest);
        // A row that is not whole counts as two, which is never right.
        *found.entry(key).or_default() += if whole { 1 } else { 2 };
    }
    let added = spool.index.iter().filter(|(_, entry)| entry.row == 0);
    added.clone().count() == plan.adds.len() && added.clone().all(|(key, _)| found.get(key) == Some(&1))
}
