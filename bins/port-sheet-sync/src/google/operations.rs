//! Our operations as requests of `spreadsheets.batchUpdate`.
//!
//! `fields=userEnteredValue` keeps every format; a cell sent as `{}` under that mask is cleared.

use google_sheets4::FieldMask;
use google_sheets4::api::{
    AppendCellsRequest, AppendDimensionRequest, CellData, CellFormat, ExtendedValue, GridCoordinate,
    GridRange, NumberFormat, RepeatCellRequest, Request, RowData, TextFormat, UpdateCellsRequest,
};

use crate::google::tab_operations;
use crate::google::tab_operations::{index, row_index, whole_columns};
use crate::google::whole_rows::WHOLE_CELL;
use crate::model::cell::Cell;
use crate::model::operation::Operation;
use crate::model::operation::WholeCell;
use crate::model::span::Span;

/// One operation on a tab.
pub(super) fn request(tab: i32, operation: &Operation) -> Request {
    match operation {
        Operation::GrowColumns(length) => grow(tab, "COLUMNS", *length),
        Operation::GrowRows(length) => grow(tab, "ROWS", *length),
        Operation::Write { row, column, cells } => write(tab, *row, *column, vec![row_data(cells)]),
        Operation::WriteBlock { row, column, rows } => {
            write(tab, *row, *column, rows.iter().map(|cells| row_data(cells)).collect())
        }
        Operation::Append(rows) => Request {
            append_cells: Some(AppendCellsRequest {
                sheet_id: Some(tab),
                rows: Some(rows.iter().map(|cells| row_data(cells)).collect()),
                fields: mask("userEnteredValue"),
                ..Default::default()
            }),
            ..Default::default()
        },
        Operation::NumberFormat { column, from_row, format } => {
            let number_format = format.map(|(kind, pattern)| NumberFormat {
                type_: Some(kind.to_owned()),
                pattern: Some(pattern.to_owned()),
            });
            let format = CellFormat { number_format, ..Default::default() };
            let range =
                GridRange { start_row_index: row_index(*from_row), ..whole_columns(tab, Span::one(*column)) };
            repeat(format, "userEnteredFormat.numberFormat", range)
        }
        Operation::Strike { row, columns: span, struck } => {
            let text_format = TextFormat { strikethrough: Some(*struck), ..Default::default() };
            let format = CellFormat { text_format: Some(text_format), ..Default::default() };
            let range = tab_operations::range(tab, Span::one(*row), *span);
            repeat(format, "userEnteredFormat.textFormat.strikethrough", range)
        }
        Operation::CopyAllColumns { rows, to } => tab_operations::copy_all_columns(tab, *rows, *to),
        Operation::AddName { id, name } => tab_operations::add_name(tab, id, name),
        Operation::DeleteName(id) => tab_operations::delete_name(id),
        Operation::On(other, operation) => request(*other, operation),
        Operation::Restore { row, cells } => restore(tab, *row, cells),
        Operation::AddTab { id, title, grid, hidden } => tab_operations::add_tab(*id, title, *grid, *hidden),
        Operation::DeleteTab => tab_operations::delete_tab(tab),
        Operation::InsertRows { rows } => tab_operations::insert_rows(tab, *rows),
        Operation::DeleteRows { rows } => tab_operations::delete_rows(tab, *rows),
        Operation::CopyRows { rows, columns, to, what } => {
            tab_operations::copy_rows(tab, *rows, *columns, *to, *what)
        }
    }
}

fn write(tab: i32, row: u32, column: u32, rows: Vec<RowData>) -> Request {
    let start =
        GridCoordinate { sheet_id: Some(tab), row_index: row_index(row), column_index: index(column) };
    Request {
        update_cells: Some(UpdateCellsRequest {
            start: Some(start),
            rows: Some(rows),
            fields: mask("userEnteredValue"),
            ..Default::default()
        }),
        ..Default::default()
    }
}

/// What the cells lack of a whole cell is cleared.
fn restore(tab: i32, row: u32, cells: &[WholeCell]) -> Request {
    let start = GridCoordinate { sheet_id: Some(tab), row_index: row_index(row), column_index: Some(0) };
    Request {
        update_cells: Some(UpdateCellsRequest {
            start: Some(start),
            rows: Some(vec![RowData { values: Some(cells.iter().map(cell_from_whole).collect()) }]),
            fields: mask(WHOLE_CELL),
            ..Default::default()
        }),
        ..Default::default()
    }
}

fn cell_from_whole(cell: &WholeCell) -> CellData {
    serde_json::from_value(cell.clone()).unwrap_or_default()
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
