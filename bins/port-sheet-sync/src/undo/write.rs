//! Journals and writes the cells of an undo.

use crate::google::Lines;
use crate::journal::Journal;
use crate::journal::Line;
use crate::model::a1;
use crate::model::cell::Cell;
use crate::model::operation::Operation;
use crate::model::span::{Span, spans};
use crate::undo::Undo;
use crate::undo::WriteResult;
use crate::undo::current::CurrentSheet;
use crate::undo::plan::CellWrite;

/// How many cells go in one request of values.
const CELLS_A_REQUEST: usize = 2_000;

/// How many operations go in one request: the client's types take some kilobytes each.
const EDITS_A_REQUEST: usize = 500;

impl Undo<'_> {
    /// Cells with their old values: owned ones raw, status cells with their strike-through.
    pub(super) async fn write_cells(&mut self, puts: &[CellWrite], current: CurrentSheet) -> WriteResult<()> {
        let mut journal = Journal::of_cells(&self.journals(), &self.heading, self.client.requests().1)?;
        for put in puts {
            journal.put(&self.line(put))?;
        }
        journal.commit()?;
        let layout = &current.layout;
        let cells: Vec<_> = puts
            .iter()
            .filter_map(|put| {
                let column = layout.columns[put.column?];
                let range = a1::range(&self.sheet.tab, Span::one(column), Span::one(put.row));
                Some(Lines::row(range, &[put.new.to_json()]))
            })
            .collect();
        let statuses: Vec<Operation> = puts
            .iter()
            .filter(|put| put.column.is_none())
            .flat_map(|put| status_edits(put, layout.status, &layout.columns))
            .collect();
        self.last = Some((puts.to_vec(), current));
        let tab = self.last.as_ref().map_or(0, |(_, current)| current.tab.id);
        for cells in cells.chunks(CELLS_A_REQUEST) {
            self.client.write(cells).await?;
        }
        for edits in statuses.chunks(EDITS_A_REQUEST) {
            self.client.edit(tab, edits).await?;
        }
        Ok(())
    }

    fn line(&self, put: &CellWrite) -> Line {
        let (row, key) = (put.row, put.key.clone());
        match (put.column, &put.new) {
            (Some(column), _) => {
                let header = self.columns.all()[column].header.clone();
                Line::Change { row, key, header, old: put.old.clone(), new: put.new.clone() }
            }
            (None, Cell::Empty) => Line::Unflag { row, key, old: put.old.clone() },
            (None, text) => Line::Flag { row, key, new: text.shown(shared::config::Type::Text).into_owned() },
        }
    }
}

fn status_edits(put: &CellWrite, status: Option<u32>, columns: &[u32]) -> Vec<Operation> {
    let Some(column) = status else { return Vec::new() };
    let (row, struck) = (put.row, put.new != Cell::Empty);
    let write = Operation::Write { row, column, cells: vec![put.new.clone()] };
    let strikes =
        spans(columns.to_vec(), 0).into_iter().map(|columns| Operation::Strike { row, columns, struck });
    std::iter::once(write).chain(strikes).collect()
}
