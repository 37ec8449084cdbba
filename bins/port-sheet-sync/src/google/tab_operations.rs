//! Operations that add, remove and copy tabs and rows, as requests of `spreadsheets.batchUpdate`.

use google_sheets4::api::{
    AddNamedRangeRequest, AddSheetRequest, CopyPasteRequest, DeleteDimensionRequest, DeleteNamedRangeRequest,
    DeleteSheetRequest, DimensionRange, GridProperties, GridRange, InsertDimensionRequest, NamedRange,
    Request, SheetProperties,
};

use crate::model::operation::{CellPlace, Copied, Grid};
use crate::model::span::Span;

/// A new tab.
pub(super) fn add_tab(id: i32, title: &str, grid: Grid, hidden: bool) -> Request {
    let properties = Some(properties(id, title, grid, hidden));
    Request { add_sheet: Some(AddSheetRequest { properties }), ..Default::default() }
}

/// The tab goes.
pub(super) fn delete_tab(tab: i32) -> Request {
    Request { delete_sheet: Some(DeleteSheetRequest { sheet_id: Some(tab) }), ..Default::default() }
}

/// A copy of rows with all their columns. A destination that is smaller than the source takes all of it.
pub(super) fn copy_all_columns(tab: i32, rows: Span, to: CellPlace) -> Request {
    let source = GridRange {
        sheet_id: Some(tab),
        start_row_index: row_index(rows.first),
        end_row_index: index(rows.last),
        ..Default::default()
    };
    let copy = CopyPasteRequest {
        source: Some(source),
        destination: Some(range(to.tab, Span::of_length(to.row, rows.length()), Span::one(to.column))),
        paste_type: Some("PASTE_NORMAL".to_owned()),
        ..Default::default()
    };
    Request { copy_paste: Some(copy), ..Default::default() }
}

/// A named range of the first cell.
pub(super) fn add_name(tab: i32, id: &str, name: &str) -> Request {
    let named = NamedRange {
        named_range_id: Some(id.to_owned()),
        name: Some(name.to_owned()),
        range: Some(range(tab, Span::one(1), Span::one(0))),
    };
    Request { add_named_range: Some(AddNamedRangeRequest { named_range: Some(named) }), ..Default::default() }
}

/// The named range goes.
pub(super) fn delete_name(id: &str) -> Request {
    let named_range_id = Some(id.to_owned());
    Request { delete_named_range: Some(DeleteNamedRangeRequest { named_range_id }), ..Default::default() }
}

/// Blank rows.
pub(super) fn insert_rows(tab: i32, rows: Span) -> Request {
    let insert = InsertDimensionRequest {
        // Only so may they be the last of the grid; and above the first there is nothing to inherit from.
        inherit_from_before: Some(rows.first > 1),
        range: Some(dimension(tab, rows)),
    };
    Request { insert_dimension: Some(insert), ..Default::default() }
}

/// Rows are removed.
pub(super) fn delete_rows(tab: i32, rows: Span) -> Request {
    let delete = DeleteDimensionRequest { range: Some(dimension(tab, rows)) };
    Request { delete_dimension: Some(delete), ..Default::default() }
}

/// A copy of some cells with its upper left corner at `to`.
pub(super) fn copy_rows(tab: i32, rows: Span, columns: Span, to: CellPlace, what: Copied) -> Request {
    let (to_rows, to_columns) =
        (Span::of_length(to.row, rows.length()), Span::of_length(to.column, columns.length()));
    let copy = CopyPasteRequest {
        source: Some(range(tab, rows, columns)),
        destination: Some(range(to.tab, to_rows, to_columns)),
        paste_type: Some(
            match what {
                Copied::Everything => "PASTE_NORMAL",
                Copied::Format => "PASTE_FORMAT",
            }
            .to_owned(),
        ),
        ..Default::default()
    };
    Request { copy_paste: Some(copy), ..Default::default() }
}

fn properties(id: i32, title: &str, grid: Grid, hidden: bool) -> SheetProperties {
    SheetProperties {
        sheet_id: Some(id),
        title: Some(title.to_owned()),
        hidden: Some(hidden),
        grid_properties: Some(GridProperties {
            row_count: index(grid.rows),
            column_count: index(grid.columns),
            ..Default::default()
        }),
        ..Default::default()
    }
}

fn dimension(tab: i32, rows: Span) -> DimensionRange {
    DimensionRange {
        sheet_id: Some(tab),
        dimension: Some("ROWS".to_owned()),
        start_index: row_index(rows.first),
        end_index: index(rows.last),
    }
}

/// Google counts rows and columns from 0 and leaves the end out.
pub(super) fn range(tab: i32, rows: Span, columns: Span) -> GridRange {
    GridRange {
        start_row_index: row_index(rows.first),
        end_row_index: index(rows.last),
        ..whole_columns(tab, columns)
    }
}

/// Columns from the first row to the last.
pub(super) fn whole_columns(tab: i32, columns: Span) -> GridRange {
    GridRange {
        sheet_id: Some(tab),
        start_column_index: index(columns.first),
        end_column_index: index(columns.last + 1),
        ..Default::default()
    }
}

/// A row's number as Google counts it.
pub(super) fn row_index(row: u32) -> Option<i32> {
    index(row.saturating_sub(1))
}

/// A grid has at most 18,278 columns and ten million cells, so every position fits.
pub(super) fn index(position: u32) -> Option<i32> {
    i32::try_from(position).ok()
}
