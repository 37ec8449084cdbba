//! The plan: the difference between source, sheet and base, and whether it may be made at all.
//!
//! Pure: it is given what was read and answers what is to be written. Every refusal of content is here.

use std::collections::HashMap;

use chrono::NaiveDate;
use shared::config::{OnBadRow, OnEdit, OnMissing, Sheet};
use shared::{Failure, Kind, Result};

use crate::base::Known;
use crate::column::{Columns, KeyHash, Remembered};
use crate::layout::Layout;
use crate::snapshot::{MissingRow, SheetRow, Snapshot};
use crate::spool::{Entry, Spool};
use crate::value::{Cell, number_format};

/// Everything a plan is made from.
pub struct Facts<'a> {
    /// The sheet's policies.
    pub sheet: &'a Sheet,
    /// Its columns.
    pub columns: &'a Columns,
    /// The source.
    pub spool: &'a Spool,
    /// The sheet.
    pub snapshot: &'a Snapshot,
    /// The source's cells for the rows that differ.
    pub source: &'a HashMap<KeyHash, Vec<Cell>>,
    /// The last verified run, if there was one.
    pub base: Option<&'a Known>,
    /// The columns of that run.
    pub base_columns: &'a [Remembered],
    /// Whether a person accepted that bookings left the source.
    pub allow_shrink: bool,
    /// The day, for flags.
    pub today: NaiveDate,
}

/// What is to be written.
#[derive(Debug, Default)]
pub struct Plan {
    /// Bookings that get a new row, in the source's order.
    pub adds: Vec<Entry>,
    /// Rows that get other cells.
    pub updates: Vec<RowUpdate>,
    /// Rows to flag, and what to write there.
    pub flags: Vec<MissingRow>,
    /// The text of a flag.
    pub flag_text: String,
    /// Rows whose booking is back.
    pub unflags: Vec<u32>,
    /// Number formats of columns that the sync takes over.
    pub formats: Vec<(u32, (&'static str, &'static str))>,
    /// Owned cells that a person changed.
    pub drifts: Vec<Drift>,
    /// Content of the sheet that is left alone because it cannot be understood.
    pub problems: Vec<String>,
    /// How many bookings those problems keep back.
    pub held_back: u64,
}

/// A row that gets other cells.
#[derive(Clone, Debug)]
pub struct RowUpdate {
    /// Its number.
    pub row: u32,
    /// Its booking, for people.
    pub key: String,
    /// Its owned cells before.
    pub before: Vec<Cell>,
    /// Which columns change, and to what.
    pub changes: Vec<(usize, Cell)>,
}

/// An owned cell that a person changed.
#[derive(Clone, Debug)]
pub struct Drift {
    /// The row's number.
    pub row: u32,
    /// Its booking, for people.
    pub key: String,
    /// The column.
    pub column: usize,
    /// What the person wrote.
    pub theirs: Cell,
    /// What the source says.
    pub ours: Cell,
}

impl Plan {
    /// Whether there is nothing to write.
    pub fn is_empty(&self, layout: &Layout) -> bool {
        self.adds.is_empty()
            && self.updates.is_empty()
            && self.flags.is_empty()
            && self.unflags.is_empty()
            && self.formats.is_empty()
            && layout.added.is_empty()
    }

    /// Its size in words.
    pub fn extent(&self) -> String {
        let flags = self.flags.len() + self.unflags.len();
        format!("{} rows added, {} changed, {flags} flags", self.adds.len(), self.updates.len())
    }

    /// How many owned cells of bookings it writes.
    pub fn cells(&self, columns: usize) -> u64 {
        let updated: usize = self.updates.iter().map(|update| update.changes.len()).sum();
        (self.adds.len() * columns + updated) as u64
    }
}

/// Makes the plan. A status column is added to the layout when the first flag needs one.
///
/// # Errors
/// [`Kind::Data`] when policies forbid it: bad rows with `on-bad-row = "fail"`, a source that shrank, edits with
/// `on-edit = "fail"`.
pub fn make(facts: &Facts<'_>, layout: &mut Layout) -> Result<Plan> {
    refuse_bad_rows(facts)?;
    refuse_shrunken_source(facts)?;
    refuse_rows_without_a_key_header(facts, layout)?;
    let mut plan =
        Plan { flag_text: format!("Not in the bookings since {}", facts.today), ..Plan::default() };
    for row in
        facts.snapshot.differing.iter().filter(|row| !facts.snapshot.duplicates.contains_key(&row.key.hash))
    {
        compare(facts, row, &mut plan);
    }
    refuse_edits(facts, &plan)?;
    plan.adds =
        facts.spool.in_order().into_iter().map(|(_, entry)| entry).filter(|entry| entry.row == 0).collect();
    plan.formats = formats(facts, layout);
    if facts.sheet.on_missing == OnMissing::Flag {
        plan_flags(facts, &mut plan);
    }
    if !plan.flags.is_empty() {
        layout.need_status();
    }
    describe_problems(facts, &mut plan);
    Ok(plan)
}

