//! Journals and writes the cells of an undo.

use std::path::PathBuf;

use crate::apply::guard::{ColumnGuard, ColumnsThen};
use crate::apply::put_back::{self, PutBack};
use crate::journal::Journal;
use crate::journal::Line;
use crate::model::cell::Cell;
use crate::model::operation::Operation;
use crate::model::span::spans;
use crate::sheet::layout::Layout;
use crate::sheet::tab::Tab;
use crate::spool::safety_copy;
use crate::undo::Undo;
use crate::undo::WriteResult;
use crate::undo::current::CurrentSheet;
use crate::undo::plan::CellWrite;

/// How many operations go in one request: the client's types take some kilobytes each.
const OPERATIONS_A_REQUEST: usize = 500;

impl Undo<'_> {
    /// Cells with their old values.
    pub(super) async fn write_cells(&mut self, puts: &[CellWrite], current: CurrentSheet) -> WriteResult<()> {
        let mut journal = Journal::of_cells(&self.journals(), &self.heading, self.client.requests().1)?;
        for put in puts {
            journal.put(&self.line(put))?;
        }
        journal.commit()?;
        let (layout, tab) = (current.layout.clone(), current.tab.clone());
        let operations: Vec<Operation> = puts.iter().flat_map(|put| operations(put, &layout)).collect();
        self.last = Some((puts.to_vec(), current));
        for operations in operations.chunks(OPERATIONS_A_REQUEST) {
            // The next round puts back what was hit, and writes the rest.
            if self.guarded(&tab, operations).await? == ColumnsThen::Moved {
                break;
            }
        }
        Ok(())
    }

    /// Makes all of these changes or none, in one request.
    pub(super) async fn guarded(&mut self, tab: &Tab, operations: &[Operation]) -> WriteResult<ColumnsThen> {
        let (title, run, copies) = (&self.sheet.tab, &self.context.run, self.copies());
        ColumnGuard { title, tab, copies, run }.edit(&mut self.client, operations).await
    }

    /// Puts back what a write hit because a column had moved at that moment, in this run or in one that was killed.
    pub(super) async fn settle_copies(&mut self) -> WriteResult<()> {
        let copies = self.copies();
        let mut put_back = PutBack {
            client: &mut self.client,
            title: &self.sheet.tab,
            columns: &self.columns,
            copies,
            run: &self.context.run,
        };
        let cells = put_back.settle().await?;
        self.result.notes.extend(put_back::note(&cells));
        Ok(())
    }

    pub(super) fn copies(&self) -> PathBuf {
        safety_copy::path(&self.context.state.spool(), &self.sheet.name)
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

/// An owned cell, or a status cell with its strike-through.
fn operations(put: &CellWrite, layout: &Layout) -> Vec<Operation> {
    let Some(column) = put.column.map(|column| layout.columns[column]).or(layout.status) else {
        return Vec::new();
    };
    let (row, struck) = (put.row, put.new != Cell::Empty);
    let write = Operation::Write { row, column, cells: vec![put.new.clone()] };
    let struck_through = if put.column.is_none() { layout.columns.clone() } else { Vec::new() };
    let strikes =
        spans(struck_through, 0).into_iter().map(|columns| Operation::Strike { row, columns, struck });
    std::iter::once(write).chain(strikes).collect()
}
