//! The plan: the difference between source, sheet and base, and whether it may be made at all.
//!
//! Pure: it takes what was read and returns what must be written. It takes rows that differ one at a time, so that its size
//! grows with their number and not with their cells.

pub mod compare;
pub mod key_edits;
pub mod misplaced;
pub mod moved_columns;
pub mod refuse;

use std::collections::HashSet;

use chrono::NaiveDate;
use shared::Result;
use shared::config::{OnEdit, OnMissing, Sheet, Type};

use crate::model::cell::number_format;
use crate::model::column::Columns;
use crate::model::column::KeyHash;
use crate::model::column::Remembered;
use crate::model::list::first_few;
use crate::plan::key_edits::Undecided;
use crate::plan::refuse::refuse_a_taken_status_column;
use crate::plan::refuse::refuse_bad_rows;
use crate::plan::refuse::refuse_rows_without_a_key_header;
use crate::plan::refuse::refuse_shrunken_source;
use crate::sheet::holding_tab::HeldRow;
use crate::sheet::holding_tab::HeldRows;
use crate::sheet::layout::Layout;
use crate::sheet::snapshot::Differing;
use crate::sheet::snapshot::FlaggedRow;
use crate::sheet::snapshot::MissingRow;
use crate::sheet::snapshot::Snapshot;
use crate::spool::Spool;
use crate::spool::base::BaseRow;

pub use crate::plan::compare::Drift;
pub use crate::plan::compare::RowFacts;
pub use crate::plan::compare::RowUpdate;
pub use crate::plan::compare::compare;
pub use crate::plan::refuse::refuse_a_key_without_a_header;
pub use crate::plan::refuse::refuse_edits;
pub use crate::plan::refuse::refuse_rows_that_cannot_come_back;

/// How many drifts and changes are kept for the report.
const SHOWN: usize = 200;

/// Everything a plan is made from, but the rows that differ.
pub struct PlanFacts<'a> {
    pub sheet: &'a Sheet,
    pub columns: &'a Columns,
    pub spool: &'a Spool,
    pub snapshot: &'a Snapshot,
    /// The removed rows, if they were read.
    pub held: Option<&'a HeldRows>,
    /// What the last verified run left, if there was one.
    pub base: Option<&'a BaseRow>,
    /// Bookings that uncommitted writes added.
    pub added: &'a HashSet<KeyHash>,
    /// Rows whose key was changed, and the bookings that they may be of.
    pub undecided: &'a Undecided,
    /// The columns that have their number format already.
    pub formatted: &'a [Remembered],
    /// What the cells of each column of the tab are shown as, where that is a date or a time.
    pub shown_as: &'a [Option<Type>],
    /// Whether the operator accepted that bookings left the source.
    pub allow_shrink: bool,
    /// The day that flags name.
    pub today: NaiveDate,
}

/// The number format that the cells of a column get.
#[derive(Clone, Copy, Debug)]
pub struct ColumnFormat {
    pub column: u32,
    /// Google's type and pattern; `None` for the spreadsheet's own choice.
    pub format: Option<(&'static str, &'static str)>,
}

/// What must be written.
#[derive(Debug, Default)]
pub struct Plan {
    /// Bookings that get a new row, in the source's order: where their rows begin in the spool.
    pub adds: Vec<u64>,
    pub updates: Vec<Differing>,
    /// Rows that hold what was written for other rows, with their old cells.
    pub repairs: Vec<RowUpdate>,
    /// How many cells the updates change.
    pub changed_cells: u64,
    /// The first updates, for the report.
    pub shown: Vec<RowUpdate>,
    pub flags: Vec<MissingRow>,
    /// Rows that leave the tab, from the top.
    pub removals: Vec<MissingRow>,
    /// Rows that come back from the holding tab. They are written first, in a round of their own.
    pub returns: Vec<HeldRow>,
    /// How many of the returns are bookings that are in the source again.
    pub come_back: u64,
    /// Whether the temporary tab is no longer needed.
    pub purge: bool,
    pub flag_text: String,
    /// Flagged rows whose booking is in the source again.
    pub unflags: Vec<FlaggedRow>,
    /// Number formats of columns that the sync takes over, or that have another type now.
    pub formats: Vec<ColumnFormat>,
    /// How many owned cells users changed.
    pub drifted: u64,
    /// The first of them.
    pub drifts: Vec<Drift>,
    /// How many of them are in columns with `on-edit = "fail"`.
    pub forbidden: u64,
    /// The first of those.
    pub forbidding: Vec<Drift>,
    /// Content of the sheet that is left alone because it cannot be understood.
    pub problems: Vec<String>,
    /// Whether rows of the sheet could be of one booking or of another.
    pub has_undecided_rows: bool,
    /// Remarks for the report.
    pub notes: Vec<String>,
    /// How many bookings of the source the problems keep out of the sheet.
    pub held_back: u64,
}

