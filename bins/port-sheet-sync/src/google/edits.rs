//! Our edits as requests of `spreadsheets.batchUpdate`.
//!
//! `fields=userEnteredValue` keeps every format; a cell sent as `{}` under that mask is cleared.

use google_sheets4::FieldMask;
use google_sheets4::api::{
    AppendCellsRequest, AppendDimensionRequest, CellData, CellFormat, ExtendedValue, GridCoordinate,
    GridRange, NumberFormat, RepeatCellRequest, Request, RowData, TextFormat, UpdateCellsRequest,
};

use super::structure::{self, index};
use super::whole::WHOLE_CELL;
use crate::edit::{Edit, WholeCell};
use crate::value::Cell;

/// One edit of a tab.
pub(super) fn request(tab: i32, edit: &Edit) -> Request {
    match edit {
        Edit::GrowColumns(length) => grow(tab, "COLUMNS", *length),
        Edit::GrowRows(length) => grow(tab, "ROWS", *length),
        Edit::Write { row, column, cells } => Request {
            update_cells: Some(UpdateCellsRequest {
                start: Some(GridCoordinate {
                    sheet_id: Some(tab),
                    row_index: index(*row),
                    column_index: index(*column),
                }),
                rows: Some(vec![row_data(cells)]),
                fields: mask("userEnteredValue"),
                ..Default::default()
            }),
            ..Default::default()
        },
        Edit::Append(rows) => Request {
            append_cells: Some(AppendCellsRequest {
                sheet_id: Some(tab),
                rows: Some(rows.iter().map(|cells| row_data(cells)).collect()),
                fields: mask("userEnteredValue"),
                ..Default::default()
            }),
            ..Default::default()
        },
        Edit::NumberFormat { column, from_row, format: (kind, pattern) } => {
            let number_format =
                NumberFormat { type_: Some((*kind).to_owned()), pattern: Some((*pattern).to_owned()) };
            let format = CellFormat { number_format: Some(number_format), ..Default::default() };
            let range =
                GridRange { start_row_index: index(*from_row), ..columns(tab, (*column, column + 1)) };
            repeat(format, "userEnteredFormat.numberFormat", range)
        }
        Edit::Strike { row, columns: span, struck } => {
            let text_format = TextFormat { strikethrough: Some(*struck), ..Default::default() };
            let format = CellFormat { text_format: Some(text_format), ..Default::default() };
            let range = GridRange {
                start_row_index: index(*row),
                end_row_index: index(row + 1),
                ..columns(tab, *span)
            };
            repeat(format, "userEnteredFormat.textFormat.strikethrough", range)
        }
        Edit::On(other, edit) => request(*other, edit),
        Edit::Restore { row, cells } => restore(tab, *row, cells),
        Edit::AddTab { .. }
        | Edit::DeleteTab
        | Edit::InsertRows { .. }
        | Edit::DeleteRows { .. }
        | Edit::CopyRows { .. } => structure::request(tab, edit),
    }
}

/// What the cells lack of a whole cell is cleared.
fn restore(tab: i32, row: u32, cells: &[WholeCell]) -> Request {
    let cell = |cell: &WholeCell| serde_json::from_value(cell.clone()).unwrap_or_default();
    let start = GridCoordinate { sheet_id: Some(tab), row_index: index(row), column_index: Some(0) };
    Request {
        update_cells: Some(UpdateCellsRequest {
            start: Some(start),
            rows: Some(vec![RowData { values: Some(cells.iter().map(cell).collect()) }]),
            fields: mask(WHOLE_CELL),
            ..Default::default()
        }),
        ..Default::default()
    }
}

fn grow(tab: i32, dimension: &str, length: u32) -> Request {
    Request {
        append_dimension: Some(AppendDimensionRequest {
            sheet_id: Some(tab),
            dimension: Some(dimension.to_owned()),
            length: index(length),
        }),
        ..Default::default()
    }
}

fn repeat(format: CellFormat, fields: &str, range: GridRange) -> Request {
    Request {
        repeat_cell: Some(RepeatCellRequest {
            cell: Some(CellData { user_entered_format: Some(format), ..Default::default() }),
            fields: mask(fields),
            range: Some(range),
        }),
        ..Default::default()
    }
}

fn columns(tab: i32, (start, end): (u32, u32)) -> GridRange {
    GridRange {
        sheet_id: Some(tab),
        start_column_index: index(start),
        end_column_index: index(end),
        ..Default::default()
    }
}

fn row_data(cells: &[Cell]) -> RowData {
    RowData { values: Some(cells.iter().map(cell_data).collect()) }
}

fn cell_data(cell: &Cell) -> CellData {
    let value = match cell {
        Cell::Empty => return CellData::default(),
        Cell::Text(text) => ExtendedValue { string_value: Some(text.clone()), ..Default::default() },
        Cell::Number(number) => ExtendedValue { number_value: Some(*number), ..Default::default() },
        Cell::Bool(bool) => ExtendedValue { bool_value: Some(*bool), ..Default::default() },
    };
    CellData { user_entered_value: Some(value), ..Default::default() }
}

fn mask(fields: &str) -> Option<FieldMask> {
    fields.parse().ok()
}
