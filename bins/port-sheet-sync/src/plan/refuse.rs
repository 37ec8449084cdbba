//! The refusals of content that policies forbid to write.
//!
//! Pure. Each names what is wrong with which rows, and what to do about it.

use shared::config::OnBadRow;
use shared::{Failure, Kind, Result};

use crate::model::column::Columns;
use crate::model::list::first_few;
use crate::plan::Plan;
use crate::plan::PlanFacts;
use crate::plan::describe_drift;
use crate::plan::duplicates;
use crate::sheet::holding_tab::HeldRows;
use crate::sheet::layout::Layout;
use crate::sheet::snapshot;

pub(super) fn refuse_bad_rows(facts: &PlanFacts<'_>) -> Result<()> {
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
            first_few(&problems, problems.len() as u64)
        ),
        format!("correct them in the source; all are listed in {}", spool.rejected_path.display()),
    ))
}

/// A source that suddenly lost many bookings is more likely broken than right.
pub(super) fn refuse_shrunken_source(facts: &PlanFacts<'_>) -> Result<()> {
    let missing = &facts.snapshot.missing;
    let (lost, whole) = match facts.base {
        Some(known) => {
            let live = missing.iter().filter(|row| known.live_rows.get(&row.key.hash) == Some(&true));
            (live.count(), known.live)
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
pub(super) fn refuse_rows_without_a_key_header(facts: &PlanFacts<'_>, layout: &Layout) -> Result<()> {
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
    let headless = columns.key().iter().find(|index| layout.is_headless(layout.columns[**index]));
    let Some(&index) = headless else { return Ok(()) };
    let header = &columns.all()[index].header;
    Err(Failure::new(
        Kind::Data,
        format!("tab {tab:?} has bookings but no header {header:?}, so they cannot be distinguished"),
        format!("put {header:?} into row 1 above the column that identifies a booking"),
    ))
}

/// A row that was removed in another's place comes back only into the columns that it had.
///
/// # Errors
/// [`Kind::Data`] when columns were moved since.
pub fn refuse_rows_that_cannot_come_back(held: &HeldRows, tab: &str) -> Result<()> {
    let Some(wrong) = held.rows.iter().find(|row| row.is_wrong() && !held.has_todays_columns) else {
        return Ok(());
    };
    let key = wrong.key.as_ref().map_or("a row without a key", |key| &key.text);
    Err(Failure::new(
        Kind::Data,
        format!(
            "row {} of tab {:?} was removed in another row's place ({key}, not {}), and the columns of tab {tab:?} have changed since",
            wrong.row, held.place.title, wrong.mark.key
        ),
        format!(
            "nothing of it is lost: bring its cells back to tab {tab:?} by hand and delete the row there (View, Hidden sheets shows hidden tabs)"
        ),
    ))
}

/// A plan with a changed cell in a column with `on-edit = "fail"`.
///
/// # Errors
/// [`Kind::Data`].
pub fn refuse_edits(columns: &Columns, plan: &Plan) -> Result<()> {
    if plan.forbidden == 0 {
        return Ok(());
    }
    let edits: Vec<String> = plan.forbidding.iter().map(|drift| describe_drift(columns, drift)).collect();
    Err(Failure::new(
        Kind::Data,
        format!(
            "people changed cells that the sync owns, and on-edit is \"fail\": {}",
            first_few(&edits, plan.forbidden)
        ),
        "put the old values back in the sheet, or change the bookings at their source, or set on-edit = \"restore\"",
    ))
}

/// The status column is needed only once a booking left; until then its text does no harm.
pub(super) fn refuse_a_taken_status_column(facts: &PlanFacts<'_>, layout: &Layout) -> Result<()> {
    match (facts.snapshot.status_taken, layout.status) {
        (Some(row), Some(column)) => Err(snapshot::headless(column, row, facts.sheet)),
        _ => Ok(()),
    }
}
