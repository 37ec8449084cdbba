//! What the sheet holds now: the owned columns, read in chunks, compared with the spool's index as they arrive.
//!
//! Of rows that differ, only where they stand is kept in memory; their cells go to a file. What people wrote goes to
//! another, for the mirror; nothing is decided by it. People may change the sheet while it is read: a header that moved,
//! a seam between two chunks that does not fit or a row behind the grid makes the whole snapshot void.

use std::collections::HashMap;
use std::path::PathBuf;

use serde_json::Value;
use shared::config::Sheet;
use shared::{Failure, Kind, Result};

use crate::a1;
use crate::block::{Block, OwnedRow, is_blank};
use crate::column::{Columns, Key, KeyHash};
use crate::google::{Client, Tab};
use crate::layout::Layout;
use crate::people::{self, Owner};
use crate::rows::{self, Heading};
use crate::spool::Spool;
use crate::value::Cell;

/// How many cells one request reads at most: the client holds each of them at about 64 bytes.
const CELLS_A_READ: u32 = 290_000;

/// About how many bytes one answer is to have, as Google recommends.
const BYTES_A_READ: u64 = 2_000_000;

/// The largest piece that glibc keeps on its heap, less its own header: <https://man7.org/linux/man-pages/man3/mallopt.3.html>,
/// `M_MMAP_THRESHOLD`.
const LARGEST_PIECE: usize = (32 << 20) - (8 << 10);

/// The sheet, as far as it matters.
#[derive(Debug, Default)]
pub struct Snapshot {
    /// Rows whose booking is in the source with other cells.
    pub differing: Vec<Differing>,
    /// Rows whose booking is not in the source.
    pub missing: Vec<MissingRow>,
    /// Rows of bookings that are in the source, but flagged as missing.
    pub flagged_live: Vec<FlaggedRow>,
    /// Rows of no booking that could be told, in which something stands in the status column.
    pub flagged_others: Vec<FlaggedRow>,
    /// Keys that stand in several rows, with those rows.
    pub duplicates: HashMap<KeyHash, (String, Vec<u32>)>,
    /// Rows with owned cells but no key.
    pub blank_keys: Vec<u32>,
    /// Rows that a plan says nothing of: without a key, not in the source, refused, or twice.
    pub irregular: Vec<Irregular>,
    /// A row with text in the column that would become the status column.
    pub status_taken: Option<u32>,
    /// How many rows have a key.
    pub keyed: usize,
    /// The last row with an owned cell, the header's at least.
    pub last_row: u32,
}

/// A row that differs; rows are counted from 1, as people count them.
#[derive(Clone, Copy, Debug)]
pub struct Differing {
    /// Its number.
    pub row: u32,
    /// Its booking.
    pub key: KeyHash,
    /// Where its cells begin in the file of differing rows.
    pub offset: u64,
}

/// A row that a plan says nothing of.
#[derive(Clone, Copy, Debug)]
pub struct Irregular {
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
    /// What stands in its status column.
    pub status: Cell,
}

/// What a snapshot is taken of.
pub struct View<'a> {
    /// The sheet's configuration.
    pub sheet: &'a Sheet,
    /// Its tab.
    pub tab: &'a Tab,
    /// Its columns.
    pub columns: &'a Columns,
    /// Where they stand.
    pub layout: &'a Layout,
    /// Where the cells of differing rows go.
    pub differing: PathBuf,
    /// Where what people wrote goes.
    pub people: PathBuf,
}

/// Reads the tab and compares it with the spool; notes in the spool's index where each booking stands. None when people
/// moved things about meanwhile.
///
/// # Errors
/// As every request; [`Kind::Data`] when a column that is to get a header holds a person's data.
pub async fn take(client: &mut Client, view: &View<'_>, spool: &mut Spool) -> Result<Option<Snapshot>> {
    spool.index.values_mut().for_each(|entry| entry.row = 0);
    let heading = Heading::new(String::new(), view.columns.remembered());
    let mut writer = rows::Writer::create(&view.differing, &heading)?;
    let layout = view.layout.with_people();
    let mut people =
        people::Writer::create(&view.people, spool.heading.home.clone(), view.columns, (view.tab, &layout))?;
    let mut taking = Taking {
        view,
        spool,
        missing: HashMap::new(),
        snapshot: Snapshot { last_row: 1, ..Snapshot::default() },
    };
    let rows_a_read = rows_a_read(&layout, taking.spool);
    client.progress().begins(u64::from(view.tab.rows));
    keep_the_heap();
    let (mut first, mut seam) = (2, None);
    while first <= view.tab.rows && !layout.runs().is_empty() {
        let last = first.saturating_add(rows_a_read - 1).min(view.tab.rows);
        let rows = (first, last);
        let Some(block) = Block::of_grid(client, &view.sheet.tab, &layout, rows, view.tab.rows).await? else {
            return Ok(None);
        };
        if seam.is_some_and(|seam| seam != block.owned(first, view.layout)) {
            return Ok(None);
        }
        let is_new = |owned: &OwnedRow<'_>| owned.row > first || first == 2;
        block.owned_rows(view.columns, &view.layout.columns).iter().filter(is_new).try_for_each(|owned| {
            let owner = taking.row(&block, owned, &mut writer)?;
            people.row(&block, owned.row, owner)
        })?;
        seam = Some(block.owned(last, view.layout));
        client.progress().rows(u64::from(last));
        first = if last == view.tab.rows { last + 1 } else { last };
    }
    let snapshot = taking.snapshot;
    writer.commit()?;
    people.commit()?;
    Ok(Some(snapshot))
}

