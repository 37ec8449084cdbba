//! What an undo has to do still: what a run did, held against the sheet as it stands.
//!
//! It decides and writes nothing. A cell that holds what the run wrote gets its old value; one that holds the old value is
//! done; any other was changed since and stays.

use shared::Result;

use super::ground::{Ground, Standing};
use super::net::{Moved, Net};
use crate::column::Columns;
use crate::snapshot::MissingRow;
use crate::stray::keyless_before;
use crate::value::Cell;

/// A cell that is written.
#[derive(Clone, Debug)]
pub struct Put {
    /// The row.
    pub row: u32,
    /// Its booking.
    pub key: String,
    /// The owned column; none for the status column.
    pub column: Option<usize>,
    /// What stands there.
    pub old: Cell,
    /// What is to stand there.
    pub new: Cell,
}

/// What is to be done.
#[derive(Debug, Default)]
pub struct Plan {
    /// Cells to write.
    pub puts: Vec<Put>,
    /// Rows to put back.
    pub returns: Vec<(String, Moved)>,
    /// Rows to take away, if nobody wrote beside them, with what they are to hold.
    pub removals: Vec<(MissingRow, Option<Moved>)>,
    /// What stays as it is, and why.
    pub left: Vec<String>,
}

/// Makes the plan. `is_tried` tells bookings whose row this undo has put back already.
///
/// # Errors
/// [`shared::Kind::Io`].
pub fn make(
    net: &Net,
    columns: &Columns,
    ground: &mut Ground,
    is_tried: impl Fn(&str) -> bool,
) -> Result<Plan> {
    let mut deciding = Deciding { columns, ground, plan: Plan::default() };
    for ((key, header), change) in &net.cells {
        let column = columns.all().iter().position(|column| column.header == *header);
        deciding.cell(key, column, header, change)?;
    }
    for (key, change) in &net.statuses {
        deciding.cell(key, None, "status", change)?;
    }
    for (key, cells) in &net.added {
        deciding.added(key, cells)?;
    }
    for (key, moved) in &net.returned {
        deciding.returned(key, moved)?;
    }
    for (key, moved) in &net.removed {
        deciding.removed(key, moved, is_tried(key))?;
    }
    let mut plan = deciding.plan;
    plan.removals.sort_by_key(|(row, _)| row.row);
    Ok(plan)
}

struct Deciding<'a> {
    columns: &'a Columns,
    ground: &'a mut Ground,
    plan: Plan,
}

