//! insertRange and deleteRange: room is made or closed by shifting the cells beside it, within their rows or columns.

use serde_json::Value;

use crate::cell::Cell;
use crate::range::{Dimension, Rect};
use crate::rows::cell_mut;
use crate::sheet::Sheet;
use crate::{ApiError, Spreadsheet};

use super::Reply;

/// Either of the two.
pub fn request(book: &mut Spreadsheet, kind: &str, body: &Value, caller: &str) -> Reply {
    let (at, rect) = book.grid_place(body.get("range"))?;
    let dimension = match body.get("shiftDimension") {
        None => return Err(ApiError::invalid("No shiftDimension specified.")),
        shift => Dimension::read(shift),
    };
    let extent = book.sheets[at].extent(dimension);
    let touched = rect.with_span(dimension, rect.span(dimension).start..extent);
    book.may_edit(at, &touched, caller)?;
    if kind == "deleteRange" {
        delete(&mut book.sheets[at], &rect, dimension);
        return Ok(None);
    }
    let needed = filled_extent(&book.sheets[at], &touched, dimension) + rect.span(dimension).len() as u32;
    if needed > extent {
        let grown = book.sheets[at].grid().with_span(dimension, 0..needed);
        book.may_resize(at, grown.bottom, grown.right)?;
        (book.sheets[at].rows, book.sheets[at].columns) = (grown.bottom, grown.right);
    }
    insert(&mut book.sheets[at], &rect, dimension);
    Ok(None)
}

/// Where the cells that will move end.
fn filled_extent(sheet: &Sheet, touched: &Rect, dimension: Dimension) -> u32 {
    let mut extent = touched.span(dimension).start;
    for (row, cells) in sheet.cells.filled(touched.rows()) {
        let inside =
            cells.get(touched.left as usize..cells.len().min(touched.right as usize)).unwrap_or_default();
        if let Some(last) = inside.iter().rposition(|cell| !cell.is_blank()) {
            let end = if dimension == Dimension::Rows { row + 1 } else { touched.left + last as u32 + 1 };
            extent = extent.max(end);
        }
    }
    extent
}

fn insert(sheet: &mut Sheet, rect: &Rect, dimension: Dimension) {
    match dimension {
        Dimension::Rows => {
            let height = rect.bottom - rect.top;
            for row in (rect.top..sheet.cells.len().min(sheet.rows)).rev() {
                let moved = segment(sheet, row, rect);
                if row + height < sheet.rows {
                    put(sheet, row + height, rect, moved);
                }
            }
            rect.rows().for_each(|row| put(sheet, row, rect, Vec::new()));
        }
        Dimension::Columns => {
            for row in rect.rows() {
                sheet.cells.edit(row, |cells| {
                    if cells.len() > rect.left as usize {
                        let blank = std::iter::repeat_n(Cell::default(), rect.columns().len());
                        cells.splice(rect.left as usize..rect.left as usize, blank);
                    }
                });
            }
        }
    }
}

fn delete(sheet: &mut Sheet, rect: &Rect, dimension: Dimension) {
    match dimension {
        Dimension::Rows => {
            let height = rect.bottom - rect.top;
            for row in rect.top..sheet.cells.len() {
                let moved =
                    if row + height < sheet.rows { segment(sheet, row + height, rect) } else { Vec::new() };
                put(sheet, row, rect, moved);
            }
        }
        Dimension::Columns => {
            for row in rect.rows() {
                sheet.cells.edit(row, |cells| {
                    let end = cells.len().min(rect.right as usize);
                    cells.drain((rect.left as usize).min(end)..end);
                });
            }
        }
    }
}

/// The cells of one row within the rectangle's columns.
fn segment(sheet: &Sheet, row: u32, rect: &Rect) -> Vec<Cell> {
    let cells = sheet.cells.row(row);
    cells.get(rect.left as usize..cells.len().min(rect.right as usize)).unwrap_or_default().to_vec()
}

/// Puts cells into one row within the rectangle's columns; what they do not fill becomes blank.
fn put(sheet: &mut Sheet, row: u32, rect: &Rect, moved: Vec<Cell>) {
    let mut moved = moved.into_iter();
    sheet.cells.edit(row, |cells| {
        for column in rect.columns() {
            *cell_mut(cells, column) = moved.next().unwrap_or_default();
        }
    });
}
