//! A session's output: both of its streams in one file of bounded size, its beginning and its end.
//!
//! All of it is read, so that a command that says much is never held up; what lies between is dropped and said so.

use std::collections::VecDeque;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use shared::sys::atomic_file;
use shared::{Failure, Result};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::pipe::Receiver;

/// Reads until every writer is gone, into a private file.
///
/// # Errors
/// [`shared::Kind::Io`] when the file cannot be written. The output is read to its end anyway.
pub async fn keep(pipe: OwnedFd, path: &Path, limit_bytes: usize) -> Result<()> {
    let mut pipe = Receiver::from_owned_fd(pipe).map_err(|error| Failure::io("cannot write", path, error))?;
    let opened = atomic_file::open_private(path).map_err(|error| Failure::io("cannot write", path, error))?;
    let mut kept = Kept {
        out: tokio::fs::File::from_std(opened),
        room: limit_bytes / 2,
        end: End::new(limit_bytes / 2),
    };
    let mut outcome = Ok(());
    let mut buffer = vec![0; 8192];
    while let Ok(length @ 1..) = pipe.read(&mut buffer).await {
        outcome = outcome.and(kept.take(&buffer[..length]).await);
    }
    outcome.and(kept.close().await).map_err(|error| Failure::io("cannot write", path, error))
}

struct Kept {
    out: tokio::fs::File,
    room: usize,
    end: End,
}

impl Kept {
    async fn take(&mut self, said: &[u8]) -> io::Result<()> {
        let (now, later) = said.split_at(said.len().min(self.room));
        self.room -= now.len();
        self.end.push(later);
        self.out.write_all(now).await
    }

    async fn close(mut self) -> io::Result<()> {
        if self.end.dropped > 0 {
            let note = format!("\n… {} bytes left out …\n", self.end.dropped);
            self.out.write_all(note.as_bytes()).await?;
        }
        let (first, second) = self.end.bytes.as_slices();
        self.out.write_all(first).await?;
        self.out.write_all(second).await?;
        self.out.flush().await
    }
}

/// The last bytes of a stream.
struct End {
    bytes: VecDeque<u8>,
    limit: usize,
    dropped: u64,
}

impl End {
    fn new(limit: usize) -> Self {
        Self { bytes: VecDeque::new(), limit, dropped: 0 }
    }

    fn push(&mut self, said: &[u8]) {
        self.bytes.extend(said);
        let over = self.bytes.len().saturating_sub(self.limit);
        self.bytes.drain(..over);
        self.dropped += over as u64;
    }
}
