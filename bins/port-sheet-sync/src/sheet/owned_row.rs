//! The owned cells of a row of the sheet, as Google returned them.

use serde_json::Value;

use crate::model::cell::Cell;
use crate::model::column::Digest;

/// Owned cells, column by column, as Google returned them.
#[derive(Debug)]
pub struct OwnedRows<'a> {
    pub first: u32,
    pub columns: Vec<&'a [Value]>,
    pub digests: Vec<Digest>,
}

impl OwnedRows<'_> {
    /// Row by row.
    pub fn iter(&self) -> impl Iterator<Item = OwnedRow<'_>> {
        (0..self.digests.len()).zip(self.first..).map(|(at, row)| OwnedRow {
            row,
            digest: self.digests[at],
            columns: &self.columns,
            at,
        })
    }
}

/// A row's owned cells, one for each owned column.
#[derive(Clone, Copy, Debug)]
pub struct OwnedRow<'a> {
    /// Its number.
    pub row: u32,
    /// What makes its cells themselves.
    pub digest: Digest,
    /// Their columns.
    pub columns: &'a [&'a [Value]],
    /// Where in each.
    pub at: usize,
}

impl<'a> OwnedRow<'a> {
    /// What the cells hold.
    pub fn values(self) -> impl Iterator<Item = Option<&'a Value>> {
        self.columns.iter().map(move |column| column.get(self.at))
    }

    /// A column's cell.
    pub fn cell(self, index: usize) -> Cell<&'a str> {
        Cell::of_json(self.columns[index].get(self.at))
    }
}

/// Whether a cell holds nothing.
pub fn is_blank(value: Option<&Value>) -> bool {
    value.is_none_or(|value| value.as_str().is_some_and(str::is_empty) || value.is_null())
}
