//! Runs a program for a limited time, as its own process group, and kills the group whole when the time is over.
//!
//! Arguments are a list; no shell takes them apart. What the program prints on standard output is thrown away, since
//! ours may be promised to a result; its standard error is ours, or thrown away as well.

use std::ffi::OsString;
use std::fmt;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::AsyncWriteExt as _;
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// What the program is given and what becomes of its words.
#[derive(Clone, Copy, Debug)]
pub enum Talk<'a> {
    /// It is given nothing; its standard error is ours.
    Aloud,
    /// It is given this on standard input; its standard error is thrown away.
    Given(&'a str),
}

/// Why it did not end well.
#[derive(Debug)]
pub enum Ended {
    /// It could not be started.
    NotStarted(std::io::Error),
    /// It could not be waited for.
    Lost(std::io::Error),
    /// It ended with another status than success.
    Failed(ExitStatus),
    /// It was killed when its time was over.
    Killed(Duration),
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotStarted(error) => write!(f, "cannot be started: {error}"),
            Self::Lost(error) => write!(f, "cannot be waited for: {error}"),
            Self::Failed(status) => write!(f, "failed: {status}"),
            Self::Killed(limit) => write!(f, "was killed after {}", humantime::format_duration(*limit)),
        }
    }
}

/// Runs a program and its arguments to its end.
///
/// # Errors
/// [`Ended`] unless it ended with success within `limit`. An empty list runs nothing and is a success.
pub async fn run(command: &[OsString], talk: Talk<'_>, limit: Duration) -> Result<(), Ended> {
    let Some((program, arguments)) = command.split_first() else { return Ok(()) };
    let (stdin, stderr) = match talk {
        Talk::Aloud => (Stdio::null(), Stdio::inherit()),
        Talk::Given(_) => (Stdio::piped(), Stdio::null()),
    };
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(stdin)
        .stdout(Stdio::null())
        .stderr(stderr)
        .process_group(0)
        .spawn()
        .map_err(Ended::NotStarted)?;
    let group = Group(child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)));
    let ended = timeout(limit, talk_and_wait(&mut child, talk)).await;
    drop(group);
    match ended {
        Ok(Ok(status)) if status.success() => Ok(()),
        Ok(Ok(status)) => Err(Ended::Failed(status)),
        Ok(Err(error)) => Err(Ended::Lost(error)),
        Err(_) => {
            // Reaped, so that nothing of it is left.
            drop(child.wait().await);
            Err(Ended::Killed(limit))
        }
    }
}

async fn talk_and_wait(child: &mut Child, talk: Talk<'_>) -> std::io::Result<ExitStatus> {
    if let (Talk::Given(text), Some(mut stdin)) = (talk, child.stdin.take()) {
        // A program that does not read what it is given decides by its exit code all the same.
        drop(stdin.write_all(text.as_bytes()).await);
    }
    child.wait().await
}

/// A process group. Whatever is left of it is killed when this is dropped, also because this run is stopped.
struct Group(Option<Pid>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // It fails when nothing is left, which is as it should be.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}
