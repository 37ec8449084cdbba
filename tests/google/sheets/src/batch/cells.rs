//! Requests that write cells: updateCells, appendCells, repeatCell, setDataValidation.
//!
//! A field that the mask names is written for every cell meant, so a cell sent without it is cleared of it.

use std::cell::RefCell;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::cell::{Attributes, Cell, Entered, tidy};
use crate::formula::shift;
use crate::mask::Mask;
use crate::range::{Rect, index, sheet_id};
use crate::rows::cell_mut;
use crate::sheet::Sheet;
use crate::{ApiError, Spreadsheet, input};

use super::{Reply, colors, fields};

/// Fields of `CellData` that a request can write, besides the value.
const WRITABLE: [&str; 8] = [
    "userEnteredFormat",
    "note",
    "textFormatRuns",
    "dataValidation",
    "pivotTable",
    "dataSourceTable",
    "dataSourceFormula",
    "chipRuns",
];

/// Writes the fields of a mask into cells.
pub struct CellWriter {
    value: bool,
    rest: Mask,
    last: RefCell<Option<Done>>,
}

/// The attributes made last, from what, and over what. Neighbours mostly get the same, and then share them.
struct Done {
    before: Option<Arc<Attributes>>,
    source: Attributes,
    after: Option<Arc<Attributes>>,
}

impl CellWriter {
    /// A writer for these fields.
    pub fn new(mask: &Mask) -> Self {
        let named = |name: &&str| mask.field(name).map(|inner| ((*name).to_owned(), inner.clone()));
        let mut rest = Mask::Fields(WRITABLE.iter().filter_map(named).collect());
        colors::widen(&mut rest);
        Self { value: mask.field("userEnteredValue").is_some(), rest, last: RefCell::new(None) }
    }

    /// Writes the named fields of a `CellData` message; what the message lacks is cleared.
    pub fn write(&self, cell: &mut Cell, data: &Value) -> Result<(), ApiError> {
        if self.value {
            cell.value = entered(&data["userEnteredValue"])?;
        }
        let nothing = self.rest == Mask::Fields(Vec::new());
        if nothing || (cell.attributes().is_none() && self.source(data).next().is_none()) {
            return Ok(());
        }
        let mut last = self.last.borrow_mut();
        let done = match last.take() {
            Some(done) if self.repeats(&done, cell, data) => done,
            _ => self.make(cell, data),
        };
        cell.set_attributes(done.after.clone());
        *last = Some(done);
        Ok(())
    }

    /// The fields of a `CellData` message that are written, besides the value.
    fn source<'a>(&self, data: &'a Value) -> impl Iterator<Item = (&'a String, &'a Value)> {
        data.as_object().into_iter().flatten().filter(|(name, _)| self.rest.field(name).is_some())
    }

    fn repeats(&self, done: &Done, cell: &Cell, data: &Value) -> bool {
        same(done.before.as_ref(), cell.attributes()) && self.source(data).eq(done.source.iter())
    }

    fn make(&self, cell: &Cell, data: &Value) -> Done {
        let source: Attributes =
            self.source(data).map(|(name, value)| (name.clone(), value.clone())).collect();
        let mut complete = source.clone();
        colors::complete(&mut complete);
        let before = cell.attributes().cloned();
        let mut attributes = before.as_deref().cloned().unwrap_or_default();
        self.rest.copy(&mut attributes, &complete);
        Done { before, source, after: tidy(attributes) }
    }

    /// Clears the named fields of all cells in a rectangle that hold anything.
    fn clear(&self, sheet: &mut Sheet, rect: &Rect) -> Result<(), ApiError> {
        let filled: Vec<u32> = sheet.cells.filled(rect.rows()).map(|(row, _)| row).collect();
        let mut outcome = Ok(());
        for row in filled {
            sheet.cells.edit(row, |cells| {
                let columns = rect.left as usize..cells.len().min(rect.right as usize);
                for cell in cells.get_mut(columns).unwrap_or_default() {
                    outcome = self.write(cell, &Value::Null).and(outcome.clone());
                }
            });
        }
        outcome
    }
}

fn same(one: Option<&Arc<Attributes>>, other: Option<&Arc<Attributes>>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => Arc::ptr_eq(one, other),
        (one, other) => one.is_none() && other.is_none(),
    }
}

/// What an `ExtendedValue` message enters.
fn entered(value: &Value) -> Result<Entered, ApiError> {
    let Some((kind, value)) = value.as_object().and_then(|fields| fields.iter().next()) else {
        return Ok(Entered::Empty);
    };
    let text = value.as_str().unwrap_or_default();
    input::check_length(text)?;
    Ok(match kind.as_str() {
        "numberValue" => Entered::Number(value.as_f64().unwrap_or_default()),
        "boolValue" => Entered::Bool(value == true),
        "formulaValue" if text.starts_with('=') => Entered::Formula(text.into()),
        "stringValue" | "formulaValue" => Entered::text(text),
        _ => return Err(ApiError::invalid("errorValue cannot be set.")),
    })
}

/// `updateCells`.
pub fn update(book: &mut Spreadsheet, body: &Value, caller: &str) -> Reply {
    let mask = fields(body, "CellData")?;
    let writer = CellWriter::new(&mask);
    if body.get("range").is_none() {
        return update_from(book, body, &writer, caller);
    }
    let (sheet, rect) = book.grid_place(body.get("range"))?;
    book.may_edit(sheet, &rect, caller)?;
    let rows = list(&body["rows"]);
    check_extent(&rect, rows)?;
    let sheet = &mut book.sheets[sheet];
    writer.clear(sheet, &rect)?;
    write_rows(sheet, rect.top, rect.left, &body["rows"], &writer)?;
    Ok(None)
}

