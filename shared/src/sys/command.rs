//! Runs a program to its end within a time limit, then kills what is left of its process group.
//!
//! Arguments are a list, which no shell parses. The program's standard output is discarded, since ours may be reserved
//! for a JSON result. Its standard error is ours, or discarded too.

use std::ffi::OsString;
use std::fmt;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use tokio::time::timeout;

use crate::sys::process_tree::{KillScope, ProcessTree};

/// The program's standard input and what becomes of its standard error.
#[derive(Clone, Copy, Debug)]
pub enum Stdin<'a> {
    /// No input; its standard error is ours.
    Empty,
    /// This text; its standard error is discarded.
    Text(&'a str),
}

/// Why a program did not end with success.
#[derive(Debug)]
pub enum CommandError {
    /// It could not be started.
    NotStarted(std::io::Error),
    /// It could not be waited for.
    Lost(std::io::Error),
    /// It ended with an exit code other than 0, or by a signal.
    Failed(ExitStatus),
    /// It was killed at the end of its time limit.
    Killed(Duration),
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotStarted(error) => write!(f, "cannot be started: {error}"),
            Self::Lost(error) => write!(f, "cannot be waited for: {error}"),
            Self::Failed(status) => write!(f, "failed: {status}"),
            Self::Killed(limit) => write!(f, "was killed after {}", humantime::format_duration(*limit)),
        }
    }
}

impl std::error::Error for CommandError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::NotStarted(error) | Self::Lost(error) => Some(error),
            Self::Failed(_) | Self::Killed(_) => None,
        }
    }
}

/// Runs a program with its arguments to its end.
///
/// # Errors
/// [`CommandError`] unless it ended with success within `limit`. An empty list runs nothing and is a success.
pub async fn run(command: &[OsString], input: Stdin<'_>, limit: Duration) -> Result<(), CommandError> {
    let Some((program, arguments)) = command.split_first() else { return Ok(()) };
    let (stdin, stderr) = match input {
        Stdin::Empty => (Stdio::null(), Stdio::inherit()),
        Stdin::Text(_) => (Stdio::piped(), Stdio::null()),
    };
    let mut command = Command::new(program);
    command.args(arguments).stdin(stdin).stdout(Stdio::null()).stderr(stderr);
    // Only the group is killed, since several programs may run at once.
    let mut tree = ProcessTree::start(&mut command, KillScope::Group).map_err(CommandError::NotStarted)?;
    let ended = timeout(limit, write_and_wait(&mut tree, input)).await;
    let _ = tree.end().await;
    match ended {
        Ok(Ok(status)) if status.success() => Ok(()),
        Ok(Ok(status)) => Err(CommandError::Failed(status)),
        Ok(Err(error)) => Err(CommandError::Lost(error)),
        Err(_) => Err(CommandError::Killed(limit)),
    }
}

async fn write_and_wait(tree: &mut ProcessTree, input: Stdin<'_>) -> std::io::Result<ExitStatus> {
    if let (Stdin::Text(text), Some(mut stdin)) = (input, tree.stdin()) {
        // A program that does not read its input still decides by its exit code.
        drop(stdin.write_all(text.as_bytes()).await);
    }
    tree.wait().await
}

#[cfg(test)]
mod tests {
    use crate::sys::command::*;

    #[tokio::test]
    async fn a_program_that_ends_takes_what_it_left_along_and_none_that_runs_beside_it() {
        let dir = tempfile::tempdir().unwrap();
        let [signal, left] = ["signal", "left"].map(|name| dir.path().join(name));
        let run = |script: String| async move {
            let words = ["/bin/sh", "-c", &script].map(OsString::from);
            run(&words, Stdin::Text(""), Duration::from_secs(60)).await
        };
        let waits = run(format!("until [ -e {} ]; do sleep 0.01; done", signal.display()));
        let others = async {
            // The process it leaves would write once the other file is there, and must be killed before.
            let leaves = format!(
                "(until [ -e {} ]; do sleep 0.01; done; touch {}) & exit 0",
                signal.display(),
                left.display()
            );
            run(leaves).await?;
            run(format!("touch {}", signal.display())).await
        };
        let (waited, others) = tokio::join!(waits, others);
        assert!(waited.is_ok() && others.is_ok(), "{waited:?} {others:?}");
        assert!(!left.exists());
    }
}
