//! Reads a file with a secret. The file is refused if another user can read or replace it.
//!
//! The rules are those of OpenSSH for private keys (`authfile.c`) and for `safe_path` (`misc.c`), checked on the open
//! descriptor, so that the file checked is the file read. A loose mode is refused, not repaired: someone may have read the
//! file already, so its owner must know.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use crate::{Failure, Kind, Result};

/// The largest credential file that is read, in bytes. Google's are under 3 KiB.
pub const SIZE_LIMIT: u64 = 64 * 1024;

/// How often opening is tried again because the file was replaced meanwhile. Each replacement is a refresh, which takes
/// far longer than opening.
const REPLACED_AT_MOST: u32 = 10;

/// Reads a secret file of this user's.
///
/// `credentials_directory` is systemd's `$CREDENTIALS_DIRECTORY`: files directly in it belong to root and may be
/// readable by the unit's group, since systemd grants access with an ACL that shows as group bits.
///
/// # Errors
/// [`Kind::Credential`] with the `chmod`, `chown` or `mv` to type when the file or a directory above it is not safe or
/// not there; [`Kind::Io`] when it cannot be read.
pub fn read(path: &Path, credentials_directory: Option<&Path>) -> Result<Vec<u8>> {
    let (file, metadata) = open_present(path)?;
    let granted_by_systemd = credentials_directory.is_some_and(|dir| path.parent() == Some(dir));
    check_file(path, &metadata, granted_by_systemd)?;
    check_directories(path)?;
    content_of(path, file)
}

/// Opens the present file. A file without a name was replaced by another job after it was opened, so it is opened again.
fn open_present(path: &Path) -> Result<(File, Metadata)> {
    let mut tries = 0;
    loop {
        let file = open(path)?;
        let metadata = file.metadata().map_err(|error| Failure::io("cannot look at", path, error))?;
        tries += 1;
        if metadata.nlink() > 0 || tries == REPLACED_AT_MOST {
            return Ok((file, metadata));
        }
    }
}

/// A credential as a browser downloaded it, to be imported once.
#[derive(Debug)]
pub struct Download {
    /// The whole file.
    pub content: Vec<u8>,
    /// True if other users can read the file. A browser chose the mode, so this is a warning, not an error.
    pub is_loose: bool,
}

/// Reads a download: a regular file, not a symbolic link, not larger than a credential.
///
/// # Errors
/// [`Kind::Credential`] when it is another kind of file or too large; [`Kind::Io`] when it cannot be read.
pub fn read_download(path: &Path) -> Result<Download> {
    let file = open(path)?;
    let metadata = file.metadata().map_err(|error| Failure::io("cannot look at", path, error))?;
    check_shape(path, &metadata)?;
    Ok(Download { content: content_of(path, file)?, is_loose: metadata.mode() & 0o044 != 0 })
}

fn content_of(path: &Path, file: File) -> Result<Vec<u8>> {
    let mut content = Vec::new();
    file.take(SIZE_LIMIT)
        .read_to_end(&mut content)
        .map_err(|error| Failure::io("cannot read", path, error))?;
    Ok(content)
}

/// Without `O_NONBLOCK`, a FIFO in the file's place would block the run forever.
fn open(path: &Path) -> Result<File> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(descriptor) => Ok(File::from(descriptor)),
        Err(Errno::LOOP) => Err(refused(
            path,
            "is a symbolic link",
            format!("name the file itself in the configuration: readlink -f {}", shell(path)),
        )),
        Err(Errno::NOENT) => {
            Err(refused(path, "does not exist", "put the credential file there with mode 0600"))
        }
        Err(Errno::ACCESS) => Err(refused(path, "cannot be opened by this user", owner_command(path))),
        Err(error) => Err(Failure::io("cannot open", path, io::Error::from(error))),
    }
}

fn check_file(path: &Path, metadata: &Metadata, granted_by_systemd: bool) -> Result<()> {
    let mode = metadata.mode() & 0o7777;
    let me = rustix::process::geteuid().as_raw();
    let (owned, loose_bits) = if granted_by_systemd {
        (metadata.uid() == me || metadata.uid() == 0, 0o027)
    } else {
        (metadata.uid() == me, 0o077)
    };
    check_shape(path, metadata)?;
    if !owned {
        return Err(refused(
            path,
            format!("belongs to uid {}, not to this user (uid {me})", metadata.uid()),
            owner_command(path),
        ));
    }
    if mode & loose_bits != 0 {
        let why = format!("has mode {mode:04o}: others may have read the secret in it");
        return Err(refused(path, why, format!("chmod 600 {}", shell(path))));
    }
    if metadata.nlink() != 1 {
        let links = metadata.nlink();
        let inode = format!("find the other names: find / -xdev -samefile {}", shell(path));
        return Err(refused(path, format!("has {links} hard links: another name reaches the secret"), inode));
    }
    Ok(())
}

