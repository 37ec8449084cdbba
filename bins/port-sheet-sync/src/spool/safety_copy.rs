//! Safety copies: what a write wrote where, and in which hidden tab the rows are as they were at the instant of the write, until it
//! is known that no column had moved.
//!
//! The list is on disk before the write is sent. The newest is the last: a write that puts cells back has a safety copy as well.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use shared::sys::atomic_file;
use shared::{Failure, Result};

use crate::model::cell::Cell;

/// One write, and the rows before it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SafetyCopy {
    /// The title of the hidden tab; blank when nothing was written over.
    pub title: String,
    /// The rows that were written over, each with its number in the hidden tab.
    pub rows: Vec<(u32, u32)>,
    /// Row 1 as the write was planned.
    pub header: Vec<String>,
    /// The cells that were written.
    pub writes: Vec<PlannedCell>,
    /// The columns whose number format was set, from row 2 on.
    pub formats: Vec<u32>,
    /// The rows that were added below the last one, from column A on.
    pub added: Vec<Vec<Cell>>,
    /// Row 1 at the instant of the write, where its response showed it.
    pub seen: Option<Vec<String>>,
    /// Columns that got a header although they had cells.
    pub taken: Vec<u32>,
    /// Rows that left for another tab.
    #[serde(default)]
    pub moved: Option<MovedRows>,
}

/// Rows that left for another tab, where they are the first below its header.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MovedRows {
    /// The title of the other tab.
    pub title: String,
    /// Their tags, from row 2 down.
    pub tags: Vec<String>,
}

/// A cell that was written.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PlannedCell {
    pub row: u32,
    pub column: u32,
    /// The new value; `None` when only its format was written, or a copy of another cell.
    pub new: Option<Cell>,
}

/// Where a sheet's list is.
pub fn path(dir: &Path, sheet: &str) -> PathBuf {
    dir.join(format!("{sheet}.copies"))
}

/// The list; empty when there is none.
///
/// # Errors
/// [`shared::Kind::Io`].
pub fn load(path: &Path) -> Result<Vec<SafetyCopy>> {
    match std::fs::read(path) {
        Ok(text) => serde_json::from_slice(&text).map_err(|error| {
            let hint = format!("show the sheet's hidden tabs, copy back what is missing, delete those of port-jobs, and type: rm {}", path.display());
            Failure { hint, ..Failure::io("cannot read", path, std::io::Error::from(error)) }
        }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(Failure::io("cannot read", path, error)),
    }
}

/// Stores the list, written through to the disk.
///
/// # Errors
/// [`shared::Kind::Io`]; nothing may be written to the sheet then.
pub fn store(path: &Path, copies: &[SafetyCopy]) -> Result<()> {
    if copies.is_empty() {
        return atomic_file::remove_if_present(path);
    }
    atomic_file::replace(path, &serde_json::to_vec(copies).map_err(Failure::defect)?)
}
