//! findReplace.

use std::collections::BTreeSet;

use regex::{NoExpand, Regex, RegexBuilder};
use serde_json::{Map, Value};

use crate::cell::{Cell, Entered};
use crate::input;
use crate::range::{Rect, sheet_id};
use crate::rows::cell_mut;
use crate::{ApiError, Spreadsheet, render};

use super::Reply;

/// What was changed.
#[derive(Default)]
struct Tally {
    values: u64,
    formulas: u64,
    occurrences: u64,
    rows: BTreeSet<(usize, u32)>,
    sheets: BTreeSet<usize>,
}

/// What to look for, and what to put in its place.
struct Search<'a> {
    pattern: Regex,
    replacement: &'a str,
    literal: bool,
    formulas: bool,
}

/// `findReplace`.
pub fn request(book: &mut Spreadsheet, body: &Value, caller: &str) -> Reply {
    let search = Search::read(body)?;
    let mut tally = Tally::default();
    for (at, rect) in places(book, body)? {
        for (row, column, value) in search.changes(book, at, &rect, &mut tally) {
            book.may_edit(at, &Rect::new(row..row + 1, column..column + 1), caller)?;
            book.sheets[at].cells.edit(row, |cells| cell_mut(cells, column).value = value);
            tally.rows.insert((at, row));
            tally.sheets.insert(at);
        }
    }
    let counts = [
        ("valuesChanged", tally.values),
        ("formulasChanged", tally.formulas),
        ("rowsChanged", tally.rows.len() as u64),
        ("sheetsChanged", tally.sheets.len() as u64),
        ("occurrencesChanged", tally.occurrences),
    ];
    let given = counts.into_iter().filter(|(_, count)| *count > 0);
    Ok(Some(Value::Object(
        given.map(|(name, count)| (name.to_owned(), Value::from(count))).collect::<Map<_, _>>(),
    )))
}

/// All tabs, one tab or one range.
fn places(book: &Spreadsheet, body: &Value) -> Result<Vec<(usize, Rect)>, ApiError> {
    if body["allSheets"] == true {
        return Ok(book.sheets.iter().enumerate().map(|(at, sheet)| (at, sheet.grid())).collect());
    }
    if body.get("range").is_some() {
        return Ok(vec![book.grid_place(body.get("range"))?]);
    }
    if body.get("sheetId").is_none() {
        return Err(ApiError::invalid("One of range, sheetId or allSheets must be set."));
    }
    let at = book.grid_position(sheet_id(body))?;
    Ok(vec![(at, book.sheets[at].grid())])
}

impl<'a> Search<'a> {
    fn read(body: &'a Value) -> Result<Self, ApiError> {
        let text = body["find"].as_str().filter(|text| !text.is_empty());
        let text = text.ok_or_else(|| ApiError::invalid("The search string must not be empty."))?;
        let literal = body["searchByRegex"] != true;
        let pattern = if literal { regex::escape(text) } else { text.to_owned() };
        let pattern = if body["matchEntireCell"] == true { format!("^(?:{pattern})$") } else { pattern };
        let pattern = RegexBuilder::new(&pattern).case_insensitive(body["matchCase"] != true).build();
        Ok(Self {
            pattern: pattern.map_err(|_| ApiError::invalid(format!("Invalid regular expression: {text}")))?,
            replacement: body["replacement"].as_str().unwrap_or_default(),
            literal,
            formulas: body["includeFormulas"] == true,
        })
    }

    /// The cells of a rectangle that change, with what will be in them.
    fn changes(
        &self,
        book: &Spreadsheet,
        at: usize,
        rect: &Rect,
        tally: &mut Tally,
    ) -> Vec<(u32, u32, Entered)> {
        let mut changes = Vec::new();
        for (row, cells) in book.sheets[at].cells.filled(rect.rows()) {
            for (column, cell) in (0..).zip(cells).filter(|(column, _)| rect.columns().contains(column)) {
                let Some(text) = self.text(book, at, cell) else { continue };
                let found = self.pattern.find_iter(&text).count() as u64;
                if found > 0 {
                    tally.occurrences += found;
                    if text.starts_with('=') {
                        tally.formulas += 1
                    } else {
                        tally.values += 1
                    }
                    changes.push((row, column, input::typed(&self.replaced(&text)).0));
                }
            }
        }
        changes
    }

    /// The text that is searched: a formula's own only when formulas are included.
    fn text(&self, book: &Spreadsheet, at: usize, cell: &Cell) -> Option<String> {
        match &cell.value {
            Entered::Empty => None,
            Entered::Formula(source) => self.formulas.then(|| source.to_string()),
            _ => Some(render::formatted(cell, &book.computed(at, cell))),
        }
    }

    fn replaced(&self, text: &str) -> String {
        if self.literal {
            return self.pattern.replace_all(text, NoExpand(self.replacement)).into_owned();
        }
        self.pattern.replace_all(text, self.replacement).into_owned()
    }
}
