//! One test's world: a private directory, a stand-in for Google, a spreadsheet, a source, a credential, a config.
//!
//! It is removed when it is dropped; while a test is failing it reports everything first.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use google_standin::{Fault, Server};
use serde_json::Value;
use tempfile::TempDir;

use crate::builder::{Builder, lines};
use crate::process::Process;
use crate::run::Run;
use crate::secrets::Secrets;

/// The world of one test.
pub struct World {
    /// The stand-in for Google: faults, clock, quotas, sharing, people's requests.
    pub server: Server,
    /// The spreadsheet's id.
    pub spreadsheet: String,
    /// The address that the job's credential belongs to.
    pub account: String,
    executable: String,
    dir: TempDir,
    known: Mutex<Known>,
}

/// What a world learns while its processes run.
#[derive(Default)]
pub(crate) struct Known {
    pub(crate) secrets: Secrets,
    pub(crate) runs: Vec<Run>,
}

/// When stories in simulated time begin: at noon of the first booking's day.
///
/// # Panics
/// Never: it is a date.
pub fn noon() -> DateTime<Utc> {
    "2026-05-13T12:00:00Z".parse().expect("a date")
}

impl World {
    /// Describes a world for an executable: `World::of(env!("CARGO_BIN_EXE_port-sheet-sync"))`.
    pub fn of(executable: &str) -> Builder {
        Builder::new(executable)
    }

    pub(crate) fn new(
        executable: String,
        dir: TempDir,
        server: Server,
        spreadsheet: String,
        account: String,
    ) -> Self {
        Self { server, spreadsheet, account, executable, dir, known: Mutex::default() }
    }

    pub(crate) fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everything of this test's, and the `HOME` of its processes.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// A path below the world's directory.
    pub fn path(&self, relative: &str) -> PathBuf {
        self.dir.path().join(relative)
    }

    /// The state directory named in the configuration. The job makes what is missing in it.
    pub fn state(&self) -> PathBuf {
        self.path("state")
    }

    /// The configuration file.
    pub fn config(&self) -> PathBuf {
        self.path("config.toml")
    }

    /// The CSV source.
    pub fn source(&self) -> PathBuf {
        self.path("export.csv")
    }

    /// The job's credential file.
    pub fn credential(&self) -> PathBuf {
        self.path("state/credentials/port-sheet.json")
    }

    /// A process of the executable with these arguments after `--config`.
    pub fn process(&self, args: &[&str]) -> Process<'_> {
        self.bare(&[]).arg("--config").arg(self.config()).args(args)
    }

    /// A process of the executable with exactly these arguments.
    pub fn bare(&self, args: &[&str]) -> Process<'_> {
        Process::new(self, &self.executable).args(args)
    }

    /// A process of another executable of the same build, by its name, with the world's config and these arguments.
    ///
    /// # Panics
    /// When it was not built.
    pub fn process_of(&self, name: &str, args: &[&str]) -> Process<'_> {
        let path = Path::new(&self.executable).with_file_name(name);
        assert!(path.exists(), "{} was not built: cargo build --workspace", path.display());
        Process::new(self, path).arg("--config").arg(self.config()).args(args)
    }

    /// The same at a moment, which is the stand-in's too.
    ///
    /// # Panics
    /// When it was not built.
    pub fn process_at(&self, now: DateTime<Utc>, name: &str, args: &[&str]) -> Process<'_> {
        self.server.set_clock(now);
        self.process_of(name, args).at(&now.format("%Y-%m-%d %H:%M:%S").to_string())
    }

    /// Runs the executable with the world's config and these arguments, to its end.
    pub fn run(&self, args: &[&str]) -> Run {
        self.process(args).run()
    }

    /// The text of the configuration.
    pub fn config_text(&self) -> String {
        self.read_text(&self.config())
    }

    /// Replaces a part of the configuration that must be in it.
    ///
    /// # Panics
    /// When it is not: the test would not test what it says.
    pub fn replace_in_config(&self, from: &str, to: &str) {
        let text = self.config_text();
        assert!(text.contains(from), "the configuration holds no {from:?}:\n{text}");
        self.write("config.toml", text.replace(from, to).as_bytes());
    }

    /// Adds text at the end of the configuration.
    pub fn append_to_config(&self, text: &str) {
        self.write("config.toml", format!("{}\n{text}\n", self.config_text()).as_bytes());
    }

    /// Replaces the source by these lines.
    pub fn write_source(&self, text: &[&str]) {
        self.write("export.csv", &lines(text));
    }

    /// Replaces the job's credential, mode 0600, and remembers its secrets.
    pub fn write_credential(&self, content: &Value) {
        self.know_secrets_of(content);
        self.write_private(&self.credential(), content.to_string().as_bytes());
    }

    /// The person authorizes the account again: another grant in the credential's file.
    pub fn log_in_again(&self) {
        self.write_credential(&self.server.authorized_user(Some(&self.account), None));
    }

    /// The job's credential as it is in the file.
    ///
    /// # Panics
    /// When it is not JSON.
    pub fn credential_json(&self) -> Value {
        serde_json::from_str(&self.read_text(&self.credential())).expect("the credential is JSON")
    }

    /// Remembers the secrets of a credential, so that every later run is searched for them.
    pub fn know_secrets_of(&self, credential: &Value) {
        self.known().secrets.learn_credential(credential);
    }

    /// Sets one more fault of the stand-in's.
    pub fn fault(&self, fault: Fault) {
        self.server.fault(fault);
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if std::thread::panicking() {
            crate::dump::print(self);
        }
    }
}
