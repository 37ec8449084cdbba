//! Moves the relative references of a formula, as copying it to another cell does.
//!
//! Works on the text, so that what it does not understand stays as it was typed.

use crate::a1;
use crate::formula::parse::reference_end;

/// The formula as it reads when copied `rows` down and `columns` to the right.
pub fn moved(formula: &str, rows: i64, columns: i64) -> String {
    let mut moved = String::with_capacity(formula.len());
    let mut rest = formula;
    while let Some(first) = rest.chars().next() {
        let end = match first {
            '"' => rest[1..].find('"').map_or(rest.len(), |at| at + 2),
            _ => reference_end(rest).max(first.len_utf8()),
        };
        let (token, after) = rest.split_at(end);
        let is_function = after.starts_with('(');
        moved.push_str(&if first == '"' || is_function {
            token.to_owned()
        } else {
            moved_reference(token, rows, columns)
        });
        rest = after;
    }
    moved
}

fn moved_reference(token: &str, rows: i64, columns: i64) -> String {
    let at = token.rfind('!').map_or(0, |at| at + 1);
    let (title, range) = token.split_at(at);
    let corners: Option<Vec<String>> =
        range.split(':').map(|corner| moved_corner(corner, rows, columns)).collect();
    corners.map_or_else(|| token.to_owned(), |corners| format!("{title}{}", corners.join(":")))
}

/// A corner moved, `#REF!` when it leaves the grid, nothing when the text is no corner.
fn moved_corner(corner: &str, rows: i64, columns: i64) -> Option<String> {
    let (fixed_column, rest) = corner.strip_prefix('$').map_or(("", corner), |rest| ("$", rest));
    let digits_at = rest.find(|character: char| !character.is_ascii_alphabetic())?;
    let (letters, rest) = rest.split_at(digits_at);
    let (fixed_row, digits) = rest.strip_prefix('$').map_or(("", rest), |rest| ("$", rest));
    let column = i64::from(a1::column_index(letters)?) + if fixed_column.is_empty() { columns } else { 0 };
    let row = digits.parse::<i64>().ok()? + if fixed_row.is_empty() { rows } else { 0 };
    match u32::try_from(column) {
        Ok(column) if row > 0 => Some(format!("{fixed_column}{}{fixed_row}{row}", a1::column_name(column))),
        _ => Some("#REF!".to_owned()),
    }
}
