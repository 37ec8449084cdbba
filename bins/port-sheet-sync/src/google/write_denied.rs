//! Why the sheet did not take a write: what can be found out beside Google's own words.
//!
//! It looks at the spreadsheet's facts, never at the wording.

use google_sheets4::api::{GridRange, ProtectedRange, Spreadsheet};
use shared::{Failure, Kind};

use crate::google::Client;
use crate::google::tabs::count;
use crate::model::a1;

/// How many cells a spreadsheet may have before it counts as full: Google's limit, less a little room.
const NEARLY_FULL: u64 = 9_900_000;

/// How many protected ranges are named.
const NAMED: usize = 5;

impl Client {
    /// A refused write with a hint that names what prevents it, if that can be found.
    pub async fn explain_refused_write(&mut self, title: &str, failure: Failure) -> Failure {
        const FIELDS: &str = "sheets(properties(title,gridProperties(rowCount,columnCount)),protectedRanges(range,description,requestingUserCanEdit,warningOnly))";
        if failure.kind != Kind::Data {
            return failure;
        }
        let Ok(spreadsheet) = self.metadata(FIELDS, &[]).await else { return failure };
        let closed = closed_ranges(&spreadsheet, title);
        let hint = if !closed.is_empty() {
            format!(
                "ranges of tab {title:?} are protected: {}. In the sheet choose Data, Protect sheets and ranges, and let {} edit them",
                closed.into_iter().take(NAMED).collect::<Vec<_>>().join(", "),
                self.connection.account()
            )
        } else if cells_of(&spreadsheet) >= NEARLY_FULL {
            "the spreadsheet is full: delete unused tabs, rows and columns, or give this sheet a spreadsheet of its own"
                .to_owned()
        } else {
            return failure;
        };
        let hint =
            format!("{hint}; the sheet: https://docs.google.com/spreadsheets/d/{}/edit", self.spreadsheet);
        Failure { hint, ..failure }
    }
}

/// The protected ranges of a tab that this account may not edit.
fn closed_ranges(spreadsheet: &Spreadsheet, title: &str) -> Vec<String> {
    let sheets = spreadsheet.sheets.iter().flatten();
    let of_tab = sheets.filter(|sheet| {
        sheet.properties.as_ref().and_then(|properties| properties.title.as_deref()) == Some(title)
    });
    let protected = of_tab.flat_map(|sheet| sheet.protected_ranges.iter().flatten());
    protected.filter(|range| is_closed(range)).map(named).collect()
}

fn is_closed(range: &ProtectedRange) -> bool {
    range.requesting_user_can_edit != Some(true) && range.warning_only != Some(true)
}

fn named(range: &ProtectedRange) -> String {
    let place = range.range.as_ref().map_or_else(|| "a named range".to_owned(), shown);
    match range.description.as_deref() {
        Some(description) if !description.is_empty() => format!("{place} ({description})"),
        _ => place,
    }
}

/// In A1 notation; a bound that is missing is the grid's.
fn shown(range: &GridRange) -> String {
    let from = corner(range.start_column_index, range.start_row_index.map(|at| at + 1));
    let to = corner(range.end_column_index.map(|at| at - 1), range.end_row_index);
    if from.is_empty() && to.is_empty() { "the whole tab".to_owned() } else { format!("{from}:{to}") }
}

/// A column counted from 0 and a row counted from 1.
fn corner(column: Option<i32>, row: Option<i32>) -> String {
    let column = column.map(|at| a1::letters(count(Some(at)))).unwrap_or_default();
    column + &row.map(|at| at.to_string()).unwrap_or_default()
}

/// How many cells all tabs have.
pub(super) fn cells_of(spreadsheet: &Spreadsheet) -> u64 {
    let grids = spreadsheet
        .sheets
        .iter()
        .flatten()
        .filter_map(|sheet| sheet.properties.as_ref()?.grid_properties.as_ref());
    grids.map(|grid| u64::from(count(grid.row_count)) * u64::from(count(grid.column_count))).sum()
}
