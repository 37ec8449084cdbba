//! The state file: read at the start, replaced whole while changes come and at the end.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use crate::admin::Admin;
use crate::world::Kept;

/// Grows when an older stand-in could not read the file.
const VERSION: u32 = 1;

#[derive(Deserialize)]
struct Stored {
    version: u32,
    kept: Kept,
}

#[derive(Serialize)]
struct Storing<'a> {
    version: u32,
    kept: &'a Kept,
}

/// What the file holds; a file that does not exist yet holds nothing.
pub(crate) fn load(path: &Path) -> anyhow::Result<Kept> {
    let bytes = match fs::read(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Kept::default()),
        read => read.with_context(|| format!("reading {}", path.display()))?,
    };
    let stored: Stored =
        serde_json::from_slice(&bytes).with_context(|| format!("parsing {}", path.display()))?;
    anyhow::ensure!(
        stored.version == VERSION,
        "{}: version {}, not {VERSION}",
        path.display(),
        stored.version
    );
    Ok(stored.kept)
}

/// Saves what changed since the last time.
pub(crate) struct Saver {
    path: PathBuf,
    admin: Admin,
    saved: u64,
}

impl Saver {
    pub(crate) fn new(path: PathBuf, admin: Admin) -> Self {
        Self { path, admin, saved: 0 }
    }

    /// Replaces the file if anything changed.
    pub(crate) fn save(&mut self) -> anyhow::Result<()> {
        let Some((changes, bytes)) = self.snapshot()? else { return Ok(()) };
        replace(&self.path, &bytes).with_context(|| format!("saving {}", self.path.display()))?;
        self.saved = changes;
        Ok(())
    }

    fn snapshot(&self) -> anyhow::Result<Option<(u64, Vec<u8>)>> {
        let world = self.admin.world();
        if world.changes == self.saved {
            return Ok(None);
        }
        let bytes = serde_json::to_vec(&Storing { version: VERSION, kept: &world.kept })?;
        Ok(Some((world.changes, bytes)))
    }
}

fn replace(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(directory)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}
