//! What is known of the file that was downloaded last, so that a server may say that it is still good.
//!
//! Nothing of it is secret: the address is kept as a hash.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use shared::config::Address;
use shared::sys::atomic_file::{Draft, remove_if_present, replace};
use shared::{Failure, Result};

/// What the server said of the file.
#[derive(Debug, Serialize, Deserialize)]
pub struct KeptDownload {
    address: String,
    length: u64,
    /// Its tag.
    pub etag: Option<String>,
    /// When it was changed last, in the server's words.
    pub last_modified: Option<String>,
}

fn note(path: &Path) -> PathBuf {
    path.with_extension("download.json")
}

fn hash(address: &Address) -> String {
    blake3::hash(address.expose().as_str().as_bytes()).to_hex().to_string()
}

impl KeptDownload {
    /// What is known of the file, if it came from this address and is whole.
    pub fn read(path: &Path, address: &Address) -> Option<Self> {
        let kept: Self = serde_json::from_slice(&fs::read(note(path)).ok()?).ok()?;
        let length = fs::metadata(path).ok()?.len();
        (kept.address == hash(address) && kept.length == length).then_some(kept)
    }

    /// Puts another file in place. The note of the old one goes first and that of the new one comes last, so that no
    /// crash leaves a note beside a file that it is not about.
    ///
    /// # Errors
    /// [`shared::Kind::Io`].
    pub fn replace(
        path: &Path,
        draft: Draft,
        address: &Address,
        etag: Option<String>,
        last_modified: Option<String>,
    ) -> Result<()> {
        let note = note(path);
        remove_if_present(&note)?;
        draft.commit()?;
        if etag.is_none() && last_modified.is_none() {
            return Ok(());
        }
        let length = fs::metadata(path).map_err(|error| Failure::io("cannot read", path, error))?.len();
        let kept = Self { address: hash(address), length, etag, last_modified };
        let text = serde_json::to_vec(&kept).map_err(Failure::defect)?;
        replace(&note, &text)
    }
}
