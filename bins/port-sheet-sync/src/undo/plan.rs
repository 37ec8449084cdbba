//! The plan of an undo: what a run did, compared with the current sheet.
//!
//! It decides and writes nothing. A cell that holds what the run wrote gets its old value; a cell that holds the old value
//! needs nothing; any other was changed since and is left as it is.

use shared::Result;

use crate::model::cell::Cell;
use crate::model::column::Columns;
use crate::plan::misplaced::{HitRow, HitRows, keyless_before};
use crate::sheet::snapshot::MissingRow;
use crate::undo::current::BookingRow;
use crate::undo::current::CurrentSheet;
use crate::undo::effect::Changed;
use crate::undo::effect::MovedRow;
use crate::undo::effect::RunEffect;

#[derive(Clone, Debug)]
pub struct CellWrite {
    pub row: u32,
    pub key: String,
    /// The owned column; `None` for the status column.
    pub column: Option<usize>,
    pub old: Cell,
    pub new: Cell,
}

#[derive(Debug, Default)]
pub struct UndoPlan {
    pub puts: Vec<CellWrite>,
    pub returns: Vec<(String, MovedRow)>,
    /// Rows to take away, if no user wrote in them since, with the cells that they must hold.
    pub removals: Vec<(MissingRow, Option<MovedRow>)>,
    /// What is left as it is, and why.
    pub left: Vec<String>,
}

/// Makes the plan. `tried` are the bookings whose row this undo has put back already.
///
/// # Errors
/// [`shared::Kind::Io`].
pub fn make(
    effect: &RunEffect,
    columns: &Columns,
    current: &mut CurrentSheet,
    tried: &[String],
) -> Result<UndoPlan> {
    let mut deciding = Deciding { columns, current, plan: UndoPlan::default() };
    for ((key, header), change) in &effect.cells {
        let column = columns.all().iter().position(|column| column.header == *header);
        deciding.cell(key, column, header, change)?;
    }
    for (key, change) in &effect.statuses {
        deciding.cell(key, None, "status", change)?;
    }
    for (key, cells) in &effect.added {
        deciding.added(key, cells)?;
    }
    for (key, moved) in &effect.returned {
        deciding.returned(key, moved)?;
    }
    for (key, moved) in &effect.removed {
        deciding.removed(key, moved, tried.contains(key))?;
    }
    let mut plan = deciding.plan;
    plan.removals.sort_by_key(|(row, _)| row.row);
    Ok(plan)
}

struct Deciding<'a> {
    columns: &'a Columns,
    current: &'a mut CurrentSheet,
    plan: UndoPlan,
}

