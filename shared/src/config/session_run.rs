//! `[session-run]`: the command of a session, its limits, and where tasks come from.

use std::path::PathBuf;
use std::time::Duration;

use url::Url;

use super::{Reader, reader::count};
use crate::sys::url::is_confidential;

/// The settings of `[session-run]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRunEntry {
    /// The `[quota.NAME]` from which sessions are taken.
    pub quota: String,
    /// The program and its arguments, with `{task}`, `{turns}` and `{checkpoint}` in them.
    pub command: Vec<String>,
    /// How long a session may take.
    pub deadline: Duration,
    /// The time between SIGTERM and SIGKILL when a session must end.
    pub grace: Duration,
    /// How often a task that reached its turn limit is resumed.
    pub max_resumes: u32,
    /// The turn at which the command should save a checkpoint.
    pub checkpoint_turn: u32,
    /// The exit code of a command that reached its turn limit.
    pub turn_limit_exit: i32,
    /// How long a claim lasts without a heartbeat of its runner.
    pub lease: Duration,
    /// How much of a session's output is kept, in KiB.
    pub output_limit_kib: u32,
    /// Where tasks come from besides the local table.
    pub dashboard: Option<DashboardEntry>,
}

/// `[session-run.dashboard]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DashboardEntry {
    /// The base address of the REST contract, ending in `/`.
    pub url: Url,
    /// The file with the bearer token, relative to the credentials folder or absolute.
    pub token_file: PathBuf,
    /// The limit on one request.
    pub timeout: Duration,
}

impl SessionRunEntry {
    pub(super) fn read(mut reader: Reader<'_>) -> Self {
        let minute = Duration::from_secs(60);
        let settings = Self {
            quota: reader.required("quota").unwrap_or_default(),
            command: reader.texts("command").unwrap_or_default(),
            deadline: reader.duration("deadline").unwrap_or(minute * 60),
            grace: reader.duration("grace").unwrap_or(Duration::from_secs(10)),
            max_resumes: count(&mut reader, "max-resumes", 0..=1000).unwrap_or(3),
            checkpoint_turn: count(&mut reader, "checkpoint-turn", 1..=100_000).unwrap_or(25),
            turn_limit_exit: count(&mut reader, "turn-limit-exit", 1..=255)
                .and_then(|code| i32::try_from(code).ok())
                .unwrap_or(75),
            lease: reader.duration("lease").unwrap_or(minute * 2),
            output_limit_kib: count(&mut reader, "output-limit-kib", 1..=1_048_576).unwrap_or(256),
            dashboard: reader
                .table("dashboard")
                .and_then(|table| DashboardEntry::read(reader.nested("dashboard", table))),
        };
        settings.check(&mut reader);
        reader.finish();
        settings
    }

    fn check(&self, reader: &mut Reader<'_>) {
        if self.command.first().is_none_or(|program| program.is_empty()) {
            reader.problem("command", "must be a list that begins with the program to run");
        }
        if self.deadline.is_zero() {
            reader.problem("deadline", "must be longer than nothing");
        }
        if self.lease < Duration::from_secs(10) {
            reader.problem("lease", "must be at least 10s: it is renewed every third of it");
        }
    }
}

impl DashboardEntry {
    fn read(mut reader: Reader<'_>) -> Option<Self> {
        let url = reader.required("url").and_then(|text| match Url::parse(&text) {
            Ok(url) if !is_confidential(&url) => {
                let what =
                    format!("{text:?} would send the token unencrypted: use https, or http on loopback");
                reader.problem("url", what);
                None
            }
            Ok(url) if url.path().ends_with('/') && url.query().is_none() => Some(url),
            Ok(_) => {
                reader.problem("url", format!("{text:?} must end in /"));
                None
            }
            Err(error) => {
                reader.problem("url", format!("{text:?} is not a URL: {error}"));
                None
            }
        });
        let token_file = reader.required("token-file").map(PathBuf::from);
        let timeout = reader.duration("timeout").unwrap_or(Duration::from_secs(20));
        if timeout.is_zero() {
            reader.problem("timeout", "must be longer than nothing");
        }
        reader.finish();
        Some(Self { url: url?, token_file: token_file?, timeout })
    }
}
