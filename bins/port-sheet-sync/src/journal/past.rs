//! What past runs did, according to their journals. It only reads.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use serde::Serialize;
use shared::Result;

use crate::journal::DONE;
use crate::journal::JournalHeader;
use crate::journal::Line;
use crate::journal::lines;
use crate::sheet::realign::realign;

/// One run that wrote to a sheet.
#[derive(Clone, Debug, Serialize)]
pub struct PastRun {
    pub run: String,
    pub sheet: String,
    /// When it began.
    pub at: DateTime<Utc>,
    /// Rows that it added or brought back.
    pub added: u64,
    /// Rows of which it changed cells.
    pub changed: u64,
    /// Rows that it flagged, archived or deleted.
    pub removed: u64,
    /// The run that it undid.
    pub undoes: Option<String>,
    /// The newest run that undid it.
    pub undone_by: Option<String>,
}

/// The runs that wrote to a sheet, the newest first.
///
/// # Errors
/// [`shared::Kind::Io`] when a journal cannot be read.
pub fn runs(dir: &Path, sheet: &str) -> Result<Vec<PastRun>> {
    let mut all: BTreeMap<String, PastRun> = BTreeMap::new();
    let mut undone: BTreeMap<String, String> = BTreeMap::new();
    for (run, paths) in journals(dir) {
        let mut counting = Counting::default();
        for path in paths {
            lines(&path)?.try_for_each(|line| line.map(|line| counting.line(line)))?;
        }
        let Some(heading) = counting.heading.take() else { continue };
        undone.extend(heading.undoes.clone().map(|undoes| (undoes, run.clone())));
        all.insert(run, counting.of(sheet, heading));
    }
    let found = all.into_values().rev().map(|past| {
        let undone_by = undone.get(&past.run).cloned();
        PastRun { undone_by, ..past }
    });
    Ok(found.collect())
}

/// Everything that one run did, in order; `None` if no journal of it is left. Columns may have moved during the run: whole
/// rows are all in the columns of its last write, which the header names.
///
/// # Errors
/// [`shared::Kind::Io`] when a journal cannot be read.
pub fn of_run(dir: &Path, run: &str) -> Result<Option<(JournalHeader, Vec<Line>)>> {
    let mut parts: Vec<(JournalHeader, Vec<Line>)> = Vec::new();
    for path in journals(dir).remove(run).unwrap_or_default() {
        for line in lines(&path)? {
            match (line?, parts.last_mut()) {
                (Line::Run(heading), _) => parts.push((heading, Vec::new())),
                (other, Some((_, part))) => part.push(other),
                (_, None) => {}
            }
        }
    }
    let Some(last) = parts.last().map(|(heading, _)| heading.clone()) else { return Ok(None) };
    let mut all = Vec::new();
    for (heading, part) in parts {
        all.extend(part.into_iter().map(|line| in_columns_of(&last.header, &heading.header, line)));
    }
    Ok(Some((last, all)))
}

fn in_columns_of(last: &[String], then: &[String], mut line: Line) -> Line {
    if let Line::Remove { cells, .. } | Line::Return { cells, .. } = &mut line
        && then != last
    {
        *cells = realign(cells, then, last).0;
    }
    line
}

/// The journals of each run, in the order of its writes. A run's name begins with the time, so runs are in order too.
fn journals(dir: &Path) -> BTreeMap<String, Vec<PathBuf>> {
    let mut all: BTreeMap<String, Vec<(u64, PathBuf)>> = BTreeMap::new();
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Some((stem, _)) = name.split_once('.').filter(|_| name.ends_with(DONE)) else { continue };
        let Some((run, write)) = stem.rsplit_once('-') else { continue };
        let Ok(write) = write.parse() else { continue };
        all.entry(run.to_owned()).or_default().push((write, entry.path()));
    }
    let mut sorted = BTreeMap::new();
    for (run, mut writes) in all {
        writes.sort();
        sorted.insert(run, writes.into_iter().map(|(_, path)| path).collect());
    }
    sorted
}

/// Bookings by what was done to them; a booking that is journaled twice counts once.
#[derive(Default)]
struct Counting {
    heading: Option<JournalHeader>,
    added: HashSet<String>,
    changed: HashSet<String>,
    removed: HashSet<String>,
}

impl Counting {
    fn line(&mut self, line: Line) {
        match line {
            Line::Run(heading) => self.heading = self.heading.take().or(Some(heading)),
            Line::Add { key, .. } | Line::Return { key, wrong: false, .. } => drop(self.added.insert(key)),
            Line::Change { key, .. } | Line::Unflag { key, .. } => drop(self.changed.insert(key)),
            Line::Flag { key, .. } | Line::Remove { key, .. } => drop(self.removed.insert(key)),
            Line::Header { .. } | Line::Return { .. } => {}
        }
    }

    fn of(self, sheet: &str, heading: JournalHeader) -> PastRun {
        PastRun {
            run: heading.run,
            sheet: sheet.to_owned(),
            at: heading.at,
            added: self.added.len() as u64,
            changed: self.changed.len() as u64,
            removed: self.removed.len() as u64,
            undoes: heading.undoes,
            undone_by: None,
        }
    }
}
