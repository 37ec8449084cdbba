//! Compares one row, cell by cell: the source with the sheet, and with the base to decide who changed the cell.
//!
//! Pure.

use shared::config::OnEdit;

use crate::model::cell::Cell;
use crate::model::column::Columns;

/// What is known of a row that differs.
#[derive(Debug)]
pub struct RowFacts {
    pub row: u32,
    pub source: Vec<Cell>,
    pub sheet: Vec<Cell>,
    /// What the last verified run left; a cell is `None` if its column is new, the row is `None` if it is new.
    pub base: Option<Vec<Option<Cell>>>,
    /// What it held before the uncommitted writes, if known.
    pub before: Option<Vec<Cell>>,
    /// Whether an uncommitted write added it: the base does not have the row, although the sync wrote its cells.
    pub was_added: bool,
}

/// The changes of one row.
#[derive(Clone, Debug)]
pub struct RowUpdate {
    pub row: u32,
    pub key: String,
    /// The owned cells before the update.
    pub before: Vec<Cell>,
    /// The columns that change, with the new cell.
    pub changes: Vec<(usize, Cell)>,
    /// Owned cells that a user changed.
    pub drifts: Vec<Drift>,
}

/// An owned cell that a user changed.
#[derive(Clone, Debug)]
pub struct Drift {
    pub row: u32,
    pub key: String,
    pub column: usize,
    /// What the user wrote.
    pub theirs: Cell,
    /// What the source says.
    pub ours: Cell,
}

/// Compares a row. `is_ours` is true for values that an earlier round or a killed run wrote there: the base does not have
/// them yet, but no user wrote them.
pub fn compare(columns: &Columns, facts: RowFacts, is_ours: impl Fn(&str, &Cell) -> bool) -> RowUpdate {
    let key = columns.key_of(|index| facts.source[index].clone()).map(|key| key.text).unwrap_or_default();
    let (mut changes, mut drifts) = (Vec::new(), Vec::new());
    for (column, (ours, theirs)) in facts.source.iter().zip(&facts.sheet).enumerate() {
        let kind = columns.kind(column);
        if ours.is_same(theirs, kind) {
            continue;
        }
        // The base of a booking whose row was deleted, and added again, is of the other row.
        let base = facts.base.as_ref().filter(|_| !facts.was_added);
        let left = base.and_then(|base| base[column].as_ref());
        let written_over = facts
            .before
            .as_ref()
            .map(|before| &before[column])
            .filter(|was| left.is_some_and(|left| !left.is_same(was, kind)) && is_ours(&key, theirs));
        if let (Some(was), OnEdit::Keep) = (written_over, columns.on_edit(column)) {
            let (row, key, theirs) = (facts.row, key.clone(), was.clone());
            drifts.push(Drift { row, key, column, theirs, ours: ours.clone() });
            changes.push((column, was.clone()));
            continue;
        }
        // Blank in a row that was just added: columns moved at that moment, and the value is in another one.
        let is_another =
            left.map_or(facts.was_added && *theirs != Cell::Empty, |left| !left.is_same(theirs, kind));
        let drifted = is_another && !is_ours(&key, theirs);
        if drifted {
            let (theirs, ours) = (theirs.clone(), ours.clone());
            drifts.push(Drift { row: facts.row, key: key.clone(), column, theirs, ours });
        }
        if !drifted || columns.on_edit(column) == OnEdit::Restore {
            changes.push((column, ours.clone()));
        }
    }
    RowUpdate { row: facts.row, key, before: facts.sheet, changes, drifts }
}