impl Plan {
    /// Whether there is nothing to write.
    pub fn is_empty(&self, layout: &Layout) -> bool {
        !self.has_cells(layout) && self.removals.is_empty() && self.returns.is_empty() && !self.purge
    }

    /// Whether it writes cells, headers or formats, beside moving rows.
    pub fn has_cells(&self, layout: &Layout) -> bool {
        let changed = self.updates.len() + self.repairs.len();
        let rows = self.adds.len() + changed + self.flags.len() + self.unflags.len();
        rows > 0 || !self.formats.is_empty() || !layout.added.is_empty()
    }

    /// Its size in words.
    pub fn extent(&self) -> String {
        let flags = self.flags.len() + self.unflags.len();
        format!(
            "{} rows added, {} changed, {flags} flags, {} removed, {} put back",
            self.adds.len(),
            self.updates.len() + self.repairs.len(),
            self.removals.len(),
            self.returns.len()
        )
    }

    /// How many owned cells of bookings it writes.
    pub fn cells(&self, columns: usize) -> u64 {
        let repairs: usize = self.repairs.iter().map(|row| row.changes.len()).sum();
        (self.adds.len() * columns + repairs) as u64 + self.changed_cells
    }

    fn take(&mut self, columns: &Columns, row: Differing, update: RowUpdate) {
        self.drifted += update.drifts.len() as u64;
        let room = SHOWN.saturating_sub(self.drifts.len());
        self.drifts.extend(update.drifts.iter().take(room).cloned());
        for drift in update.drifts.iter().filter(|drift| columns.on_edit(drift.column) == OnEdit::Fail) {
            self.forbidden += 1;
            if self.forbidding.len() < SHOWN {
                self.forbidding.push(drift.clone());
            }
        }
        if !update.changes.is_empty() {
            self.changed_cells += update.changes.len() as u64;
            self.updates.push(row);
            if self.shown.len() < SHOWN {
                self.shown.push(update);
            }
        }
    }
}

/// Makes the plan; `update` compares a row that differs. The status column's header is added to the layout when the first
/// flag needs it.
///
/// # Errors
/// [`shared::Kind::Data`] when policies forbid it: bad rows with `on-bad-row = "fail"`, a source that shrank; and as
/// `update`. Edits where `on-edit = "fail"` are in the plan, so that they are counted; [`refuse_edits`] refuses it.
pub fn make(
    facts: &PlanFacts<'_>,
    layout: &mut Layout,
    mut update: impl FnMut(&Differing) -> Result<RowUpdate>,
) -> Result<Plan> {
    refuse_bad_rows(facts)?;
    refuse_shrunken_source(facts)?;
    refuse_rows_without_a_key_header(facts, layout)?;
    facts.held.map_or(Ok(()), |held| refuse_rows_that_cannot_come_back(held, &facts.sheet.tab))?;
    let mut plan = Plan { flag_text: flag_text(facts.today), ..Plan::default() };
    for row in facts.snapshot.differing.iter().filter(|row| !facts.snapshot.duplicates.contains_key(&row.key))
    {
        plan.take(facts.columns, *row, update(row)?);
    }
    let back = plan_returns(facts, &mut plan);
    let in_source = facts.spool.index.iter();
    let new = in_source.filter(|(key, entry)| {
        entry.row == 0 && !back.contains(*key) && !facts.undecided.bookings.contains(*key)
    });
    plan.adds = new.map(|(_, entry)| entry.offset).collect();
    plan.adds.sort_unstable();
    plan.formats = formats(facts, layout);
    plan_missing(facts, &mut plan);
    // The removals of this plan use the same tab, unless its header has other columns.
    plan.purge &= plan.removals.is_empty() || facts.held.is_some_and(|held| !held.has_todays_columns);
    if !plan.flags.is_empty() {
        refuse_a_taken_status_column(facts, layout)?;
        layout.need_status();
    }
    describe_problems(facts, &mut plan);
    Ok(plan)
}

/// The note beside a booking that left the source.
pub fn flag_text(today: NaiveDate) -> String {
    format!("Not in the bookings since {today}")
}