impl Deciding<'_> {
    fn cell(&mut self, key: &str, column: Option<usize>, header: &str, change: &Changed<Cell>) -> Result<()> {
        let Some(booking) = self.row_of(key)? else {
            self.leave(format!("{key}, {header:?}: its row is gone"));
            return Ok(());
        };
        if column.is_some_and(|column| self.current.is_headless(column)) {
            self.leave(format!("{key}, {header:?}: its column is gone"));
            return Ok(());
        }
        let now = booking.cell(column);
        if self.is_same(column, now, &change.old) {
            return Ok(());
        }
        if !self.is_same(column, now, &change.new) {
            let kind = column.map_or(shared::config::Type::Text, |column| self.columns.kind(column));
            let shown = (now.shown(kind), change.new.shown(kind));
            self.leave(format!(
                "row {} ({key}), {header:?}: holds {:?} now, where the run wrote {:?}",
                booking.row, shown.0, shown.1
            ));
            return Ok(());
        }
        let (row, key) = (booking.row, key.to_owned());
        self.plan.puts.push(CellWrite { row, key, column, old: now.clone(), new: change.old.clone() });
        Ok(())
    }

    fn is_same(&self, column: Option<usize>, now: &Cell, cell: &Cell) -> bool {
        match column {
            Some(column) => now.is_same(cell, self.columns.kind(column)),
            None => now == cell,
        }
    }

    fn added(&mut self, key: &str, cells: &[Cell]) -> Result<()> {
        let Some(booking) = self.row_of(key)? else { return Ok(()) };
        let mut cells = cells.iter().zip(&booking.cells).enumerate();
        if booking.status == Cell::Empty
            && cells.all(|(index, (cell, now))| cell.is_same(now, self.columns.kind(index)))
        {
            self.remove(&booking, None);
        } else {
            self.leave(format!("row {} ({key}): its cells were changed since the run added it", booking.row));
        }
        Ok(())
    }

    /// A row goes back whole, so every column must exist.
    fn returned(&mut self, key: &str, moved: &MovedRow) -> Result<()> {
        let Some(booking) = self.row_of(key)? else { return Ok(()) };
        let gone = (0..self.columns.count()).find(|index| self.current.is_headless(*index));
        match gone.map(|index| &self.columns.all()[index].header) {
            Some(header) => self.leave(format!("row {} ({key}): the column {header:?} is gone", booking.row)),
            None => self.remove(&booking, Some(moved.clone())),
        }
        Ok(())
    }

    fn removed(&mut self, key: &str, moved: &MovedRow, is_tried: bool) -> Result<()> {
        match self.row_of(key)? {
            Some(_) if is_tried => {}
            Some(booking) => self.leave(format!("row {} ({key}): is in the sheet again", booking.row)),
            None if self.current.has_twice(key) => {}
            None => self.plan.returns.push((key.to_owned(), moved.clone())),
        }
        Ok(())
    }

    fn remove(&mut self, booking: &BookingRow, moved: Option<MovedRow>) {
        let Some(key) = self.current.key_in(booking.row).cloned() else { return };
        self.plan.removals.push((MissingRow { row: booking.row, key, flagged: false }, moved));
    }

    /// A booking's row; `None` if there is none, or several.
    fn row_of(&mut self, key: &str) -> Result<Option<BookingRow>> {
        if self.current.has_twice(key) {
            self.leave(format!("{key}: is in several rows"));
            return Ok(None);
        }
        self.current.find(key)
    }

    fn leave(&mut self, what: String) {
        self.plan.left.push(what);
    }
}

/// What the last writes did to the wrong rows, because rows moved at that moment: each gets back what it held before.
///
/// # Errors
/// [`shared::Kind::Io`].
pub fn repairs(
    last: &[CellWrite],
    before: &mut CurrentSheet,
    now: &mut CurrentSheet,
) -> Result<Vec<CellWrite>> {
    let mut repairs = Vec::new();
    for put in last {
        let Some(key) = now.key_in(put.row).filter(|key| key.text != put.key).cloned() else { continue };
        let (Some(was), Some(is)) = (before.find(&key.text)?, now.find(&key.text)?) else { continue };
        let (was, is) = (was.cell(put.column).clone(), is.cell(put.column).clone());
        if is == put.new && was != is {
            repairs.push(CellWrite { row: put.row, key: key.text, column: put.column, old: is, new: was });
        }
    }
    repairs.extend(keyless_repairs(last, before, now));
    Ok(repairs)
}

/// The same for rows without a key.
fn keyless_repairs(last: &[CellWrite], before: &CurrentSheet, now: &CurrentSheet) -> Vec<CellWrite> {
    let status = now.layout.columns.len();
    let mut rows = HitRows::new(before.keyless().values().cloned().collect());
    for (&row, cells) in now.keyless() {
        let of_row = last.iter().filter(|put| put.row == row);
        let columns = of_row.map(|put| (put.column.unwrap_or(status), &put.new));
        let hit = columns.filter(|(at, new)| cells[*at] == **new).map(|(at, _)| at).collect();
        rows.add(HitRow { row, cells: cells.clone(), hit });
    }
    let HitRows { mut known, hits } = rows;
    let mut repairs = Vec::new();
    for hit in hits {
        let Some(was) = keyless_before(&mut known, &hit.cells, &hit.hit) else { continue };
        repairs.extend(hit.changes(&was).into_iter().map(|(at, new)| CellWrite {
            row: hit.row,
            key: String::new(),
            column: (at != status).then_some(at),
            old: hit.cells[at].clone(),
            new,
        }));
    }
    repairs
}