/// One row, cell by cell: the source against the sheet, with the base to tell who changed it.
fn compare(facts: &Facts<'_>, row: &SheetRow, plan: &mut Plan) {
    let Some(source) = facts.source.get(&row.key.hash) else { return };
    let base = facts.base.and_then(|known| known.rows.get(&row.key.hash));
    let mut changes = Vec::new();
    for (column, (ours, theirs)) in source.iter().zip(&row.cells).enumerate() {
        let kind = facts.columns.kind(column);
        if ours.is_same(theirs, kind) {
            continue;
        }
        let left = base.and_then(|base| base.cells[column].as_ref());
        let drifted = left.is_some_and(|left| !left.is_same(theirs, kind));
        if drifted {
            let (theirs, ours) = (theirs.clone(), ours.clone());
            plan.drifts.push(Drift { row: row.row, key: row.key.text.clone(), column, theirs, ours });
        }
        if !drifted || facts.sheet.on_edit == OnEdit::Restore {
            changes.push((column, ours.clone()));
        }
    }
    if !changes.is_empty() {
        plan.updates.push(RowUpdate {
            row: row.row,
            key: row.key.text.clone(),
            before: row.cells.clone(),
            changes,
        });
    }
}

fn formats(facts: &Facts<'_>, layout: &Layout) -> Vec<(u32, (&'static str, &'static str))> {
    let remembered = facts.columns.remembered();
    let new = |index: &usize| !facts.base_columns.contains(&remembered[*index]);
    let format = |index: usize| Some((layout.columns[index], number_format(facts.columns.kind(index))?));
    (0..facts.columns.count()).filter(new).filter_map(format).collect()
}

/// Nothing is flagged while a row of the source cannot be identified: the missing booking may be that one.
fn plan_flags(facts: &Facts<'_>, plan: &mut Plan) {
    if facts.spool.unidentified == 0 {
        let unflagged = facts.snapshot.missing.iter().filter(|row| !row.flagged);
        plan.flags =
            unflagged.filter(|row| !facts.snapshot.duplicates.contains_key(&row.key.hash)).cloned().collect();
    }
    plan.unflags.clone_from(&facts.snapshot.flagged_live);
}

fn refuse_bad_rows(facts: &Facts<'_>) -> Result<()> {
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
fn refuse_shrunken_source(facts: &Facts<'_>) -> Result<()> {
    let missing = &facts.snapshot.missing;
    let (lost, whole) = match facts.base {
        Some(known) => {
            let was_live = |row: &&MissingRow| known.rows.get(&row.key.hash).is_some_and(|row| row.live);
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
fn refuse_rows_without_a_key_header(facts: &Facts<'_>, layout: &Layout) -> Result<()> {
    let headless = |&&index: &&usize| layout.is_headless(layout.columns[index]);
    let Some(&index) = facts.columns.key().iter().find(headless) else { return Ok(()) };
    if facts.snapshot.last_row <= 1 {
        return Ok(());
    }
    let header = &facts.columns.all()[index].header;
    Err(Failure::new(
        Kind::Data,
        format!(
            "tab {:?} has bookings but no header {header:?}, so they cannot be told apart",
            facts.sheet.tab
        ),
        format!("put {header:?} into row 1 above the column that identifies a booking"),
    ))
}

fn refuse_edits(facts: &Facts<'_>, plan: &Plan) -> Result<()> {
    if facts.sheet.on_edit != OnEdit::Fail || plan.drifts.is_empty() {
        return Ok(());
    }
    let told: Vec<String> =
        plan.drifts.iter().take(5).map(|drift| describe_drift(facts.columns, drift)).collect();
    Err(Failure::new(
        Kind::Data,
        format!(
            "people changed cells that the sync owns, and on-edit is \"fail\": {}",
            several(&told, plan.drifts.len() as u64)
        ),
        "put the old values back in the sheet, or change the bookings at their source, or set on-edit = \"restore\"",
    ))
}

/// `row 12 (B-101), "Berth": "4" where the source says "3"`.
pub fn describe_drift(columns: &Columns, drift: &Drift) -> String {
    let column = &columns.all()[drift.column];
    format!(
        "row {} ({}), {:?}: {:?} where the source says {:?}",
        drift.row,
        drift.key,
        column.header,
        drift.theirs.shown(column.kind),
        drift.ours.shown(column.kind)
    )
}

fn describe_problems(facts: &Facts<'_>, plan: &mut Plan) {
    plan.problems = duplicates(facts.snapshot);
    let in_source = |key: &&KeyHash| facts.spool.index.contains_key(*key);
    plan.held_back = facts.snapshot.duplicates.keys().filter(in_source).count() as u64;
}

fn duplicates(snapshot: &Snapshot) -> Vec<String> {
    let mut told: Vec<String> = snapshot
        .duplicates
        .values()
        .map(|(key, rows)| {
            let rows = rows.iter().map(u32::to_string).collect::<Vec<_>>().join(", ");
            format!("rows {rows} of the sheet all hold {key:?}")
        })
        .collect();
    told.sort();
    told
}

/// A few of many, for one line.
pub fn several(told: &[String], total: u64) -> String {
    let shown = told.iter().take(5).cloned().collect::<Vec<_>>().join("; ");
    match total.saturating_sub(told.len().min(5) as u64) {
        0 => shown,
        more => format!("{shown}; and {more} more"),
    }
}

#[cfg(test)]
mod tests;
