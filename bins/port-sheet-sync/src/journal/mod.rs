//! The journal: old and new of every cell, and every row that is added, flagged or removed, on disk before anything is
//! written.
//!
//! One file a write, JSON lines, so that what a run did can be seen and undone. Until the base is committed its name says
//! `pending`: what it lists may be in the sheet although the base does not have it.

pub mod past;
pub mod pending;

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use shared::config::Sheet;
use shared::run::Context;
use shared::sys::atomic_file;
use shared::{Failure, Result};

use crate::model::cell::Cell;
use crate::model::column::Columns;
use crate::model::column::Remembered;
use crate::model::operation::WholeCell;
use crate::sheet::holding_tab::RemovalTag;
use crate::spool;

pub use crate::journal::pending::PendingWrites;
pub use crate::journal::pending::digest;

/// How long journals are kept.
const KEPT: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// How many journals of a sheet are kept however old they are: those of the last run that wrote, and of the one before.
const NEWEST: usize = 2;

/// How the name of a journal ends.
const DONE: &str = ".jsonl";

/// How it ends while the run is not committed.
const PENDING: &str = ".pending.jsonl";

/// How it ends while the run is not committed, if rows leave the tab or come back.
const PENDING_ROWS: &str = ".rows.pending.jsonl";

/// The first line of a journal: who wrote what into which tab.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct JournalHeader {
    pub run: String,
    pub at: DateTime<Utc>,
    /// The spreadsheet and the tab.
    pub home: String,
    /// The columns of `cells`.
    pub columns: Vec<Remembered>,
    /// The headers of those that make the key.
    pub key: Vec<String>,
    /// The tab's first row: the columns of whole rows.
    pub header: Vec<String>,
    /// The header of the status column.
    pub status: String,
    /// The run that is undone, if that is what it did.
    pub undoes: Option<String>,
}

impl JournalHeader {
    /// For the writes of a sync.
    pub fn new(context: &Context, sheet: &Sheet, columns: &Columns, header: &[String]) -> Self {
        Self {
            run: context.run.clone(),
            at: context.started,
            home: spool::home(sheet),
            columns: columns.remembered(),
            key: columns.key().iter().map(|index| columns.all()[*index].header.clone()).collect(),
            header: header.to_vec(),
            status: sheet.status_header.clone(),
            undoes: None,
        }
    }
}

/// One change. Rows are counted from 1; cells hold values as the API returns them.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "what")]
pub enum Line {
    /// Who and where.
    Run(JournalHeader),
    /// A cell changes.
    Change { row: u32, key: String, header: String, old: Cell, new: Cell },
    /// A booking gets a row.
    Add { line: u64, key: String, cells: Vec<Cell> },
    /// A row is flagged.
    Flag { row: u32, key: String, new: String },
    /// A row is no longer flagged.
    Unflag { row: u32, key: String, old: Cell },
    /// A header is written, or cleared when `new` is empty.
    Header { column: u32, old: String, new: String },
    /// A row is removed, to the archive if that is named.
    Remove { row: u32, key: String, archive: Option<String>, cells: Vec<WholeCell> },
    /// A row comes back. A wrong one was removed by mistake, because rows moved at that moment.
    Return { row: u32, key: String, wrong: bool, archive: Option<String>, cells: Vec<WholeCell> },
}

/// A journal being written.
pub struct Journal {
    draft: atomic_file::Draft,
    out: BufWriter<File>,
    path: PathBuf,
}

impl Journal {
    /// Begins the journal of a write to cells; `write` only needs to differ from one write of the run to the next. It
    /// stays pending until [`commit`].
    ///
    /// # Errors
    /// [`shared::Kind::Io`].
    pub fn of_cells(dir: &Path, heading: &JournalHeader, write: u64) -> Result<Self> {
        Self::begin(dir, heading, &format!("-{write}{PENDING}"))
    }

    /// The same for rows that leave the tab or come back.
    ///
    /// # Errors
    /// [`shared::Kind::Io`].
    pub fn of_rows(dir: &Path, heading: &JournalHeader, write: u64) -> Result<Self> {
        Self::begin(dir, heading, &format!("-{write}{PENDING_ROWS}"))
    }

    fn begin(dir: &Path, heading: &JournalHeader, end: &str) -> Result<Self> {
        atomic_file::private_dir(dir)?;
        let mut journal = Self::create(&dir.join(format!("{}{end}", heading.run)))?;
        journal.put(&Line::Run(heading.clone()))?;
        Ok(journal)
    }

    pub fn path(&self) -> PathBuf {
        self.path.clone()
    }

    fn create(path: &Path) -> Result<Self> {
        let draft = atomic_file::Draft::new(path)?;
        let out = draft.file().try_clone().map_err(|error| Failure::io("cannot write", path, error))?;
        Ok(Self { draft, out: BufWriter::new(out), path: path.to_owned() })
    }

