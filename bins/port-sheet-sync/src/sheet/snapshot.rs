//! The snapshot: which rows of the sheet differ from the spool, and in what way, as plain data.
//!
//! It takes the rows one at a time, in the sheet's order. Of a row that differs it keeps the number and where its cells
//! are in a file, so that it grows with the differences. [`crate::snapshot::reader`] reads the rows.

use std::collections::HashMap;

use serde_json::Value;
use shared::config::Sheet;
use shared::{Failure, Kind, Result};

use crate::model::a1;
use crate::model::cell::Cell;
use crate::model::column::Columns;
use crate::model::column::Key;
use crate::model::column::KeyHash;
use crate::sheet::owned_row::OwnedRow;
use crate::sheet::owned_row::is_blank;
use crate::spool::Spool;

/// The sheet, as far as it matters.
#[derive(Debug, Default)]
pub struct Snapshot {
    /// Rows whose booking is in the source with other cells.
    pub differing: Vec<Differing>,
    /// Rows whose booking is not in the source.
    pub missing: Vec<MissingRow>,
    /// Rows of bookings that are in the source, but flagged as missing.
    pub flagged_live: Vec<FlaggedRow>,
    /// Rows that cannot be matched to exactly one booking, but have text in the status column.
    pub flagged_others: Vec<FlaggedRow>,
    /// Keys that are in several rows, with those rows.
    pub duplicates: HashMap<KeyHash, (String, Vec<u32>)>,
    /// Rows with owned cells but no key.
    pub blank_keys: Vec<u32>,
    /// Rows that no plan covers: without a key, not in the source, rejected there, or twice.
    pub irregular: Vec<IrregularRow>,
    /// A row with text in the column that would become the status column.
    pub status_taken: Option<u32>,
    /// How many rows have a key.
    pub keyed: usize,
    /// The last row with an owned cell, the header's at least.
    pub last_row: u32,
    /// The last row with a cell in any column that was read.
    pub last_filled: u32,
}

/// A row that differs; rows are counted from 1, as the sheet shows them.
#[derive(Clone, Copy, Debug)]
pub struct Differing {
    /// Its number.
    pub row: u32,
    /// Its booking.
    pub key: KeyHash,
    /// Where its cells begin in the file of differing rows.
    pub offset: u64,
}

/// A row whose booking was found by other means than its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClaimedRow {
    /// Its number.
    pub row: u32,
    /// Where its cells begin in the file of differing rows.
    pub offset: u64,
    /// Its booking.
    pub booking: KeyHash,
}

/// A row that no plan covers.
#[derive(Clone, Copy, Debug)]
pub struct IrregularRow {
    /// Its number.
    pub row: u32,
    /// Where its cells begin in the file of differing rows.
    pub offset: u64,
}

/// A row whose booking is not in the source.
#[derive(Clone, Debug)]
pub struct MissingRow {
    /// Its number.
    pub row: u32,
    /// Its booking.
    pub key: Key,
    /// Whether it is flagged already.
    pub flagged: bool,
}

/// A row that is flagged although its booking is in the source, or although it is no booking's.
#[derive(Clone, Debug)]
pub struct FlaggedRow {
    /// Its number.
    pub row: u32,
    /// Its booking; blank where there is none.
    pub key: Key,
    /// The text in its status column.
    pub status: Cell,
}

