//! copyPaste and cutPaste.

use serde_json::Value;

use crate::Spreadsheet;
use crate::cell::{Cell, Entered};
use crate::formula::{Computed, shift};
use crate::place;
use crate::range::{Rect, index, sheet_id};
use crate::rows::cell_mut;
use crate::sheet::Sheet;

use super::Reply;

/// Copied cells by row, and the rectangle they came from.
struct Clipboard {
    cells: Vec<Vec<Cell>>,
    from: Rect,
    transposed: bool,
}

impl Clipboard {
    fn take(sheet: &Sheet, from: Rect, transposed: bool) -> Self {
        let row = |row: u32| from.columns().map(|column| sheet.cells.cell(row, column).clone()).collect();
        Self { cells: from.rows().map(row).collect(), from, transposed }
    }

    fn size(&self) -> (u32, u32) {
        let (height, width) = (self.from.bottom - self.from.top, self.from.right - self.from.left);
        if self.transposed { (width, height) } else { (height, width) }
    }

    /// The cell that lands at an offset, and where it came from.
    fn at(&self, row: u32, column: u32) -> (&Cell, u32, u32) {
        let (height, width) = self.size();
        let (row, column) = (row % height, column % width);
        let (row, column) = if self.transposed { (column, row) } else { (row, column) };
        (&self.cells[row as usize][column as usize], self.from.top + row, self.from.left + column)
    }

    /// Only the values of formulas.
    fn compute(&mut self, book: &Spreadsheet, sheet: usize) {
        for cell in self.cells.iter_mut().flatten().filter(|cell| matches!(cell.value, Entered::Formula(_))) {
            cell.value = match book.computed(sheet, cell) {
                Computed::Empty => Entered::Empty,
                Computed::Number(number) => Entered::Number(number),
                Computed::Bool(flag) => Entered::Bool(flag),
                Computed::Text(text) => Entered::text(&text),
                Computed::Error(failure) => Entered::text(failure.text()),
            };
        }
    }
}

/// `copyPaste`: a destination that is a multiple of the source is filled with copies, any other gets one.
pub fn copy(book: &mut Spreadsheet, body: &Value, caller: &str) -> Reply {
    let (from_sheet, from) = book.grid_place(body.get("source"))?;
    let (to_sheet, to) = book.grid_place(body.get("destination"))?;
    let kind = body["pasteType"].as_str().unwrap_or("PASTE_NORMAL");
    let mut clipboard =
        Clipboard::take(&book.sheets[from_sheet], from, body["pasteOrientation"] == "TRANSPOSE");
    if kind == "PASTE_VALUES" {
        clipboard.compute(book, from_sheet);
    }
    let (height, width) = clipboard.size();
    let fill = |wanted: u32, size: u32| if wanted.is_multiple_of(size) { wanted } else { size };
    let (height, width) = (fill(to.bottom - to.top, height), fill(to.right - to.left, width));
    let target = Rect::new(to.top..to.top + height, to.left..to.left + width);
    paste(book, to_sheet, &target, &clipboard, kind, caller)
}

fn paste(
    book: &mut Spreadsheet,
    sheet: usize,
    target: &Rect,
    clipboard: &Clipboard,
    kind: &str,
    caller: &str,
) -> Reply {
    if !book.sheets[sheet].grid().contains(target) {
        return Err(place::beyond(&book.sheets[sheet], &target.text()));
    }
    book.may_edit(sheet, target, caller)?;
    for row in target.rows() {
        book.sheets[sheet].cells.edit(row, |cells| {
            for column in target.columns() {
                let (source, from_row, from_column) = clipboard.at(row - target.top, column - target.left);
                let mut copied = source.clone();
                if let Entered::Formula(formula) = &source.value {
                    let (down, right) =
                        (i64::from(row) - i64::from(from_row), i64::from(column) - i64::from(from_column));
                    copied.value = Entered::Formula(shift::moved(formula, down, right).into());
                }
                paste_cell(cell_mut(cells, column), copied, kind);
            }
        });
    }
    Ok(None)
}

fn paste_cell(cell: &mut Cell, copied: Cell, kind: &str) {
    match kind {
        "PASTE_VALUES" | "PASTE_FORMULA" => cell.value = copied.value,
        "PASTE_FORMAT" => paste_attribute(cell, &copied, "userEnteredFormat"),
        "PASTE_DATA_VALIDATION" => paste_attribute(cell, &copied, "dataValidation"),
        "PASTE_CONDITIONAL_FORMATTING" => {}
        "PASTE_NO_BORDERS" => {
            let borders =
                cell.attribute("userEnteredFormat").and_then(|format| format.get("borders")).cloned();
            *cell = copied;
            if cell.attribute("userEnteredFormat").is_some() || borders.is_some() {
                cell.edit_attributes(|attributes| {
                    let format =
                        attributes.entry("userEnteredFormat").or_insert_with(|| serde_json::json!({}));
                    if let Some(format) = format.as_object_mut() {
                        format.shift_remove("borders");
                        format.extend(borders.map(|borders| ("borders".to_owned(), borders)));
                    }
                });
            }
        }
        _ => *cell = copied,
    }
}

fn paste_attribute(cell: &mut Cell, copied: &Cell, name: &str) {
    let value = copied.attribute(name).cloned();
    cell.edit_attributes(|attributes| match value {
        Some(value) => drop(attributes.insert(name.to_owned(), value)),
        None => drop(attributes.shift_remove(name)),
    });
}

/// `cutPaste`: moves cells as they are; what is left behind is blank.
pub fn cut(book: &mut Spreadsheet, body: &Value, caller: &str) -> Reply {
    let (from_sheet, from) = book.grid_place(body.get("source"))?;
    let corner = &body["destination"];
    let to_sheet = book.grid_position(sheet_id(corner))?;
    let (top, left) = (index(corner, "rowIndex").unwrap_or(0), index(corner, "columnIndex").unwrap_or(0));
    let target = Rect::new(top..top + (from.bottom - from.top), left..left + (from.right - from.left));
    if !book.sheets[to_sheet].grid().contains(&target) {
        return Err(place::beyond(&book.sheets[to_sheet], &target.text()));
    }
    book.may_edit(from_sheet, &from, caller)?;
    book.may_edit(to_sheet, &target, caller)?;
    let clipboard = Clipboard::take(&book.sheets[from_sheet], from, false);
    book.sheets[from_sheet].edit_cells(&from, |cell| *cell = Cell::default());
    let mut rows = clipboard.cells.into_iter();
    for row in target.rows() {
        let moved = rows.next().unwrap_or_default();
        book.sheets[to_sheet].cells.edit(row, |cells| {
            for (column, cell) in target.columns().zip(moved) {
                paste_cell(cell_mut(cells, column), cell, body["pasteType"].as_str().unwrap_or_default());
            }
        });
    }
    Ok(None)
}
