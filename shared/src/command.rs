//! Runs a program to its end within a limited time. What it leaves of its process group is killed then.
//!
//! Arguments are a list; no shell takes them apart. What the program prints on standard output is thrown away, since
//! ours may be promised to a result; its standard error is ours, or thrown away as well.

use std::ffi::OsString;
use std::fmt;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use tokio::time::timeout;

use crate::family::{Family, Reach};

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
    let mut command = Command::new(program);
    command.args(arguments).stdin(stdin).stdout(Stdio::null()).stderr(stderr);
    // Several programs may be run at once.
    let mut family = Family::start(&mut command, Reach::Group).map_err(Ended::NotStarted)?;
    let ended = timeout(limit, talk_and_wait(&mut family, talk)).await;
    let _ = family.end().await;
    match ended {
        Ok(Ok(status)) if status.success() => Ok(()),
        Ok(Ok(status)) => Err(Ended::Failed(status)),
        Ok(Err(error)) => Err(Ended::Lost(error)),
        Err(_) => Err(Ended::Killed(limit)),
    }
}

async fn talk_and_wait(family: &mut Family, talk: Talk<'_>) -> std::io::Result<ExitStatus> {
    if let (Talk::Given(text), Some(mut stdin)) = (talk, family.stdin()) {
        // A program that does not read what it is given decides by its exit code all the same.
        drop(stdin.write_all(text.as_bytes()).await);
    }
    family.wait().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_program_that_ends_takes_what_it_left_along_and_none_that_runs_beside_it() {
        let dir = tempfile::tempdir().unwrap();
        let [told, left] = ["told", "left"].map(|name| dir.path().join(name));
        let run = |script: String| async move {
            let words = ["/bin/sh", "-c", &script].map(OsString::from);
            run(&words, Talk::Given(""), Duration::from_secs(60)).await
        };
        let waits = run(format!("until [ -e {} ]; do sleep 0.01; done", told.display()));
        let others = async {
            // What it leaves would write once it is told, which must not come to pass.
            let leaves = format!(
                "(until [ -e {} ]; do sleep 0.01; done; touch {}) & exit 0",
                told.display(),
                left.display()
            );
            run(leaves).await?;
            run(format!("touch {}", told.display())).await
        };
        let (waited, others) = tokio::join!(waits, others);
        assert!(waited.is_ok() && others.is_ok(), "{waited:?} {others:?}");
        assert!(!left.exists());
    }
}
