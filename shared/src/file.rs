//! Writing files so that a crash at any step leaves the old content or the new, never a mixture, and never readable
//! by others.
//!
//! It knows nothing of what is in them.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Seek, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::{NamedTempFile, PersistError};

use crate::{Failure, Result};

/// Creates a directory 0700 if it is not there, and its parents likewise.
///
/// # Errors
/// [`crate::Kind::Io`] when it cannot be made.
pub fn private_dir(dir: &Path) -> Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(|error| Failure::io("cannot create", dir, error))
}

/// How the names of unfinished files begin.
const DRAFT: &str = ".draft-";

/// A file being written beside its destination: 0600 from birth, unseen until [`Draft::commit`].
#[derive(Debug)]
pub struct Draft {
    file: NamedTempFile,
    destination: PathBuf,
}

impl Draft {
    /// Starts a new version of `destination` in the same directory.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when the directory cannot be written.
    pub fn new(destination: &Path) -> Result<Self> {
        let failed = |error| Failure::io("cannot write", destination, error);
        let dir = destination.parent().ok_or_else(|| failed(io::ErrorKind::InvalidInput.into()))?;
        // The crate opens with O_EXCL and 0600, whatever the umask.
        let file = tempfile::Builder::new().prefix(DRAFT).tempfile_in(dir).map_err(failed)?;
        Ok(Self { file, destination: destination.to_owned() })
    }

    /// Takes up this much room on the disk, so that what is written later finds it.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when there is not so much.
    pub fn reserve(&self, bytes: usize) -> Result<()> {
        let mut file = self.file();
        file.write_all(&vec![0; bytes])
            .and_then(|()| file.sync_all())
            .map_err(|error| Failure::io("cannot write", &self.destination, error))
    }

    /// Writes the whole content, in place of what was written or reserved.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when it cannot be written.
    pub fn fill(&self, content: &[u8]) -> Result<()> {
        let mut file = self.file();
        file.rewind()
            .and_then(|()| file.write_all(content))
            .and_then(|()| file.set_len(content.len() as u64))
            .map_err(|error| Failure::io("cannot write", &self.destination, error))
    }

    /// The file to write to.
    pub fn file(&self) -> &File {
        self.file.as_file()
    }

    /// Writes all of it.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when the disk does not take it.
    pub fn write(&self, content: &[u8]) -> Result<()> {
        self.file().write_all(content).map_err(|error| Failure::io("cannot write", &self.destination, error))
    }

    /// [`Draft::commit`], for a file that holds no secret and that everybody may read.
    ///
    /// # Errors
    /// As [`Draft::commit`].
    pub fn commit_readable(self) -> Result<()> {
        let opened = self.file().set_permissions(fs::Permissions::from_mode(0o644));
        opened.map_err(|error| Failure::io("cannot write", &self.destination, error))?;
        self.commit()
    }

    /// Puts it in place of the destination: written through to the disk, renamed, the directory written through too.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when a step fails; the destination then is what it was.
    pub fn commit(self) -> Result<()> {
        self.commit_or_keep().map_err(|(failure, _)| failure)
    }

    /// The same for what must not be lost: where the destination cannot be replaced, the draft comes back.
    ///
    /// # Errors
    /// As [`Draft::commit`]; no draft when it is in its place and only the directory could not be written through.
    pub fn commit_or_keep(self) -> std::result::Result<(), (Failure, Option<Self>)> {
        let destination = self.destination.clone();
        let failed = |error: io::Error| Failure::io("cannot write", &destination, error);
        if let Err(error) = self.file.as_file().sync_all() {
            return Err((failed(error), Some(self)));
        }
        if let Err(PersistError { error, file }) = self.file.persist(&destination) {
            return Err((failed(error), Some(Self { file, destination: self.destination })));
        }
        sync_parent(&destination).map_err(|error| (failed(error), None))
    }

    /// Puts a file in place of another that is in the same directory, written through to the disk.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when a step fails.
    pub fn rename(from: &Path, destination: &Path) -> Result<()> {
        fs::rename(from, destination)
            .and_then(|()| sync_parent(destination))
            .map_err(|error| Failure::io("cannot write", destination, error))
    }

    /// Leaves it under another name beside its destination or, failing that, under its own for an hour at least, and
    /// tells which.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when it cannot be left.
    pub fn keep_as(self, name: &Path) -> Result<PathBuf> {
        let Err(PersistError { file, .. }) = self.file.persist(name) else { return Ok(name.to_owned()) };
        let kept = file.keep();
        kept.map(|(_, path)| path).map_err(|error| Failure::io("cannot keep", &self.destination, error.error))
    }
}

/// Removes drafts that a killed run left behind: those older than an hour, so that none in use is touched.
pub fn remove_abandoned_drafts(dir: &Path) {
    let Ok(entries) = fs::read_dir(dir) else { return };
    for entry in entries.flatten().filter(|entry| entry.file_name().as_bytes().starts_with(DRAFT.as_bytes()))
    {
        let modified = entry.metadata().and_then(|metadata| metadata.modified());
        let is_old =
            modified.is_ok_and(|at| at.elapsed().is_ok_and(|age| age > Duration::from_secs(60 * 60)));
        if is_old && let Err(error) = fs::remove_file(entry.path()) {
            log::info!("cannot remove {}: {error}", entry.path().display());
        }
    }
}

/// Replaces a file's content atomically; it is 0600 afterwards.
///
/// # Errors
/// [`crate::Kind::Io`] when a step fails; the file then is what it was.
pub fn replace(destination: &Path, content: &[u8]) -> Result<()> {
    let draft = Draft::new(destination)?;
    draft.fill(content)?;
    draft.commit()
}

/// Keeps the present content under `copy` (0600), atomically.
///
/// # Errors
/// [`crate::Kind::Io`] when it cannot be read or the copy not written.
pub fn keep_copy(original: &Path, copy: &Path) -> Result<()> {
    let content = fs::read(original).map_err(|error| Failure::io("cannot read", original, error))?;
    replace(copy, &content)
}

/// Opens a file for reading and writing, created 0600 if it is not there.
///
/// # Errors
/// The operating system's.
pub fn open_private(path: &Path) -> io::Result<File> {
    let mut options = fs::OpenOptions::new();
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.read(true).write(true).create(true).truncate(false).open(path)?;
    if file.metadata()?.permissions().mode() & 0o077 != 0 {
        file.set_permissions(fs::Permissions::from_mode(0o600))?;
    }
    Ok(file)
}

/// Writes a directory entry through to the disk.
fn sync_parent(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), |dir| File::open(dir)?.sync_all())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_replaced_file_is_private_even_if_it_was_not() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token.json");
        replace(&path, b"old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        replace(&path, b"new").unwrap();
        assert_eq!((fs::read_to_string(&path).unwrap().as_str(), mode(&path)), ("new", 0o600));
    }

    #[test]
    fn a_draft_that_is_not_committed_leaves_nothing_behind() {
        let dir = tempfile::tempdir().unwrap();
        let draft = Draft::new(&dir.path().join("spool")).unwrap();
        draft.file().write_all(b"half").unwrap();
        drop(draft);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_private_directory_is_0700() {
        let dir = tempfile::tempdir().unwrap();
        let made = dir.path().join("a/b");
        private_dir(&made).unwrap();
        assert_eq!((mode(&made), mode(&dir.path().join("a"))), (0o700, 0o700));
    }
}
