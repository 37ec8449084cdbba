//! The spool: the source as this run read it, typed, keyed and checked, on disk; and its index in memory.
//!
//! Memory grows with the rows (a key and a digest each), never with their cells. The other files of a sheet in the spool
//! directory are here too: the base, the before-images, the proof and the safety copies.

pub mod base;
pub mod before_image;
pub mod csv_file;
pub mod proof;
pub mod row_file;
pub mod safety_copy;

use std::collections::HashMap;
use std::path::PathBuf;

use indexmap::IndexMap;
use shared::Result;
use shared::config::Sheet;

use crate::model::column::Digest;
use crate::model::column::KeyHash;
use crate::spool::row_file::Header;

/// One accepted booking.
#[derive(Clone, Copy, Debug)]
pub struct SpooledRow {
    /// Where its row begins in the spool.
    pub offset: u64,
    /// What its cells are.
    pub digest: Digest,
    /// Its line in the source; 32 bits, because there is one of these for every booking.
    pub line: u32,
    /// The row of the sheet in which the newest snapshot found it; 0 for none.
    pub row: u32,
}

/// The whole spool of one sheet.
#[derive(Debug)]
pub struct Spool {
    /// Accepted bookings by key, in the source's order as long as none was withdrawn.
    pub index: IndexMap<KeyHash, SpooledRow>,
    /// Bookings of rejected records whose key could still be read, with the line of the first.
    pub unusable: HashMap<KeyHash, u64>,
    /// What all accepted rows are, in order: equal digests mean the same rows.
    pub digest: Digest,
    /// How many data rows the source has, rejected ones included.
    pub source_rows: u64,
    /// How many of them are rejected.
    pub rejected: u64,
    /// How many rejected rows have no readable key: bookings missing from the index may be among them.
    pub unidentified: u64,
    /// The first problems, as `line 12: …`.
    pub problems: Vec<String>,
    /// What its rows are.
    pub heading: Header,
    /// Where the rows are.
    pub path: PathBuf,
    /// Where the rejected rows are listed.
    pub rejected_path: PathBuf,
    /// The position in the index behind the booking that was found last.
    expected: usize,
}

/// The tab that a sheet's rows are about.
pub fn home(sheet: &Sheet) -> String {
    format!("{}/{}", sheet.spreadsheet, sheet.tab)
}

impl Spool {
    /// A spool of no rows.
    pub fn empty(heading: Header, path: PathBuf, rejected_path: PathBuf) -> Self {
        Self {
            index: IndexMap::new(),
            unusable: HashMap::new(),
            digest: Digest::default(),
            source_rows: 0,
            rejected: 0,
            unidentified: 0,
            problems: Vec::new(),
            heading,
            path,
            rejected_path,
            expected: 0,
        }
    }

    /// Finds a booking. A sheet is mostly in the source's order, so the booking after the last one is tried first; that
    /// avoids a fetch from distant memory.
    pub fn find(&mut self, key: &KeyHash) -> Option<&mut SpooledRow> {
        let is_next = self.index.get_index(self.expected).is_some_and(|(next, _)| next == key);
        let at = if is_next { self.expected } else { self.index.get_index_of(key)? };
        self.expected = at + 1;
        self.index.get_index_mut(at).map(|(_, entry)| entry)
    }

    /// The bookings in the source's order.
    pub fn in_order(&self) -> Vec<(KeyHash, SpooledRow)> {
        let mut entries: Vec<_> = self.index.iter().map(|(key, entry)| (*key, *entry)).collect();
        entries.sort_unstable_by_key(|(_, entry)| entry.offset);
        entries
    }

    /// Opens the rows for reading.
    ///
    /// # Errors
    /// [`shared::Kind::Io`].
    pub fn reader(&self) -> Result<row_file::RowReader> {
        row_file::reopen(&self.path)
    }
}
