//! A1 notation, as far as a sync needs it: `'Port sheet'!B2:F10`.
//!
//! Titles are always quoted: a bare one may be taken for a cell or a named range.

use crate::model::span::Span;

/// The letters of a column; the first is 0, `A`.
pub fn letters(column: u32) -> String {
    let mut letters = Vec::new();
    let mut rest = column + 1;
    while rest > 0 {
        let letter = u8::try_from((rest - 1) % 26).unwrap_or(0);
        letters.push(char::from(b'A' + letter));
        rest = (rest - 1) / 26;
    }
    letters.iter().rev().collect()
}

/// A range of a tab: columns counted from 0, rows counted from 1, both ends included.
pub fn range(tab: &str, columns: Span, rows: Span) -> String {
    format!("{}!{}{}:{}{}", quoted(tab), letters(columns.first), rows.first, letters(columns.last), rows.last)
}

/// Whole rows of a tab, both ends included.
pub fn rows(tab: &str, rows: Span) -> String {
    format!("{}!{}:{}", quoted(tab), rows.first, rows.last)
}

fn quoted(tab: &str) -> String {
    format!("'{}'", tab.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_go_on_after_z() {
        for (column, expected) in
            [(0, "A"), (25, "Z"), (26, "AA"), (51, "AZ"), (52, "BA"), (701, "ZZ"), (702, "AAA")]
        {
            assert_eq!(letters(column), expected);
        }
        assert_eq!(letters(18_277), "ZZZ", "the last column of Sheets");
    }

    #[test]
    fn a_title_is_quoted_and_its_apostrophes_doubled() {
        assert_eq!(range("Owner's Notes", Span::new(1, 5), Span::new(2, 10)), "'Owner''s Notes'!B2:F10");
        assert_eq!(rows("D3", Span::new(1, 2)), "'D3'!1:2");
    }
}