impl Deciding<'_> {
    fn cell(&mut self, key: &str, column: Option<usize>, header: &str, change: &(Cell, Cell)) -> Result<()> {
        let Some(standing) = self.standing(key)? else {
            self.leave(format!("{key}, {header:?}: its row is gone"));
            return Ok(());
        };
        if column.is_some_and(|column| self.ground.is_headless(column)) {
            self.leave(format!("{key}, {header:?}: its column is gone"));
            return Ok(());
        }
        let (old, new) = change;
        let now = column.map_or(&standing.status, |column| &standing.cells[column]);
        let is = |cell: &Cell| match column {
            Some(column) => now.is_same(cell, self.columns.kind(column)),
            None => now == cell,
        };
        if is(old) {
            return Ok(());
        }
        if !is(new) {
            let kind = column.map_or(shared::config::Type::Text, |column| self.columns.kind(column));
            let shown = (now.shown(kind), new.shown(kind));
            self.leave(format!(
                "row {} ({key}), {header:?}: holds {:?} now, where the run wrote {:?}",
                standing.row, shown.0, shown.1
            ));
            return Ok(());
        }
        let (row, key) = (standing.row, key.to_owned());
        self.plan.puts.push(Put { row, key, column, old: now.clone(), new: old.clone() });
        Ok(())
    }

    fn added(&mut self, key: &str, cells: &[Cell]) -> Result<()> {
        let Some(standing) = self.standing(key)? else { return Ok(()) };
        let same =
            |(index, cell): (usize, &Cell)| cell.is_same(&standing.cells[index], self.columns.kind(index));
        if standing.status == Cell::Empty && cells.iter().enumerate().all(same) {
            self.remove(&standing, None);
        } else {
            self.leave(format!(
                "row {} ({key}): its cells were changed since the run added it",
                standing.row
            ));
        }
        Ok(())
    }

    /// A row goes back whole, so every column must be there.
    fn returned(&mut self, key: &str, moved: &Moved) -> Result<()> {
        let Some(standing) = self.standing(key)? else { return Ok(()) };
        let gone = (0..self.columns.count()).find(|index| self.ground.is_headless(*index));
        match gone.map(|index| &self.columns.all()[index].header) {
            Some(header) => {
                self.leave(format!("row {} ({key}): the column {header:?} is gone", standing.row))
            }
            None => self.remove(&standing, Some(moved.clone())),
        }
        Ok(())
    }

    fn removed(&mut self, key: &str, moved: &Moved, is_tried: bool) -> Result<()> {
        match self.standing(key)? {
            Some(_) if is_tried => {}
            Some(standing) => self.leave(format!("row {} ({key}): stands in the sheet again", standing.row)),
            None if self.ground.has_twice(key) => {}
            None => self.plan.returns.push((key.to_owned(), moved.clone())),
        }
        Ok(())
    }

    fn remove(&mut self, standing: &Standing, moved: Option<Moved>) {
        let Some(key) = self.ground.key_in(standing.row).cloned() else { return };
        self.plan.removals.push((MissingRow { row: standing.row, key, flagged: false }, moved));
    }

    /// A booking's row; none when there is none, or several.
    fn standing(&mut self, key: &str) -> Result<Option<Standing>> {
        if self.ground.has_twice(key) {
            self.leave(format!("{key}: stands in several rows"));
            return Ok(None);
        }
        self.ground.find(key)
    }

    fn leave(&mut self, what: String) {
        self.plan.left.push(what);
    }
}

/// What the last writes did to rows that stood where others were expected, because people moved rows at that moment: each
/// gets back what it held before.
///
/// # Errors
/// [`shared::Kind::Io`].
pub fn repairs(last: &[Put], before: &mut Ground, now: &mut Ground) -> Result<Vec<Put>> {
    let mut repairs = Vec::new();
    for put in last {
        let Some(key) = now.key_in(put.row).filter(|key| key.text != put.key).cloned() else { continue };
        let (Some(was), Some(is)) = (before.find(&key.text)?, now.find(&key.text)?) else { continue };
        let cell = |standing: &Standing| match put.column {
            Some(column) => standing.cells[column].clone(),
            None => standing.status.clone(),
        };
        let (was, is) = (cell(&was), cell(&is));
        if is == put.new && was != is {
            repairs.push(Put { row: put.row, key: key.text, column: put.column, old: is, new: was });
        }
    }
    repairs.extend(keyless_repairs(last, before, now));
    Ok(repairs)
}

/// The same for rows without a key.
fn keyless_repairs(last: &[Put], before: &Ground, now: &Ground) -> Vec<Put> {
    let status = now.layout.columns.len();
    let mut known: Vec<Vec<Cell>> = before.keyless().values().cloned().collect();
    let (mut hits, mut repairs) = (Vec::new(), Vec::new());
    for (row, cells) in now.keyless() {
        let of_row = last.iter().filter(|put| put.row == *row);
        let columns = of_row.map(|put| (put.column.unwrap_or(status), &put.new));
        let hit: Vec<usize> = columns.filter(|(at, new)| cells[*at] == **new).map(|(at, _)| at).collect();
        match known.iter().position(|was| was == cells) {
            Some(intact) => drop(known.swap_remove(intact)),
            None if !hit.is_empty() => hits.push((*row, cells, hit)),
            None => {}
        }
    }
    for (row, cells, hit) in hits {
        let Some(was) = keyless_before(&mut known, cells, &hit) else { continue };
        for at in hit.into_iter().filter(|at| was[*at] != cells[*at]) {
            let column = (at != status).then_some(at);
            let (old, new) = (cells[at].clone(), was[at].clone());
            repairs.push(Put { row, key: String::new(), column, old, new });
        }
    }
    repairs
}
