//! A user's edit of a key cell: the row is still its booking's, and the edit is drift like any other.
//!
//! Pure but for the files of rows. Without this the booking would get a second row, and the notes beside the first one would
//! be nobody's. A row with an unknown key and a booking without a row belong together by the first of these rules that fits:
//!
//! 1. Their keys are the same number, written with other zeros in front. No other row and no other booking has that number.
//! 2. All other owned cells of the row are what the last verified run left there, or what the source says now.
//! 3. The row is where the booking's row was: directly below or above the row of its neighbour in the source, or between both where
//!    other rows are alike. At most half of its other cells differ.
//!
//! Where several rows fit several bookings, nothing is guessed: the rows stay as they are and the bookings get no new row.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::Hash;

use shared::Result;

use crate::model::cell::Cell;
use crate::model::column::{Columns, Digest, KeyHash};
use crate::model::list::first_few;
use crate::sheet::snapshot::{ClaimedRow, Snapshot};
use crate::spool::Spool;
use crate::spool::base::Base;
use crate::spool::row_file::RowReader;

/// What the key cells of the sheet turned out to be.
#[derive(Debug, Default)]
pub struct KeyEdits {
    /// Rows whose booking is known again.
    pub recognised: Vec<ClaimedRow>,
    /// What could not be decided.
    pub undecided: Undecided,
}

/// Rows of which it is not clear which booking they are of.
#[derive(Debug, Default)]
pub struct Undecided {
    pub rows: HashSet<u32>,
    pub bookings: HashSet<KeyHash>,
    /// Each as a line for the operator.
    pub problems: Vec<String>,
}

/// What the rules look at.
pub struct Evidence<'a> {
    pub columns: &'a Columns,
    pub spool: &'a Spool,
    pub snapshot: &'a Snapshot,
    /// What the last verified run left, if there was one, opened for the bookings without a row.
    pub base: Option<&'a mut Base>,
    /// Whether a key was a booking's at the last verified run, or is one that an unfinished run added.
    pub was_booking: &'a dyn Fn(&KeyHash) -> bool,
    /// The cells of the sheet's irregular rows.
    pub differing: RowReader,
    /// The cells of the source.
    pub source: RowReader,
}

/// Whether any row could be of a booking whose key a user edited.
pub fn is_possible(snapshot: &Snapshot) -> bool {
    !(snapshot.missing.is_empty() && snapshot.blank_keys.is_empty() && snapshot.duplicates.is_empty())
}

/// The bookings that have no row.
pub fn without_a_row(spool: &Spool) -> impl Iterator<Item = KeyHash> {
    spool.index.iter().filter(|(_, entry)| entry.row == 0).map(|(key, _)| *key)
}

/// Finds the rows whose key cells were edited.
///
/// # Errors
/// [`shared::Kind::Io`].
pub fn recognise(mut evidence: Evidence<'_>) -> Result<KeyEdits> {
    let mut search = Search { rows: evidence.rows()?, found: HashMap::new() };
    evidence.by_number(&mut search)?;
    search.rows.retain(|_, row| !row.is_known);
    let mut undecided = Undecided::default();
    if !search.rows.is_empty() {
        let mut bookings = evidence.bookings(&search)?;
        let ambiguous = search.by_other_cells(&bookings);
        evidence.by_place(&mut search, &bookings, &ambiguous)?;
        // What was found may leave one row for one booking.
        bookings.retain(|booking| !search.found.contains_key(&booking.key));
        let ambiguous = search.by_other_cells(&bookings);
        bookings.retain(|booking| !search.found.contains_key(&booking.key));
        undecided = evidence.undecided(&search, &bookings, &ambiguous)?;
    }
    Ok(KeyEdits { recognised: search.found.into_values().collect(), undecided })
}

/// A row whose key is no booking's, or another row's as well.
#[derive(Debug)]
struct UnknownRow {
    row: u32,
    offset: u64,
    /// Whether its key was a booking's: then it is of a booking that left the source.
    is_known: bool,
    /// Whether another row has its key.
    is_shared: bool,
    /// Whether its cells are all as the booking of its key has them: it may be that booking's after all.
    is_own: bool,
    /// Its key as a number; `None` where it has no number.
    number: Option<KeyHash>,
    /// The cells beside its key; `None` if all are blank.
    rest: Option<Digest>,
}

/// A booking that had a row at the last verified run and has none now.
#[derive(Debug)]
struct AbsentBooking {
    key: KeyHash,
    /// The cells beside its key, as they were left and as they are in the source.
    rests: Vec<Digest>,
}

/// The rows that are still unknown, by their number, and what was found.
struct Search {
    rows: BTreeMap<u32, UnknownRow>,
    found: HashMap<KeyHash, ClaimedRow>,
}

impl Search {
    fn found(&mut self, row: u32, booking: KeyHash) {
        if let Some(UnknownRow { offset, .. }) = self.rows.remove(&row) {
            self.found.insert(booking, ClaimedRow { row, offset, booking });
        }
    }

