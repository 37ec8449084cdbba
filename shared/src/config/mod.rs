//! The configuration: one TOML file, unknown keys refused, all problems reported at once.
//!
//! It opens only the file itself. Each table is one file here.

mod alert;
mod cell_address;
mod column;
mod credential;
mod cross_checks;
pub mod executables;
mod google;
mod monitor;
mod overlap;
mod pattern;
mod quota;
mod reader;
mod session_run;
mod sheet;
mod sink;
mod source;
mod token_check;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use toml::Table;

use crate::{Failure, Kind};

pub use alert::{Alert, Thresholds};
pub use cell_address::CellAddress;
pub use column::{Column, Notation, TimeZone, Type};
pub use credential::{CredentialEntry, RequestsPerMinute};
pub use executables::{EXECUTABLES, Executable};
pub use google::Google;
pub use monitor::Monitor;
pub use overlap::{OnOverlap, Overlap};
pub use pattern::{Part, Pattern, Unit};
pub use quota::Quota;
pub use reader::{Problems, Reader};
pub use session_run::{DashboardEntry, SessionRunEntry};
pub use sheet::{OnBadRow, OnEdit, OnMissing, Share, Sheet};
pub use sink::{Encryption, Endpoint, PayloadFormat, Sink, Smtp, Transport, Webhook};
pub use source::{Address, Origin, Query, SentAs, Server, ServerKind, Source, Web, WebSecret};
pub use token_check::TokenCheckEntry;

/// A checked configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// The file from which it was read.
    pub path: PathBuf,
    /// The state directory, unless a flag or systemd names another.
    pub state_dir: Option<PathBuf>,
    /// `[google]`.
    pub google: Google,
    /// Credentials by name.
    pub credentials: BTreeMap<String, CredentialEntry>,
    /// Sheets by name.
    pub sheets: BTreeMap<String, Sheet>,
    /// `[token-check]`, with defaults of `[alert]`.
    pub token_check: TokenCheckEntry,
    /// `[alert]`.
    pub alert: Alert,
    /// Where runs are reported, unless a job's own table names another monitor.
    pub monitor: Monitor,
    /// The directory for metrics files. `None` writes none.
    pub metrics_dir: Option<PathBuf>,
    /// Quotas of sessions by name.
    pub quotas: BTreeMap<String, Quota>,
    /// `[session-run]`. `None` on a machine without sessions.
    pub session_run: Option<SessionRunEntry>,
    /// Settings of executables by name.
    pub jobs: BTreeMap<String, JobEntry>,
}

/// The settings of `[job.EXECUTABLE]`.
#[derive(Clone, Debug, Default)]
pub struct JobEntry {
    /// How often the executable is expected to run.
    pub every: Option<Duration>,
    /// How long a run may take from the moment it has its lock.
    pub deadline: Option<Duration>,
    /// How long to wait for the lock.
    pub lock_wait: Option<Duration>,
    /// Where its runs are reported, instead of the file's `monitor`.
    pub monitor: Option<Monitor>,
}

impl Config {
    /// Reads and checks a file; `executable` is named in the hint.
    ///
    /// # Errors
    /// [`Kind::Config`] when it cannot be read, or one failure for each problem in it.
    pub fn load(path: &Path, executable: &str) -> Result<Self, Vec<Failure>> {
        let shown = path.display();
        let bytes = fs::read(path).map_err(|error| {
            let message = format!("cannot read the configuration {shown}: {error}");
            let hint = format!("look at it: ls -la {shown}");
            vec![Failure::new(Kind::Config, message, hint).caused_by(error)]
        })?;
        // Text in UTF-16 contains zero bytes.
        let text = String::from_utf8(bytes).ok().filter(|text| !text.contains('\0')).ok_or_else(|| {
            let message = format!("cannot read the configuration {shown}: it is not text in UTF-8");
            let hint = format!("see what it is: file {shown}; save it as UTF-8");
            vec![Failure::new(Kind::Config, message, hint)]
        })?;
        Self::parse(path, &text).map_err(|lines| {
            let hint = format!("edit {shown}, then check it: {executable} --check-config --config {shown}");
            lines
                .iter()
                .map(|line| Failure::new(Kind::Config, format!("{}: {line}", path.display()), &hint))
                .collect()
        })
    }

    /// The settings of state, alerts, monitor and metrics from a file with other problems, so that a broken configuration
    /// can still cause an alert. If that part has problems too, only the state directory, or only defaults.
    pub fn for_alerts(path: &Path) -> Self {
        let table = fs::read_to_string(path).ok().and_then(|text| toml::from_str::<Table>(&text).ok());
        let table = table.unwrap_or_default();
        Self::from_keys(path, &table, &["state-dir", "monitor", "alert", "metrics"])
            .or_else(|| Self::from_keys(path, &table, &["state-dir"]))
            .unwrap_or_else(|| Self::read(path, Table::new(), &mut Problems::default()))
    }

    /// The configuration of these keys alone. `None` if they have problems.
    fn from_keys(path: &Path, table: &Table, keys: &[&str]) -> Option<Self> {
        let kept = table.clone().into_iter().filter(|(key, _)| keys.contains(&key.as_str()));
        let mut table: Table = kept.collect();
        table.entry("monitor").or_insert("none".into());
        let mut problems = Problems::default();
        let config = Self::read(path, table, &mut problems);
        problems.into_lines().is_empty().then_some(config)
    }

