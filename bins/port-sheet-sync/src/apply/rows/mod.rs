//! Rows leave the tab, and rows that were removed by mistake come back.
//!
//! A removal is proven: the row goes to another tab in the request that deletes it, and is looked at there. A deletion is
//! final only after that. What is due is decided in [`crate::plan`], how it is written in [`operations`].

pub mod operations;

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use log::info;
use shared::{Failure, Kind, Result};

use crate::apply::guard::{ColumnGuard, ColumnsThen};
use crate::apply::rows::operations::MoveBetween;
use crate::apply::rows::operations::come_back;
use crate::apply::rows::operations::leave;
use crate::google::Client;
use crate::google::WriteError;
use crate::journal::Journal;
use crate::journal::JournalHeader;
use crate::journal::Line;
use crate::journal::removals_in_doubt;
use crate::journal::withdraw;
use crate::model::cell::Cell;
use crate::model::column::Columns;
use crate::model::operation::Operation;
use crate::model::operation::WholeCell;
use crate::model::span::{Span, spans};
use crate::sheet::holding_tab;
use crate::sheet::holding_tab::HeldRow;
use crate::sheet::holding_tab::HeldRows;
use crate::sheet::holding_tab::HoldingTab;
use crate::sheet::holding_tab::RemovalTag;
use crate::sheet::holding_tab::lasting;
use crate::sheet::layout::Layout;
use crate::sheet::realign::realign;
use crate::sheet::snapshot::MissingRow;
use crate::sheet::tab::Tab;
use crate::snapshot;
use crate::spool::safety_copy::MovedRows;

/// How many cells move in one request; the client's types take some kilobytes each.
const CELLS_A_REQUEST: u32 = 4_000;

/// How many rows do at most, since each may need requests of its own in the batch.
const ROWS_A_REQUEST: u32 = 200;

/// A row that is about to leave.
#[derive(Clone, Debug)]
pub struct RowToRemove {
    /// Its number.
    pub row: u32,
    /// Its booking.
    pub key: String,
    /// All of it, human cells too.
    pub cells: Vec<WholeCell>,
}

impl RowToRemove {
    /// What stands beside it in the holding tab.
    pub fn tag(&self, day: NaiveDate) -> RemovalTag {
        RemovalTag { day, row: self.row, key: self.key.clone() }
    }

    /// How many columns it takes: users may have added some since the tab was read.
    fn width(&self) -> u32 {
        u32::try_from(self.cells.len()).unwrap_or(u32::MAX)
    }
}

/// Everything needed to move rows.
pub struct RowMover<'a> {
    /// The spreadsheet.
    pub client: &'a mut Client,
    /// The tab's title.
    pub title: &'a str,
    /// The tab, as it was last read.
    pub tab: &'a Tab,
    /// Its columns.
    pub columns: &'a Columns,
    /// Where they are.
    pub layout: &'a Layout,
    /// Where rows go.
    pub place: HoldingTab,
    /// Where journals are.
    pub journals: PathBuf,
    /// Where the list of safety copies is.
    pub copies: PathBuf,
    /// What they begin with.
    pub heading: &'a JournalHeader,
    /// The day of the removal tags.
    pub day: NaiveDate,
}

