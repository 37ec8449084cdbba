//! What a run did in the end, whatever it had to repeat or to repair on the way.
//!
//! Pure.

use std::collections::{BTreeMap, HashSet};

use crate::edit::WholeCell;
use crate::journal::{Line, digest};
use crate::value::Cell;

/// Stands for the status column where others have their header, which is never blank.
const STATUS: &str = "";

/// Before and after.
pub type Changed<T> = (T, T);

/// A row that went or came back.
#[derive(Clone, Debug)]
pub struct Moved {
    /// Where it stood.
    pub row: u32,
    /// The archive that it went to or came from.
    pub archive: Option<String>,
    /// All of it, in the columns of that day.
    pub cells: Vec<WholeCell>,
}

/// What a run did, by booking.
#[derive(Debug, Default)]
pub struct Net {
    /// Cells that changed, by booking and header.
    pub cells: BTreeMap<(String, String), Changed<Cell>>,
    /// Status cells that changed.
    pub statuses: BTreeMap<String, Changed<Cell>>,
    /// Bookings that got a row, with their owned cells.
    pub added: BTreeMap<String, Vec<Cell>>,
    /// Rows that went.
    pub removed: BTreeMap<String, Moved>,
    /// Rows that came back.
    pub returned: BTreeMap<String, Moved>,
    /// Headers, with the column.
    pub headers: BTreeMap<u32, Changed<String>>,
}

impl Net {
    /// Sums a run's lines up. `headers` are those of the owned columns, in the order of added cells.
    pub fn of(lines: Vec<Line>, headers: &[String]) -> Self {
        let (mut net, mut landed) = (Self::default(), Landed::default());
        for line in lines.into_iter().filter(|line| !landed.is_put_right_by(line)) {
            net.take(line, headers);
        }
        net.statuses.retain(|_, (old, new)| old != new);
        net
    }

    fn take(&mut self, line: Line, headers: &[String]) {
        match line {
            Line::Run(_) => {}
            Line::Change { key, header, old, new, .. } => {
                let at = headers.iter().position(|known| *known == header);
                match (self.added.get_mut(&key), at) {
                    (Some(cells), Some(at)) => cells[at] = new,
                    _ => self.cells.entry((key, header)).or_insert((old, Cell::Empty)).1 = new,
                }
            }
            Line::Add { key, cells, .. } => drop(self.added.insert(key, cells)),
            Line::Flag { key, new, .. } => self.status(key, Cell::Empty, Cell::Text(new)),
            Line::Unflag { key, old, .. } => self.status(key, old, Cell::Empty),
            Line::Header { column, old, new } => {
                self.headers.entry(column).or_insert((old, String::new())).1 = new;
            }
            Line::Remove { row, key, archive, cells } => {
                let cells = match self.removed.get(&key) {
                    Some(first) => with_formulas_of(&first.cells, cells),
                    None => cells,
                };
                drop(self.removed.insert(key, Moved { row, archive, cells }));
            }
            Line::Return { wrong: true, .. } => {}
            Line::Return { row, key, archive, cells, .. } => {
                drop(self.returned.insert(key, Moved { row, archive, cells }));
            }
        }
    }

    fn status(&mut self, key: String, old: Cell, new: Cell) {
        self.statuses.entry(key).or_insert((old, Cell::Empty)).1 = new;
    }
}

/// What the run wrote into which rows. In a moment in which people move rows it lands in another booking's, and is taken
/// from there again: that is nothing that the run did to that booking.
#[derive(Default)]
struct Landed(HashSet<u64>);

impl Landed {
    /// Whether a line takes back what landed in its row for another booking. One of a row without a key does nothing else.
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

/// A row that is deleted is written down twice: before it goes, and where it went, exactly, before it is gone for good. There
/// its formulas point elsewhere, as after any copy and paste, so they are taken from before.
fn with_formulas_of(first: &[WholeCell], mut last: Vec<WholeCell>) -> Vec<WholeCell> {
    let formula = |cell: &WholeCell| cell.get("userEnteredValue")?.get("formulaValue").cloned();
    for (cell, before) in last.iter_mut().zip(first) {
        if let (Some(_), Some(text)) = (formula(cell), formula(before)) {
            cell["userEnteredValue"]["formulaValue"] = text;
        }
    }
    last
}
