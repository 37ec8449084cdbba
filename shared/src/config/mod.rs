//! The configuration: one TOML file, unknown keys refused, all problems reported at once.
//!
//! It describes; it opens nothing but the file itself.

mod alert;
mod cell;
mod column;
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
use url::Url;

use crate::credential::{Place, is_confidential};
use crate::{Failure, Kind, Result};

pub use alert::{Alert, Thresholds};
pub use cell::CellAddress;
pub use column::{Column, Notation, TimeZone, Type};
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

/// The spreadsheets scope: what a credential gets when it names no scopes.
const SPREADSHEETS_SCOPE: &str = "https://www.googleapis.com/auth/spreadsheets";

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

/// `[google]`: where the API is and how patient to be with it.
#[derive(Clone, Debug)]
pub struct Google {
    /// The Sheets v4 endpoint, ending in `/`; none for the real one.
    pub sheets_url: Option<Url>,
    /// Token hosts beyond Google's own.
    pub token_hosts: Vec<String>,
    /// The limit on one request: connecting, headers and body.
    pub timeout: Duration,
    /// The first pause before a request is tried again; each further one is twice as long.
    pub first_pause: Duration,
}

/// `[credential.NAME]`.
#[derive(Clone, Debug)]
pub struct CredentialEntry {
    /// The file, relative to the credentials folder or absolute.
    pub file: PathBuf,
    /// The scopes that the jobs using it need.
    pub scopes: Vec<String>,
    /// How many reads and writes a minute all jobs together may ask of Google with it.
    pub per_minute: (u32, u32),
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
    pub fn load(path: &Path, executable: &str) -> std::result::Result<Self, Vec<Failure>> {
        let text = fs::read_to_string(path).map_err(|error| {
            let message = format!("cannot read the configuration {}: {error}", path.display());
            vec![Failure::new(Kind::Config, message, format!("look at it: ls -la {}", path.display()))]
        })?;
        Self::parse(path, &text).map_err(|lines| {
            let shown = path.display();
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
    pub fn parse(path: &Path, text: &str) -> std::result::Result<Self, Vec<String>> {
        let table: Table = toml::from_str(text).map_err(|error| vec![error.to_string()])?;
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
        check_sessions(session_run.as_ref(), &quotas, &mut reader);
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
        refuse_shared_tabs(&sheets, &mut reader);
        refuse_synced_archives(&sheets, &mut reader);
        refuse_misplaced_freshness(&sheets, &mut reader);
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

    /// Where a credential's file is.
    ///
    /// # Errors
    /// [`Kind::Bug`] for a name that the configuration does not have: sheets were checked against it.
    pub fn place(
        &self,
        name: &str,
        credentials_directory: Option<&Path>,
        state_credentials: &Path,
    ) -> Result<Place> {
        let entry =
            self.credentials.get(name).ok_or_else(|| Failure::bug(format!("no credential {name:?}")))?;
        Ok(Place {
            name: name.to_owned(),
            path: crate::private::locate(&entry.file, credentials_directory, state_credentials),
            credentials_directory: credentials_directory.map(Path::to_owned),
            token_hosts: self.google.token_hosts.clone(),
        })
    }
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

/// Two sheets in one tab would undo each other's work for ever.
fn refuse_shared_tabs(sheets: &BTreeMap<String, Sheet>, reader: &mut Reader<'_>) {
    let mut tabs = BTreeMap::new();
    for sheet in sheets.values().filter(|sheet| !sheet.spreadsheet.is_empty()) {
        if let Some(first) = tabs.insert((&sheet.spreadsheet, sheet.tab.to_lowercase()), &sheet.name) {
            let what = format!("is the tab of sheet {first:?} as well; each sheet needs a tab of its own");
            reader.problem(&format!("sheet.{}.tab", sheet.name), what);
        }
    }
}

/// What `[session-run]` and its quota cannot get wrong alone.
fn check_sessions(run: Option<&SessionRun>, quotas: &BTreeMap<String, Quota>, reader: &mut Reader<'_>) {
    let Some(run) = run.filter(|run| !run.quota.is_empty()) else { return };
    match quotas.get(&run.quota) {
        None => reader.problem("session-run.quota", format!("there is no [quota.{}]", run.quota)),
        Some(quota) if run.checkpoint_turn > quota.turns => {
            let what = format!("must not be more than turns under [quota.{}], {}", run.quota, quota.turns);
            reader.problem("session-run.checkpoint-turn", what);
        }
        Some(_) => {}
    }
}

/// Rows that go to an archive push those below it down, and a sync would take them for bookings.
fn refuse_synced_archives(sheets: &BTreeMap<String, Sheet>, reader: &mut Reader<'_>) {
    for sheet in sheets.values().filter(|sheet| sheet.on_missing == OnMissing::Archive) {
        let archive = sheet.archive_tab.to_lowercase();
        let is_synced = |other: &&Sheet| {
            other.name != sheet.name
                && other.spreadsheet == sheet.spreadsheet
                && other.tab.to_lowercase() == archive
        };
        if let Some(other) = sheets.values().find(is_synced) {
            let what = format!("is the tab of sheet {:?}; the archive needs a tab of its own", other.name);
            reader.problem(&format!("sheet.{}.archive-tab", sheet.name), what);
        }
    }
}

/// The cell must not be among rows that are synced, where it would be sorted and counted with them, and says only one
/// thing.
fn refuse_misplaced_freshness(sheets: &BTreeMap<String, Sheet>, reader: &mut Reader<'_>) {
    let mut cells = BTreeMap::new();
    let with_cell = sheets.values().filter_map(|sheet| Some((sheet, sheet.freshness_cell.as_ref()?)));
    for (sheet, cell) in with_cell {
        let place = format!("sheet.{}.freshness-cell", sheet.name);
        let tab = cell.tab.to_lowercase();
        let is_synced =
            |other: &&Sheet| other.spreadsheet == sheet.spreadsheet && other.tab.to_lowercase() == tab;
        if let Some(other) = sheets.values().find(is_synced).filter(|_| cell.row > 1) {
            let what = format!(
                "row {} of tab {:?} is among the bookings of sheet {:?}; name a cell of row 1 or of another tab",
                cell.row, cell.tab, other.name
            );
            reader.problem(&place, what);
        }
        if let Some(first) = cells.insert((&sheet.spreadsheet, tab, cell.column, cell.row), &sheet.name) {
            reader.problem(&place, format!("is the freshness-cell of sheet {first:?} as well"));
        }
    }
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

impl Google {
    fn read(mut reader: Reader<'_>) -> Self {
        let sheets_url = reader.text("sheets-url").and_then(|text| match Url::parse(&text) {
            Ok(url) if !is_confidential(&url) => {
                reader.problem(
                    "sheets-url",
                    format!("{text:?} would send tokens unencrypted: use https, or http on loopback"),
                );
                None
            }
            Ok(url) if url.path().ends_with('/') => Some(url),
            Ok(_) => {
                reader.problem("sheets-url", format!("{text:?} must end in /"));
                None
            }
            Err(error) => {
                reader.problem("sheets-url", format!("{text:?} is not a URL: {error}"));
                None
            }
        });
        let token_hosts = reader.texts("token-hosts").unwrap_or_default();
        for host in token_hosts.iter().filter(|host| url::Host::parse(host).is_err()) {
            reader.problem("token-hosts", format!("{host:?} is not a host name"));
        }
        let timeout = reader.positive_duration("timeout").unwrap_or(Duration::from_secs(60));
        let first_pause = reader.positive_duration("first-pause").unwrap_or(Duration::from_secs(1));
        reader.finish();
        Self { sheets_url, token_hosts, timeout, first_pause }
    }
}

impl CredentialEntry {
    fn read(_name: &str, mut reader: Reader<'_>) -> Self {
        let file = reader.needed("file").map(PathBuf::from).unwrap_or_default();
        let scopes = reader.texts("scopes").unwrap_or_else(|| vec![SPREADSHEETS_SCOPE.to_owned()]);
        if scopes.is_empty() {
            reader.problem("scopes", "must name at least one scope");
        }
        let per_minute = (
            requests_per_minute(&mut reader, "reads-per-minute"),
            requests_per_minute(&mut reader, "writes-per-minute"),
        );
        reader.finish();
        Self { file, scopes, per_minute }
    }
}

/// Google's own limit for a user and a project, unless a project was given more.
fn requests_per_minute(reader: &mut Reader<'_>, key: &'static str) -> u32 {
    let Some(number) = reader.integer(key) else { return 60 };
    u32::try_from(number).ok().filter(|number| (1..=100_000).contains(number)).unwrap_or_else(|| {
        reader.problem(key, format!("{number} is not between 1 and 100000"));
        60
    })
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