/// `updateCells` with `start`: as many cells as there are data, each row as wide as it is.
fn update_from(book: &mut Spreadsheet, body: &Value, writer: &CellWriter, caller: &str) -> Reply {
    let start = body.get("start").ok_or_else(|| ApiError::invalid("Must specify either start or range."))?;
    let sheet = book.grid_position(sheet_id(start))?;
    let (top, left) = (index(start, "rowIndex").unwrap_or(0), index(start, "columnIndex").unwrap_or(0));
    let grid = book.sheets[sheet].grid();
    let rows = list(&body["rows"]);
    check_extent(&Rect::new(top..grid.bottom, left..grid.right), rows)?;
    book.may_edit(sheet, &extent(top, left, rows), caller)?;
    write_rows(&mut book.sheets[sheet], top, left, &body["rows"], writer)?;
    Ok(None)
}

/// Data may not reach beyond what was asked for.
fn check_extent(rect: &Rect, rows: &[Value]) -> Result<(), ApiError> {
    let data = extent(rect.top, rect.left, rows);
    let beyond = |what: &str, at: u32| {
        let last = i64::from(at) - 1;
        ApiError::invalid(format!(
            "Attempting to write {what}: {at}, beyond the last requested {what} of: {last}"
        ))
    };
    if data.bottom > rect.bottom {
        return Err(beyond("row", rect.bottom));
    }
    if data.right > rect.right {
        return Err(beyond("column", rect.right));
    }
    Ok(())
}

fn extent(top: u32, left: u32, rows: &[Value]) -> Rect {
    let size = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
    let width = rows.iter().map(|row| list(&row["values"]).len()).max().unwrap_or(0);
    Rect::new(top..top.saturating_add(size(rows.len())), left..left.saturating_add(size(width)))
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// Writes `RowData` messages from a corner on.
pub fn write_rows(
    sheet: &mut Sheet,
    top: u32,
    left: u32,
    rows: &Value,
    writer: &CellWriter,
) -> Result<(), ApiError> {
    for (row, data) in (top..).zip(list(rows)) {
        let mut outcome = Ok(());
        sheet.cells.edit(row, |cells| {
            for (column, data) in (left..).zip(list(&data["values"])) {
                outcome = writer.write(cell_mut(cells, column), data).and(outcome.clone());
            }
        });
        outcome?;
    }
    Ok(())
}

/// `appendCells`: behind the last row with data anywhere in the tab, from column A on, growing the grid.
pub fn append(book: &mut Spreadsheet, body: &Value, caller: &str) -> Reply {
    let mask = fields(body, "CellData")?;
    let sheet = book.grid_position(sheet_id(body))?;
    let rows = list(&body["rows"]);
    let top = book.sheets[sheet].last_row_with_data().map_or(0, |last| last + 1);
    let data = extent(top, 0, rows);
    check_extent(&Rect::new(top..data.bottom, 0..book.sheets[sheet].columns), rows)?;
    let height = book.sheets[sheet].rows.max(data.bottom);
    book.may_resize(sheet, height, book.sheets[sheet].columns)?;
    book.sheets[sheet].rows = height;
    book.may_edit(sheet, &data, caller)?;
    write_rows(&mut book.sheets[sheet], top, 0, &body["rows"], &CellWriter::new(&mask))?;
    Ok(None)
}

/// `repeatCell`: one cell's fields in every cell of a range; the relative references of a formula move along.
pub fn repeat(book: &mut Spreadsheet, body: &Value, caller: &str) -> Reply {
    let mask = fields(body, "CellData")?;
    let (sheet, rect) = book.grid_place(body.get("range"))?;
    book.may_edit(sheet, &rect, caller)?;
    let writer = CellWriter::new(&mask);
    let mut data = body.get("cell").cloned().unwrap_or_else(|| json!({}));
    let sheet = &mut book.sheets[sheet];
    if !data.as_object().is_some_and(|data| data.keys().any(|name| mask.field(name).is_some())) {
        writer.clear(sheet, &rect)?;
        return Ok(None);
    }
    let formula = data["userEnteredValue"]["formulaValue"].as_str().map(str::to_owned);
    for row in rect.rows() {
        let mut outcome = Ok(());
        sheet.cells.edit(row, |cells| {
            for column in rect.columns() {
                if let Some(formula) = &formula {
                    let moved =
                        shift::moved(formula, i64::from(row - rect.top), i64::from(column - rect.left));
                    data["userEnteredValue"]["formulaValue"] = Value::from(moved);
                }
                outcome = writer.write(cell_mut(cells, column), &data).and(outcome.clone());
            }
        });
        outcome?;
    }
    Ok(None)
}

/// `setDataValidation`: one rule for a range, or none.
pub fn set_validation(book: &mut Spreadsheet, body: &Value, caller: &str) -> Reply {
    let rule = body.get("rule").map(|rule| ("dataValidation".to_owned(), rule.clone()));
    let cell = Value::Object(rule.into_iter().collect::<Map<_, _>>());
    repeat(book, &json!({"range": body["range"], "cell": cell, "fields": "dataValidation"}), caller)
}