    /// Reads the text of a file.
    ///
    /// # Errors
    /// One line for each problem.
    pub fn parse(path: &Path, text: &str) -> Result<Self, Vec<String>> {
        let table: Table = toml::from_str(text).map_err(|error| vec![malformed(text, &error)])?;
        let mut problems = Problems::default();
        let config = Self::read(path, table, &mut problems);
        let lines = problems.into_lines();
        if lines.is_empty() { Ok(config) } else { Err(lines) }
    }

    fn read(path: &Path, table: Table, problems: &mut Problems) -> Self {
        let mut reader = Reader::new("", table, problems);
        let state_dir = reader.text("state-dir").map(PathBuf::from);
        if state_dir.as_ref().is_some_and(|dir| dir.is_relative()) {
            reader.problem("state-dir", "must be an absolute path: a job's working directory varies");
        }
        let monitor = read_monitor(&mut reader);
        let metrics_dir = read_metrics(&mut reader);
        let alert = reader.table("alert").unwrap_or_default();
        let alert = Alert::read(reader.nested("alert", alert));
        let google = reader.table("google").unwrap_or_default();
        let google = Google::read(reader.nested("google", google));
        let credentials = named(&mut reader, "credential", CredentialEntry::read);
        let sheets = named(&mut reader, "sheet", Sheet::read);
        let token_check = reader.table("token-check").unwrap_or_default();
        let token_check = TokenCheckEntry::read(reader.nested("token-check", token_check), &alert);
        let quotas = named(&mut reader, "quota", Quota::read);
        let session_run = reader.table("session-run");
        let session_run = session_run.map(|table| SessionRunEntry::read(reader.nested("session-run", table)));
        cross_checks::check_sessions(session_run.as_ref(), &quotas, &mut reader);
        let jobs = named(&mut reader, "job", JobEntry::read);
        let names = EXECUTABLES.map(|executable| executable.name);
        for name in jobs.keys().filter(|name| !names.contains(&name.as_str())) {
            let what = format!("there is no executable of this name; there are {}", names.join(", "));
            reader.problem(&format!("job.{name}"), what);
        }
        for sheet in sheets.values().filter(|sheet| !credentials.contains_key(&sheet.credential)) {
            if !sheet.credential.is_empty() {
                let what = format!("there is no [credential.{}]", sheet.credential);
                reader.problem(&format!("sheet.{}.credential", sheet.name), what);
            }
        }
        cross_checks::refuse_shared_files(&credentials, &mut reader);
        cross_checks::refuse_shared_tabs(&sheets, &mut reader);
        cross_checks::refuse_synced_archives(&sheets, &mut reader);
        cross_checks::refuse_misplaced_freshness(&sheets, &mut reader);
        reader.finish();
        let path = path.to_owned();
        Self {
            path,
            state_dir,
            google,
            credentials,
            sheets,
            token_check,
            alert,
            monitor,
            metrics_dir,
            quotas,
            session_run,
            jobs,
        }
    }

    /// How often an executable is expected to run; `None` for one that a user starts.
    pub fn every(&self, name: &str) -> Option<Duration> {
        let shipped = EXECUTABLES.iter().find(|executable| executable.name == name);
        self.job(name).every.or_else(|| shipped?.every)
    }

    /// Where an executable's runs are reported.
    pub fn monitor(&self, name: &str) -> &Monitor {
        self.jobs.get(name).and_then(|job| job.monitor.as_ref()).unwrap_or(&self.monitor)
    }

    /// The settings of one executable, or the defaults.
    pub fn job(&self, name: &str) -> JobEntry {
        self.jobs.get(name).cloned().unwrap_or_default()
    }
}

/// Why a text is not TOML, and where. The line is not quoted, as the parser would: it may contain a secret.
fn malformed(text: &str, error: &toml::de::Error) -> String {
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|sign| *sign != '\n').count() + 1;
    format!("TOML parse error at line {line}, column {column}: {}", error.message())
}

/// Reads `[KEY.NAME]` tables with `read`.
fn named<T>(
    reader: &mut Reader<'_>,
    key: &'static str,
    read: fn(&str, Reader<'_>) -> T,
) -> BTreeMap<String, T> {
    let tables = reader.named_tables(key);
    tables
        .into_iter()
        .map(|(name, table)| {
            let value = read(&name, reader.nested(&format!("{key}.{name}"), table));
            (name, value)
        })
        .collect()
}

fn read_monitor(reader: &mut Reader<'_>) -> Monitor {
    if !reader.has("monitor") {
        let what = "is missing: say monitor = { url = \"https://…\" }, or monitor = \"none\" if nothing outside watches";
        reader.problem("monitor", what);
    }
    Monitor::read(reader).unwrap_or(Monitor::None)
}

fn read_metrics(reader: &mut Reader<'_>) -> Option<PathBuf> {
    let table = reader.table("metrics").unwrap_or_default();
    let mut reader = reader.nested("metrics", table);
    let dir = reader.text("dir").map(PathBuf::from);
    if dir.as_ref().is_some_and(|dir| dir.is_relative()) {
        reader.problem("dir", "must be an absolute path: a job's working directory varies");
    }
    reader.finish();
    dir
}

impl JobEntry {
    fn read(_name: &str, mut reader: Reader<'_>) -> Self {
        let entry = Self {
            every: reader.duration("every"),
            deadline: reader.positive_duration("deadline"),
            lock_wait: reader.duration("lock-wait"),
            monitor: Monitor::read(&mut reader),
        };
        reader.finish();
        entry
    }
}

#[cfg(test)]
mod tests;
