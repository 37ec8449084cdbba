//! The plan: the difference between source, sheet and base, and whether it may be made at all.
//!
//! Pure: it is given what was read and answers what is to be written. Rows that differ are handed to it one at a time,
//! so that it grows with their number and not with their cells.

mod compare;
mod refuse;

use std::collections::HashSet;

use chrono::NaiveDate;
use shared::Result;
use shared::config::{OnEdit, OnMissing, Sheet};

use crate::base::Known;
use crate::column::{Columns, KeyHash, Remembered};
use crate::layout::Layout;
use crate::shelf::{Shelf, Shelved};
use crate::snapshot::{Differing, FlaggedRow, MissingRow, Snapshot};
use crate::spool::{Entry, Spool};
use crate::value::number_format;
use refuse::{
    refuse_a_taken_status_column, refuse_bad_rows, refuse_rows_without_a_key_header, refuse_shrunken_source,
};

pub use compare::{Drift, RowFacts, RowUpdate, compare};
pub use refuse::{refuse_a_key_without_a_header, refuse_edits, refuse_rows_that_cannot_come_back};

/// How many drifts and changes are kept for people to read.
const SHOWN: usize = 200;

/// Everything a plan is made from, but the rows that differ.
pub struct Facts<'a> {
    /// The sheet's policies.
    pub sheet: &'a Sheet,
    /// Its columns.
    pub columns: &'a Columns,
    /// The source.
    pub spool: &'a Spool,
    /// The sheet.
    pub snapshot: &'a Snapshot,
    /// Rows that were removed, where that is in question.
    pub shelf: Option<&'a Shelf>,
    /// The last verified run, if there was one.
    pub base: Option<&'a Known>,
    /// Rows that unfinished runs added.
    pub added: &'a HashSet<KeyHash>,
    /// The columns that have their number format already.
    pub formatted: &'a [Remembered],
    /// Whether a person accepted that bookings left the source.
    pub allow_shrink: bool,
    /// The day, for flags.
    pub today: NaiveDate,
}

/// What is to be written.
#[derive(Debug, Default)]
pub struct Plan {
    /// Bookings that get a new row, in the source's order: where their rows begin in the spool.
    pub adds: Vec<u64>,
    /// Rows that get other cells.
    pub updates: Vec<Differing>,
    /// Rows that hold what was written for others, and what puts them right.
    pub strays: Vec<RowUpdate>,
    /// How many cells those are.
    pub changed_cells: u64,
    /// The first of those rows, for people.
    pub shown: Vec<RowUpdate>,
    /// Rows to flag.
    pub flags: Vec<MissingRow>,
    /// Rows that leave the tab, the uppermost first.
    pub removals: Vec<MissingRow>,
    /// Rows that come back from the tab to which they were removed. They come before everything else, in a round of
    /// their own.
    pub returns: Vec<Shelved>,
    /// How many of them are bookings that are in the source again.
    pub come_back: u64,
    /// Whether the tab of removed rows has served its purpose.
    pub purge: bool,
    /// The text of a flag.
    pub flag_text: String,
    /// Rows whose booking is back.
    pub unflags: Vec<FlaggedRow>,
    /// Number formats of columns that the sync takes over.
    pub formats: Vec<(u32, (&'static str, &'static str))>,
    /// How many owned cells people changed.
    pub drifted: u64,
    /// The first of them.
    pub drifts: Vec<Drift>,
    /// How many of them stand in columns where an edit forbids everything.
    pub forbidden: u64,
    /// The first of those.
    pub forbidding: Vec<Drift>,
    /// Content of the sheet that is left alone because it cannot be understood.
    pub problems: Vec<String>,
    /// What a person may want to know.
    pub notes: Vec<String>,
    /// How many bookings the problems keep back.
    pub held_back: u64,
}

impl Plan {
    /// Whether there is nothing to write.
    pub fn is_empty(&self, layout: &Layout) -> bool {
        !self.has_cells(layout) && self.removals.is_empty() && self.returns.is_empty() && !self.purge
    }

    /// Whether it writes cells, headers or formats, beside moving rows.
    pub fn has_cells(&self, layout: &Layout) -> bool {
        let changed = self.updates.len() + self.strays.len();
        let rows = self.adds.len() + changed + self.flags.len() + self.unflags.len();
        rows > 0 || !self.formats.is_empty() || !layout.added.is_empty()
    }

    /// Its size in words.
    pub fn extent(&self) -> String {
        let flags = self.flags.len() + self.unflags.len();
        format!(
            "{} rows added, {} changed, {flags} flags, {} removed, {} put back",
            self.adds.len(),
            self.updates.len() + self.strays.len(),
            self.removals.len(),
            self.returns.len()
        )
    }

