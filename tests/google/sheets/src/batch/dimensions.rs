//! Rows and columns: insertDimension, appendDimension, deleteDimension, and their sizes.

use std::ops::Range;

use serde_json::{Value, json};

use crate::cell::Cell;
use crate::range::{Dimension, index, sheet_id};
use crate::rows::cell_mut;
use crate::sheet::Sheet;
use crate::{ApiError, Spreadsheet, protect};

use super::reflow::Reflow;
use super::{Reply, fields};

/// The refusal to take out every row or column.
pub fn all_gone(dimension: Dimension) -> ApiError {
    ApiError::invalid(format!("You can't delete all the {}s on the sheet.", dimension.noun()))
}

/// `insertDimension`.
pub fn insert_request(book: &mut Spreadsheet, body: &Value, caller: &str) -> Reply {
    let (at, range, span) = book.span_place(body.get("range"))?;
    let dimension = range.dimension;
    let extent = book.sheets[at].extent(dimension);
    let inherits_before = body["inheritFromBefore"] == true;
    if !inherits_before && span.start >= extent {
        let message = "must be less than the grid size";
        return Err(ApiError::invalid(format!(
            "range.startIndex {message} ({extent}) if inheritFromBefore is false."
        )));
    }
    if inherits_before && (span.start == 0 || span.start > extent) {
        let message = "must be greater than 0 and at most the grid size";
        return Err(ApiError::invalid(format!(
            "range.startIndex {message} ({extent}) if inheritFromBefore is true."
        )));
    }
    check_inside_protection(book, at, dimension, span.start, caller)?;
    let count = span.end - span.start;
    let grown = book.sheets[at].grid().with_span(dimension, 0..extent + count);
    book.may_resize(at, grown.bottom, grown.right)?;
    insert(book, at, dimension, &span);
    let model = if inherits_before { span.start - 1 } else { span.end };
    inherit_formats(&mut book.sheets[at], dimension, &span, model);
    Ok(None)
}

/// A place between two rows that are both kept from the caller lies inside a protected range.
fn check_inside_protection(
    book: &Spreadsheet,
    at: usize,
    dimension: Dimension,
    start: u32,
    caller: &str,
) -> Result<(), ApiError> {
    let grid = book.sheets[at].grid();
    let closed =
        |index: u32| book.may_edit(at, &grid.with_span(dimension, index..index + 1), caller).is_err();
    if start > 0 && closed(start - 1) && closed(start) { Err(protect::refusal()) } else { Ok(()) }
}

/// Puts blank rows or columns in and grows the grid by them.
pub fn insert(book: &mut Spreadsheet, at: usize, dimension: Dimension, span: &Range<u32>) {
    let count = span.end - span.start;
    let sheet = &mut book.sheets[at];
    match dimension {
        Dimension::Rows => {
            sheet.cells.insert(span.start, count);
            sheet.rows += count;
        }
        Dimension::Columns => {
            each_filled_row(sheet, |cells| {
                if cells.len() > span.start as usize {
                    let blank = std::iter::repeat_n(Cell::default(), count as usize);
                    cells.splice(span.start as usize..span.start as usize, blank);
                }
            });
            sheet.columns += count;
        }
    }
    if span.start < sheet.frozen(dimension) {
        set_frozen(sheet, dimension, sheet.frozen(dimension) + count);
    }
    book.reflow(at, dimension, Reflow::Insert { at: span.start, count });
}

fn each_filled_row(sheet: &mut Sheet, mut change: impl FnMut(&mut Vec<Cell>)) {
    let filled: Vec<u32> = sheet.cells.filled(0..sheet.rows).map(|(row, _)| row).collect();
    for row in filled {
        sheet.cells.edit(row, &mut change);
    }
}

fn set_frozen(sheet: &mut Sheet, dimension: Dimension, count: u32) {
    let name = match dimension {
        Dimension::Rows => "frozenRowCount",
        Dimension::Columns => "frozenColumnCount",
    };
    sheet.properties.entry("gridProperties").or_insert_with(|| json!({}))[name] = Value::from(count);
}

/// New rows and columns look like the one they were inserted beside; values are not copied.
fn inherit_formats(sheet: &mut Sheet, dimension: Dimension, span: &Range<u32>, model: u32) {
    let format_of = |cell: &Cell| {
        let format = cell.attribute("userEnteredFormat")?.clone();
        let mut blank = Cell::default();
        blank.edit_attributes(|attributes| drop(attributes.insert("userEnteredFormat".to_owned(), format)));
        Some(blank)
    };
    match dimension {
        Dimension::Rows => {
            let formats: Vec<Cell> =
                sheet.cells.row(model).iter().map(|cell| format_of(cell).unwrap_or_default()).collect();
            if formats.iter().any(|cell| !cell.is_blank()) {
                span.clone().for_each(|row| sheet.cells.replace(row, formats.clone()));
            }
        }
        Dimension::Columns => each_filled_row(sheet, |cells| {
            if let Some(format) = cells.get(model as usize).and_then(format_of) {
                span.clone().for_each(|column| *cell_mut(cells, column) = format.clone());
            }
        }),
    }
}

