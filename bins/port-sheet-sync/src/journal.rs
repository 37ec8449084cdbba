//! The journal: old and new of every cell, and every row that is added or flagged, on disk before anything is written.
//!
//! One file a run, JSON lines, so that what a run did can be seen and undone. It only records.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::Serialize;
use shared::{Failure, Result, file};

use crate::column::Columns;
use crate::plan::Plan;
use crate::rows;
use crate::value::Cell;

/// How long journals are kept.
const KEPT: Duration = Duration::from_secs(90 * 24 * 60 * 60);

#[derive(Serialize)]
#[serde(rename_all = "kebab-case", tag = "what")]
enum Line<'a> {
    Change { row: u32, key: &'a str, header: &'a str, old: &'a Cell, new: &'a Cell },
    Add { line: u64, cells: &'a [Cell] },
    Flag { row: u32, key: &'a str },
    Unflag { row: u32 },
    Header { column: u32, header: &'a str },
}

/// Writes down what a plan is about to do; answers where.
///
/// # Errors
/// [`shared::Kind::Io`]; nothing may be written to the sheet then.
pub fn write(
    dir: &Path,
    run: &str,
    round: u32,
    columns: &Columns,
    plan: &Plan,
    added_headers: &[(u32, String)],
    spool: &mut rows::Reader,
) -> Result<PathBuf> {
    file::private_dir(dir)?;
    let path = dir.join(format!("{run}-{round}.jsonl"));
    let draft = file::Draft::new(&path)?;
    let mut out = std::io::BufWriter::new(draft.file());
    let mut put = |line: &Line<'_>| -> Result<()> {
        serde_json::to_writer(&mut out, line).map_err(|error| Failure::io("cannot write", &path, error))?;
        out.write_all(b"\n").map_err(|error| Failure::io("cannot write", &path, error))
    };
    for (column, header) in added_headers {
        put(&Line::Header { column: *column, header })?;
    }
    for update in &plan.updates {
        for (index, new) in &update.changes {
            let header = &columns.all()[*index].header;
            put(&Line::Change {
                row: update.row,
                key: &update.key,
                header,
                old: &update.before[*index],
                new,
            })?;
        }
    }
    for flag in &plan.flags {
        put(&Line::Flag { row: flag.row, key: &flag.key.text })?;
    }
    for row in &plan.unflags {
        put(&Line::Unflag { row: *row })?;
    }
    for entry in &plan.adds {
        let (line, cells) = spool.row_at(entry.offset)?;
        put(&Line::Add { line, cells: &cells })?;
    }
    out.flush().map_err(|error| Failure::io("cannot write", &path, error))?;
    drop(out);
    draft.commit()?;
    Ok(path)
}

/// Removes journals older than 90 days. A journal that cannot be removed is no reason to fail.
pub fn prune(dir: &Path, now: SystemTime) {
    file::remove_abandoned_drafts(dir);
    let Ok(entries) = fs::read_dir(dir) else { return };
    for entry in entries.flatten() {
        let modified = entry.metadata().and_then(|metadata| metadata.modified());
        let is_old = modified.is_ok_and(|at| now.duration_since(at).is_ok_and(|age| age > KEPT));
        if is_old && let Err(error) = fs::remove_file(entry.path()) {
            log::warn!("cannot remove the old journal {}: {error}", entry.path().display());
        }
    }
}