/// A date or a time gets a format. Any other column that was, or is shown as, a date or a time loses that format: it would show
/// the number 4 as 1900-01-03.
fn formats(facts: &PlanFacts<'_>, layout: &Layout) -> Vec<ColumnFormat> {
    let remembered = facts.columns.remembered();
    (0..facts.columns.count())
        .filter(|index| !facts.formatted.contains(&remembered[*index]))
        .filter_map(|index| {
            let column = layout.columns[index];
            let format = number_format(facts.columns.kind(index));
            let had_another = facts
                .formatted
                .iter()
                .any(|known| known.header == remembered[index].header && known.number_format().is_some());
            let is_shown_as_another = facts.shown_as.get(column as usize).is_some_and(Option::is_some);
            let is_due = format.is_some() || had_another || is_shown_as_another;
            is_due.then_some(ColumnFormat { column, format })
        })
        .collect()
}

/// A row that was removed in another's place comes back, and so does the row of a booking that is in the source again.
/// Returns the bookings of those rows.
fn plan_returns(facts: &PlanFacts<'_>, plan: &mut Plan) -> HashSet<KeyHash> {
    let Some(held) = facts.held else { return HashSet::new() };
    let mut back = HashSet::new();
    for row in &held.rows {
        let hash = row.key.as_ref().map(|key| key.hash);
        let is_wanted =
            hash.and_then(|hash| facts.spool.index.get(&hash)).is_some_and(|entry| entry.row == 0);
        let is_first = hash.is_none_or(|hash| !back.contains(&hash));
        if is_first && held.has_todays_columns && (row.is_wrong() || is_wanted && row.is_right()) {
            back.extend(hash);
            plan.come_back += u64::from(is_wanted);
            plan.returns.push(row.clone());
        }
    }
    plan.purge = plan.returns.is_empty() && !held.place.is_kept;
    back
}

/// No row is flagged or removed while a row of the source cannot be identified: the missing booking may be that one.
fn plan_missing(facts: &PlanFacts<'_>, plan: &mut Plan) {
    let policy = facts.sheet.on_missing;
    if policy == OnMissing::Flag {
        plan.unflags.clone_from(&facts.snapshot.flagged_live);
    }
    let missing = facts.snapshot.missing.iter();
    let mut due: Vec<MissingRow> = missing
        .filter(|row| !is_done(policy, row) && !facts.snapshot.duplicates.contains_key(&row.key.hash))
        .filter(|row| !facts.undecided.rows.contains(&row.row))
        .cloned()
        .collect();
    if policy != OnMissing::Flag {
        plan.notes.extend(leave_strangers(facts, &mut due));
    }
    match (policy, facts.spool.unidentified) {
        (OnMissing::Flag, 0) => plan.flags = due,
        (_, 0) => plan.removals = due,
        (_, unidentified) if !due.is_empty() => plan.notes.push(format!(
            "{} bookings of the sheet are not in the source; they are not {} while {unidentified} of its rows have no readable key",
            due.len(),
            if policy == OnMissing::Flag { "flagged" } else { "removed" },
        )),
        _ => {}
    }
}

/// Whether the policy leaves nothing to do with a missing row.
fn is_done(policy: OnMissing, row: &MissingRow) -> bool {
    match policy {
        OnMissing::Keep => true,
        OnMissing::Flag => row.flagged,
        OnMissing::Archive | OnMissing::Delete => false,
    }
}

/// A row whose booking never was in the source belongs to a user: it is struck through at most, never removed. Without a
/// base that cannot be decided.
fn leave_strangers(facts: &PlanFacts<'_>, due: &mut Vec<MissingRow>) -> Option<String> {
    let base = facts.base?;
    let strangers: Vec<_> = due
        .extract_if(.., |row| {
            !base.live_rows.contains_key(&row.key.hash) && !facts.added.contains(&row.key.hash)
        })
        .collect();
    let named: Vec<String> =
        strangers.iter().take(5).map(|row| format!("row {} ({})", row.row, row.key.text)).collect();
    let rows = first_few(&named, strangers.len() as u64);
    (!named.is_empty()).then(|| format!("entered by a user, never in the source, left alone: {rows}"))
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

fn describe_problems(facts: &PlanFacts<'_>, plan: &mut Plan) {
    plan.problems = duplicates(facts.snapshot);
    plan.has_undecided_rows = !facts.undecided.rows.is_empty();
    plan.problems.extend(facts.undecided.problems.iter().cloned());
    let duplicates = facts.snapshot.duplicates.keys();
    let held_back = duplicates.filter(|key| facts.spool.index.contains_key(*key)).count();
    plan.held_back = (held_back + facts.undecided.bookings.len()) as u64;
}

fn duplicates(snapshot: &Snapshot) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for (key, rows) in snapshot.duplicates.values() {
        let rows = rows.iter().map(u32::to_string).collect::<Vec<_>>().join(", ");
        lines.push(format!("rows {rows} of the sheet all hold {key:?}"));
    }
    lines.sort();
    lines
}

#[cfg(test)]
mod tests;
