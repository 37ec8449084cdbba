//! Writes files so that a crash at any step leaves the old content or the new, never a mixture, and never readable by
//! other users.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Seek, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::{NamedTempFile, PersistError};

use crate::{Failure, Result};

/// Creates a missing directory with mode 0700, and its missing parents too.
///
/// # Errors
/// [`crate::Kind::Io`] when it cannot be created.
pub fn private_dir(dir: &Path) -> Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(|error| Failure::io("cannot create", dir, error))
}

/// The start of the names of unfinished files.
const DRAFT: &str = ".draft-";

/// A new version of a file, beside its destination: created with mode 0600, and in place only after [`Draft::commit`].
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
        let dir = destination
            .parent()
            .ok_or_else(|| cannot_write(destination, io::ErrorKind::InvalidInput.into()))?;
        // The crate opens with O_EXCL and 0600, whatever the umask.
        let file = tempfile::Builder::new().prefix(DRAFT).tempfile_in(dir);
        let file = file.map_err(|error| cannot_write(destination, error))?;
        Ok(Self { file, destination: destination.to_owned() })
    }

    /// Reserves this many bytes on the disk, so that a later write cannot fail for lack of space.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when the disk does not have them.
    pub fn reserve(&self, bytes: usize) -> Result<()> {
        let mut file = self.file();
        file.write_all(&vec![0; bytes])
            .and_then(|()| file.sync_all())
            .map_err(|error| cannot_write(&self.destination, error))
    }

    /// Writes the whole content over what was written or reserved.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when it cannot be written.
    pub fn fill(&self, content: &[u8]) -> Result<()> {
        let mut file = self.file();
        file.rewind()
            .and_then(|()| file.write_all(content))
            .and_then(|()| file.set_len(content.len() as u64))
            .map_err(|error| cannot_write(&self.destination, error))
    }

    /// The file to write to.
    pub fn file(&self) -> &File {
        self.file.as_file()
    }

    /// Writes all of `content` at the present position.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when the disk does not take it.
    pub fn write(&self, content: &[u8]) -> Result<()> {
        self.file().write_all(content).map_err(|error| cannot_write(&self.destination, error))
    }

    /// The same as [`Draft::commit`], for a file without secrets that every user may read.
    ///
    /// # Errors
    /// As [`Draft::commit`].
    pub fn commit_readable(self) -> Result<()> {
        let opened = self.file().set_permissions(fs::Permissions::from_mode(0o644));
        opened.map_err(|error| cannot_write(&self.destination, error))?;
        self.commit()
    }

    /// Replaces the destination: the file is synced, renamed, and its directory synced.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when a step fails; the destination is then unchanged.
    pub fn commit(self) -> Result<()> {
        self.commit_or_keep().map_err(|(failure, _)| failure)
    }

    /// The same for content that must not be lost: if the destination cannot be replaced, the draft is returned.
    ///
    /// # Errors
    /// As [`Draft::commit`]. The draft is `None` when it is in place and only its directory could not be synced.
    pub fn commit_or_keep(self) -> Result<(), (Failure, Option<Self>)> {
        let destination = self.destination.clone();
        if let Err(error) = self.file.as_file().sync_all() {
            return Err((cannot_write(&destination, error), Some(self)));
        }
        if let Err(PersistError { error, file }) = self.file.persist(&destination) {
            return Err((
                cannot_write(&destination, error),
                Some(Self { file, destination: self.destination }),
            ));
        }
        sync_parent(&destination).map_err(|error| (cannot_write(&destination, error), None))
    }

    /// Renames a file within its directory and syncs the directory.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when a step fails.
    pub fn rename(from: &Path, destination: &Path) -> Result<()> {
        fs::rename(from, destination)
            .and_then(|()| sync_parent(destination))
            .map_err(|error| cannot_write(destination, error))
    }

    /// Keeps the draft under another name beside its destination or, if that fails, under its own for at least an hour.
    /// Returns the path.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when it cannot be kept.
    pub fn keep_as(self, name: &Path) -> Result<PathBuf> {
        let Err(PersistError { file, .. }) = self.file.persist(name) else { return Ok(name.to_owned()) };
        let kept = file.keep();
        kept.map(|(_, path)| path).map_err(|error| Failure::io("cannot keep", &self.destination, error.error))
    }
}

/// Removes drafts of killed runs: those older than an hour, so that no draft in use is removed.
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

/// Replaces a file's content atomically. Its mode is 0600 afterwards.
///
/// # Errors
/// [`crate::Kind::Io`] when a step fails; the file is then unchanged.
pub fn replace(destination: &Path, content: &[u8]) -> Result<()> {
    let draft = Draft::new(destination)?;
    draft.fill(content)?;
    draft.commit()
}

/// Copies the present content to `copy` atomically, with mode 0600.
///
/// # Errors
/// [`crate::Kind::Io`] when the original cannot be read or the copy cannot be written.
pub fn keep_copy(original: &Path, copy: &Path) -> Result<()> {
    let content = fs::read(original).map_err(|error| Failure::io("cannot read", original, error))?;
    replace(copy, &content)
}

/// Removes a file. A missing one is no error.
///
/// # Errors
/// [`crate::Kind::Io`] when it is still there.
pub fn remove_if_present(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Failure::io("cannot remove", path, error))
        }
        _ => Ok(()),
    }
}

/// Gives a file a second name, atomically and synced. A file that has this name now loses it.
///
/// # Errors
/// [`crate::Kind::Io`] when a step fails; the name is then unchanged.
pub fn link_over(file: &Path, name: &Path) -> Result<()> {
    let mut fresh = name.as_os_str().to_owned();
    fresh.push("-new");
    let fresh = PathBuf::from(fresh);
    remove_if_present(&fresh)?;
    fs::hard_link(file, &fresh)
        .and_then(|()| fs::rename(&fresh, name))
        .and_then(|()| sync_parent(name))
        .map_err(|error| cannot_write(name, error))
}

/// Opens a file for reading and writing; a missing one is created with mode 0600.
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

fn cannot_write(path: &Path, error: io::Error) -> Failure {
    Failure::io("cannot write", path, error)
}

/// Syncs the directory of a file, so that its entry survives a power cut.
fn sync_parent(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), |dir| File::open(dir)?.sync_all())
}

#[cfg(test)]
mod tests {
    use crate::sys::atomic_file::*;

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
    fn a_missing_file_counts_as_removed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("proof");
        replace(&path, b"1").unwrap();
        remove_if_present(&path).unwrap();
        assert!(!path.exists());
        remove_if_present(&path).unwrap();
        assert_eq!(remove_if_present(dir.path()).unwrap_err().kind, crate::Kind::Io, "a directory stays");
    }

    #[test]
    fn a_link_takes_the_place_of_the_old_file_and_of_what_a_killed_run_left() {
        let dir = tempfile::tempdir().unwrap();
        let [spool, base] = ["spool", "base"].map(|name| dir.path().join(name));
        replace(&base, b"old").unwrap();
        replace(&dir.path().join("base-new"), b"left behind").unwrap();
        replace(&spool, b"new").unwrap();
        link_over(&spool, &base).unwrap();
        assert_eq!(fs::read_to_string(&base).unwrap(), "new");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_private_directory_is_0700() {
        let dir = tempfile::tempdir().unwrap();
        let made = dir.path().join("a/b");
        private_dir(&made).unwrap();
        assert_eq!((mode(&made), mode(&dir.path().join("a"))), (0o700, 0o700));
    }
}
