//! The configuration: one TOML file, unknown keys refused, all problems reported at once.
//!
//! It describes; it opens nothing but the file itself.

mod quota;
mod reader;
mod session_run;
mod sheet;
mod token_check;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use toml::Table;
use url::Url;

use crate::credential::{Place, is_confidential};
use crate::{Failure, Kind, Result};

pub use quota::Quota;
pub use reader::{Problems, Reader};
pub use session_run::{Dashboard, SessionRun};
pub use sheet::{Column, OnBadRow, OnEdit, OnMissing, Share, Sheet, Source, Type};
pub use token_check::TokenCheck;

/// The spreadsheets scope: what a credential gets when it names no scopes.
const SPREADSHEETS_SCOPE: &str = "https://www.googleapis.com/auth/spreadsheets";

/// The names that a `[job.NAME]` table may have: a misspelt one would be a setting that nobody obeys.
const EXECUTABLES: [&str; 5] =
    ["port-sheet-sync", "quota-reset", "session-run", "token-check", "token-login"];

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

    /// The state directory that a file names, however broken the rest of it is.
    pub fn state_dir_in(path: &Path) -> Option<PathBuf> {
        let table: Table = toml::from_str(&fs::read_to_string(path).ok()?).ok()?;
        table.get("state-dir")?.as_str().map(PathBuf::from).filter(|dir| dir.is_absolute())
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
        read_monitor(&mut reader);
        let google = reader.table("google").unwrap_or_default();
        let google = Google::read(reader.nested("google", google));
        let credentials = named(&mut reader, "credential", CredentialEntry::read);
        let sheets = named(&mut reader, "sheet", Sheet::read);
        let token_check = reader.table("token-check").unwrap_or_default();
        let token_check = TokenCheck::read(reader.nested("token-check", token_check));
        let quotas = named(&mut reader, "quota", Quota::read);
        let session_run = reader.table("session-run");
        let session_run = session_run.map(|table| SessionRun::read(reader.nested("session-run", table)));
        check_sessions(session_run.as_ref(), &quotas, &mut reader);
        let jobs = named(&mut reader, "job", JobEntry::read);
        for name in jobs.keys().filter(|name| !EXECUTABLES.contains(&name.as_str())) {
            let what = format!("there is no executable of this name; there are {}", EXECUTABLES.join(", "));
            reader.problem(&format!("job.{name}"), what);
        }
        for sheet in sheets.values().filter(|sheet| !credentials.contains_key(&sheet.credential)) {
            if !sheet.credential.is_empty() {
                let what = format!("there is no [credential.{}]", sheet.credential);
                reader.problem(&format!("sheet.{}.credential", sheet.name), what);
            }
        }
        refuse_shared_tabs(&sheets, &mut reader);
        reader.finish();
        Self {
            path: path.to_owned(),
            state_dir,
            google,
            credentials,
            sheets,
            token_check,
            quotas,
            session_run,
            jobs,
        }
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

/// Pings are not sent by this version, so an address would be a promise that nobody keeps.
fn read_monitor(reader: &mut Reader<'_>) {
    match reader.value("monitor") {
        Some(toml::Value::String(word)) if word == "none" => {}
        Some(toml::Value::Table(_)) => {
            reader.problem("monitor", "this version sends no pings yet: say monitor = \"none\"")
        }
        Some(_) => reader.problem("monitor", "must be \"none\""),
        None => reader.problem(
            "monitor",
            "is missing: say monitor = \"none\" if nothing outside watches the exit codes",
        ),
    }
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
        let timeout = reader.duration("timeout").unwrap_or(Duration::from_secs(60));
        let first_pause = reader.duration("first-pause").unwrap_or(Duration::from_secs(1));
        if timeout.is_zero() {
            reader.problem("timeout", "must be longer than nothing");
        }
        if first_pause.is_zero() {
            reader.problem("first-pause", "must be longer than nothing");
        }
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
        reader.finish();
        Self { file, scopes }
    }
}

impl JobEntry {
    fn read(_name: &str, mut reader: Reader<'_>) -> Self {
        let entry = Self {
            every: reader.duration("every"),
            deadline: reader.duration("deadline"),
            lock_wait: reader.duration("lock-wait"),
        };
        if entry.deadline.is_some_and(|deadline| deadline.is_zero()) {
            reader.problem("deadline", "must be longer than nothing");
        }
        reader.finish();
        entry
    }
}

#[cfg(test)]
mod tests;
