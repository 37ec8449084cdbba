//! Content that policies forbid to be written: every such refusal is here.
//!
//! Pure. Each says what is wrong with which rows, and what a person does about it.

use shared::config::OnBadRow;
use shared::{Failure, Kind, Result};

use super::{Facts, Plan, describe_drift, duplicates, several};
use crate::column::Columns;
use crate::layout::Layout;
use crate::shelf::Shelf;
use crate::snapshot::{self, MissingRow};

pub(super) fn refuse_bad_rows(facts: &Facts<'_>) -> Result<()> {
    let spool = facts.spool;
    if facts.sheet.on_bad_row == OnBadRow::Quarantine
        || (spool.rejected == 0 && facts.snapshot.duplicates.is_empty())
    {
        return Ok(());
    }
    let problems: Vec<String> = spool.problems.iter().cloned().chain(duplicates(facts.snapshot)).collect();
    Err(Failure::new(
        Kind::Data,
        format!(
            "nothing was written, because rows are bad and on-bad-row is \"fail\": {}",
            several(&problems, problems.len() as u64)
        ),
        format!("mend them in the source; all are listed in {}", spool.rejected_path.display()),
    ))
}

/// A source that suddenly lost many bookings is more likely broken than right.
pub(super) fn refuse_shrunken_source(facts: &Facts<'_>) -> Result<()> {
    let missing = &facts.snapshot.missing;
    let (lost, whole) = match facts.base {
        Some(known) => {
            let was_live = |row: &&MissingRow| known.live_rows.get(&row.key.hash) == Some(&true);
            (missing.iter().filter(was_live).count(), known.live)
        }
        None => (missing.iter().filter(|row| !row.flagged).count(), facts.snapshot.keyed),
    };
    if facts.allow_shrink || !facts.sheet.max_shrink.is_exceeded_by(lost, whole) {
        return Ok(());
    }
    Err(Failure::new(
        Kind::Data,
        format!(
            "the source lost {lost} of {whole} bookings, more than max-shrink = \"{}\" allows; nothing was written",
            facts.sheet.max_shrink
        ),
        format!(
            "check the export; if the bookings are really gone, run once: port-sheet-sync --sheet {} --allow-shrink",
            facts.sheet.name
        ),
    ))
}

/// Without its key column every row of the sheet would look new and be added again.
pub(super) fn refuse_rows_without_a_key_header(facts: &Facts<'_>, layout: &Layout) -> Result<()> {
    if facts.snapshot.last_row <= 1 {
        return Ok(());
    }
    refuse_a_key_without_a_header(facts.columns, layout, &facts.sheet.tab)
}

/// A tab with bookings but no header above what identifies them.
///
/// # Errors
/// [`Kind::Data`] when a column of the key has no header.
pub fn refuse_a_key_without_a_header(columns: &Columns, layout: &Layout, tab: &str) -> Result<()> {
    let headless = |&&index: &&usize| layout.is_headless(layout.columns[index]);
    let Some(&index) = columns.key().iter().find(headless) else { return Ok(()) };
    let header = &columns.all()[index].header;
    Err(Failure::new(
        Kind::Data,
        format!("tab {tab:?} has bookings but no header {header:?}, so they cannot be told apart"),
        format!("put {header:?} into row 1 above the column that identifies a booking"),
    ))
}

/// A row that was removed in another's place comes back only into the columns from which it went.
///
/// # Errors
/// [`Kind::Data`] when people have moved columns since.
pub fn refuse_rows_that_cannot_come_back(shelf: &Shelf, tab: &str) -> Result<()> {
    let Some(wrong) = shelf.rows.iter().find(|row| row.is_wrong() && !shelf.has_todays_columns) else {
        return Ok(());
    };
    let key = wrong.key.as_ref().map_or("a row without a key", |key| &key.text);
    Err(Failure::new(
        Kind::Data,
        format!(
            "row {} of tab {:?} was removed in another row's place ({key}, not {}), and the columns of tab {tab:?} have changed since",
            wrong.row, shelf.place.title, wrong.mark.key
        ),
        format!(
            "nothing of it is lost: bring its cells back to tab {tab:?} by hand and delete the row there (View, Hidden sheets shows hidden tabs)"
        ),
    ))
}

/// A plan in which a person changed a cell where that stops everything.
///
/// # Errors
/// [`Kind::Data`].
pub fn refuse_edits(columns: &Columns, plan: &Plan) -> Result<()> {
    if plan.forbidden == 0 {
        return Ok(());
    }
    let told: Vec<String> = plan.forbidding.iter().map(|drift| describe_drift(columns, drift)).collect();
    Err(Failure::new(
        Kind::Data,
        format!(
            "people changed cells that the sync owns, and on-edit is \"fail\": {}",
            several(&told, plan.forbidden)
        ),
        "put the old values back in the sheet, or change the bookings at their source, or set on-edit = \"restore\"",
    ))
}

/// The status column is only needed once a booking left; until then what stands there is in nobody's way.
pub(super) fn refuse_a_taken_status_column(facts: &Facts<'_>, layout: &Layout) -> Result<()> {
    match (facts.snapshot.status_taken, layout.status) {
        (Some(row), Some(column)) => Err(snapshot::headless(column, row, facts.sheet)),
        _ => Ok(()),
    }
}
