//! Merged cells: mergeCells and unmergeCells.

use serde_json::Value;

use crate::range::Rect;
use crate::sheet::Sheet;
use crate::{ApiError, Spreadsheet};

use super::Reply;

const PARTLY: &str = "You must select all cells in a merged range to merge or unmerge them.";

/// `mergeCells`: of each merged rectangle only the top left cell keeps its value.
pub fn merge(book: &mut Spreadsheet, body: &Value, caller: &str) -> Reply {
    let (at, rect) = book.grid_place(body.get("range"))?;
    book.may_edit(at, &rect, caller)?;
    let sheet = &mut book.sheets[at];
    split(sheet, &rect)?;
    for merge in parts(&rect, body["mergeType"].as_str()) {
        for rest in [
            Rect::new(merge.top..merge.top + 1, merge.left + 1..merge.right),
            Rect::new(merge.top + 1..merge.bottom, merge.columns()),
        ] {
            sheet.clear_values(&rest);
        }
        if merge.bottom - merge.top > 1 || merge.right - merge.left > 1 {
            sheet.merges.push(merge);
        }
    }
    Ok(None)
}

fn parts(rect: &Rect, kind: Option<&str>) -> Vec<Rect> {
    match kind {
        Some("MERGE_ROWS") => rect.rows().map(|row| Rect::new(row..row + 1, rect.columns())).collect(),
        Some("MERGE_COLUMNS") => {
            rect.columns().map(|column| Rect::new(rect.rows(), column..column + 1)).collect()
        }
        _ => vec![*rect],
    }
}

/// `unmergeCells`.
pub fn unmerge(book: &mut Spreadsheet, body: &Value, caller: &str) -> Reply {
    let (at, rect) = book.grid_place(body.get("range"))?;
    book.may_edit(at, &rect, caller)?;
    split(&mut book.sheets[at], &rect)?;
    Ok(None)
}

/// Undoes the merges in a rectangle, which may not cut one.
fn split(sheet: &mut Sheet, rect: &Rect) -> Result<(), ApiError> {
    if sheet.merges.iter().any(|merge| merge.meets(rect) && !rect.contains(merge)) {
        return Err(ApiError::invalid(PARTLY));
    }
    sheet.merges.retain(|merge| !merge.meets(rect));
    Ok(())
}