fn check_shape(path: &Path, metadata: &Metadata) -> Result<()> {
    if !metadata.is_file() {
        let hint = format!("see what it is: ls -la {}", shell(path));
        return Err(refused(path, "is not a regular file", hint));
    }
    if metadata.len() > SIZE_LIMIT {
        let why = format!("is {} bytes long; a credential is at most {SIZE_LIMIT}", metadata.len());
        return Err(refused(path, why, format!("see what it is: head -c 100 {}", shell(path))));
    }
    Ok(())
}

/// Every directory up to the root must belong to root or to this user, and only they may write in it.
///
/// A sticky directory of root, such as /tmp, is accepted: other users may add names there but not change ours.
///
/// # Errors
/// [`Kind::Credential`] with the `chmod` or `chown` to type; [`Kind::Io`] when a directory cannot be looked at.
pub fn check_directories(path: &Path) -> Result<()> {
    let me = rustix::process::geteuid().as_raw();
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let real = dir.canonicalize().map_err(|error| Failure::io("cannot resolve", dir, error))?;
    for above in real.ancestors() {
        let metadata = above.metadata().map_err(|error| Failure::io("cannot look at", above, error))?;
        let mode = metadata.mode() & 0o7777;
        if metadata.uid() != 0 && metadata.uid() != me {
            let why = format!("lies in {}, which belongs to uid {}", above.display(), metadata.uid());
            return Err(refused(path, why, owner_command(above)));
        }
        let sticky_of_root = mode & 0o1000 != 0 && metadata.uid() == 0;
        if mode & 0o022 != 0 && !sticky_of_root {
            let why = format!("lies in {}, which others can write (mode {mode:04o})", above.display());
            return Err(refused(path, why, format!("chmod go-w {}", shell(above))));
        }
    }
    Ok(())
}

fn refused(path: &Path, why: impl AsRef<str>, hint: impl AsRef<str>) -> Failure {
    Failure::new(Kind::Credential, format!("credential file {} {}", path.display(), why.as_ref()), hint)
}

fn owner_command(path: &Path) -> String {
    format!("chown {} {}", rustix::process::geteuid().as_raw(), shell(path))
}

/// The path as a shell reads it, quoted only if necessary.
pub fn shell(path: &Path) -> String {
    let text = path.display().to_string();
    let is_plain = text.chars().all(|c| c.is_ascii_alphanumeric() || "/._-+:@%,".contains(c));
    if is_plain { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

/// The path of a credential file: absolute, or in systemd's directory if the file is there, else in the state's.
pub fn locate(file: &Path, credentials_directory: Option<&Path>, state_credentials: &Path) -> PathBuf {
    match credentials_directory.map(|dir| dir.join(file)) {
        Some(granted) if file.is_relative() && granted.exists() => granted,
        _ => state_credentials.join(file),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use crate::sys::secret_file::*;

    fn file_with_mode(dir: &Path, mode: u32) -> PathBuf {
        let path = dir.join("credential.json");
        crate::sys::atomic_file::replace(&path, b"{}").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    #[test]
    fn a_private_file_is_read() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(read(&file_with_mode(dir.path(), 0o600), None).unwrap(), b"{}");
    }

    #[test]
    fn a_readable_file_is_refused_with_the_chmod_to_type() {
        let dir = tempfile::tempdir().unwrap();
        let path = file_with_mode(dir.path(), 0o640);
        let refused = read(&path, None).unwrap_err();
        assert_eq!(refused.kind, Kind::Credential);
        assert_eq!(refused.hint, format!("chmod 600 {}", path.display()));
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o640, "nothing is repaired in silence");
    }

    #[test]
    fn systemd_may_grant_group_read_in_its_own_directory_only() {
        let dir = tempfile::tempdir().unwrap();
        let path = file_with_mode(dir.path(), 0o440);
        assert!(read(&path, Some(dir.path())).is_ok());
        assert!(read(&path, Some(Path::new("/run/credentials/other"))).is_err());
        fs::set_permissions(&path, fs::Permissions::from_mode(0o444)).unwrap();
        assert!(read(&path, Some(dir.path())).is_err(), "world-readable is refused even there");
    }

    #[test]
    fn links_of_both_kinds_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = file_with_mode(dir.path(), 0o600);
        let link = dir.path().join("link.json");
        symlink(&path, &link).unwrap();
        assert!(read(&link, None).unwrap_err().message.ends_with("is a symbolic link"));
        fs::hard_link(&path, dir.path().join("second.json")).unwrap();
        assert!(read(&path, None).unwrap_err().message.contains("has 2 hard links"));
    }

    #[test]
    fn a_path_is_quoted_for_the_shell_only_where_it_must_be() {
        assert_eq!(shell(Path::new("/var/lib/a-b.json")), "/var/lib/a-b.json");
        assert_eq!(shell(Path::new("/srv/it's here")), r"'/srv/it'\''s here'");
    }
}