    /// How many owned cells of bookings it writes.
    pub fn cells(&self, columns: usize) -> u64 {
        let strays: usize = self.strays.iter().map(|row| row.changes.len()).sum();
        (self.adds.len() * columns + strays) as u64 + self.changed_cells
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

/// Makes the plan; `update` tells what becomes of a row that differs. The status column's header is added to the layout
/// when the first flag needs it.
///
/// # Errors
/// [`shared::Kind::Data`] when policies forbid it: bad rows with `on-bad-row = "fail"`, a source that shrank; and as
/// `update`. Edits where `on-edit = "fail"` are in the plan, so that they are counted; [`refuse_edits`] refuses it.
pub fn make(
    facts: &Facts<'_>,
    layout: &mut Layout,
    mut update: impl FnMut(&Differing) -> Result<RowUpdate>,
) -> Result<Plan> {
    refuse_bad_rows(facts)?;
    refuse_shrunken_source(facts)?;
    refuse_rows_without_a_key_header(facts, layout)?;
    facts.shelf.map_or(Ok(()), |shelf| refuse_rows_that_cannot_come_back(shelf, &facts.sheet.tab))?;
    let mut plan = Plan { flag_text: flag_text(facts.today), ..Plan::default() };
    for row in facts.snapshot.differing.iter().filter(|row| !facts.snapshot.duplicates.contains_key(&row.key))
    {
        plan.take(facts.columns, *row, update(row)?);
    }
    let back = plan_returns(facts, &mut plan);
    let is_new = |(key, entry): &(&KeyHash, &Entry)| entry.row == 0 && !back.contains(*key);
    plan.adds = facts.spool.index.iter().filter(is_new).map(|(_, entry)| entry.offset).collect();
    plan.adds.sort_unstable();
    plan.formats = formats(facts, layout);
    plan_missing(facts, &mut plan);
    // More rows are about to be looked at there, unless they would stand below another header.
    plan.purge &= plan.removals.is_empty() || facts.shelf.is_some_and(|shelf| !shelf.has_todays_columns);
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

fn formats(facts: &Facts<'_>, layout: &Layout) -> Vec<(u32, (&'static str, &'static str))> {
    let remembered = facts.columns.remembered();
    let new = |index: &usize| !facts.formatted.contains(&remembered[*index]);
    let format = |index: usize| Some((layout.columns[index], number_format(facts.columns.kind(index))?));
    (0..facts.columns.count()).filter(new).filter_map(format).collect()
}

/// A row that was removed in another's place comes back, and so does the row of a booking that is in the source again.
/// Answers the bookings of those rows.
fn plan_returns(facts: &Facts<'_>, plan: &mut Plan) -> HashSet<KeyHash> {
    let Some(shelf) = facts.shelf else { return HashSet::new() };
    let mut back = HashSet::new();
    for row in &shelf.rows {
        let hash = row.key.as_ref().map(|key| key.hash);
        let is_wanted =
            hash.and_then(|hash| facts.spool.index.get(&hash)).is_some_and(|entry| entry.row == 0);
        let is_first = hash.is_none_or(|hash| !back.contains(&hash));
        if is_first && shelf.has_todays_columns && (row.is_wrong() || is_wanted && row.is_right()) {
            back.extend(hash);
            plan.come_back += u64::from(is_wanted);
            plan.returns.push(row.clone());
        }
    }
    plan.purge = plan.returns.is_empty() && !shelf.place.is_kept;
    back
}

/// Nothing is flagged or removed while a row of the source cannot be identified: the missing booking may be that one.
fn plan_missing(facts: &Facts<'_>, plan: &mut Plan) {
    let policy = facts.sheet.on_missing;
    if policy == OnMissing::Flag {
        plan.unflags.clone_from(&facts.snapshot.flagged_live);
    }
    let is_done = |row: &MissingRow| match policy {
        OnMissing::Keep => true,
        OnMissing::Flag => row.flagged,
        OnMissing::Archive | OnMissing::Delete => false,
    };
    let is_due = |row: &&MissingRow| !is_done(row) && !facts.snapshot.duplicates.contains_key(&row.key.hash);
    let mut due: Vec<MissingRow> = facts.snapshot.missing.iter().filter(is_due).cloned().collect();
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

/// A row whose booking never was in the source is a person's: it is struck through at most, and never taken away. Where
/// nothing is known of earlier runs, nobody can tell.
fn leave_strangers(facts: &Facts<'_>, due: &mut Vec<MissingRow>) -> Option<String> {
    let base = facts.base?;
    let is_known = |key: &KeyHash| base.live_rows.contains_key(key) || facts.added.contains(key);
    let strangers: Vec<_> = due.extract_if(.., |row| !is_known(&row.key.hash)).collect();
    let named: Vec<String> =
        strangers.iter().take(5).map(|row| format!("row {} ({})", row.row, row.key.text)).collect();
    let told = several(&named, strangers.len() as u64);
    (!named.is_empty()).then(|| format!("entered by a person, never in the source, left alone: {told}"))
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
    let rows = |rows: &[u32]| rows.iter().map(u32::to_string).collect::<Vec<_>>().join(", ");
    let duplicates = snapshot.duplicates.values();
    let mut told: Vec<String> =
        duplicates.map(|(key, at)| format!("rows {} of the sheet all hold {key:?}", rows(at))).collect();
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
