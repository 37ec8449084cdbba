//! The world of the demonstration: a stand-in for Google, a spreadsheet, a credential, an export of bookings, and the
//! sync as a process of its own.
//!
//! It acts and returns the result; the story knows the expected one.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use google_standin::{Server, Tab};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use shared::sys::atomic_file;

const EXPORT: &str = include_str!("../../charters.csv");
const CONFIG: &str = include_str!("../config.toml");

/// Who authorized the sync.
const OFFICE: &str = "office@example.com";
/// Who writes notes into the sheet.
const CREW: &str = "crew@example.com";
const TAB: &str = "Port sheet";

/// The world.
pub struct Harbour {
    server: Server,
    spreadsheet: String,
    dir: PathBuf,
    sync: PathBuf,
    export: String,
    refresh_token: String,
}

/// The result of a run of the sync.
pub struct Ran {
    /// Its exit code.
    pub code: Option<i32>,
    /// What it printed on standard output.
    pub stdout: String,
    /// What it printed on standard error.
    pub stderr: String,
}

impl Harbour {
    /// Starts the stand-in and writes the files. `sync` is the executable, `dir` an empty directory.
    pub fn open(sync: PathBuf, dir: &Path) -> Result<Self> {
        let server = Server::with(google_standin::Options::default())?;
        let tab = Tab { title: TAB.to_owned(), rows: 100, columns: 12 };
        let spreadsheet = server.spreadsheet("Harbour office", &[tab], &[OFFICE, CREW]);
        let mut harbour = Self {
            server,
            spreadsheet,
            dir: dir.to_owned(),
            sync,
            export: EXPORT.to_owned(),
            refresh_token: String::new(),
        };
        atomic_file::private_dir(&dir.join("state/credentials"))?;
        harbour.authorize()?;
        harbour.save_export()?;
        let config = CONFIG
            .replace("DIRECTORY", &dir.display().to_string())
            .replace("GOOGLE", &harbour.server.url())
            .replace("SPREADSHEET", &harbour.spreadsheet);
        atomic_file::replace(&dir.join("config.toml"), config.as_bytes())?;
        Ok(harbour)
    }

    /// The office authorizes the sync, for the first time or again: a new credential file, 0600.
    pub fn authorize(&mut self) -> Result<()> {
        let credential = self.server.authorized_user(Some(OFFICE), None);
        self.refresh_token = credential["refresh_token"].as_str().unwrap_or_default().to_owned();
        atomic_file::replace(&self.credential(), &serde_json::to_vec_pretty(&credential)?)?;
        Ok(())
    }

    /// The office takes the authorization back.
    pub fn revoke(&self) {
        self.server.revoke_refresh_token(&self.refresh_token);
    }

    /// Where the credential is.
    pub fn credential(&self) -> PathBuf {
        self.dir.join("state/credentials/harbour.json")
    }

    /// Changes a line of the booking system's export; an empty `new` removes it.
    pub fn rebook(&mut self, old: &str, new: &str) -> Result<()> {
        ensure!(self.export.lines().any(|line| line == old), "the example export has no line {old:?}");
        let lines = self.export.lines().map(|line| if line == old { new } else { line });
        self.export = lines.filter(|line| !line.is_empty()).map(|line| format!("{line}\n")).collect();
        self.save_export()
    }

    /// A booking comes in.
    pub fn book(&mut self, line: &str) -> Result<()> {
        self.export.push_str(&format!("{line}\n"));
        self.save_export()
    }

    fn save_export(&self) -> Result<()> {
        Ok(atomic_file::replace(&self.dir.join("charters.csv"), self.export.as_bytes())?)
    }

    /// Runs the sync in its directory, as cron would: no terminal, no variable that would change what it does.
    pub fn run(&self, arguments: &[&str]) -> Result<Ran> {
        let mut command = Command::new(&self.sync);
        command.args(["--config", "config.toml"]).args(arguments).current_dir(&self.dir);
        for name in ["PORT_JOBS_CONFIG", "CONFIGURATION_DIRECTORY", "STATE_DIRECTORY"] {
            command.env_remove(name);
        }
        for name in ["CREDENTIALS_DIRECTORY", "JOURNAL_STREAM", "RUST_LOG"] {
            command.env_remove(name);
        }
        let output = command.output().with_context(|| format!("running {}", self.sync.display()))?;
        Ok(Ran {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout)?,
            stderr: String::from_utf8(output.stderr)?,
        })
    }

    /// How many writing requests the stand-in got, and forgets all that it got.
    pub fn count_writes(&self) -> usize {
        let writes =
            self.server.requests().iter().filter(|request| is_write(&request.method, &request.path)).count();
        self.server.clear_requests();
        writes
    }

    /// The tab as a user sees it, header first.
    pub fn rows(&self) -> Result<Vec<Vec<String>>> {
        let answer = self.as_crew("GET", "A1:L100", None)?;
        let cell = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let row = |row: &Value| row.as_array().into_iter().flatten().map(cell).collect();
        Ok(answer["values"].as_array().into_iter().flatten().map(row).collect())
    }

    /// The crew types into a cell.
    pub fn type_into(&self, cell: &str, text: &str) -> Result<()> {
        self.as_crew("PUT", cell, Some(&json!({"values": [[text]]}))).map(drop)
    }

    /// The crew's own request, through the ordinary API and another account than the sync's.
    fn as_crew(&self, method: &str, range: &str, body: Option<&Value>) -> Result<Value> {
        let range = format!("{TAB}!{range}");
        let range = utf8_percent_encode(&range, NON_ALPHANUMERIC);
        let option = if body.is_some() { "?valueInputOption=USER_ENTERED" } else { "" };
        let path = format!("/v4/spreadsheets/{}/values/{range}{option}", self.spreadsheet);
        let (status, answer) = self.server.call_as(CREW, method, &path, body);
        ensure!(status == 200, "{method} {path} answered {status}: {answer}");
        Ok(answer)
    }

    /// The address of the sheet in a browser.
    pub fn address(&self) -> String {
        format!("{}/spreadsheets/d/{}/edit", self.server.url(), self.spreadsheet)
    }

    /// The executable that runs.
    pub fn sync(&self) -> &Path {
        &self.sync
    }

    /// Where the files are.
    pub fn dir(&self) -> &Path {
        &self.dir
    }
}

fn is_write(method: &str, path: &str) -> bool {
    path.starts_with("/v4/") && method != "GET"
}