    /// # Errors
    /// [`shared::Kind::Io`].
    pub fn put(&mut self, line: &Line) -> Result<()> {
        serde_json::to_writer(&mut self.out, line)
            .map_err(std::io::Error::from)
            .and_then(|()| self.out.write_all(b"\n"))
            .map_err(|error| Failure::io("cannot write", &self.path, error))
    }

    /// Puts it in its place, written through to the disk.
    ///
    /// # Errors
    /// [`shared::Kind::Io`]; nothing may be written to the sheet then.
    pub fn commit(mut self) -> Result<()> {
        self.out.flush().map_err(|error| Failure::io("cannot write", &self.path, error))?;
        self.draft.commit()
    }
}

/// The lines of a journal. Lines that another version wrote in another form are left out.
fn lines(path: &Path) -> Result<impl Iterator<Item = Result<Line>>> {
    let file = File::open(path).map_err(|error| Failure::io("cannot read", path, error))?;
    let path = path.to_owned();
    Ok(BufReader::new(file).lines().filter_map(move |line| match line {
        Ok(line) => serde_json::from_str(&line).ok().map(Ok),
        Err(error) => {
            let hint = format!("if it is damaged, move it aside: mv {0} {0}.damaged", path.display());
            Some(Err(Failure { hint, ..Failure::io("cannot read", &path, error) }))
        }
    }))
}

/// Whether a sync wrote cells that are not committed. Cells that an undo wrote count as changed by a user.
///
/// # Errors
/// [`shared::Kind::Io`].
pub fn has_pending_cells(dir: &Path) -> Result<bool> {
    for path in pending(dir).iter().filter(|path| !path.to_string_lossy().ends_with(PENDING_ROWS)) {
        if let Some(Line::Run(heading)) = lines(path)?.next().transpose()?
            && heading.undoes.is_none()
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The rows that uncommitted writes removed: it must be checked that the right ones were removed.
///
/// # Errors
/// [`shared::Kind::Io`].
pub fn removals_in_doubt(dir: &Path) -> Result<HashSet<RemovalTag>> {
    let mut marks = HashSet::new();
    for path in pending(dir).iter().filter(|path| path.to_string_lossy().ends_with(PENDING_ROWS)) {
        let mut day = NaiveDate::default();
        for line in lines(path)? {
            match line? {
                Line::Run(heading) => day = heading.at.date_naive(),
                Line::Remove { row, key, .. } => drop(marks.insert(RemovalTag { day, row, key })),
                _ => {}
            }
        }
    }
    Ok(marks)
}

/// Whether rows left the tab or came back in an uncommitted write, of this run or of a run that did not complete.
pub fn has_pending_rows(dir: &Path) -> bool {
    pending(dir).iter().any(|path| path.to_string_lossy().ends_with(PENDING_ROWS))
}

/// The journals of runs that did not complete.
pub fn pending(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path());
    entries.filter(|path| path.to_string_lossy().ends_with(PENDING)).collect()
}

/// Marks all journals as committed: everything in them is in the base.
///
/// # Errors
/// [`shared::Kind::Io`].
pub fn commit(dir: &Path) -> Result<()> {
    commit_run(dir, "")
}

/// Marks the journals of one run as committed.
///
/// # Errors
/// [`shared::Kind::Io`].
pub fn commit_run(dir: &Path, run: &str) -> Result<()> {
    for path in pending(dir) {
        if !path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(run)) {
            continue;
        }
        let done = path.to_string_lossy().replace(PENDING, DONE);
        fs::rename(&path, done).map_err(|error| Failure::io("cannot rename", &path, error))?;
    }
    Ok(())
}

/// Removes the journal of a request that Google refused whole.
///
/// # Errors
/// [`shared::Kind::Io`].
pub fn withdraw(path: &Path) -> Result<()> {
    fs::remove_file(path).map_err(|error| Failure::io("cannot remove", path, error))
}

/// Removes journals older than 90 days; never the newest two, and none without a time that somebody else confirms. A journal that
/// cannot be removed is no reason to fail.
pub fn prune(dir: &Path, now: Option<SystemTime>) {
    atomic_file::remove_abandoned_drafts(dir);
    let Some(now) = now else { return };
    let Ok(entries) = fs::read_dir(dir) else { return };
    let modified = |entry: &fs::DirEntry| entry.metadata().and_then(|metadata| metadata.modified());
    let files = entries.flatten().filter_map(|entry| Some((modified(&entry).ok()?, entry.path())));
    let mut files: Vec<(SystemTime, PathBuf)> = files.collect();
    files.sort();
    files.truncate(files.len().saturating_sub(NEWEST));
    for (at, path) in files {
        let is_old = now.duration_since(at).is_ok_and(|age| age > KEPT);
        if is_old && let Err(error) = fs::remove_file(&path) {
            log::info!("cannot remove the old journal {}: {error}", path.display());
        }
    }
}

/// Where a sheet's journals are.
pub fn journals(context: &Context, sheet: &Sheet) -> PathBuf {
    context.state.journal().join(&sheet.name)
}
