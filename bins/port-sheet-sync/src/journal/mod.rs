//! The journal: old and new of every cell, and every row that is added, flagged or removed, on disk before anything is
//! written.
//!
//! One file a write, JSON lines, so that what a run did can be seen and undone. Until the base is committed its name says
//! `pending`: what it lists may stand in the sheet although the base does not know it. It only records.

mod intended;
pub mod past;

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use shared::config::Sheet;
use shared::job::Context;
use shared::{Failure, Result, file};

use crate::column::{Columns, Remembered};
use crate::edit::WholeCell;
use crate::plan::{Plan, RowUpdate};
use crate::rows;
use crate::shelf::Mark;
use crate::snapshot::Differing;
use crate::spool;
use crate::value::Cell;

pub use intended::{Intended, digest};

/// How long journals are kept.
const KEPT: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// How the name of a journal ends.
const DONE: &str = ".jsonl";

/// How it ends while the run is not committed.
const PENDING: &str = ".pending.jsonl";

/// How it ends while the run is not committed, if rows leave the tab or come back.
const PENDING_ROWS: &str = ".rows.pending.jsonl";

/// The first line of a journal: who wrote what into which tab.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Heading {
    /// The run.
    pub run: String,
    /// When it wrote.
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

impl Heading {
    /// For the writes of a sync.
    pub fn new(context: &Context, sheet: &Sheet, columns: &Columns, header: &[String]) -> Self {
        let key = |&index: &usize| columns.all()[index].header.clone();
        Self {
            run: context.run.clone(),
            at: context.started,
            home: spool::home(sheet),
            columns: columns.remembered(),
            key: columns.key().iter().map(key).collect(),
            header: header.to_vec(),
            status: sheet.status_header.clone(),
            undoes: None,
        }
    }
}

/// One thing that is done. Rows are counted from 1; cells hold values as the API answers them.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "what")]
pub enum Line {
    /// Who and where.
    Run(Heading),
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
    /// A row goes, to the archive if that is named.
    Remove { row: u32, key: String, archive: Option<String>, cells: Vec<WholeCell> },
    /// A row comes back. A wrong one was removed by mistake, in a moment in which people moved rows.
    Return { row: u32, key: String, wrong: bool, archive: Option<String>, cells: Vec<WholeCell> },
}

/// Writes down what a plan is about to do to cells, flags and headers, and which rows it adds. `update` tells what becomes
/// of a row that differs.
///
/// # Errors
/// [`shared::Kind::Io`]; nothing may be written to the sheet then.
pub fn write(
    mut journal: Journal,
    columns: &Columns,
    plan: &Plan,
    added_headers: &[(u32, String)],
    mut update: impl FnMut(&Differing) -> Result<RowUpdate>,
    spool: &mut rows::Reader,
) -> Result<()> {
    for (column, header) in added_headers {
        journal.put(&Line::Header { column: *column, old: String::new(), new: header.clone() })?;
    }
    let updates = plan.updates.iter().map(&mut update);
    for changed in updates.chain(plan.strays.iter().cloned().map(Ok)) {
        let RowUpdate { row, key, before, changes, .. } = changed?;
        for (index, new) in changes {
            let (header, old) = (columns.all()[index].header.clone(), before[index].clone());
            journal.put(&Line::Change { row, key: key.clone(), header, old, new })?;
        }
    }
    for flag in &plan.flags {
        let (row, key, new) = (flag.row, flag.key.text.clone(), plan.flag_text.clone());
        journal.put(&Line::Flag { row, key, new })?;
    }
    for flagged in &plan.unflags {
        let (key, old) = (flagged.key.text.clone(), flagged.status.clone());
        journal.put(&Line::Unflag { row: flagged.row, key, old })?;
    }
    for offset in &plan.adds {
        let (line, cells) = spool.row_at(*offset)?;
        let key = columns.key_of(|index| cells[index].clone()).map(|key| key.text).unwrap_or_default();
        journal.put(&Line::Add { line, key, cells })?;
    }
    journal.commit()
}

/// A journal being written.
pub struct Journal {
    draft: file::Draft,
    out: BufWriter<File>,
    path: PathBuf,
}

impl Journal {
    /// Begins the journal of a write to cells; `write` only needs to differ from one write of the run to the next. It
    /// stays pending until [`commit`].
    ///
    /// # Errors
    /// [`shared::Kind::Io`].
    pub fn of_cells(dir: &Path, heading: &Heading, write: u64) -> Result<Self> {
        Self::begin(dir, heading, &format!("-{write}{PENDING}"))
    }