    fn by_rest(&self) -> HashMap<Digest, Vec<&UnknownRow>> {
        grouped(self.rows.values().filter_map(|row| Some((row.rest?, row))))
    }

    /// The second rule. Returns the cells that fit several rows or several bookings.
    fn by_other_cells(&mut self, bookings: &[AbsentBooking]) -> HashSet<Digest> {
        let booked = by_rest(bookings);
        let mut ambiguous = HashSet::new();
        let mut pairs = Vec::new();
        for (rest, rows) in self.by_rest() {
            match (&rows[..], booked.get(&rest).map(Vec::as_slice)) {
                (_, None) => {}
                ([row], Some([booking])) if !row.is_own => pairs.push((booking.key, (row.row, rest))),
                _ => drop(ambiguous.insert(rest)),
            }
        }
        // A booking whose cells changed in the source may fit one row by its old cells and another by its new ones.
        for (booking, rows) in grouped(pairs.into_iter()) {
            match rows[..] {
                [(row, _)] => self.found(row, booking),
                _ => ambiguous.extend(rows.iter().map(|(_, rest)| *rest)),
            }
        }
        ambiguous
    }
}

fn by_rest(bookings: &[AbsentBooking]) -> HashMap<Digest, Vec<&AbsentBooking>> {
    grouped(bookings.iter().flat_map(|booking| booking.rests.iter().map(move |rest| (*rest, booking))))
}

/// The values of each key.
fn grouped<K: Eq + Hash, V>(pairs: impl Iterator<Item = (K, V)>) -> HashMap<K, Vec<V>> {
    let mut groups: HashMap<K, Vec<V>> = HashMap::new();
    for (key, value) in pairs {
        groups.entry(key).or_default().push(value);
    }
    groups
}

impl Evidence<'_> {
    fn rows(&mut self) -> Result<BTreeMap<u32, UnknownRow>> {
        let shared: HashSet<u32> =
            self.snapshot.duplicates.values().flat_map(|(_, rows)| rows.iter().copied()).collect();
        let unkeyed: HashSet<u32> = self.snapshot.blank_keys.iter().copied().collect();
        let missing: HashMap<u32, KeyHash> =
            self.snapshot.missing.iter().map(|row| (row.row, row.key.hash)).collect();
        let irregular = self.snapshot.irregular.iter().map(|row| (row.row, row.offset));
        let differing = self.snapshot.differing.iter().map(|row| (row.row, row.offset));
        let mut rows = BTreeMap::new();
        for (row, offset) in irregular.chain(differing) {
            let is_shared = shared.contains(&row);
            if !is_shared && !unkeyed.contains(&row) && !missing.contains_key(&row) {
                continue;
            }
            let (_, cells) = self.differing.row_at(offset)?;
            let is_known = !is_shared && missing.get(&row).is_some_and(|key| (self.was_booking)(key));
            let booking =
                self.columns.key_hash(|index| &cells[index]).and_then(|key| self.spool.index.get(&key));
            let is_own = booking.is_some_and(|booking| booking.digest == self.columns.digest(&cells));
            let (number, rest) = (number(self.columns, &cells), rest(self.columns, &cells));
            rows.insert(row, UnknownRow { row, offset, is_known, is_shared, is_own, number, rest });
        }
        Ok(rows)
    }

    /// The first rule. It also holds where the source began to write its numbers in another way.
    fn by_number(&mut self, search: &mut Search) -> Result<()> {
        let rows = search.rows.values().filter(|row| !row.is_shared);
        let rows = grouped(rows.filter_map(|row| Some((row.number?, row.row))));
        if rows.is_empty() {
            return Ok(());
        }
        let mut booked: HashMap<KeyHash, Vec<KeyHash>> = HashMap::new();
        for (key, entry) in self.spool.index.iter().filter(|(_, entry)| entry.row == 0) {
            let (_, cells) = self.source.row_at(entry.offset)?;
            if let Some(number) = number(self.columns, &cells).filter(|number| rows.contains_key(number)) {
                booked.entry(number).or_default().push(*key);
            }
        }
        for (number, booked) in booked {
            if let ([row], [booking]) = (&rows[&number][..], &booked[..]) {
                search.found(*row, *booking);
            }
        }
        Ok(())
    }

    fn bookings(&mut self, search: &Search) -> Result<Vec<AbsentBooking>> {
        let absent = self.spool.index.iter().filter(|(_, entry)| entry.row == 0);
        let mut bookings = Vec::new();
        for (key, entry) in absent.filter(|(key, _)| !search.found.contains_key(*key)) {
            let Some(left) = self.left(*key)? else { continue };
            let (_, cells) = self.source.row_at(entry.offset)?;
            let mut rests: Vec<Digest> =
                [rest(self.columns, &left), rest(self.columns, &cells)].into_iter().flatten().collect();
            rests.dedup();
            bookings.push(AbsentBooking { key: *key, rests });
        }
        Ok(bookings)
    }

    /// The cells that the last verified run left of a booking; blank where the column is new.
    fn left(&mut self, booking: KeyHash) -> Result<Option<Vec<Cell>>> {
        let Some(base) = &mut self.base else { return Ok(None) };
        let cells = base.cells(booking)?;
        Ok(cells.map(|cells| cells.into_iter().map(|cell| cell.unwrap_or(Cell::Empty)).collect()))
    }

    /// The third rule.
    fn by_place(
        &mut self,
        search: &mut Search,
        bookings: &[AbsentBooking],
        ambiguous: &HashSet<Digest>,
    ) -> Result<()> {
        let absent: HashSet<KeyHash> = bookings.iter().map(|booking| booking.key).collect();
        if search.rows.is_empty() || absent.is_empty() {
            return Ok(());
        }
        let order: Vec<(KeyHash, u32)> =
            self.spool.in_order().into_iter().map(|(key, entry)| (key, entry.row)).collect();
        for (at, (booking, _)) in order.iter().enumerate() {
            if !absent.contains(booking) || search.found.contains_key(booking) {
                continue;
            }
            let above = at.checked_sub(1).map_or(1, |above| order[above].1);
            let below = order.get(at + 1).map_or(0, |(_, row)| *row);
            let places = [(above > 0).then_some(above + 1), below.checked_sub(1)].into_iter().flatten();
            for place in places {
                let Some(unknown) = search.rows.get(&place) else { continue };
                // Of rows that are alike, one neighbour is no evidence.
                let is_ambiguous = unknown.rest.is_some_and(|rest| ambiguous.contains(&rest));
                if is_ambiguous && !(above > 0 && above + 2 == below) {
                    continue;
                }
                let (_, cells) = self.differing.row_at(unknown.offset)?;
                let left = self.left(*booking)?.unwrap_or_default();
                if is_mostly_same(self.columns, &left, &cells) {
                    search.found(place, *booking);
                    break;
                }
            }
        }
        Ok(())
    }

    fn undecided(
        &mut self,
        search: &Search,
        bookings: &[AbsentBooking],
        ambiguous: &HashSet<Digest>,
    ) -> Result<Undecided> {
        let mut undecided = Undecided::default();
        let (rows, bookings) = (search.by_rest(), by_rest(bookings));
        for rest in ambiguous {
            let (Some(rows), Some(bookings)) = (rows.get(rest), bookings.get(rest)) else { continue };
            let shown: Vec<String> = rows.iter().map(|row| row.row.to_string()).collect();
            let shown = first_few(&shown, shown.len() as u64);
            for booking in bookings {
                let cells = self.left(booking.key)?.unwrap_or_default();
                if undecided.bookings.insert(booking.key) {
                    let key = self.columns.key_text(|index| &cells[index]);
                    undecided.problems.push(format!(
                        "booking {key:?} may be any of the rows {shown} of the sheet, whose keys were changed"
                    ));
                }
            }
            undecided.rows.extend(rows.iter().map(|row| row.row));
        }
        undecided.problems.sort();
        Ok(undecided)
    }
}

