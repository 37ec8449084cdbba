//! Gives rows that left for another tab the header that they had when they left, where columns moved at that moment.

use serde_json::Value;
use shared::{Failure, Kind};

use crate::apply::put_back::PutBack;
use crate::google::WriteError;
use crate::model::a1;
use crate::model::cell::Cell;
use crate::model::list::first_few;
use crate::model::operation::{CellPlace, Operation};
use crate::model::span::Span;
use crate::sheet::holding_tab::{MARKS, lasting};
use crate::sheet::tab::Tab;
use crate::spool::safety_copy::MovedRows;

impl PutBack<'_> {
    /// Rows that left while columns moved get the header above them that they had at that instant.
    pub(super) async fn put_header_above(
        &mut self,
        moved: &MovedRows,
        kept: &Tab,
        hidden: &str,
    ) -> Result<(), WriteError> {
        let Some(held) = self.client.find_tab(&moved.title).await? else { return Ok(()) };
        let then = [vec![MARKS.to_owned()], kept.header.clone()].concat();
        if lasting(&then) == lasting(&held.header) {
            return Ok(());
        }
        let rows = Span::of_length(2, u32::try_from(moved.tags.len()).unwrap_or(u32::MAX));
        let found = self.client.read(&[a1::range(&moved.title, Span::one(0), rows)]).await?;
        let found = found.into_iter().flatten().flatten();
        if !found.eq(moved.tags.iter().map(|tag| Value::from(tag.as_str()))) {
            return Err(self.rows_without_their_header(moved, hidden).into());
        }
        let tab = self.client.tab(self.title).await?;
        self.client.edit(tab.id, &header_operations(&held, &then, rows.last + 1)).await
    }

    fn rows_without_their_header(&self, moved: &MovedRows, hidden: &str) -> Failure {
        Failure::new(
            Kind::Data,
            format!(
                "columns of tab {:?} moved while rows left it for tab {:?}, and the rows are not found there any more: {}",
                self.title,
                moved.title,
                first_few(&moved.tags, moved.tags.len() as u64)
            ),
            format!(
                "nothing of them is lost: in tab {:?}, put the header of the hidden tab {hidden:?} above them (View, Hidden sheets), delete the hidden tab, and type the same command again",
                moved.title
            ),
        )
    }
}

/// A new header in row 1 of a tab, and the old one in the row that `below` is then.
fn header_operations(held: &Tab, header: &[String], below: u32) -> Vec<Operation> {
    let width = u32::try_from(header.len().max(held.header.len())).unwrap_or(u32::MAX);
    let cells = (0..width as usize).map(|at| match header.get(at) {
        Some(text) if !text.is_empty() => Cell::Text(text.clone()),
        _ => Cell::Empty,
    });
    let operations = [
        Operation::InsertRows { rows: Span::one(below) },
        Operation::CopyAllColumns {
            rows: Span::one(1),
            to: CellPlace { tab: held.id, row: below, column: 0 },
        },
        Operation::Write { row: 1, column: 0, cells: cells.collect() },
    ];
    let lacking = width.saturating_sub(held.columns);
    let grow = (lacking > 0).then_some(Operation::GrowColumns(lacking));
    grow.into_iter().chain(operations).map(|operation| Operation::On(held.id, Box::new(operation))).collect()
}