impl RowMover<'_> {
    /// Removes rows, the lowest first, and checks that they were the right ones. False means that something moved meanwhile
    /// and everything must be read again.
    ///
    /// # Errors
    /// [`WriteError::OutcomeUnknown`] when rows may have moved.
    pub async fn remove(&mut self, rows: &[MissingRow]) -> Result<bool, WriteError> {
        for rows in rows.rchunks(rows_a_request(self.tab.columns.max(self.layout.width()))) {
            let Some(leaving) = self.read(rows).await? else {
                info!("rows moved before they were removed");
                return Ok(false);
            };
            if self.move_out(&leaving).await? == ColumnsThen::Moved {
                return Ok(false);
            }
        }
        let Some(held) = self.look().await? else { return Ok(false) };
        let arrived: HashSet<&str> =
            held.rows.iter().filter(|row| row.is_right()).map(|row| row.mark.key.as_str()).collect();
        let has_all = rows.iter().all(|row| arrived.contains(row.key.text.as_str()));
        if held.rows.iter().any(HeldRow::is_wrong) || !has_all {
            info!("rows moved while some were removed; others were removed in their place");
            return Ok(false);
        }
        if !held.place.is_kept {
            self.purge(&held).await?;
        }
        Ok(true)
    }

    async fn look(&mut self) -> Result<Option<HeldRows>> {
        let header = holding_tab::header(self.tab, self.layout);
        let in_doubt = removals_in_doubt(&self.journals)?;
        snapshot::holding_tab::read(self.client, &self.place, self.columns, &header, &in_doubt).await
    }

    /// The rows as they are now; `None` when one of them is another row by now.
    async fn read(&mut self, rows: &[MissingRow]) -> Result<Option<Vec<RowToRemove>>> {
        let spans = [vec![Span::one(1)], spans(rows.iter().map(|row| row.row).collect(), 0)].concat();
        let mut found = self.client.whole_rows(self.title, &spans).await?.into_iter();
        let header = found.next().unwrap_or_default();
        // Of all columns: human cells are copied along, and must land below their own headers.
        let expected = holding_tab::header(self.tab, self.layout);
        let is_same = (0..header.len().max(expected.len()))
            .all(|at| shows(header.get(at), expected.get(at + 1).map_or("", String::as_str)));
        if !is_same {
            return Ok(None);
        }
        let mut leaving = Vec::new();
        for (row, cells) in rows.iter().zip(found) {
            let key = self.columns.key_of(|index| effective(cells.get(self.layout.columns[index] as usize)));
            if key.is_none_or(|key| key.hash != row.key.hash) {
                return Ok(None);
            }
            leaving.push(RowToRemove { row: row.row, key: row.key.text.clone(), cells: entered(cells) });
        }
        Ok(Some(leaving))
    }

    /// Journals rows and moves them in one request.
    async fn move_out(&mut self, leaving: &[RowToRemove]) -> Result<ColumnsThen, WriteError> {
        let held = self.client.find_tab(&self.place.title).await?;
        let mut journal = self.journal()?;
        let archive = self.archive();
        for left in leaving {
            let (row, key, cells) = (left.row, left.key.clone(), left.cells.clone());
            journal.put(&Line::Remove { row, key, archive: archive.clone(), cells })?;
        }
        let between = MoveBetween {
            tab: self.tab,
            width: leaving
                .iter()
                .map(RowToRemove::width)
                .fold(self.tab.columns.max(self.layout.width()), u32::max),
            place: &self.place,
            held: held.as_ref(),
            header: &holding_tab::header(self.tab, self.layout),
            new_id: self.new_id(),
        };
        let operations = leave(&between, leaving, self.day);
        let tags = leaving.iter().map(|row| row.tag(self.day).to_string()).collect();
        let moved = MovedRows { title: self.place.title.clone(), tags };
        let path = journal.path();
        journal.commit()?;
        let guard = ColumnGuard {
            title: self.title,
            tab: self.tab,
            copies: self.copies.clone(),
            run: &self.heading.run,
        };
        withdrawn_if_refused(&path, guard.move_out(self.client, &operations, moved).await)
    }

    /// Brings rows back from where they were removed to.
    ///
    /// # Errors
    /// [`WriteError::OutcomeUnknown`] when rows may have moved.
    pub async fn bring_back(&mut self, held: &Tab, rows: &[HeldRow]) -> Result<(), WriteError> {
        // From the lowest up, so that the numbers of the others stay what they are.
        for rows in rows.rchunks(rows_a_request(held.columns)) {
            let mut journal = self.journal()?;
            let cells = self.on_shelf(rows).await?;
            let width = cells.iter().map(Vec::len).max().unwrap_or(0).max(self.tab.header.len());
            let width = u32::try_from(width).unwrap_or(u32::MAX).min(held.columns - 1);
            for (shelved, cells) in rows.iter().zip(cells) {
                let key = shelved.key.as_ref().map(|key| key.text.clone()).unwrap_or_default();
                let (row, wrong) = (shelved.mark.row, shelved.is_wrong());
                let archive = self.archive();
                journal.put(&Line::Return { row, key, wrong, archive, cells })?;
            }
            self.insert(journal, &come_back(self.tab, held, rows, width)).await?;
        }
        Ok(())
    }

    /// Ends a deletion: the rows were verified, and are journaled as they are there, in the columns that
    /// the journal names.
    ///
    /// # Errors
    /// [`WriteError::OutcomeUnknown`] when the tab may be gone.
    pub async fn purge(&mut self, held: &HeldRows) -> Result<(), WriteError> {
        self.refuse_a_tab_in_use(held).await?;
        let mut journal = self.journal()?;
        for rows in held.rows.chunks(ROWS_A_REQUEST as usize) {
            for (shelved, cells) in rows.iter().zip(self.on_shelf(rows).await?) {
                let (row, key) = (shelved.mark.row, shelved.mark.key.clone());
                let (cells, _) = realign(&cells, &held.tab.header[1..], &self.heading.header);
                journal.put(&Line::Remove { row, key, archive: None, cells })?;
            }
        }
        let gone = Operation::On(held.tab.id, Box::new(Operation::DeleteTab));
        self.send(journal, &[gone]).await
    }

    /// A user may have found the tab and put something into it.
    async fn refuse_a_tab_in_use(&mut self, held: &HeldRows) -> Result<()> {
        let ours = held.rows.iter().filter(|row| row.is_right());
        let ours: HashSet<u32> = ours.map(|row| row.row).collect();
        let others: Vec<u32> = (2..=held.tab.rows).filter(|row| !ours.contains(row)).collect();
        for rows in others.chunks(ROWS_A_REQUEST as usize) {
            let found = self.client.whole_rows(&self.place.title, &spans(rows.to_vec(), 0)).await?;
            if found.iter().flatten().any(is_used) {
                return Err(Failure::new(
                    Kind::Data,
                    format!(
                        "the hidden tab {:?} holds something that no removal put there",
                        self.place.title
                    ),
                    "nothing of it is lost: show the tab with View, Hidden sheets, move what is yours, and delete the tab",
                ));
            }
        }
        Ok(())
    }

    /// Rows as they are in the holding tab, without their tags.
    async fn on_shelf(&mut self, rows: &[HeldRow]) -> Result<Vec<Vec<WholeCell>>> {
        let found = self
            .client
            .whole_rows(&self.place.title, &spans(rows.iter().map(|row| row.row).collect(), 0))
            .await?;
        Ok(found.into_iter().map(|cells| entered(cells.into_iter().skip(1).collect())).collect())
    }

    fn archive(&self) -> Option<String> {
        self.place.is_kept.then(|| self.place.title.clone())
    }

    fn journal(&self) -> Result<Journal> {
        Journal::of_rows(&self.journals, self.heading, self.client.requests().1)
    }

    /// Journals and makes changes outside the tab.
    async fn send(&mut self, journal: Journal, operations: &[Operation]) -> Result<(), WriteError> {
        let path = journal.path();
        journal.commit()?;
        withdrawn_if_refused(&path, self.client.edit(self.tab.id, operations).await)
    }

    /// Journals rows and inserts them. They overwrite nothing, but where a column moved at that moment their cells are below other
    /// headers.
    ///
    /// # Errors
    /// [`WriteError::OutcomeUnknown`] when rows may have been inserted; [`Kind::Data`] when columns had moved.
    pub async fn insert(&mut self, journal: Journal, operations: &[Operation]) -> Result<(), WriteError> {
        let path = journal.path();
        journal.commit()?;
        let sent = self.client.edit_and_look(self.tab, self.title, operations, &[]).await;
        let look = withdrawn_if_refused(&path, sent)?;
        if lasting(&look.header) == lasting(&self.tab.header) {
            return Ok(());
        }
        Err(Failure::new(
            Kind::Data,
            format!(
                "columns of tab {:?} moved while rows came back to it: some of their cells are below other headers",
                self.title
            ),
            format!(
                "move the cells of these rows below their headers in the sheet; the rows are listed as they were in {}",
                path.display()
            ),
        )
        .into())
    }

    /// An id for a new tab: another one in each run.
    fn new_id(&self) -> i32 {
        let hash = blake3::hash(format!("{} {}", self.heading.run, self.place.title).as_bytes());
        let mut bytes = [0; 4];
        bytes.copy_from_slice(&hash.as_bytes()[..4]);
        i32::from_le_bytes(bytes) & i32::MAX
    }
}