/// A key without the zeros in front of its numbers; `None` if a part of it is blank or none is a number.
fn number(columns: &Columns, cells: &[Cell]) -> Option<KeyHash> {
    let parts = columns.key().iter().map(|&index| cells[index].shown(columns.kind(index)));
    let parts: Vec<String> = parts.map(|part| part.trim().to_owned()).collect();
    let is_number = |part: &String| part.bytes().all(|byte| byte.is_ascii_digit());
    if parts.iter().any(String::is_empty) || !parts.iter().any(is_number) {
        return None;
    }
    let plain = |index: usize| {
        let at = columns.key().iter().position(|key| *key == index).unwrap_or(0);
        let part = &parts[at];
        Cell::Text(if is_number(part) { format!("0{}", part.trim_start_matches('0')) } else { part.clone() })
    };
    columns.key_hash::<String, Cell>(plain)
}

/// The cells beside the key.
fn rest(columns: &Columns, cells: &[Cell]) -> Option<Digest> {
    let is_blank =
        (0..cells.len()).all(|index| columns.key().contains(&index) || cells[index] == Cell::Empty);
    let rest = cells.iter().enumerate();
    let rest = rest.map(|(index, cell)| if columns.key().contains(&index) { &Cell::Empty } else { cell });
    (!is_blank).then(|| columns.digest(rest))
}

/// Whether at most half of the cells beside a single key differ, those aside that were blank. A part of a key of several
/// counts like any other cell.
fn is_mostly_same(columns: &Columns, left: &[Cell], now: &[Cell]) -> bool {
    let is_compared = |index: usize| columns.key().len() > 1 || !columns.key().contains(&index);
    let compared: Vec<usize> =
        (0..left.len()).filter(|index| is_compared(*index) && left[*index] != Cell::Empty).collect();
    let differing =
        compared.iter().filter(|index| !left[**index].is_same(&now[**index], columns.kind(**index)));
    differing.count() * 2 <= compared.len()
}
