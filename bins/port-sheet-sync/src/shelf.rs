//! The tab to which removed rows go: the archive, or a hidden one that lives only until a deletion is proven.
//!
//! Rows are removed by number, and Google has no way to say "only if it is still this row". So a row leaves its tab only in
//! the request that also copies it here, whole, beside a mark that says which row it was meant to be. Mark and row that
//! do not belong together are a wrong row, and it is put back. This module finds, reads and judges; it writes nothing.

use std::collections::HashSet;
use std::fmt;

use chrono::NaiveDate;
use shared::Result;
use shared::config::{OnMissing, Sheet};

use crate::a1;
use crate::column::{Columns, Key};
use crate::freshness;
use crate::google::{Client, Tab};
use crate::layout::Layout;
use crate::value::Cell;

/// The header of the column of marks, the first one; the row stands to the right of its mark.
pub const MARKS: &str = "Archived";

/// How many rows one request reads.
const ROWS_A_READ: u32 = 50_000;

/// Which tab takes the rows that leave another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its title.
    pub title: String,
    /// Whether it is for people, or hidden and gone once the rows in it were seen to be the right ones.
    pub is_kept: bool,
}

impl Place {
    /// Where rows of bookings that left go.
    pub fn of(sheet: &Sheet) -> Self {
        match sheet.on_missing {
            OnMissing::Archive => Self { title: sheet.archive_tab.clone(), is_kept: true },
            OnMissing::Keep | OnMissing::Flag | OnMissing::Delete => Self::passing(&sheet.tab),
        }
    }

    /// The hidden tab of rows that are being deleted from this one.
    pub fn passing(tab: &str) -> Self {
        Self { title: format!("{tab} (being removed)"), is_kept: false }
    }
}

/// Which row was to be removed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Mark {
    /// When.
    pub day: NaiveDate,
    /// Its number at that moment.
    pub row: u32,
    /// Its booking.
    pub key: String,
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} row {} {}", self.day, self.row, self.key)
    }
}

impl Mark {
    /// Reads a mark; none for any other text, which is a person's.
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
pub struct Shelved {
    /// Its number in this tab.
    pub row: u32,
    /// Which row was meant.
    pub mark: Mark,
    /// The key that really stands in it.
    pub key: Option<Key>,
    /// Whether its removal is not committed yet. In others, people may have changed what they like.
    pub is_in_doubt: bool,
}

impl Shelved {
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
pub struct Shelf {
    /// What it is for.
    pub place: Place,
    /// The tab.
    pub tab: Tab,
    /// Whether its rows have the columns of today, so that they can come back.
    pub has_todays_columns: bool,
    /// Its rows with a mark.
    pub rows: Vec<Shelved>,
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
    let lasting = |text: &String| if freshness::is_ours(text) { String::new() } else { text.clone() };
    let mut header: Vec<String> = header.iter().map(lasting).collect();
    header.truncate(header.iter().rposition(|text| !text.is_empty()).map_or(0, |last| last + 1));
    header
}

/// Reads the tab, if there is one. `header` is what [`header()`] says of today, `in_doubt` are the removals that are not
/// committed.
///
/// # Errors
/// As every request.
pub async fn look(
    client: &mut Client,
    place: &Place,
    columns: &Columns,
    header: &[String],
    in_doubt: &HashSet<Mark>,
) -> Result<Option<Shelf>> {
    let Some(tab) = client.find_tab(&place.title).await? else { return Ok(None) };
    let has_todays_columns = has_header(&tab, header);
    let mut shelf = Shelf { place: place.clone(), tab, has_todays_columns, rows: Vec::new() };
    let Some(keys) = shelf.keys(columns) else { return Ok(Some(shelf)) };
    let mut first = 2;
    while first <= shelf.tab.rows {
        let last = shelf.tab.rows.min(first + ROWS_A_READ - 1);
        if !shelf.read(client, columns, &keys, (first, last)).await? {
            break;
        }
        first = last + 1;
    }
    for row in &mut shelf.rows {
        row.is_in_doubt = in_doubt.contains(&row.mark);
    }
    Ok(Some(shelf))
}

/// Whether the tab's first row is this header.
pub fn has_header(tab: &Tab, header: &[String]) -> bool {
    lasting(&tab.header) == header
}

impl Shelf {
    /// Where the columns of the key stand, as its own first header has them; none when that is no header of ours.
    fn keys(&self, columns: &Columns) -> Option<Vec<u32>> {
        let header = &self.tab.header;
        let at = |index: &usize| header.iter().position(|text| *text == columns.all()[*index].header);
        let keys = columns.key().iter().map(|index| u32::try_from(at(index)?).ok());
        keys.collect::<Option<_>>().filter(|_| header.first().is_some_and(|first| first == MARKS))
    }

    /// Takes some rows in; no when an older header ends the newest ones.
    async fn read(
        &mut self,
        client: &mut Client,
        columns: &Columns,
        keys: &[u32],
        rows: (u32, u32),
    ) -> Result<bool> {
        let wanted = std::iter::once(0).chain(keys.iter().copied());
        let ranges: Vec<String> =
            wanted.map(|column| a1::range(&self.place.title, (column, column), rows)).collect();
        let found = client.read(&ranges).await?;
        let cell = |part: usize, at: usize| {
            let column = found.get(part)?.first()?;
            column.get(at).map(Cell::from_json)
        };
        for (at, row) in (rows.0..=rows.1).enumerate().take(found[0].first().map_or(0, Vec::len)) {
            let Some(Cell::Text(text)) = cell(0, at) else { continue };
            if text == MARKS {
                return Ok(false);
            }
            let Some(mark) = Mark::parse(&text) else { continue };
            let part = |index: usize| columns.key().iter().position(|&key| key == index).unwrap_or(0) + 1;
            let key = columns.key_of(|index| cell(part(index), at).unwrap_or(Cell::Empty));
            self.rows.push(Shelved { row, mark, key, is_in_doubt: false });
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_read_back_whatever_the_key() {
        for key in ["B-101", "a key / with  blanks ", "row 7"] {
            let mark = Mark { day: NaiveDate::default(), row: 12, key: key.to_owned() };
            assert_eq!(Mark::parse(&mark.to_string()), Some(mark));
        }
        for text in ["", "a person's note", "2026-05-13", "2026-05-13 row x B-1", "row 12 B-101"] {
            assert_eq!(Mark::parse(text), None, "{text:?}");
        }
    }
}
