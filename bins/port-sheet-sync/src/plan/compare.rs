//! One row, cell by cell: the source against the sheet, with the base to tell who changed it.
//!
//! Pure.

use shared::config::OnEdit;

use crate::column::Columns;
use crate::value::Cell;

/// What is known of a row that differs.
#[derive(Debug)]
pub struct RowFacts {
    /// Its number in the sheet.
    pub row: u32,
    /// What the source says.
    pub source: Vec<Cell>,
    /// What the sheet holds.
    pub sheet: Vec<Cell>,
    /// What the last verified run left; a cell is none when its column is new, all when the row is.
    pub base: Option<Vec<Option<Cell>>>,
    /// What it held before the writes that are not committed, where that is known.
    pub before: Option<Vec<Cell>>,
    /// Whether a write that is not committed added it: the base does not know the row, and yet what is in it was ours.
    pub was_added: bool,
}

/// What becomes of the row.
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
    /// Owned cells that a person changed.
    pub drifts: Vec<Drift>,
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

/// Compares a row. `is_ours` tells values that an earlier round or a killed run wrote there: the base does not know them
/// yet, but no person wrote them either.
pub fn compare(columns: &Columns, facts: RowFacts, is_ours: impl Fn(&str, &Cell) -> bool) -> RowUpdate {
    let key = columns.key_of(|index| facts.source[index].clone()).map(|key| key.text).unwrap_or_default();
    let (mut changes, mut drifts) = (Vec::new(), Vec::new());
    for (column, (ours, theirs)) in facts.source.iter().zip(&facts.sheet).enumerate() {
        let kind = columns.kind(column);
        if ours.is_same(theirs, kind) {
            continue;
        }
        let left = facts.base.as_ref().and_then(|base| base[column].as_ref());
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
        // Blank in a row that was just added: columns moved at that moment, and the value stands in another one.
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
