//! Writes a plan into the sheet: a small one as a single atomic request, a large one as bounded, repeatable ranges.
//!
//! It decides only how, never what. Whether it worked is for the verification to say.

pub mod atomic;
pub mod bulk;
pub mod freshness;
pub mod guard;
pub mod journal;
pub mod landing;
pub mod put_back;
pub mod ranges;
pub mod rows;

use shared::Kind;
use shared::config::Sheet;

use crate::apply::atomic::added_rows;
use crate::apply::atomic::atomic_edits;
use crate::apply::guard::{ColumnGuard, ColumnsThen};
use crate::apply::landing::{landing, narrower};
use crate::apply::ranges::REQUEST_BYTES;
use crate::google::Client;
use crate::google::WriteError;
use crate::model::cell::Cell;
use crate::model::column::Columns;
use crate::plan::Plan;
use crate::plan::RowUpdate;
use crate::sheet::layout::Layout;
use crate::sheet::snapshot::Differing;
use crate::sheet::snapshot::Snapshot;
use crate::sheet::tab::Tab;
use crate::spool::row_file;

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
    /// Where they are.
    pub layout: &'a Layout,
    /// The snapshot that the plan was made from.
    pub snapshot: &'a Snapshot,
    /// What finds out where the columns are at the instant of a write.
    pub guard: ColumnGuard<'a>,
}

/// How a plan was written, and so how it is verified.
#[derive(Debug)]
pub enum Written {
    /// In one request: a few rows must be read back, these changed ones among them.
    Atomically(Vec<RowUpdate>),
    /// In many: everything must be read again.
    InBulk,
    /// A column moved at that moment: what was written over is put back first.
    IntoMovedColumns,
}

/// Writes the plan.
///
/// # Errors
/// [`WriteError::Rejected`] when a request was refused. The sheet must be read and planned again after
/// [`WriteError::OutcomeUnknown`], when a request may have been applied, and [`WriteError::Outdated`], when it was refused because
/// another run has written.
pub async fn apply(
    client: &mut Client,
    target: &Target<'_>,
    plan: &Plan,
    mut update: impl FnMut(&Differing) -> shared::Result<RowUpdate>,
    spool: &mut row_file::RowReader,
) -> Result<Written, WriteError> {
    let flags = 2 * (plan.flags.len() + plan.unflags.len()) as u64;
    if plan.cells(target.columns.count()) + flags <= ATOMIC_CELLS {
        let updates = plan.updates.iter().map(&mut update).collect::<shared::Result<Vec<RowUpdate>>>()?;
        let added = added_rows(target, plan, spool)?;
        let changed =
            updates.iter().chain(&plan.repairs).flat_map(|update| &update.changes).map(|(_, cell)| cell);
        if changed.chain(added.iter().flatten()).map(size).sum::<usize>() <= REQUEST_BYTES {
            // With the request that reads it back.
            client.afford(1, 1)?;
            let first = landing(client, target, plan.adds.len()).await?;
            let edits = atomic_edits(target, plan, &updates, added.clone(), first);
            let columns = match target.guard.edit(client, &edits).await {
                Err(WriteError::Rejected(refusal)) if refusal.kind == Kind::Data => {
                    let narrower = narrower(client, target, plan.adds.len()).await?;
                    let Some(landing) = narrower.filter(|landing| *landing != first) else {
                        return Err(WriteError::Rejected(refusal));
                    };
                    target.guard.edit(client, &atomic_edits(target, plan, &updates, added, landing)).await?
                }
                other => other?,
            };
            return Ok(match columns {
                ColumnsThen::InPlace => Written::Atomically(updates),
                ColumnsThen::Moved => Written::IntoMovedColumns,
            });
        }
    }
    bulk::write(client, target, plan, update, spool).await
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
