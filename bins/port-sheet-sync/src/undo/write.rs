//! The cells of an undo, journaled and sent.
//!
//! What is to be done is decided before.

use super::ground::Ground;
use super::plan::Put;
use super::{Sent, Undo};
use crate::a1;
use crate::edit::Edit;
use crate::google::Lines;
use crate::journal::{Journal, Line};
use crate::layout::runs;
use crate::value::Cell;

/// How many cells go in one request of values.
const CELLS_A_REQUEST: usize = 2_000;

/// How many edits go in one request: the client's types take some kilobytes each.
const EDITS_A_REQUEST: usize = 500;

impl Undo<'_> {
    /// Cells with their old values: owned ones raw, status cells with their strike-through.
    pub(super) async fn write_cells(&mut self, puts: &[Put], ground: Ground) -> Sent<()> {
        let mut journal = Journal::of_cells(&self.journals(), &self.heading, self.client.requests().1)?;
        for put in puts {
            journal.put(&self.line(put))?;
        }
        journal.commit()?;
        let layout = &ground.layout;
        let cells: Vec<_> = puts
            .iter()
            .filter_map(|put| {
                let column = layout.columns[put.column?];
                let range = a1::range(&self.sheet.tab, (column, column), (put.row, put.row));
                Some(Lines::row(range, &[put.new.to_json()]))
            })
            .collect();
        let statuses: Vec<Edit> = puts
            .iter()
            .filter(|put| put.column.is_none())
            .flat_map(|put| status_edits(put, layout.status, &layout.columns))
            .collect();
        self.last = Some((puts.to_vec(), ground));
        let tab = self.last.as_ref().map_or(0, |(_, ground)| ground.tab.id);
        for cells in cells.chunks(CELLS_A_REQUEST) {
            self.client.write(cells).await?;
        }
        for edits in statuses.chunks(EDITS_A_REQUEST) {
            self.client.edit(tab, edits).await?;
        }
        Ok(())
    }

    fn line(&self, put: &Put) -> Line {
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

fn status_edits(put: &Put, status: Option<u32>, columns: &[u32]) -> Vec<Edit> {
    let Some(column) = status else { return Vec::new() };
    let (row, struck) = (put.row - 1, put.new != Cell::Empty);
    let strike = |(first, last): (u32, u32)| Edit::Strike { row, columns: (first, last + 1), struck };
    let write = Edit::Write { row, column, cells: vec![put.new.clone()] };
    std::iter::once(write).chain(runs(columns.to_vec()).into_iter().map(strike)).collect()
}
