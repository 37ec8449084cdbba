//! Writes a plan into the sheet: a small one as a single atomic request, a large one as bounded, repeatable ranges.
//!
//! It decides only how, never what. Whether it worked is for the verification to say.

mod atomic;
mod bulk;
mod ranges;

use shared::config::Sheet;

use crate::column::Columns;
use crate::google::{Client, Tab, Trouble};
use crate::layout::Layout;
use crate::plan::{Plan, RowUpdate};
use crate::rows;
use crate::snapshot::{Differing, Snapshot};
use crate::value::Cell;
use atomic::{added_rows, atomic_edits};
use ranges::REQUEST_BYTES;

/// A plan of at most this many cells goes as one atomic request; the client's types take some kilobytes a cell.
const ATOMIC_CELLS: u64 = 2_000;

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
#[derive(Debug)]
pub enum Written {
    /// In one request: a few rows are to be read back, these changed ones among them.
    Atomically(Vec<RowUpdate>),
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
    mut update: impl FnMut(&Differing) -> shared::Result<RowUpdate>,
    spool: &mut rows::Reader,
) -> Result<Written, Trouble> {
    let flags = 2 * (plan.flags.len() + plan.unflags.len()) as u64;
    if plan.cells(target.columns.count()) + flags <= ATOMIC_CELLS {
        let updates = plan.updates.iter().map(&mut update).collect::<shared::Result<Vec<RowUpdate>>>()?;
        let added = added_rows(target, plan, spool)?;
        let changed =
            updates.iter().chain(&plan.strays).flat_map(|update| &update.changes).map(|(_, cell)| cell);
        if changed.chain(added.iter().flatten()).map(size).sum::<usize>() <= REQUEST_BYTES {
            // With the request that reads it back.
            client.afford(1, 1)?;
            client.edit(target.tab.id, &atomic_edits(target, plan, &updates, added)).await?;
            return Ok(Written::Atomically(updates));
        }
    }
    bulk::write(client, target, plan, update, spool).await?;
    Ok(Written::InBulk)
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

/// A grid has at most ten million cells, so every count fits.
fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
