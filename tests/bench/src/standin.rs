//! The stand-in as a process of its own, and what is asked of it beside the work that is measured.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::Context as _;
use serde::Deserialize;
use serde_json::{Value, json};

/// A running stand-in; it is killed when this is dropped.
pub(crate) struct StandIn {
    pub(crate) url: String,
    child: Child,
}

/// What was asked of it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Asked {
    pub(crate) reads: u64,
    pub(crate) writes: u64,
    /// Bytes of bodies sent.
    pub(crate) sent: u64,
}

#[derive(Deserialize)]
struct Logged {
    method: String,
    path: String,
    bytes: u64,
}

impl StandIn {
    pub(crate) fn start(program: &str) -> anyhow::Result<Self> {
        let mut child = Command::new(program)
            .args(["--listen", "127.0.0.1:0", "--any-token"])
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| program.to_owned())?;
        let mut line = String::new();
        let stdout = child.stdout.take().context("its standard output")?;
        BufReader::new(stdout).read_line(&mut line)?;
        let url = line.split_whitespace().last().context("its address")?.to_owned();
        let standin = Self { url, child };
        standin.admin("POST", "quota", &json!({"reads_per_minute": 0, "writes_per_minute": 0}))?;
        Ok(standin)
    }

    /// A new spreadsheet with one tab.
    pub(crate) fn spreadsheet(&self, tab: &str) -> anyhow::Result<String> {
        let tabs = json!([{"title": tab, "rows": 20, "columns": 8}]);
        let made = self.admin(
            "POST",
            "spreadsheets",
            &json!({"title": "Bench", "tabs": tabs, "share": ["anyone"]}),
        )?;
        Ok(made["spreadsheetId"].as_str().context("an id")?.to_owned())
    }

    /// A credential that it takes, which may also ask for a file's version.
    pub(crate) fn credential(&self) -> anyhow::Result<Value> {
        let scopes = ["spreadsheets", "drive.metadata.readonly"]
            .map(|scope| format!("https://www.googleapis.com/auth/{scope}"));
        self.admin("POST", "authorized-user", &json!({ "scopes": scopes }))
    }

    /// From now on this token is refused.
    pub(crate) fn revoke(&self, refresh_token: &Value) -> anyhow::Result<()> {
        self.admin("POST", "revoke", &json!({ "refresh_token": refresh_token })).map(drop)
    }

    /// What was asked of the Sheets and Drive APIs since the last time.
    pub(crate) fn asked(&self) -> anyhow::Result<Asked> {
        let log: Vec<Logged> = serde_json::from_str(&self.text("GET", "/_admin/requests", "")?)?;
        self.text("DELETE", "/_admin/requests", "")?;
        let mut asked = Asked::default();
        let is_counted = |path: &str| path.starts_with("/v4/") || path.starts_with("/drive/");
        for request in log.iter().filter(|request| is_counted(&request.path)) {
            let count = if request.method == "GET" { &mut asked.reads } else { &mut asked.writes };
            *count += 1;
            asked.sent += request.bytes;
        }
        Ok(asked)
    }

    fn admin(&self, method: &str, call: &str, body: &Value) -> anyhow::Result<Value> {
        Ok(serde_json::from_str(&self.text(method, &format!("/_admin/{call}"), &body.to_string())?)?)
    }

    /// One request of its own.
    pub(crate) fn text(&self, method: &str, path: &str, body: &str) -> anyhow::Result<String> {
        let agent: ureq::Agent =
            ureq::Agent::config_builder().timeout_global(Some(Duration::from_secs(300))).build().into();
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url))
            .header("Authorization", "Bearer bench")
            .header("Content-Type", "application/json")
            .body(body.to_owned())?;
        let mut answer = agent.run(request)?;
        Ok(answer.body_mut().with_config().limit(1 << 30).read_to_string()?)
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
