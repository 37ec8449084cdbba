//! Rows that leave a tab and rows that come back, as operations of one atomic request.
//!
//! Pure. Nothing here can lose a cell, whatever users do at that moment: what is deleted is copied in the same request,
//! and every copy goes into rows that the same request inserted.

use chrono::NaiveDate;

use crate::apply::guard::SPARE_COLUMNS;
use crate::apply::rows::RowToRemove;
use crate::model::cell::Cell;
use crate::model::operation::{CellPlace, Copied, Grid, Operation};
use crate::model::span::{Span, spans};
use crate::sheet::holding_tab::HeldRow;
use crate::sheet::holding_tab::HoldingTab;
use crate::sheet::holding_tab::MARKS;
use crate::sheet::holding_tab::has_header;
use crate::sheet::tab::Tab;

/// The two tabs between which rows move.
pub struct MoveBetween<'a> {
    /// The tab of the bookings.
    pub tab: &'a Tab,
    /// How many columns its grid has by now.
    pub width: u32,
    /// What the other tab is.
    pub place: &'a HoldingTab,
    /// The other tab, if there is one already.
    pub held: Option<&'a Tab>,
    /// The header that the other tab has above rows of today's columns.
    pub header: &'a [String],
    /// The id that the other tab gets if there is none yet.
    pub new_id: i32,
}

/// Rows leave, the uppermost first in `leaving`.
pub fn leave(between: &MoveBetween<'_>, leaving: &[RowToRemove], day: NaiveDate) -> Vec<Operation> {
    let held = between.held.map_or(between.new_id, |tab| tab.id);
    let mut edits = prepare(between, held);
    let spans = spans(leaving.iter().map(|row| row.row).collect(), 0);
    edits.push(in_held(held, Operation::InsertRows { rows: Span::of_length(2, count(leaving)) }));
    let mut to = 2;
    for &rows in &spans {
        edits.push(Operation::CopyAllColumns { rows, to: CellPlace { tab: held, row: to, column: 1 } });
        to += rows.length();
    }
    for (row, left) in (2..).zip(leaving) {
        let tag = left.tag(day).to_string();
        edits.push(in_held(held, Operation::Write { row, column: 0, cells: vec![Cell::Text(tag)] }));
    }
    edits.extend(spare_row(between.tab, count(leaving)));
    edits.extend(spans.iter().rev().map(|&rows| Operation::DeleteRows { rows }));
    edits
}

/// Makes the other tab, or gives it today's header above what it holds.
fn prepare(between: &MoveBetween<'_>, held: i32) -> Vec<Operation> {
    let columns = between.width + 1 + SPARE_COLUMNS;
    let mut edits = Vec::new();
    match between.held {
        None => edits.push(Operation::AddTab {
            id: held,
            title: between.place.title.clone(),
            grid: Grid { rows: 1, columns },
            hidden: !between.place.is_kept,
        }),
        Some(tab) => {
            let lacking = columns.saturating_sub(tab.columns);
            edits.extend((lacking > 0).then(|| in_held(held, Operation::GrowColumns(lacking))));
            if has_header(tab, between.header) {
                return edits;
            }
            edits.push(in_held(held, Operation::InsertRows { rows: Span::one(1) }));
        }
    }
    let to = CellPlace { tab: held, row: 1, column: 1 };
    edits.push(Operation::CopyAllColumns { rows: Span::one(1), to });
    edits.push(in_held(
        held,
        Operation::Write { row: 1, column: 0, cells: vec![Cell::Text(MARKS.to_owned())] },
    ));
    edits
}

/// Rows of this width come back from the holding tab to where they were, each into a new row.
pub fn come_back(tab: &Tab, held: &Tab, rows: &[HeldRow], width: u32) -> Vec<Operation> {
    let lacking = width.saturating_sub(tab.columns);
    let mut edits: Vec<Operation> =
        (lacking > 0).then_some(Operation::GrowColumns(lacking)).into_iter().collect();
    let mut back: Vec<&HeldRow> = rows.iter().collect();
    back.sort_by_key(|row| row.mark.row);
    for (inserted, shelved) in (0..).zip(back) {
        let row = shelved.mark.row.clamp(2, tab.rows + inserted + 1);
        let copy = Operation::CopyRows {
            rows: Span::one(shelved.row),
            columns: Span::of_length(1, width),
            to: CellPlace { tab: tab.id, row, column: 0 },
            what: Copied::Everything,
        };
        edits.extend([Operation::InsertRows { rows: Span::one(row) }, in_held(held.id, copy)]);
    }
    let gone = spans(rows.iter().map(|row| row.row).collect(), 0);
    edits.extend(spare_row(held, count(rows)).map(|operation| in_held(held.id, operation)));
    edits.extend(gone.iter().rev().map(|&rows| in_held(held.id, Operation::DeleteRows { rows })));
    edits
}

/// An operation on the holding tab.
fn in_held(held: i32, operation: Operation) -> Operation {
    Operation::On(held, Box::new(operation))
}

/// Google refuses to delete every row that is not frozen.
fn spare_row(tab: &Tab, leaving: u32) -> Option<Operation> {
    (tab.rows.saturating_sub(leaving) <= tab.frozen.max(1)).then_some(Operation::GrowRows(1))
}

fn count<T>(rows: &[T]) -> u32 {
    u32::try_from(rows.len()).unwrap_or(u32::MAX)
}
