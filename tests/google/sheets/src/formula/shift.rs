//! Moves the references of a formula: as copying it to another cell does, and as rows put in or taken out do.
//!
//! Works on the text, so that what it does not understand stays as it was typed.

use crate::a1::{column_index, column_name, split_title};
use crate::batch::reflow::Reflow;
use crate::formula::parse::reference_end;
use crate::range::Dimension;

const LOST: &str = "#REF!";

/// One end of a reference: its column and row, each perhaps fixed with a `$` or missing.
#[derive(Clone, Copy)]
struct Corner {
    column: Option<(bool, u32)>,
    row: Option<(bool, u32)>,
}

/// The formula as it reads when copied `rows` down and `columns` to the right.
pub fn moved(formula: &str, rows: i64, columns: i64) -> String {
    each_reference(formula, |_, corners| {
        let corner = |corner: &Corner| {
            let column = shifted(corner.column, columns)?;
            Some(Corner { column, row: shifted(corner.row, rows)? }.text())
        };
        let corners: Option<Vec<String>> = corners.iter().map(corner).collect();
        Some(corners.map_or_else(|| LOST.to_owned(), |corners| corners.join(":")))
    })
}

/// A relative index moved; nothing when it leaves the grid.
fn shifted(index: Option<(bool, u32)>, by: i64) -> Option<Option<(bool, u32)>> {
    let Some((false, index)) = index else { return Some(index) };
    Some(Some((false, u32::try_from(i64::from(index) + by).ok()?)))
}

/// The formula after a change to the rows or columns of a tab. `at_home` says that it is on that tab, so that
/// references without a title mean it.
pub fn reflowed(formula: &str, title: &str, at_home: bool, dimension: Dimension, reflow: Reflow) -> String {
    each_reference(formula, |there, corners| {
        let meant = there.map_or(at_home, |there| there.eq_ignore_ascii_case(title));
        let first = corners.first()?.along(dimension)?;
        let last = corners.last()?.along(dimension)?;
        if !meant {
            return None;
        }
        let Some(span) = reflow.span(&(first.min(last)..first.max(last) + 1)) else {
            return Some(LOST.to_owned());
        };
        let ends = if first <= last { [span.start, span.end - 1] } else { [span.end - 1, span.start] };
        let corners = corners.iter().zip(ends).map(|(corner, index)| corner.placed(dimension, index).text());
        Some(corners.collect::<Vec<_>>().join(":"))
    })
}

/// Rewrites every reference of a formula; text in quotes and names of functions stay.
fn each_reference(formula: &str, rewrite: impl Fn(Option<&str>, &[Corner]) -> Option<String>) -> String {
    let mut written = String::with_capacity(formula.len());
    let mut rest = formula;
    while let Some(first) = rest.chars().next() {
        let end = match first {
            '"' => rest[1..].find('"').map_or(rest.len(), |at| at + 2),
            _ => reference_end(rest).max(first.len_utf8()),
        };
        let (token, after) = rest.split_at(end);
        let changed = if first == '"' || after.starts_with('(') { None } else { reference(token, &rewrite) };
        written.push_str(changed.as_deref().unwrap_or(token));
        rest = after;
    }
    written
}

/// A token rewritten, or nothing when it is no reference or stays as it is.
fn reference(token: &str, rewrite: impl Fn(Option<&str>, &[Corner]) -> Option<String>) -> Option<String> {
    let at = token.rfind('!').map_or(0, |at| at + 1);
    let corners: Vec<Corner> = token[at..].split(':').map(Corner::read).collect::<Option<_>>()?;
    let lone_half = corners.len() == 1 && (corners[0].row.is_none() || corners[0].column.is_none());
    if lone_half || corners.len() > 2 {
        return None;
    }
    let title = if at == 0 { None } else { split_title(token).0 };
    Some(format!("{}{}", &token[..at], rewrite(title.as_deref(), &corners)?))
}

impl Corner {
    fn read(text: &str) -> Option<Self> {
        let (fixed_column, rest) = text.strip_prefix('$').map_or((false, text), |rest| (true, rest));
        let digits_at = rest.find(|character: char| !character.is_ascii_alphabetic()).unwrap_or(rest.len());
        let (letters, digits) = rest.split_at(digits_at);
        // A `$` before digits alone belongs to the row.
        let (fixed_column, fixed_row, digits) = match digits.strip_prefix('$') {
            Some(digits) => (fixed_column, true, digits),
            None => (fixed_column && !letters.is_empty(), fixed_column && letters.is_empty(), digits),
        };
        let column = if letters.is_empty() { None } else { Some((fixed_column, column_index(letters)?)) };
        let row = if digits.is_empty() {
            None
        } else {
            Some((fixed_row, digits.parse::<u32>().ok()?.checked_sub(1)?))
        };
        (column.is_some() || row.is_some()).then_some(Self { column, row })
    }

    fn along(self, dimension: Dimension) -> Option<u32> {
        match dimension {
            Dimension::Rows => self.row.map(|(_, row)| row),
            Dimension::Columns => self.column.map(|(_, column)| column),
        }
    }

    fn placed(self, dimension: Dimension, index: u32) -> Self {
        match dimension {
            Dimension::Rows => Self { row: self.row.map(|(fixed, _)| (fixed, index)), ..self },
            Dimension::Columns => Self { column: self.column.map(|(fixed, _)| (fixed, index)), ..self },
        }
    }

    fn text(self) -> String {
        let sign = |fixed: bool| if fixed { "$" } else { "" };
        let column = self.column.map(|(fixed, column)| format!("{}{}", sign(fixed), column_name(column)));
        let row = self.row.map(|(fixed, row)| format!("{}{}", sign(fixed), row + 1));
        format!("{}{}", column.unwrap_or_default(), row.unwrap_or_default())
    }
}
