//! What a run did in total, without what it repeated or repaired on the way.
//!
//! Pure.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashSet};

use crate::journal::Line;
use crate::journal::digest;
use crate::model::cell::Cell;
use crate::model::operation::WholeCell;

/// The name of the status column where other columns have their header, which is never blank.
const STATUS: &str = "";

/// Before and after.
#[derive(Debug)]
pub struct Changed<T> {
    pub old: T,
    pub new: T,
}

/// A row that was removed or came back.
#[derive(Clone, Debug)]
pub struct MovedRow {
    pub row: u32,
    /// The archive tab that it went to or came from.
    pub archive: Option<String>,
    /// The whole row, in the columns of that day.
    pub cells: Vec<WholeCell>,
}

/// What a run did, by booking.
#[derive(Debug, Default)]
pub struct RunEffect {
    /// Cells that changed, by booking and header.
    pub cells: BTreeMap<(String, String), Changed<Cell>>,
    /// Status cells that changed.
    pub statuses: BTreeMap<String, Changed<Cell>>,
    /// Bookings that got a row, with their owned cells.
    pub added: BTreeMap<String, Vec<Cell>>,
    pub removed: BTreeMap<String, MovedRow>,
    pub returned: BTreeMap<String, MovedRow>,
    /// Headers that changed, by column.
    pub headers: BTreeMap<u32, Changed<String>>,
}

impl RunEffect {
    /// The sum of a run's lines. `headers` are those of the owned columns, in the order of added cells.
    pub fn of(lines: Vec<Line>, headers: &[String]) -> Self {
        let (mut effect, mut landed) = (Self::default(), LandedWrites::default());
        for line in lines.into_iter().filter(|line| !landed.is_put_right_by(line)) {
            effect.take(line, headers);
        }
        effect.statuses.retain(|_, change| change.old != change.new);
        effect
    }

    fn take(&mut self, line: Line, headers: &[String]) {
        match line {
            Line::Run(_) => {}
            Line::Change { key, header, old, new, .. } => {
                let at = headers.iter().position(|known| *known == header);
                match (self.added.get_mut(&key), at) {
                    (Some(cells), Some(at)) => cells[at] = new,
                    _ => change(&mut self.cells, (key, header), old, new),
                }
            }
            Line::Add { key, cells, .. } => drop(self.added.insert(key, cells)),
            Line::Flag { key, new, .. } => change(&mut self.statuses, key, Cell::Empty, Cell::Text(new)),
            Line::Unflag { key, old, .. } => change(&mut self.statuses, key, old, Cell::Empty),
            Line::Header { column, old, new } => change(&mut self.headers, column, old, new),
            Line::Remove { row, key, archive, cells } => {
                let cells = match self.removed.get(&key) {
                    Some(first) => with_formulas_of(&first.cells, cells),
                    None => cells,
                };
                drop(self.removed.insert(key, MovedRow { row, archive, cells }));
            }
            Line::Return { wrong: true, .. } => {}
            Line::Return { row, key, archive, cells, .. } => {
                drop(self.returned.insert(key, MovedRow { row, archive, cells }));
            }
        }
    }
}

/// Keeps the first old value and the last new one.
fn change<K: Ord, T>(changes: &mut BTreeMap<K, Changed<T>>, key: K, old: T, new: T) {
    match changes.entry(key) {
        Entry::Occupied(mut known) => known.get_mut().new = new,
        Entry::Vacant(slot) => drop(slot.insert(Changed { old, new })),
    }
}

/// What the run wrote into which rows. A write that landed in another booking's row, because rows moved at that moment, was
/// taken back by the run itself: it is not part of the effect.
#[derive(Default)]
struct LandedWrites(HashSet<u64>);

impl LandedWrites {
    /// Whether a line takes back what landed in its row for another booking. Lines of rows without a key do nothing else.
    fn is_put_right_by(&mut self, line: &Line) -> bool {
        let (row, key, header, old, new) = match line {
            Line::Change { row, key, header, old, new } => (row, key, header.as_str(), old, new.clone()),
            Line::Flag { row, key, new } => (row, key, STATUS, &Cell::Empty, Cell::Text(new.clone())),
            Line::Unflag { row, key, old } => (row, key, STATUS, old, Cell::Empty),
            _ => return false,
        };
        let place = row.to_string();
        if key.is_empty() || self.0.contains(&digest(&place, header, old)) {
            return true;
        }
        self.0.insert(digest(&place, header, &new));
        false
    }
}

/// A deleted row is journaled twice: before it is moved, and in the temporary tab before it is deleted there. In that tab its
/// formulas point elsewhere, as after any copy and paste, so they are taken from the first line.
fn with_formulas_of(first: &[WholeCell], mut last: Vec<WholeCell>) -> Vec<WholeCell> {
    for (cell, before) in last.iter_mut().zip(first) {
        if let (Some(_), Some(text)) = (formula(cell), formula(before)) {
            cell["userEnteredValue"]["formulaValue"] = text;
        }
    }
    last
}

fn formula(cell: &WholeCell) -> Option<WholeCell> {
    cell.get("userEnteredValue")?.get("formulaValue").cloned()
}