/// A request that was refused leaves no trace in the journals.
fn withdrawn_if_refused<T>(journal: &Path, sent: Result<T, WriteError>) -> Result<T, WriteError> {
    if let Err(WriteError::Rejected(_) | WriteError::Outdated(_)) = &sent {
        withdraw(journal)?;
    }
    sent
}

/// How many rows of so many columns move in one request.
pub fn rows_a_request(columns: u32) -> usize {
    (CELLS_A_REQUEST / columns.max(1)).clamp(1, ROWS_A_REQUEST) as usize
}

/// Whether a header cell shows this text, or the time of a run. Of one that is no text, how it is shown is not known
/// here.
fn shows(cell: Option<&WholeCell>, text: &str) -> bool {
    match cell.and_then(|cell| cell.get("effectiveValue")) {
        None => text.is_empty(),
        Some(value) => value["stringValue"]
            .as_str()
            .is_none_or(|found| found == text || crate::sheet::freshness::is_ours(found)),
    }
}

/// The value of a cell.
pub fn effective(cell: Option<&WholeCell>) -> Cell {
    let value = cell.and_then(|cell| cell.get("effectiveValue")?.as_object()?.values().next());
    value.map_or(Cell::Empty, Cell::from_json)
}

/// Cells without their values, trailing blank ones left out: only what users entered is kept.
pub fn entered(mut cells: Vec<WholeCell>) -> Vec<WholeCell> {
    for cell in cells.iter_mut().filter_map(WholeCell::as_object_mut) {
        cell.remove("effectiveValue");
    }
    let filled = cells.iter().rposition(|cell| cell.as_object().is_some_and(|cell| !cell.is_empty()));
    cells.truncate(filled.map_or(0, |last| last + 1));
    cells
}

/// Whether a user put something into a cell.
fn is_used(cell: &WholeCell) -> bool {
    cell.get("userEnteredValue").or(cell.get("note")).is_some()
}