impl Snapshot {
    /// Takes one row of the sheet into account; `spill` puts the cells of a differing row aside and says where.
    ///
    /// # Errors
    /// As `spill`.
    pub fn add(
        &mut self,
        owned: OwnedRow<'_>,
        status: Option<&Value>,
        columns: &Columns,
        spool: &mut Spool,
        missing: &mut HashMap<KeyHash, u32>,
        spill: impl FnOnce(&[Cell<&str>]) -> Result<u64>,
    ) -> Result<()> {
        let row = owned.row;
        let status = status.filter(|status| !is_blank(Some(status))).map(Cell::from_json);
        if owned.values().all(is_blank) {
            self.flagged_others.extend(flagged(row, no_key(), status));
            return Ok(());
        }
        self.last_row = row;
        let Some(hash) = columns.key_hash(|index| owned.cell(index)) else {
            self.blank_keys.push(row);
            self.irregular.push(IrregularRow { row, offset: spill(&cells(owned))? });
            self.flagged_others.extend(flagged(row, no_key(), status));
            return Ok(());
        };
        self.keyed += 1;
        match spool.find(&hash) {
            Some(entry) if entry.row != 0 => {
                let key = key(columns, hash, owned);
                self.irregular.push(IrregularRow { row, offset: spill(&cells(owned))? });
                self.duplicate(key.clone(), entry.row, row);
                self.flagged_others.extend(flagged(row, key, status));
            }
            Some(entry) => {
                entry.row = row;
                if owned.digest != entry.digest {
                    self.differing.push(Differing { row, key: hash, offset: spill(&cells(owned))? });
                }
                // Only few rows need the text of their key.
                if status.is_some() {
                    self.flagged_live.extend(flagged(row, key(columns, hash, owned), status));
                }
            }
            None => {
                let key = key(columns, hash, owned);
                self.irregular.push(IrregularRow { row, offset: spill(&cells(owned))? });
                if spool.unusable.contains_key(&hash) {
                    self.flagged_others.extend(flagged(row, key, status));
                    return Ok(());
                }
                match missing.insert(hash, row) {
                    Some(first) => self.duplicate(key, first, row),
                    None => self.missing.push(MissingRow { row, key, flagged: status.is_some() }),
                }
            }
        }
        Ok(())
    }

    /// Gives rows to the bookings that they are of.
    pub fn claim(&mut self, rows: &[ClaimedRow], spool: &mut Spool) {
        if rows.is_empty() {
            return;
        }
        let claimed: HashMap<u32, ClaimedRow> = rows.iter().map(|claim| (claim.row, *claim)).collect();
        let is_free = |row: u32| !claimed.contains_key(&row);
        self.missing.retain(|missing| is_free(missing.row));
        self.blank_keys.retain(|row| is_free(*row));
        self.irregular.retain(|irregular| is_free(irregular.row));
        self.differing.retain(|differing| is_free(differing.row));
        for other in self.flagged_others.extract_if(.., |other| !is_free(other.row)) {
            let key = Key { hash: claimed[&other.row].booking, ..other.key };
            self.flagged_live.push(FlaggedRow { key, ..other });
        }
        self.leave_duplicates(&is_free, spool);
        for claim in rows {
            if let Some(entry) = spool.index.get_mut(&claim.booking) {
                entry.row = claim.row;
            }
            self.differing.push(Differing { row: claim.row, key: claim.booking, offset: claim.offset });
        }
        self.differing.sort_unstable_by_key(|differing| differing.row);
    }

    /// A key that is left in one row is no duplicate any more.
    fn leave_duplicates(&mut self, is_free: &impl Fn(u32) -> bool, spool: &mut Spool) {
        self.duplicates.values_mut().for_each(|(_, rows)| rows.retain(|row| is_free(*row)));
        for (key, (_, rows)) in self.duplicates.extract_if(|_, (_, rows)| rows.len() < 2) {
            let (Some(&row), Some(entry)) = (rows.first(), spool.index.get_mut(&key)) else { continue };
            entry.row = row;
            let spilled = self.irregular.extract_if(.., |irregular| irregular.row == row);
            self.differing.extend(spilled.map(|spilled| Differing { row, key, offset: spilled.offset }));
        }
    }

    fn duplicate(&mut self, key: Key, first: u32, row: u32) {
        self.duplicates.entry(key.hash).or_insert_with(|| (key.text, vec![first])).1.push(row);
    }
}

fn flagged(row: u32, key: Key, status: Option<Cell>) -> Option<FlaggedRow> {
    status.map(|status| FlaggedRow { row, key, status })
}

fn no_key() -> Key {
    Key { hash: KeyHash::default(), text: String::new() }
}

fn key(columns: &Columns, hash: KeyHash, owned: OwnedRow<'_>) -> Key {
    Key { hash, text: columns.key_text(|index| owned.cell(index)) }
}

fn cells(owned: OwnedRow<'_>) -> Vec<Cell<&str>> {
    owned.values().map(Cell::of_json).collect()
}

/// Data below a place where a header would be written.
pub fn headless(column: u32, row: u32, sheet: &Sheet) -> Failure {
    let letters = a1::letters(column);
    Failure::new(
        Kind::Data,
        format!("column {letters} of tab {:?} has no header in row 1 but data in row {row}", sheet.tab),
        format!("give column {letters} a header in the sheet, so that it is known whose it is"),
    )
}
