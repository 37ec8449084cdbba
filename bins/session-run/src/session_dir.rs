//! Where a session lives: its task, result and output in a folder of its run, its checkpoint in one of its task.

use std::fs;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use log::warn;
use shared::run::Context;
use shared::store::Grant;
use shared::sys::atomic_file;
use shared::{Failure, Result};

use crate::outcome::ResultFile;

/// How long sessions' folders are kept.
const KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// The largest result file read, in bytes.
const RESULT_LIMIT: u64 = 64 * 1024;

/// The name of the folder of checkpoints.
const CHECKPOINTS: &str = "checkpoints";

/// The paths of one session.
#[derive(Debug)]
pub struct SessionDir {
    /// The task as JSON, which is the command's standard input.
    pub task: PathBuf,
    /// Where the command may say what came of it.
    pub result: PathBuf,
    /// What it said.
    pub output: PathBuf,
    /// Its work so far, for the session that continues the task.
    pub checkpoint: PathBuf,
}

impl SessionDir {
    /// Names the paths.
    pub fn of(context: &Context, task: &str) -> Self {
        let sessions = context.state.sessions();
        let dir = sessions.join(&context.run);
        Self {
            task: dir.join("task.json"),
            result: dir.join("result.json"),
            output: dir.join("output.log"),
            checkpoint: sessions.join(CHECKPOINTS).join(task),
        }
    }

    /// Makes the folders and writes the task.
    ///
    /// # Errors
    /// [`shared::Kind::Io`] when the disk does not let it.
    pub fn make(&self, grant: &Grant) -> Result<()> {
        atomic_file::private_dir(&self.checkpoint)?;
        if let Some(dir) = self.task.parent() {
            atomic_file::private_dir(dir)?;
        }
        atomic_file::replace(&self.task, grant.body.as_bytes())
    }

    /// Reads the result file. Nothing that wrote it may be alive any more.
    pub fn told(&self) -> ResultFile {
        match fs::symlink_metadata(&self.result) {
            Err(error) if error.kind() == ErrorKind::NotFound => return ResultFile::Nothing,
            Err(error) => return garbage(&format!("cannot be looked at: {error}")),
            Ok(metadata) if !metadata.is_file() => return garbage("is not a regular file"),
            Ok(metadata) if metadata.len() > RESULT_LIMIT => return garbage("is longer than 64 KiB"),
            Ok(_) => {}
        }
        let mut content = Vec::new();
        let read =
            fs::File::open(&self.result).and_then(|file| file.take(RESULT_LIMIT).read_to_end(&mut content));
        match read {
            Err(error) => garbage(&format!("cannot be read: {error}")),
            Ok(_) => match serde_json::from_slice(&content) {
                Ok(words) => ResultFile::Fields(words),
                Err(error) => garbage(&format!("cannot be used: {error}")),
            },
        }
    }

    /// Drops the checkpoint of a task that is done.
    pub fn drop_checkpoint(&self) {
        if let Err(error) = fs::remove_dir_all(&self.checkpoint) {
            warn!("{}", Failure::io("cannot remove", &self.checkpoint, error));
        }
    }
}

fn garbage(what: &str) -> ResultFile {
    ResultFile::Garbage(format!("its result file {what}"))
}

/// Drops the folders of sessions that ended long ago. Checkpoints stay.
pub fn drop_old(sessions: &Path) {
    let Ok(entries) = fs::read_dir(sessions) else { return };
    for entry in entries.flatten().filter(|entry| entry.file_name() != CHECKPOINTS) {
        let age = entry.metadata().and_then(|metadata| metadata.modified()).map(|at| at.elapsed());
        let is_old = age.is_ok_and(|age| age.is_ok_and(|age| age > KEPT));
        if is_old && let Err(error) = fs::remove_dir_all(entry.path()) {
            warn!("{}", Failure::io("cannot remove", &entry.path(), error));
        }
    }
}
