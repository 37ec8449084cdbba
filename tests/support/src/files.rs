//! Files of a world: writing them, their modes, odd kinds of them, and pictures of whole directories for "nothing
//! changed". Files are written here so that the tests themselves need not.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, lchown};
use std::path::{Path, PathBuf};

use crate::world::World;

/// What a directory holds, by path.
pub type Snapshot = BTreeMap<PathBuf, Content>;

/// What one path is: equal contents mean that no one touched it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// Kind and permission bits, owner, links.
    pub status: (u32, u32, u64),
    /// The content of a regular file.
    pub bytes: Vec<u8>,
}

impl World {
    /// Writes a file below the world's directory, as an ordinary program does.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn write(&self, relative: &str, content: &[u8]) {
        let path = self.path(relative);
        fs::write(&path, content).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }

    /// Writes a file in pieces, for one that is better not held in memory.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn write_pieces<'a>(&self, relative: &str, pieces: impl IntoIterator<Item = &'a [u8]>) {
        let file = File::create(self.path(relative)).expect("a file of the world's");
        let mut out = std::io::BufWriter::new(file);
        pieces.into_iter().for_each(|piece| out.write_all(piece).expect("a file of the world's"));
        out.flush().expect("a file of the world's");
    }

    /// Writes a file 0600, taking the place of whatever is there.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn write_private(&self, path: &Path, content: &[u8]) {
        self.remove(path);
        let mut options = fs::OpenOptions::new();
        let opened = options.mode(0o600).write(true).create_new(true).open(path);
        let mut file = opened.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        file.write_all(content).expect("a file of the world's");
    }

    /// Reads a text file.
    ///
    /// # Panics
    /// When it cannot be read.
    pub fn read_text(&self, path: &Path) -> String {
        fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// Removes a file if it is there.
    ///
    /// # Panics
    /// When it is there and stays.
    pub fn remove(&self, path: &Path) {
        match fs::remove_file(path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                panic!("{}: {error}", path.display())
            }
            _ => {}
        }
    }

    /// Makes a directory and those above it, 0700 each.
    ///
    /// # Panics
    /// When it cannot be made.
    pub fn make_private_dir(&self, relative: &str) -> PathBuf {
        let path = self.path(relative);
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&path).expect("a directory of the world's");
        path
    }

    /// Makes a named pipe that no one writes to.
    ///
    /// # Panics
    /// When it cannot be made.
    pub fn make_fifo(&self, path: &Path) {
        let mode = rustix::fs::Mode::from_raw_mode(0o600);
        rustix::fs::mknodat(rustix::fs::CWD, path, rustix::fs::FileType::Fifo, mode, 0)
            .expect("a named pipe");
    }

    /// Sets permission bits.
    ///
    /// # Panics
    /// When they cannot be set.
    pub fn set_mode(&self, path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("the mode of one's own file");
    }

    /// Takes a lock of the state directory's, as another program would, until the file is dropped.
    ///
    /// # Panics
    /// When it is held already.
    pub fn hold_lock(&self, name: &str) -> File {
        let dir = self.make_private_dir("state/locks");
        let mut options = fs::OpenOptions::new();
        let path = dir.join(format!("{name}.lock"));
        let file =
            options.mode(0o600).write(true).create(true).truncate(false).open(path).expect("a lock file");
        file.try_lock().expect("a free lock");
        file
    }

    /// Gives everything in the world, its directory included, to another user.
    pub(crate) fn hand_over(&self, user: u32) {
        let give = |path: &Path| lchown(path, Some(user), Some(user)).expect("root may give files away");
        give(self.dir());
        each_path(self.dir(), &mut |path| give(path));
    }

    /// The permission bits.
    ///
    /// # Panics
    /// When there is no such path.
    pub fn mode(&self, path: &Path) -> u32 {
        let metadata = fs::symlink_metadata(path);
        metadata.unwrap_or_else(|error| panic!("{}: {error}", path.display())).mode() & 0o7777
    }

    /// A picture of a directory: every path in it with its bits and content; empty when it is not there.
    pub fn snapshot(&self, dir: &Path) -> Snapshot {
        let mut snapshot = Snapshot::new();
        each_path(dir, &mut |path| {
            if let Ok(metadata) = fs::symlink_metadata(path) {
                let bytes = if metadata.is_file() { fs::read(path).unwrap_or_default() } else { Vec::new() };
                let status = (metadata.mode(), metadata.uid(), metadata.nlink());
                snapshot.insert(path.to_owned(), Content { status, bytes });
            }
        });
        snapshot
    }
}

/// Every path below a directory, in order.
pub(crate) fn each_path(dir: &Path, visit: &mut dyn FnMut(&Path)) {
    let Ok(entries) = fs::read_dir(dir) else { return };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        visit(&path);
        if fs::symlink_metadata(&path).is_ok_and(|metadata| metadata.is_dir()) {
            each_path(&path, visit);
        }
    }
}

/// Every regular file below a directory, in order. Links and pipes are left alone: reading a pipe would hang.
pub(crate) fn each_file(dir: &Path, visit: &mut dyn FnMut(&Path)) {
    each_path(dir, &mut |path| {
        if fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_file()) {
            visit(path);
        }
    });
}
