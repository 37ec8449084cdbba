//! A1 notation: columns, corners and ranges as text, and titles with the quotes Google prints.
//!
//! Knows nothing of a spreadsheet: which tab a title means, and where a grid ends, is `place`'s business.

/// A rectangle as asked: zero-based, ends exclusive, `None` where the text left a side open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    /// First row.
    pub start_row: Option<u32>,
    /// Row after the last.
    pub end_row: Option<u32>,
    /// First column.
    pub start_column: Option<u32>,
    /// Column after the last.
    pub end_column: Option<u32>,
}

#[derive(Clone, Copy)]
struct Corner {
    column: Option<u32>,
    row: Option<u32>,
}

/// The letters of a zero-based column: 0 is `A`, 26 is `AA`.
pub fn column_name(index: u32) -> String {
    let mut letters = Vec::new();
    let mut rest = index + 1;
    while rest > 0 {
        rest -= 1;
        letters.push(char::from(b'A' + (rest % 26) as u8));
        rest /= 26;
    }
    letters.iter().rev().collect()
}

/// The zero-based column of one to three letters.
pub fn column_index(letters: &str) -> Option<u32> {
    if letters.is_empty() || letters.len() > 3 || !letters.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        return None;
    }
    let value =
        letters.bytes().fold(0, |sum, byte| sum * 26 + u32::from(byte.to_ascii_uppercase() - b'A') + 1);
    Some(value - 1)
}

fn corner(text: &str) -> Option<Corner> {
    let text = text.trim();
    let text = text.strip_prefix('$').unwrap_or(text);
    let digits_at = text.find(|character: char| !character.is_ascii_alphabetic()).unwrap_or(text.len());
    let (letters, rest) = text.split_at(digits_at);
    let digits = rest.strip_prefix('$').unwrap_or(rest);
    let column = if letters.is_empty() { None } else { Some(column_index(letters)?) };
    let row = if digits.is_empty() { None } else { Some(row_index(digits)?) };
    (column.is_some() || row.is_some()).then_some(Corner { column, row })
}

fn row_index(digits: &str) -> Option<u32> {
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits.parse::<u32>().ok()?.checked_sub(1)
}

/// One cell, such as `B7` or `$B$7`: its row and column.
pub fn parse_cell(text: &str) -> Option<(u32, u32)> {
    let corner = corner(text)?;
    Some((corner.row?, corner.column?))
}

/// A range without its title: `A1`, `A1:B2`, `A:B`, `1:2`, `A2:A`, `A1:1`, either way round.
pub fn parse(text: &str) -> Option<Bounds> {
    let Some((from, to)) = text.split_once(':') else {
        let (row, column) = parse_cell(text)?;
        return Some(Bounds::cell(row, column));
    };
    let (from, to) = (corner(from)?, corner(to)?);
    let (start_row, end_row) = span(from.row, to.row);
    let (start_column, end_column) = span(from.column, to.column);
    Some(Bounds { start_row, end_row, start_column, end_column })
}

fn span(from: Option<u32>, to: Option<u32>) -> (Option<u32>, Option<u32>) {
    match (from, to) {
        (Some(from), Some(to)) => (Some(from.min(to)), Some(from.max(to) + 1)),
        (from, to) => (from, to.map(|to| to + 1)),
    }
}

impl Bounds {
    /// The bounds of one cell.
    pub fn cell(row: u32, column: u32) -> Self {
        Self {
            start_row: Some(row),
            end_row: Some(row + 1),
            start_column: Some(column),
            end_column: Some(column + 1),
        }
    }

    /// Whether they name exactly one cell, which a write takes as an anchor rather than a limit.
    pub fn is_cell(&self) -> bool {
        let one =
            |start: Option<u32>, end: Option<u32>| matches!((start, end), (Some(a), Some(b)) if b == a + 1);
        one(self.start_row, self.end_row) && one(self.start_column, self.end_column)
    }

    /// The text Google prints for them: the start in full, the end as far as it was given.
    pub fn text(&self) -> String {
        let row = |row: Option<u32>| row.map(|row| (row + 1).to_string()).unwrap_or_default();
        let end_row = self.end_row.map(|end| end.to_string()).unwrap_or_default();
        let end_column = self.end_column.map(|end| column_name(end.saturating_sub(1))).unwrap_or_default();
        let start_column = match (self.start_column, self.end_column) {
            (None, None) => String::new(),
            (start, _) => column_name(start.unwrap_or(0)),
        };
        let start_row = if self.start_row.is_none() && self.end_row.is_some() {
            "1".to_owned()
        } else {
            row(self.start_row)
        };
        let (start, end) = (format!("{start_column}{start_row}"), format!("{end_column}{end_row}"));
        if start == end || end.is_empty() { start } else { format!("{start}:{end}") }
    }
}

/// Splits `'Tab'!A1`, `Tab!A1`, `'Tab'` or `A1` into an unquoted title and the rest.
pub fn split_title(text: &str) -> (Option<String>, &str) {
    if let Some(quoted) = text.strip_prefix('\'') {
        let mut title = String::new();
        let mut characters = quoted.char_indices().peekable();
        while let Some((index, character)) = characters.next() {
            match character {
                '\'' if characters.peek().is_some_and(|(_, next)| *next == '\'') => {
                    characters.next();
                    title.push('\'');
                }
                '\'' => return after_quoted(title, &quoted[index + 1..], text),
                other => title.push(other),
            }
        }
        return (None, text);
    }
    text.rsplit_once('!').map_or((None, text), |(title, rest)| (Some(title.to_owned()), rest))
}

fn after_quoted<'a>(title: String, rest: &'a str, whole: &'a str) -> (Option<String>, &'a str) {
    match rest.strip_prefix('!') {
        Some(rest) => (Some(title), rest),
        None if rest.is_empty() => (Some(title), rest),
        None => (None, whole),
    }
}

/// A title as Google prints it in a range: quoted unless it is a plain word that cannot be a cell.
pub fn quote(title: &str) -> String {
    let mut characters = title.chars();
    let starts_plain = characters.next().is_some_and(|first| first.is_alphabetic() || first == '_');
    let plain = starts_plain && characters.all(|other| other.is_alphanumeric() || matches!(other, '_' | '.'));
    if plain && parse_cell(title).is_none() && !looks_like_r1c1(title) {
        return title.to_owned();
    }
    format!("'{}'", title.replace('\'', "''"))
}

fn looks_like_r1c1(title: &str) -> bool {
    let lower = title.to_ascii_lowercase();
    let Some((row, column)) = lower.strip_prefix('r').and_then(|rest| rest.split_once('c')) else {
        return false;
    };
    row.bytes().chain(column.bytes()).all(|byte| byte.is_ascii_digit())
}