    /// The same for rows that leave the tab or come back.
    ///
    /// # Errors
    /// [`shared::Kind::Io`].
    pub fn of_rows(dir: &Path, heading: &Heading, write: u64) -> Result<Self> {
        Self::begin(dir, heading, &format!("-{write}{PENDING_ROWS}"))
    }

    fn begin(dir: &Path, heading: &Heading, end: &str) -> Result<Self> {
        file::private_dir(dir)?;
        let mut journal = Self::create(&dir.join(format!("{}{end}", heading.run)))?;
        journal.put(&Line::Run(heading.clone()))?;
        Ok(journal)
    }

    /// Where it will be.
    pub fn path(&self) -> PathBuf {
        self.path.clone()
    }

    fn create(path: &Path) -> Result<Self> {
        let draft = file::Draft::new(path)?;
        let out = draft.file().try_clone().map_err(|error| Failure::io("cannot write", path, error))?;
        Ok(Self { draft, out: BufWriter::new(out), path: path.to_owned() })
    }

    /// Adds a line.
    ///
    /// # Errors
    /// [`shared::Kind::Io`].
    pub fn put(&mut self, line: &Line) -> Result<()> {
        let failed = |error: std::io::Error| Failure::io("cannot write", &self.path, error);
        serde_json::to_writer(&mut self.out, line).map_err(|error| failed(error.into()))?;
        self.out.write_all(b"\n").map_err(failed)
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

/// The lines of a journal. One of a kind that an older version wrote otherwise is left out.
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

/// Whether a sync wrote cells that are not committed. What an undo wrote is to the sync what a person wrote.
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

/// The rows that went in writes that are not committed: whether the right ones went is to be looked at.
///
/// # Errors
/// [`shared::Kind::Io`].
pub fn removals_in_doubt(dir: &Path) -> Result<HashSet<Mark>> {
    let mut marks = HashSet::new();
    for path in pending(dir).iter().filter(|path| path.to_string_lossy().ends_with(PENDING_ROWS)) {
        let mut day = NaiveDate::default();
        for line in lines(path)? {
            match line? {
                Line::Run(heading) => day = heading.at.date_naive(),
                Line::Remove { row, key, .. } => drop(marks.insert(Mark { day, row, key })),
                _ => {}
            }
        }
    }
    Ok(marks)
}

/// Whether rows left the tab or came back in a write that is not committed: an earlier one of this run, or one of a run
/// that was not seen to its end.
pub fn has_pending_rows(dir: &Path) -> bool {
    pending(dir).iter().any(|path| path.to_string_lossy().ends_with(PENDING_ROWS))
}

/// The journals of runs that were not seen to their end.
pub fn pending(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path());
    entries.filter(|path| path.to_string_lossy().ends_with(PENDING)).collect()
}

/// Notes that everything in the journals is in the base by now.
///
/// # Errors
/// [`shared::Kind::Io`].
pub fn commit(dir: &Path) -> Result<()> {
    commit_run(dir, "")
}

/// Notes that everything that one run did was seen in the sheet.
///
/// # Errors
/// [`shared::Kind::Io`].
pub fn commit_run(dir: &Path, run: &str) -> Result<()> {
    let is_its =
        |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(run));
    for path in pending(dir).into_iter().filter(is_its) {
        let done = path.to_string_lossy().replace(PENDING, DONE);
        fs::rename(&path, done).map_err(|error| Failure::io("cannot rename", &path, error))?;
    }
    Ok(())
}

/// Forgets a journal whose request Google refused whole.
///
/// # Errors
/// [`shared::Kind::Io`].
pub fn withdraw(path: &Path) -> Result<()> {
    fs::remove_file(path).map_err(|error| Failure::io("cannot remove", path, error))
}

/// Removes journals older than 90 days. A journal that cannot be removed is no reason to fail.
pub fn prune(dir: &Path, now: SystemTime) {
    file::remove_abandoned_drafts(dir);
    let Ok(entries) = fs::read_dir(dir) else { return };
    for entry in entries.flatten() {
        let modified = entry.metadata().and_then(|metadata| metadata.modified());
        let is_old = modified.is_ok_and(|at| now.duration_since(at).is_ok_and(|age| age > KEPT));
        if is_old && let Err(error) = fs::remove_file(entry.path()) {
            log::info!("cannot remove the old journal {}: {error}", entry.path().display());
        }
    }
}
