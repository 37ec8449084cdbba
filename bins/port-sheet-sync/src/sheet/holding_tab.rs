//! The tab to which removed rows go: the archive, or a hidden one that lives only until a deletion is proven.
//!
//! Rows are removed by number, and Google has no way to say "only if it is still this row". So a row leaves its tab only in
//! the request that also copies it here, whole, beside a tag that names the row that was meant. If the tag does not
//! match the row, a wrong row was moved, and it is put back. It writes nothing.

use std::fmt;

use chrono::NaiveDate;
use shared::config::{OnMissing, Sheet};

use crate::model::column::Key;
use crate::sheet::freshness;
use crate::sheet::layout::Layout;
use crate::sheet::tab::Tab;

/// The header of the first column, which holds the tags; the row is to the right of its tag.
pub const MARKS: &str = "Archived";

/// Which tab takes the rows that leave another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HoldingTab {
    /// Its title.
    pub title: String,
    /// True for the archive; false for the hidden tab that is deleted once its rows are verified.
    pub is_kept: bool,
}

impl HoldingTab {
    /// Where rows of bookings that left go.
    pub fn of(sheet: &Sheet) -> Self {
        match sheet.on_missing {
            OnMissing::Archive => Self { title: sheet.archive_tab.clone(), is_kept: true },
            OnMissing::Keep | OnMissing::Flag | OnMissing::Delete => Self::temporary(&sheet.tab),
        }
    }

    /// The hidden tab of rows that are being deleted from this one.
    pub fn temporary(tab: &str) -> Self {
        Self { title: format!("{tab} (being removed)"), is_kept: false }
    }
}

/// The row that was meant to be removed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RemovalTag {
    /// When.
    pub day: NaiveDate,
    /// Its number at that moment.
    pub row: u32,
    /// Its booking.
    pub key: String,
}

impl fmt::Display for RemovalTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} row {} {}", self.day, self.row, self.key)
    }
}

impl RemovalTag {
    /// Reads a tag; `None` for any other text, which a user wrote.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(4, ' ');
        let day = parts.next()?.parse().ok()?;
        let row = (parts.next()? == "row").then(|| parts.next())??.parse().ok()?;
        let key = parts.next()?.to_owned();
        Some(Self { day, row, key })
    }
}

/// A row that was removed.
#[derive(Clone, Debug)]
pub struct HeldRow {
    /// Its number in this tab.
    pub row: u32,
    /// The tag: which row was meant.
    pub mark: RemovalTag,
    /// The key that is really in it.
    pub key: Option<Key>,
    /// Whether its removal is not committed yet. Users may have changed other rows.
    pub is_in_doubt: bool,
}

impl HeldRow {
    /// Whether another row than the one that was meant was removed.
    pub fn is_wrong(&self) -> bool {
        self.is_in_doubt && !self.is_right()
    }

    /// Whether it is the row that was meant.
    pub fn is_right(&self) -> bool {
        self.key.as_ref().is_some_and(|key| key.text == self.mark.key)
    }
}

/// What the tab holds: its newest rows, those below its first header.
#[derive(Clone, Debug)]
pub struct HeldRows {
    /// What it is for.
    pub place: HoldingTab,
    /// The tab.
    pub tab: Tab,
    /// Whether its rows have the columns of today, so that they can come back.
    pub has_todays_columns: bool,
    /// Its rows with a tag.
    pub rows: Vec<HeldRow>,
}

/// The header that the tab has when its newest rows have today's columns.
pub fn header(tab: &Tab, layout: &Layout) -> Vec<String> {
    let mut header = tab.header.clone();
    for (column, text) in &layout.added {
        header.resize(header.len().max(*column as usize + 1), String::new());
        header[*column as usize].clone_from(text);
    }
    lasting(&[vec![MARKS.to_owned()], header].concat())
}

/// A header without the time of the last run, which is another one each time, and without trailing blanks.
pub fn lasting(header: &[String]) -> Vec<String> {
    let mut header = header.to_vec();
    header.iter_mut().filter(|text| freshness::is_ours(text)).for_each(String::clear);
    header.truncate(header.iter().rposition(|text| !text.is_empty()).map_or(0, |last| last + 1));
    header
}

/// Whether the tab's first row is this header.
pub fn has_header(tab: &Tab, header: &[String]) -> bool {
    lasting(&tab.header) == header
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_read_back_whatever_the_key() {
        for key in ["B-101", "a key / with  blanks ", "row 7"] {
            let mark = RemovalTag { day: NaiveDate::default(), row: 12, key: key.to_owned() };
            assert_eq!(RemovalTag::parse(&mark.to_string()), Some(mark));
        }
        for text in ["", "a person's note", "2026-05-13", "2026-05-13 row x B-1", "row 12 B-101"] {
            assert_eq!(RemovalTag::parse(text), None, "{text:?}");
        }
    }
}
