//! Exclusive `flock(2)` locks: one run of a job at a time, and one refresh of a credential.
//!
//! Only this module uses `fs2`. A lock file is never renamed or removed, since a second process could then lock a new
//! file of the same name. The kernel releases the lock when the process ends, however it ends. The content of the file
//! is only for messages.

use std::fs::File;
use std::io::{Read, Seek, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, Utc};
use log::info;
use tokio::time::{Instant, sleep};

use super::atomic_file;
use crate::time::timestamp;
use crate::{Failure, Kind, Result};

/// The pause between two tries: `flock` itself cannot wait with a limit.
const POLL: Duration = Duration::from_millis(50);

/// How often the kernel's list of locks is read before a lock counts as free.
const LISTINGS: u32 = 5;

/// A held lock, released when dropped.
#[derive(Debug)]
#[must_use = "the lock is held only as long as this value lives"]
pub struct Lock {
    _file: File,
}

/// Takes the lock at `path`, waiting at most `wait`.
///
/// # Errors
/// [`Kind::Busy`] when another process still holds it, with its pid and since when; [`Kind::Io`] when the file cannot
/// be used.
pub async fn acquire(path: &Path, wait: Duration, now: DateTime<Utc>) -> Result<Lock> {
    // A longer wait could overflow the clock.
    let until = Instant::now() + wait.min(Duration::from_secs(365 * 24 * 60 * 60));
    let mut file = atomic_file::open_private(path)
        .map_err(|error| Failure::io("cannot open the lock file", path, error))?;
    let mut is_logged = false;
    // By its full path, since the standard library's method of this name takes precedence.
    while let Err(error) = fs2::FileExt::try_lock_exclusive(&file) {
        if error.kind() != fs2::lock_contended_error().kind() {
            return Err(Failure::io("cannot lock", path, error));
        }
        if Instant::now() >= until {
            return Err(busy(path, &mut file));
        }
        if !std::mem::replace(&mut is_logged, true) {
            info!("waiting up to {}: {}", humantime::format_duration(wait), busy(path, &mut file));
        }
        sleep(POLL).await;
    }
    let holder = format!("pid {} since {}\n", std::process::id(), timestamp(now));
    sign(&mut file, &holder).map_err(|error| Failure::io("cannot write the lock file", path, error))?;
    Ok(Lock { _file: file })
}

/// Whether a process holds the lock, by the kernel's list. Taking it to find out could make a run that starts now
/// believe that another one is running.
pub fn is_held(path: &Path) -> bool {
    let Ok(metadata) = path.metadata() else { return false };
    let inode = format!(":{}", metadata.ino());
    // The kernel gives the list in pieces, and a line can be missed when the list changes between two of them.
    (0..LISTINGS).any(|_| {
        let locks = std::fs::read_to_string("/proc/locks").unwrap_or_default();
        locks.lines().any(|line| is_lock_of(line, &inode))
    })
}

/// Reads a line such as `1: FLOCK  ADVISORY  WRITE 9488 fe:00:10471528 0 EOF`.
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
    // The holder may not have written its line yet.
    let is_signed = file.rewind().is_ok()
        && file.take(200).read_to_string(&mut holder).is_ok()
        && !holder.trim().is_empty();
    let holder = if is_signed { holder.trim() } else { "another process" };
    Failure::new(
        Kind::Busy,
        format!("{} is held by {holder}", path.display()),
        "wait for that run to end, or give this one --lock-wait 5m",
    )
}

#[cfg(test)]
mod tests {
    use crate::sys::lock::*;

    #[tokio::test]
    async fn a_second_holder_is_refused_with_the_pid_of_the_first() {
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
