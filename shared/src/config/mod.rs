//! The configuration: one TOML file, unknown keys refused, all problems reported at once.
//!
//! It describes; it opens nothing but the file itself.

mod across;
mod alert;
mod cell;
mod column;
mod credential;
mod google;
mod monitor;
mod overlap;
mod pattern;
mod quota;
mod reader;
mod session_run;
mod sheet;
mod shipped;
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
pub use cell::CellAddress;
pub use column::{Column, Notation, TimeZone, Type};
pub use credential::CredentialEntry;
pub use google::Google;
pub use monitor::Monitor;
pub use overlap::{OnOverlap, Overlap};
pub use pattern::{Part, Pattern, Unit};
pub use quota::Quota;
pub use reader::{Problems, Reader};
pub use session_run::{Dashboard, SessionRun};
pub use sheet::{OnBadRow, OnEdit, OnMissing, Share, Sheet};
pub use shipped::{SHIPPED, Shipped};
pub use sink::{Encryption, Endpoint, Shape, Sink, Smtp, Way, Webhook};
pub use source::{Address, Origin, Query, SentAs, Server, ServerKind, Source, Web, WebSecret};
pub use token_check::TokenCheck;

/// A whole, checked configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// The file it came from.
    pub path: PathBuf,
    /// Where state is kept, unless a flag or systemd says otherwise.
    pub state_dir: Option<PathBuf>,
    /// How Google is reached.
    pub google: Google,
    /// Credentials by name.
    pub credentials: BTreeMap<String, CredentialEntry>,
    /// Sheets by name.
    pub sheets: BTreeMap<String, Sheet>,
    /// How patient refreshes are, and what people hear of credentials.
    pub token_check: TokenCheck,
    /// What people hear, and through which sinks.
    pub alert: Alert,
    /// Who outside is told of each run, unless a job's own table says otherwise.
    pub monitor: Monitor,
    /// Where each job leaves its metrics file; none for nowhere.
    pub metrics_dir: Option<PathBuf>,
    /// Allowances of sessions by name.
    pub quotas: BTreeMap<String, Quota>,
    /// How sessions are run; none where none are.
    pub session_run: Option<SessionRun>,
    /// Settings of executables by name.
    pub jobs: BTreeMap<String, JobEntry>,
}

/// `[job.EXECUTABLE]`.
#[derive(Clone, Debug, Default)]
pub struct JobEntry {
    /// How often it is expected to run.
    pub every: Option<Duration>,
    /// How long a run may take once it has its lock.
    pub deadline: Option<Duration>,
    /// How long to wait for the lock.
    pub lock_wait: Option<Duration>,
    /// Who outside is told of its runs, instead of the file's `monitor`.
    pub monitor: Option<Monitor>,
}

impl Config {
    /// Reads and checks a file; `executable` is named in the hint.
    ///
    /// # Errors
    /// [`Kind::Config`] when it is missing or unreadable; every problem in it, in one failure each, when it is wrong.
    pub fn load(path: &Path, executable: &str) -> Result<Self, Vec<Failure>> {
        let shown = path.display();
        let bytes = fs::read(path).map_err(|error| {
            let message = format!("cannot read the configuration {shown}: {error}");
            vec![Failure::new(Kind::Config, message, format!("look at it: ls -la {shown}"))]
        })?;
        // Text in UTF-16 is full of bytes that are zero.
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

    /// What a file says of state, alerts, monitor and metrics, however broken the rest of it is: even a broken
    /// configuration is not to pass in silence. Where that part is broken too, the state alone, or nothing.
    pub fn of_alerts(path: &Path) -> Self {
        let table = fs::read_to_string(path).ok().and_then(|text| toml::from_str::<Table>(&text).ok());
        let only = |kept: &[&str]| {
            let table = table.clone().unwrap_or_default().into_iter();
            let mut table: Table = table.filter(|(key, _)| kept.contains(&key.as_str())).collect();
            table.entry("monitor").or_insert("none".into());
            let mut problems = Problems::default();
            let config = Self::read(path, table, &mut problems);
            problems.into_lines().is_empty().then_some(config)
        };
        let parts: [&[&str]; 2] = [&["state-dir", "monitor", "alert", "metrics"], &["state-dir"]];
        let known = parts.into_iter().find_map(only);
        known.unwrap_or_else(|| Self::read(path, Table::new(), &mut Problems::default()))
    }

    /// Checks the text of a file.
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
        let token_check = TokenCheck::read(reader.nested("token-check", token_check), &alert);
        let quotas = named(&mut reader, "quota", Quota::read);
        let session_run = reader.table("session-run");
        let session_run = session_run.map(|table| SessionRun::read(reader.nested("session-run", table)));
        across::check_sessions(session_run.as_ref(), &quotas, &mut reader);
        let jobs = named(&mut reader, "job", JobEntry::read);
        let names = SHIPPED.map(|shipped| shipped.name);
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
        across::refuse_shared_files(&credentials, &mut reader);
        across::refuse_shared_tabs(&sheets, &mut reader);
        across::refuse_synced_archives(&sheets, &mut reader);
        across::refuse_misplaced_freshness(&sheets, &mut reader);
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

    /// How often an executable is expected to run; none for one that people start.
    pub fn every(&self, name: &str) -> Option<Duration> {
        let shipped = || SHIPPED.iter().find(|shipped| shipped.name == name)?.every;
        self.job(name).every.or_else(shipped)
    }

    /// Who outside is told of an executable's runs.
    pub fn monitor(&self, name: &str) -> &Monitor {
        self.jobs.get(name).and_then(|job| job.monitor.as_ref()).unwrap_or(&self.monitor)
    }

    /// The settings of one executable.
    pub fn job(&self, name: &str) -> JobEntry {
        self.jobs.get(name).cloned().unwrap_or_default()
    }
}

/// Why a text is not TOML, and where. Its line is not quoted, as the parser would: a person may have typed a secret there.
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
        let what = "is missing: say monitor = { url = \"https://…\" }, or monitor = \"none\" if nobody outside watches";
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
