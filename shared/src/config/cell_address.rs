//! The address of one cell: `Info!B1`, `'Port sheet'!B1`, or `B1` in the sheet's own tab.

/// Google's limits: the last column is `ZZZ`, and a grid has at most ten million cells.
const LAST_COLUMN: u32 = 18_278;
const LAST_ROW: u32 = 10_000_000;

/// A parsed address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CellAddress {
    /// The tab's title, without quotes.
    pub tab: String,
    /// Counted from 0.
    pub column: u32,
    /// Counted from 1.
    pub row: u32,
}

impl CellAddress {
    /// Reads an address. One without a tab is in the tab `own`.
    pub fn parse(text: &str, own: &str) -> Option<Self> {
        let (tab, cell) = match text.rsplit_once('!') {
            Some((tab, cell)) => (unquoted(tab)?, cell),
            None => (own.to_owned(), text),
        };
        let digits = cell.find(|c: char| c.is_ascii_digit())?;
        let (letters, row) = cell.split_at(digits);
        let column = column_number(letters).filter(|column| (1..=LAST_COLUMN).contains(column))?;
        let is_number = row.bytes().all(|byte| byte.is_ascii_digit());
        let row = row.parse().ok().filter(|row| is_number && (1..=LAST_ROW).contains(row))?;
        Some(Self { tab, column: column - 1, row })
    }
}

/// `A` is 1, `Z` is 26, `AA` is 27.
fn column_number(letters: &str) -> Option<u32> {
    letters.chars().try_fold(0_u32, |number, letter| {
        let letter = letter.to_ascii_uppercase();
        let value = letter.is_ascii_uppercase().then(|| u32::from(letter) - u32::from('A') + 1)?;
        number.checked_mul(26)?.checked_add(value)
    })
}

/// Removes the quotes of a title, in which an apostrophe is doubled.
fn unquoted(tab: &str) -> Option<String> {
    let title = match tab.strip_prefix('\'') {
        Some(rest) => rest.strip_suffix('\'')?.replace("''", "'"),
        None => tab.to_owned(),
    };
    (!title.trim().is_empty()).then_some(title)
}

#[cfg(test)]
mod tests {
    use crate::config::cell_address::*;

    #[test]
    fn an_address_has_a_tab_a_column_and_a_row() {
        let cell = |tab: &str, column, row| Some(CellAddress { tab: tab.to_owned(), column, row });
        assert_eq!(CellAddress::parse("B1", "Own"), cell("Own", 1, 1));
        assert_eq!(CellAddress::parse("Info!aa10", "Own"), cell("Info", 26, 10));
        assert_eq!(
            CellAddress::parse("'Owner''s tab'!ZZZ10000000", "Own"),
            cell("Owner's tab", 18_277, 10_000_000)
        );
        for wrong in
            ["", "B", "1", "B0", "1B", "B1:C2", "AAAA1", "B10000001", "B+1", "!B1", "'Info!B1", "B 1", "Ä1"]
        {
            assert_eq!(CellAddress::parse(wrong, "Own"), None, "{wrong}");
        }
    }
}