/// Until glibc has seen a piece of this size, it gives an answer's memory back to the system after each request and asks for
/// it again, which costs a tenth of the CPU of a run that writes nothing. The piece is never touched and takes no memory.
fn keep_the_heap() {
    drop(std::hint::black_box(Vec::<u8>::with_capacity(LARGEST_PIECE)));
}

/// Whether one request reads the whole tab.
pub fn is_one_read(tab: &Tab, layout: &Layout, spool: &Spool) -> bool {
    tab.rows <= rows_a_read(&layout.with_people(), spool)
}

/// How many rows of these columns one request reads. The sheet's rows are about as long as the source's.
fn rows_a_read(layout: &Layout, spool: &Spool) -> u32 {
    let width: u32 = layout.runs().iter().map(|(first, last)| last - first + 1).sum();
    let bytes = spool.index.values().map(|entry| entry.offset).max().unwrap_or(0);
    let bytes_a_row = bytes / (spool.index.len() as u64).max(1);
    let by_bytes = u32::try_from(BYTES_A_READ / bytes_a_row.max(1)).unwrap_or(u32::MAX);
    // Two rows at least, since the last one of a chunk is read again as the first of the next; and a power of two, which
    // is what the client's lists have room for.
    1 << by_bytes.min(CELLS_A_READ / width.max(1)).max(2).ilog2()
}

/// A snapshot being taken.
struct Taking<'a> {
    view: &'a View<'a>,
    spool: &'a mut Spool,
    missing: HashMap<KeyHash, u32>,
    snapshot: Snapshot,
}

impl Taking<'_> {
    fn row(&mut self, block: &Block, owned: OwnedRow<'_>, writer: &mut rows::Writer) -> Result<Owner> {
        let View { sheet, columns, layout, .. } = self.view;
        let row = owned.row;
        let status = block.value(row, layout.status);
        refuse_headless_data(layout, owned, sheet)?;
        // Without the header the column is not the status column: what stands there is a person's.
        let is_reserved = layout.status.is_some_and(|column| layout.is_headless(column));
        if is_reserved && !is_blank(status) {
            self.snapshot.status_taken.get_or_insert(row);
        }
        let status = status.filter(|_| !is_reserved);
        let spill = |cells: &[Cell<&str>]| writer.row(u64::from(row), cells);
        let keyed = self.snapshot.keyed;
        self.snapshot.add(owned, status, columns, self.spool, &mut self.missing, spill)?;
        Ok(if self.snapshot.keyed > keyed { Owner::Booking } else { Owner::Person })
    }
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
        let flagged = |key: Key| {
            let status = status.filter(|status| !is_blank(Some(status))).map(Cell::from_json);
            status.map(|status| FlaggedRow { row, key, status })
        };
        let nobody = || Key { hash: KeyHash::default(), text: String::new() };
        if owned.values().all(is_blank) {
            self.flagged_others.extend(flagged(nobody()));
            return Ok(());
        }
        self.last_row = row;
        let cell = |index: usize| owned.cell(index);
        let put_aside = || spill(&owned.values().map(Cell::of_json).collect::<Vec<_>>());
        let Some(hash) = columns.key_hash(cell) else {
            self.blank_keys.push(row);
            self.irregular.push(Irregular { row, offset: put_aside()? });
            self.flagged_others.extend(flagged(nobody()));
            return Ok(());
        };
        self.keyed += 1;
        // Few rows are ever told of.
        let key = || Key { hash, text: columns.key_text(cell) };
        match spool.find(&hash) {
            Some(entry) if entry.row != 0 => {
                self.irregular.push(Irregular { row, offset: put_aside()? });
                self.duplicate(key(), entry.row, row);
                self.flagged_others.extend(flagged(key()));
            }
            Some(entry) => {
                entry.row = row;
                if owned.digest != entry.digest {
                    self.differing.push(Differing { row, key: hash, offset: put_aside()? });
                }
                self.flagged_live.extend(flagged(key()));
            }
            None => {
                self.irregular.push(Irregular { row, offset: put_aside()? });
                if spool.held.contains_key(&hash) {
                    self.flagged_others.extend(flagged(key()));
                    return Ok(());
                }
                match missing.insert(hash, row) {
                    Some(first) => self.duplicate(key(), first, row),
                    None => self.missing.push(MissingRow { row, key: key(), flagged: !is_blank(status) }),
                }
            }
        }
        Ok(())
    }

    fn duplicate(&mut self, key: Key, first: u32, row: u32) {
        self.duplicates.entry(key.hash).or_insert_with(|| (key.text, vec![first])).1.push(row);
    }
}

/// A column that is to get a header must be empty: what stands there is a person's.
fn refuse_headless_data(layout: &Layout, owned: OwnedRow<'_>, sheet: &Sheet) -> Result<()> {
    if layout.added.is_empty() {
        return Ok(());
    }
    let taken = layout
        .columns
        .iter()
        .zip(owned.values())
        .find(|(column, value)| layout.is_headless(**column) && !is_blank(*value));
    match taken {
        Some((column, _)) => Err(headless(*column, owned.row, sheet)),
        None => Ok(()),
    }
}

/// Data below a place where a header is to be written.
pub fn headless(column: u32, row: u32, sheet: &Sheet) -> Failure {
    let letters = a1::letters(column);
    Failure::new(
        Kind::Data,
        format!("column {letters} of tab {:?} has no header in row 1 but data in row {row}", sheet.tab),
        format!("give column {letters} a header in the sheet, so that it is known whose it is"),
    )
}
