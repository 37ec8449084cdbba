//! The archive: the sealed days of a quota as JSON lines, one file a year.
//!
//! A file is what the ledger says of its year and is replaced whole, so that a crash or a repetition leaves no line
//! twice and none out.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;

use chrono::{Datelike, NaiveDate, Utc};
use shared::run::Context;
use shared::store::{ClosedDay, Store};
use shared::sys::atomic_file;
use shared::{Failure, Result};

/// Exports the years in which days were sealed since. True if there were any.
pub fn export(context: &Context, store: &mut Store, quota: &str) -> Result<bool> {
    let years: BTreeSet<i32> = store.unexported(quota)?.iter().map(Datelike::year).collect();
    for year in &years {
        write_year(context, store, quota, *year)?;
    }
    Ok(!years.is_empty())
}

/// Writes the files anew that a repaired day made untrue: those of its year and of later ones.
pub fn rewrite_from(context: &Context, store: &mut Store, quota: &str, day: NaiveDate) -> Result<()> {
    let dir = context.state.archive();
    let entries = match fs::read_dir(&dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(Failure::io("cannot read", &dir, error)),
    };
    for entry in entries.flatten() {
        let name = entry.file_name().into_string().unwrap_or_default();
        let year = name.strip_prefix(&format!("{quota}-")).and_then(|rest| rest.strip_suffix(".jsonl"));
        if let Some(year) = year.and_then(|year| year.parse().ok()).filter(|year| *year >= day.year()) {
            write_year(context, store, quota, year)?;
        }
    }
    Ok(())
}

fn write_year(context: &Context, store: &mut Store, quota: &str, year: i32) -> Result<()> {
    let bounds = NaiveDate::from_ymd_opt(year, 1, 1).zip(NaiveDate::from_ymd_opt(year, 12, 31));
    let (first, last) = bounds.ok_or_else(|| Failure::bug(format!("the year {year}")))?;
    let days = store.sealed(quota, first, last)?;
    atomic_file::private_dir(&context.state.archive())?;
    atomic_file::replace(&path(context, quota, year), lines(&days)?.as_bytes())?;
    store.exported(quota, &days, Utc::now())
}

fn path(context: &Context, quota: &str, year: i32) -> PathBuf {
    context.state.archive().join(format!("{quota}-{year}.jsonl"))
}

fn lines(days: &[ClosedDay]) -> Result<String> {
    let lines: Result<String, _> =
        days.iter().map(|day| serde_json::to_string(day).map(|line| line + "\n")).collect();
    lines.map_err(|error| Failure::bug(format!("a day that is no JSON: {error}")).caused_by(error))
}
