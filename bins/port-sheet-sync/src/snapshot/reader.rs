//! Reads the owned columns in chunks and compares them with the spool as they arrive.
//!
//! The cells of rows that differ go to a file. Human cells go to another file, for the mirror; no decision depends on them.
//! Users may change the sheet while it is read: a header that moved, a seam between two chunks that does not fit or a row
//! after the end of the grid makes the whole snapshot void.

use crate::google::Client;
use crate::model::column::Columns;
use crate::model::column::KeyHash;
use crate::sheet::layout::Layout;
use crate::sheet::owned_row::OwnedRow;
use crate::sheet::owned_row::is_blank;
use crate::sheet::snapshot::Snapshot;
use crate::sheet::snapshot::headless;
use crate::sheet::tab::Tab;
use crate::snapshot::chunk::Chunk;
use crate::snapshot::chunks::{Chunks, NextChunk, rows_a_read};
use crate::snapshot::human;
use crate::snapshot::human::Owner;
use crate::spool::Spool;
use crate::spool::row_file;
use crate::spool::row_file::Header;
use shared::Result;
use shared::config::Sheet;
use std::collections::HashMap;
use std::path::PathBuf;

/// The largest piece that glibc keeps on its heap, less its own header: <https://man7.org/linux/man-pages/man3/mallopt.3.html>,
/// `M_MMAP_THRESHOLD`.
const LARGEST_PIECE: usize = (32 << 20) - (8 << 10);

/// What a snapshot is taken of.
pub struct View<'a> {
    /// The sheet's configuration.
    pub sheet: &'a Sheet,
    /// Its tab.
    pub tab: &'a Tab,
    /// Its columns.
    pub columns: &'a Columns,
    /// Where they are.
    pub layout: &'a Layout,
    /// Where the cells of differing rows go.
    pub differing: PathBuf,
    /// The file for human cells.
    pub people: PathBuf,
}

/// Reads the tab and compares it with the spool; notes in the spool's index the row of each booking. `None` when rows or
/// columns moved meanwhile.
///
/// # Errors
/// As every request; [`shared::Kind::Data`] when a column that would get a header holds a user's data.
pub async fn take(client: &mut Client, view: &View<'_>, spool: &mut Spool) -> Result<Option<Snapshot>> {
    spool.index.values_mut().for_each(|entry| entry.row = 0);
    let heading = Header::new(String::new(), view.columns.remembered());
    let mut writer = row_file::RowWriter::create(&view.differing, &heading)?;
    let layout = view.layout.with_people();
    let mut people = human::HumanWriter::create(
        &view.people,
        spool.heading.home.clone(),
        view.columns,
        view.tab,
        &layout,
    )?;
    let mut taking = SnapshotReader {
        view,
        spool,
        missing: HashMap::new(),
        snapshot: Snapshot { last_row: 1, last_filled: 1, ..Snapshot::default() },
    };
    let rows_a_read = rows_a_read(&layout, row_bytes(taking.spool));
    let mut chunks = Chunks::new(&view.sheet.tab, &layout, view.tab.rows, rows_a_read);
    client.progress().begins(u64::from(view.tab.rows));
    keep_the_heap();
    loop {
        let chunk = match chunks.next(client).await? {
            NextChunk::Rows(chunk) => chunk,
            NextChunk::Moved => return Ok(None),
            NextChunk::End => break,
        };
        let owned = chunk.owned_rows(view.columns, &view.layout.columns);
        for owned in owned.iter().filter(|owned| chunk.is_new(owned.row)) {
            let owner = taking.row(&chunk, owned, &mut writer)?;
            people.row(&chunk, owned.row, owner)?;
        }
        client.progress().rows(u64::from(chunks.read_until()));
    }
    let snapshot = taking.snapshot;
    writer.commit()?;
    people.commit()?;
    Ok(Some(snapshot))
}

/// Until glibc has seen a piece of this size, it gives the memory of a response back to the system after each request and requests
/// it again, which costs a tenth of the CPU of a run that writes nothing. The piece is never touched and takes no memory.
fn keep_the_heap() {
    drop(std::hint::black_box(Vec::<u8>::with_capacity(LARGEST_PIECE)));
}

/// Whether one request reads the whole tab.
pub fn is_one_read(tab: &Tab, layout: &Layout, spool: &Spool) -> bool {
    tab.rows <= rows_a_read(&layout.with_people(), row_bytes(spool))
}

/// About how long a row of the sheet is: as long as one of the source.
fn row_bytes(spool: &Spool) -> u64 {
    let bytes = spool.index.values().map(|entry| entry.offset).max().unwrap_or(0);
    bytes / (spool.index.len() as u64).max(1)
}

/// A snapshot being taken.
struct SnapshotReader<'a> {
    view: &'a View<'a>,
    spool: &'a mut Spool,
    missing: HashMap<KeyHash, u32>,
    snapshot: Snapshot,
}

impl SnapshotReader<'_> {
    fn row(&mut self, block: &Chunk, owned: OwnedRow<'_>, writer: &mut row_file::RowWriter) -> Result<Owner> {
        let View { sheet, columns, layout, .. } = self.view;
        let row = owned.row;
        // A chunk ends with the last row in which any column has a cell.
        self.snapshot.last_filled = self.snapshot.last_filled.max(row);
        let status = block.value(row, layout.status);
        refuse_headless_data(layout, owned, sheet)?;
        // Without the header the column is not the status column: a user wrote its cells.
        let is_reserved = layout.status.is_some_and(|column| layout.is_headless(column));
        if is_reserved && !is_blank(status) {
            self.snapshot.status_taken.get_or_insert(row);
        }
        let status = status.filter(|_| !is_reserved);
        let keyed = self.snapshot.keyed;
        self.snapshot.add(owned, status, columns, self.spool, &mut self.missing, |cells| {
            writer.row(u64::from(row), cells)
        })?;
        Ok(if self.snapshot.keyed > keyed { Owner::Booking } else { Owner::User })
    }
}

/// A column that would get a header must be empty: a user wrote its cells.
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
