//! Reads back what an atomic request wrote, keys included: a person who sorts or inserts rows at the same moment shows
//! up here.
//!
//! It answers whether the sheet holds what was planned; what follows from a no is the caller's.

use std::collections::HashMap;

use log::info;
use shared::{Kind, Result};

use crate::apply::Target;
use crate::block::Block;
use crate::column::{Key, KeyHash};
use crate::google::Client;
use crate::plan::{Plan, RowUpdate};
use crate::spool::Spool;
use crate::value::Cell;

/// More spans than this make reading everything again the cheaper way.
const SPANS: usize = 40;

/// Rows closer than this are read as one span.
const GAP: u32 = 20;

/// Whether the rows that the plan touched now hold what it wanted. No is also the answer when they are too many to be
/// looked at one by one.
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
    let mut spans = spans(touched(plan));
    if spans.len() > SPANS {
        return Ok(false);
    }
    let appended = !plan.adds.is_empty();
    if appended {
        let from = target.snapshot.last_row + 1;
        let rows = target.tab.rows.max(target.snapshot.last_row)
            + u32::try_from(plan.adds.len()).unwrap_or(u32::MAX);
        spans.push((from, rows));
    }
    if spans.is_empty() {
        return Ok(true);
    }
    let layout = target.layout.written();
    let mut blocks = match Block::read(client, &target.sheet.tab, &layout, &spans).await {
        Ok(Some(blocks)) => blocks,
        Ok(None) => {
            info!("somebody moved a column while the sheet was written");
            return Ok(false);
        }
        // Rows that were deleted meanwhile cannot be read any more.
        Err(failure) if failure.kind == Kind::Data => return Ok(false),
        Err(failure) => return Err(failure),
    };
    let tail = if appended { blocks.pop() } else { None };
    let look = Look { target, blocks: &blocks, spans: &spans };
    let updated = updates.iter().chain(&plan.strays).all(|update| look.holds(update));
    let flags = plan.flags.iter().all(|flag| look.is_flagged(flag.row, &flag.key, true));
    let flagged = flags && plan.unflags.iter().all(|row| look.is_flagged(row.row, &row.key, false));
    let added = tail.is_none_or(|tail| all_added(target, plan, spool, &tail));
    if !(updated && flagged && added) {
        info!(
            "somebody changed the sheet while it was written (as planned: updates {updated}, flags {flagged}, new rows {added})"
        );
    }
    Ok(updated && flagged && added)
}

fn touched(plan: &Plan) -> Vec<u32> {
    let flags = plan.flags.iter().map(|flag| flag.row);
    plan.updates
        .iter()
        .map(|update| update.row)
        .chain(plan.strays.iter().map(|stray| stray.row))
        .chain(flags)
        .chain(plan.unflags.iter().map(|row| row.row))
        .collect()
}

fn spans(mut rows: Vec<u32>) -> Vec<(u32, u32)> {
    rows.sort_unstable();
    let mut spans: Vec<(u32, u32)> = Vec::new();
    for row in rows {
        match spans.last_mut() {
            Some((_, last)) if row <= *last + GAP => *last = row,
            _ => spans.push((row, row)),
        }
    }
    spans
}

/// The rows that were read back.
struct Look<'a> {
    target: &'a Target<'a>,
    blocks: &'a [Block],
    spans: &'a [(u32, u32)],
}

impl Look<'_> {
    fn block(&self, row: u32) -> Option<&Block> {
        let at = self.spans.iter().position(|(first, last)| (*first..=*last).contains(&row))?;
        self.blocks.get(at)
    }

    fn cell(&self, row: u32, column: u32) -> Cell {
        self.block(row).and_then(|block| block.value(row, Some(column))).map_or(Cell::Empty, Cell::from_json)
    }

    /// Every owned cell of the row, not only the changed ones: another booking may stand there by now.
    fn holds(&self, update: &RowUpdate) -> bool {
        let wanted = |index: usize| {
            let changed = update.changes.iter().find(|(changed, _)| *changed == index).map(|(_, cell)| cell);
            changed.unwrap_or(&update.before[index])
        };
        let columns = self.target.columns;
        let same = |(index, &column): (usize, &u32)| {
            self.cell(update.row, column).is_same(wanted(index), columns.kind(index))
        };
        self.target.layout.columns.iter().enumerate().all(same)
    }

    /// The booking still stands in this row, and the row is flagged or not, as wanted.
    fn is_flagged(&self, row: u32, key: &Key, wanted: bool) -> bool {
        let found = self.target.columns.key_of(|index| self.cell(row, self.target.layout.columns[index]));
        let status = self.target.layout.status.map_or(Cell::Empty, |column| self.cell(row, column));
        found.is_some_and(|found| found.hash == key.hash) && (status != Cell::Empty) == wanted
    }
}

/// Every added booking stands exactly once behind the old rows, whole.
fn all_added(target: &Target<'_>, plan: &Plan, spool: &Spool, tail: &Block) -> bool {
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
