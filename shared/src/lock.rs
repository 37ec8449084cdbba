//! One run of a job at a time, and one refresh of a credential: exclusive `flock(2)` locks.
//!
//! The only module that names `fs2`. A lock file is never renamed or removed, since a second holder could then lock
//! a new file of the same name. The kernel lets go of a lock when its process ends, however it ends. What is written
//! inside is for the message only.

use std::fs::File;
use std::io::{Read, Seek, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use log::info;
use tokio::time::{Instant, sleep};

use crate::{Failure, Kind, Result, file};

/// How often a waiting process looks again: `flock` itself cannot wait with a limit.
const POLL: Duration = Duration::from_millis(50);

/// How often the kernel's list of locks is read before one counts as free.
const LISTINGS: u32 = 5;

/// A held lock. Dropping it lets go.
#[derive(Debug)]
#[must_use = "the lock is held only as long as this value lives"]
pub struct Lock {
    _file: File,
}

/// Takes the lock at `path`, waiting at most `wait`.
///
/// # Errors
/// [`Kind::Busy`] when another process still holds it, with who and since when; [`Kind::Io`] when the file cannot be
/// used.
pub async fn acquire(path: &Path, wait: Duration, now: DateTime<Utc>) -> Result<Lock> {
    // A wait beyond what a clock can hold is as good as a year.
    let until = Instant::now() + wait.min(Duration::from_secs(365 * 24 * 60 * 60));
    let mut file =
        file::open_private(path).map_err(|error| Failure::io("cannot open the lock file", path, error))?;
    let mut told = false;
    // By its full path, since the standard library's methods of these names would win.
    while let Err(error) = fs2::FileExt::try_lock_exclusive(&file) {
        if error.kind() != fs2::lock_contended_error().kind() {
            return Err(Failure::io("cannot lock", path, error));
        }
        if Instant::now() >= until {
            return Err(busy(path, &mut file));
        }
        if !std::mem::replace(&mut told, true) {
            info!("waiting up to {}: {}", humantime::format_duration(wait), busy(path, &mut file));
        }
        sleep(POLL).await;
    }
    let holder =
        format!("pid {} since {}\n", std::process::id(), now.to_rfc3339_opts(SecondsFormat::Secs, true));
    sign(&mut file, &holder).map_err(|error| Failure::io("cannot write the lock file", path, error))?;
    Ok(Lock { _file: file })
}

/// Whether a process holds the lock, as the kernel lists it. Trying to take it instead could make a run believe that
/// another one is under way.
pub fn is_held(path: &Path) -> bool {
    let Ok(metadata) = path.metadata() else { return false };
    let inode = format!(":{}", metadata.ino());
    // The list is read in pieces; what changes before a line between two of them can make it slip through.
    (0..LISTINGS).any(|_| {
        let locks = std::fs::read_to_string("/proc/locks").unwrap_or_default();
        locks.lines().any(|line| is_lock_of(line, &inode))
    })
}

/// A line such as `1: FLOCK  ADVISORY  WRITE 9488 fe:00:10471528 0 EOF`.
fn is_lock_of(line: &str, inode: &str) -> bool {
    let words: Vec<&str> = line.split_whitespace().collect();
    words.get(1) == Some(&"FLOCK") && words.get(5).is_some_and(|file| file.ends_with(inode))
}

/// The lock file of a job or, with a prefix in the name, of a credential.
pub fn file_for(locks: &Path, name: &str) -> PathBuf {
    locks.join(format!("{name}.lock"))
}

fn sign(file: &mut File, holder: &str) -> std::io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(holder.as_bytes())
}

fn busy(path: &Path, file: &mut File) -> Failure {
    let mut holder = String::new();
    // Whoever holds it may not have signed yet; then only the path is said.
    let signed = file.rewind().is_ok()
        && file.take(200).read_to_string(&mut holder).is_ok()
        && !holder.trim().is_empty();
    let holder = if signed { holder.trim() } else { "another process" };
    Failure::new(
        Kind::Busy,
        format!("{} is held by {holder}", path.display()),
        "wait for that run to end, or give this one --lock-wait 5m",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_second_holder_is_refused_and_told_who_holds_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = file_for(dir.path(), "job");
        let held = acquire(&path, Duration::ZERO, Utc::now()).await.unwrap();
        let refused = acquire(&path, Duration::ZERO, Utc::now()).await.unwrap_err();
        assert_eq!(refused.kind, Kind::Busy);
        assert!(refused.message.contains(&format!("pid {} since ", std::process::id())), "{refused}");
        assert!(is_held(&path));
        drop(held);
        assert!(!is_held(&path));
        let _again = acquire(&path, Duration::ZERO, Utc::now()).await.unwrap();
    }
}
