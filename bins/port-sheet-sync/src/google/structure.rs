//! Edits that add, remove and copy tabs and rows, as requests of `spreadsheets.batchUpdate`.

use google_sheets4::api::{
    AddSheetRequest, CopyPasteRequest, DeleteDimensionRequest, DeleteSheetRequest, DimensionRange,
    GridProperties, GridRange, InsertDimensionRequest, Request, SheetProperties,
};

use crate::edit::Edit;

/// One such edit of a tab.
pub(super) fn request(tab: i32, edit: &Edit) -> Request {
    let mut request = Request::default();
    match edit {
        Edit::AddTab { id, title, grid, hidden } => {
            request.add_sheet =
                Some(AddSheetRequest { properties: Some(properties(*id, title, *grid, *hidden)) });
        }
        Edit::DeleteTab => request.delete_sheet = Some(DeleteSheetRequest { sheet_id: Some(tab) }),
        Edit::InsertRows { row, rows } => {
            request.insert_dimension = Some(InsertDimensionRequest {
                // Only so may they be the last of the grid; and above the first there is nothing to inherit from.
                inherit_from_before: Some(*row > 0),
                range: Some(dimension(tab, *row, *rows)),
            });
        }
        Edit::DeleteRows { row, rows } => {
            request.delete_dimension =
                Some(DeleteDimensionRequest { range: Some(dimension(tab, *row, *rows)) });
        }
        Edit::CopyRows { row, rows, columns, to: (other, to_row, to_column) } => {
            let width = columns.1 - columns.0;
            request.copy_paste = Some(CopyPasteRequest {
                source: Some(range(tab, (*row, row + rows), *columns)),
                destination: Some(range(*other, (*to_row, to_row + rows), (*to_column, to_column + width))),
                paste_type: Some("PASTE_NORMAL".to_owned()),
                ..Default::default()
            });
        }
        _ => unreachable!("the other edits are edits.rs's"),
    }
    request
}

fn properties(id: i32, title: &str, (rows, columns): (u32, u32), hidden: bool) -> SheetProperties {
    SheetProperties {
        sheet_id: Some(id),
        title: Some(title.to_owned()),
        hidden: Some(hidden),
        grid_properties: Some(GridProperties {
            row_count: index(rows),
            column_count: index(columns),
            ..Default::default()
        }),
        ..Default::default()
    }
}

fn dimension(tab: i32, row: u32, rows: u32) -> DimensionRange {
    DimensionRange {
        sheet_id: Some(tab),
        dimension: Some("ROWS".to_owned()),
        start_index: index(row),
        end_index: index(row + rows),
    }
}

fn range(tab: i32, rows: (u32, u32), columns: (u32, u32)) -> GridRange {
    GridRange {
        sheet_id: Some(tab),
        start_row_index: index(rows.0),
        end_row_index: index(rows.1),
        start_column_index: index(columns.0),
        end_column_index: index(columns.1),
    }
}

/// A grid has at most 18,278 columns and ten million cells, so every position fits.
pub(super) fn index(position: u32) -> Option<i32> {
    i32::try_from(position).ok()
}
