//! The journal: old and new of every cell, and every row that is added or flagged, on disk before anything is written.
//!
//! One file a round, JSON lines, so that what a run did can be seen and undone. Until the base is committed its name says
//! `pending`: what it lists may stand in the sheet although the base does not know it. It only records.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use shared::config::Column;
use shared::{Failure, Result, file};

use crate::column::Columns;
use crate::plan::{Plan, RowUpdate};
use crate::rows;
use crate::snapshot::Differing;
use crate::value::Cell;

/// How long journals are kept.
const KEPT: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// How the name of a journal ends whose run was not committed.
const PENDING: &str = ".pending.jsonl";

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "what")]
enum Line {
    Change { row: u32, key: String, header: String, old: Cell, new: Cell },
    Add { line: u64, cells: Vec<Cell> },
    Flag { row: u32, key: String, new: String },
    Unflag { row: u32, key: String, old: Cell },
    Header { column: u32, new: String },
}

/// Writes down what a plan is about to do; answers where. `update` tells what becomes of a row that differs.
///
/// # Errors
/// [`shared::Kind::Io`]; nothing may be written to the sheet then.
pub fn write(
    path: &Path,
    columns: &Columns,
    plan: &Plan,
    added_headers: &[(u32, String)],
    mut update: impl FnMut(&Differing) -> Result<RowUpdate>,
    spool: &mut rows::Reader,
) -> Result<()> {
    let mut journal = Journal::create(path)?;
    for (column, header) in added_headers {
        journal.put(&Line::Header { column: *column, new: header.clone() })?;
    }
    for differing in &plan.updates {
        let RowUpdate { row, key, before, changes, .. } = update(differing)?;
        for (index, new) in changes {
            let (header, old) = (columns.all()[index].header.clone(), before[index].clone());
            journal.put(&Line::Change { row, key: key.clone(), header, old, new })?;
        }
    }
    for flag in &plan.flags {
        journal.put(&Line::Flag {
            row: flag.row,
            key: flag.key.text.clone(),
            new: plan.flag_text.clone(),
        })?;
    }
    for flagged in &plan.unflags {
        let (key, old) = (flagged.key.text.clone(), flagged.status.clone());
        journal.put(&Line::Unflag { row: flagged.row, key, old })?;
    }
    for entry in &plan.adds {
        let (line, cells) = spool.row_at(entry.offset)?;
        journal.put(&Line::Add { line, cells })?;
    }
    journal.commit()
}

/// Where the journal of a run's round is; `round` only needs to differ from one to the next.
pub fn path(dir: &Path, run: &str, round: u64) -> PathBuf {
    dir.join(format!("{run}-{round}{PENDING}"))
}

struct Journal {
    draft: file::Draft,
    out: BufWriter<File>,
    path: PathBuf,
}

impl Journal {
    fn create(path: &Path) -> Result<Self> {
        let draft = file::Draft::new(path)?;
        let out = draft.file().try_clone().map_err(|error| Failure::io("cannot write", path, error))?;
        Ok(Self { draft, out: BufWriter::new(out), path: path.to_owned() })
    }

    fn put(&mut self, line: &Line) -> Result<()> {
        let failed = |error: std::io::Error| Failure::io("cannot write", &self.path, error);
        serde_json::to_writer(&mut self.out, line).map_err(|error| failed(error.into()))?;
        self.out.write_all(b"\n").map_err(failed)
    }

    fn commit(mut self) -> Result<()> {
        self.out.flush().map_err(|error| Failure::io("cannot write", &self.path, error))?;
        self.draft.commit()
    }
}

/// Values that uncommitted journals say were to be written, by booking and by row: a write that landed in another row,
/// because a person sorted at that moment, is no edit of that person's either. One short digest each.
#[derive(Debug, Default)]
pub struct Intended(HashSet<u64>);

impl Intended {
    /// Reads the uncommitted journals.
    ///
    /// # Errors
    /// [`shared::Kind::Io`].
    pub fn read(dir: &Path) -> Result<Self> {
        let mut intended = HashSet::new();
        for path in pending(dir) {
            let file = File::open(&path).map_err(|error| Failure::io("cannot read", &path, error))?;
            for line in BufReader::new(file).lines() {
                let line = line.map_err(|error| Failure::io("cannot read", &path, error))?;
                if let Ok(Line::Change { row, key, header, new, .. }) = serde_json::from_str(&line) {
                    intended.extend([digest(&key, &header, &new), digest(&row.to_string(), &header, &new)]);
                }
            }
        }
        Ok(Self(intended))
    }

    /// Whether a value of this column is one that was to be written for this booking or into this row.
    pub fn holds(&self, key: &str, row: u32, column: &Column, cell: &Cell) -> bool {
        let holds = |place: &str| self.0.contains(&digest(place, &column.header, cell));
        !self.0.is_empty() && (holds(key) || holds(&row.to_string()))
    }
}

fn digest(place: &str, header: &str, cell: &Cell) -> u64 {
    let mut hasher = blake3::Hasher::new();
    for text in [place, header] {
        hasher.update(&(text.len() as u64).to_le_bytes());
        hasher.update(text.as_bytes());
    }
    // Dates and times to the second, as the sheet answers them with rounding errors.
    cell.digest(shared::config::Type::DateTime, &mut hasher);
    let mut short = [0; 8];
    short.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
    u64::from_le_bytes(short)
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
    for path in pending(dir) {
        let done = path.to_string_lossy().replace(PENDING, ".jsonl");
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