/// `appendDimension`.
pub fn append_request(book: &mut Spreadsheet, body: &Value) -> Reply {
    let at = book.grid_position(sheet_id(body))?;
    let length = index(body, "length").filter(|length| *length > 0);
    let length = length.ok_or_else(|| ApiError::invalid("length must be greater than 0."))?;
    if body.get("dimension").is_none() {
        return Err(ApiError::invalid("No dimension specified."));
    }
    let dimension = Dimension::read(body.get("dimension"));
    let sheet = &book.sheets[at];
    let grown = sheet.grid().with_span(dimension, 0..sheet.extent(dimension).saturating_add(length));
    book.may_resize(at, grown.bottom, grown.right)?;
    let sheet = &mut book.sheets[at];
    (sheet.rows, sheet.columns) = (grown.bottom, grown.right);
    Ok(None)
}

/// `deleteDimension`.
pub fn delete_request(book: &mut Spreadsheet, body: &Value, caller: &str) -> Reply {
    let (at, range, span) = book.span_place(body.get("range"))?;
    let (dimension, sheet) = (range.dimension, &book.sheets[at]);
    let extent = sheet.extent(dimension);
    if span.end > extent {
        let (noun, index) = (dimension.noun(), span.end - 1);
        return Err(ApiError::invalid(format!(
            "Cannot delete a {noun} that doesn't exist. Tried to delete {noun} index {index} but there are only {extent} {noun}s."
        )));
    }
    if span.start == 0 && span.end == extent {
        return Err(all_gone(dimension));
    }
    let frozen = sheet.frozen(dimension);
    if frozen > 0 && span.start <= frozen && span.end == extent {
        let noun = dimension.noun();
        return Err(ApiError::invalid(format!(
            "Sorry, it is not possible to delete all non-frozen {noun}s."
        )));
    }
    book.may_edit(at, &sheet.grid().with_span(dimension, span.clone()), caller)?;
    delete(book, at, dimension, &span);
    Ok(None)
}

/// Takes rows or columns out and shrinks the grid by them.
pub fn delete(book: &mut Spreadsheet, at: usize, dimension: Dimension, span: &Range<u32>) {
    let sheet = &mut book.sheets[at];
    match dimension {
        Dimension::Rows => {
            sheet.cells.remove(span.clone());
            sheet.rows -= span.end - span.start;
        }
        Dimension::Columns => {
            each_filled_row(sheet, |cells| {
                let end = cells.len().min(span.end as usize);
                cells.drain((span.start as usize).min(end)..end);
            });
            sheet.columns -= span.end - span.start;
        }
    }
    let frozen = sheet.frozen(dimension);
    if span.start < frozen {
        set_frozen(sheet, dimension, frozen - (span.end.min(frozen) - span.start));
    }
    book.reflow(at, dimension, Reflow::Delete { start: span.start, end: span.end });
}

/// `updateDimensionProperties`.
pub fn update_properties(book: &mut Spreadsheet, body: &Value) -> Reply {
    let mask = fields(body, "DimensionProperties")?;
    let (at, range, span) = book.span_place(body.get("range"))?;
    let empty = serde_json::Map::new();
    let given = body.get("properties").and_then(Value::as_object).unwrap_or(&empty);
    let sheet = &mut book.sheets[at];
    let end = span.end.min(sheet.extent(range.dimension));
    let properties = sheet.dimension_properties_mut(range.dimension);
    for index in span.start..end {
        let one = properties.entry(index).or_default();
        mask.copy(one, given);
        if one.values().all(|value| *value == Value::Bool(false)) {
            properties.remove(&index);
        }
    }
    Ok(None)
}

/// `autoResizeDimensions`: columns as wide as their longest text, rows back to the usual height.
pub fn auto_resize(book: &mut Spreadsheet, body: &Value) -> Reply {
    let (at, range, span) = book.span_place(body.get("dimensions"))?;
    let extent = book.sheets[at].extent(range.dimension);
    for index in span.start..span.end.min(extent) {
        let pixels = if range.dimension == Dimension::Columns { text_width(book, at, index) } else { None };
        let properties = book.sheets[at].dimension_properties_mut(range.dimension).entry(index).or_default();
        match pixels {
            Some(pixels) => drop(properties.insert("pixelSize".to_owned(), Value::from(pixels))),
            None => drop(properties.remove("pixelSize")),
        }
    }
    Ok(None)
}

/// Google measures glyphs; this counts characters, eight pixels and a half each.
fn text_width(book: &Spreadsheet, at: usize, column: u32) -> Option<u64> {
    let sheet = &book.sheets[at];
    let texts = sheet.cells.filled(0..sheet.rows).filter_map(|(_, cells)| cells.get(column as usize));
    let longest =
        texts.map(|cell| crate::render::formatted(cell, &book.computed(at, cell)).chars().count()).max()?;
    (longest > 0).then_some(longest as u64 * 17 / 2 + 6)
}
