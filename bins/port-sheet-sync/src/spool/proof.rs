//! Proof that a sheet is as it was when it was last read whole and found in step: the file's version of before that
//! reading, and digests of everything else that a plan is made from.
//!
//! It proves or it does not; in any doubt the sheet is read. A run that is not to the end in step leaves no proof.

use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, Utc};
use log::info;
use serde::{Deserialize, Serialize};
use shared::config::Sheet;
use shared::sys::atomic_file;
use shared::{Failure, Result};

use crate::model::column::Columns;
use crate::model::column::Digest;

/// What a sheet in step was made from, and when it was seen.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// The version of the spreadsheet's file, fetched before the sheet was read.
    version: String,
    /// The digest of the source's rows.
    source: String,
    /// The digest of the configuration and of the program's version.
    rules: String,
    /// When the sheet was read.
    read: DateTime<Utc>,
}

impl Proof {
    /// What the source and the rules are at the moment, with the file's version.
    pub fn new(
        sheet: &Sheet,
        columns: &Columns,
        source: Digest,
        version: String,
        read: DateTime<Utc>,
    ) -> Self {
        // The configuration's own words for itself hold every key, also those that do not matter here.
        let rules = format!("{} {sheet:?} {columns:?}", env!("CARGO_PKG_VERSION"));
        let rules = blake3::hash(rules.as_bytes()).to_hex().to_string();
        Self { version, source: format!("{:032x}", u128::from_le_bytes(source)), rules, read }
    }

    /// Whether what was seen then needs no look today: all is the same, and it was seen within `full_read_every`.
    pub fn covers(&self, today: &Self, full_read_every: Duration) -> bool {
        let is_same =
            (&self.version, &self.source, &self.rules) == (&today.version, &today.source, &today.rules);
        // A clock that went back proves nothing.
        let age = (today.read - self.read).to_std();
        is_same && age.is_ok_and(|age| age < full_read_every)
    }

    /// The proof that the last run left. One that cannot be read is none.
    pub fn load(path: &Path) -> Option<Self> {
        let text = std::fs::read_to_string(path).ok()?;
        serde_json::from_str(&text).inspect_err(|error| info!("{}: {error}", path.display())).ok()
    }

    /// Keeps it.
    ///
    /// # Errors
    /// [`shared::Kind::Io`].
    pub fn store(&self, path: &Path) -> Result<()> {
        let text = serde_json::to_vec(self).map_err(Failure::defect)?;
        atomic_file::replace(path, &text)
    }
}

/// Where a sheet's proof is.
pub fn path(dir: &Path, sheet: &str) -> PathBuf {
    dir.join(format!("{sheet}.proof"))
}

/// Forgets a proof, before anything is done that could make it untrue.
///
/// # Errors
/// [`shared::Kind::Io`].
pub fn revoke(path: &Path) -> Result<()> {
    atomic_file::remove_if_present(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(24 * 60 * 60);

    fn proof(version: &str, source: &str, rules: &str, read: &str) -> Proof {
        let read = read.parse().unwrap();
        Proof { version: version.into(), source: source.into(), rules: rules.into(), read }
    }

    #[test]
    fn only_the_same_version_source_and_rules_of_less_than_a_day_ago_prove_anything() {
        let then = proof("7", "s", "r", "2026-05-13T12:00:00Z");
        let covers = |today: Proof| then.covers(&today, DAY);
        assert!(covers(proof("7", "s", "r", "2026-05-13T12:00:00Z")));
        assert!(covers(proof("7", "s", "r", "2026-05-14T11:59:59Z")));
        assert!(!covers(proof("8", "s", "r", "2026-05-13T12:30:00Z")), "the file was changed");
        assert!(
            !covers(proof("6", "s", "r", "2026-05-13T12:30:00Z")),
            "a version that went back is no proof"
        );
        assert!(!covers(proof("7", "t", "r", "2026-05-13T12:30:00Z")), "the source changed");
        assert!(!covers(proof("7", "s", "q", "2026-05-13T12:30:00Z")), "the rules changed");
        assert!(!covers(proof("7", "s", "r", "2026-05-14T12:00:00Z")), "a day is over");
        assert!(!covers(proof("7", "s", "r", "2026-05-13T11:59:59Z")), "the clock went back");
        assert!(!then.covers(&proof("7", "s", "r", "2026-05-13T12:00:00Z"), Duration::ZERO), "switched off");
    }
}
