//! The executable: its first line, what it refuses, and the state that survives a restart.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::client::{Answer, Padding, assertion, claims, send};

const EXECUTABLE: &str = env!("CARGO_BIN_EXE_google-standin");

/// A running executable; killed if a test forgets it.
struct Running {
    child: Child,
    url: String,
}

impl Running {
    fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(EXECUTABLE).args(arguments).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.strip_prefix("listening on ").and_then(|rest| rest.strip_suffix('\n'));
        let url = url.unwrap_or_else(|| panic!("first line: {line:?}")).to_owned();
        Self { child, url }
    }

    fn with_state(state: &Path) -> Self {
        Self::start(&["--listen", "127.0.0.1:0", "--state", state.to_str().unwrap()])
    }

    fn admin(&self, path: &str, body: &Value) -> Value {
        send("POST", &format!("{}/_admin/{path}", self.url), &[], &body.to_string()).json()
    }

    fn read(&self, id: &str, bearer: &str) -> Answer {
        let url = format!("{}/v4/spreadsheets/{id}?fields=spreadsheetId", self.url);
        send("GET", &url, &[("authorization", bearer)], "")
    }

    /// Ends it as a service manager or a terminal does.
    fn end(mut self, signal: Signal) {
        let id = i32::try_from(self.child.id()).unwrap();
        kill_process(Pid::from_raw(id).unwrap(), signal).unwrap();
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn the_first_line_tells_the_address() {
    let standin = Running::start(&["--listen", "127.0.0.1:0"]);
    let port = standin.url.strip_prefix("http://127.0.0.1:").unwrap();
    assert_ne!(port.parse::<u16>().unwrap(), 0);
    assert_eq!(standin.read("nowhere", "Bearer x").status, 401);
    standin.end(Signal::TERM);
}

#[test]
fn anything_but_loopback_is_refused() {
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        let output = Command::new(EXECUTABLE).args(["--listen", address]).output().unwrap();
        assert!(!output.status.success(), "{address}");
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(text.contains("is not loopback"), "{text}");
    }
}

#[test]
fn any_token_reaches_everything() {
    let standin = Running::start(&["--listen", "127.0.0.1:0", "--any-token"]);
    let made = standin.admin("spreadsheets", &json!({"title": "Ports"}));
    assert_eq!(standin.read(made["spreadsheetId"].as_str().unwrap(), "Bearer anything").status, 200);
    let key = standin.admin("service-account", &json!({}));
    let mut claims = claims(&key, chrono::Utc::now().timestamp());
    claims["aud"] = json!("https://oauth2.googleapis.com/token");
    let form = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer")
        .append_pair("assertion", &assertion(&key, &claims, Padding::Bare))
        .finish();
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    assert_eq!(send("POST", &format!("{}/token", standin.url), &headers, &form).status, 200);
    standin.end(Signal::INT);
}

#[test]
fn the_state_survives_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let state = directory.path().join("state.json");
    let first = Running::with_state(&state);
    let user = first.admin("authorized-user", &json!({"email": "ann@example.com"}));
    let made = first.admin("spreadsheets", &json!({"title": "Ports", "share": ["ann@example.com"]}));
    let id = made["spreadsheetId"].as_str().unwrap();
    let write = json!({
        "email": "ann@example.com", "method": "PUT",
        "path": format!("/v4/spreadsheets/{id}/values/B2?valueInputOption=RAW"),
        "body": {"values": [["kept"]]},
    });
    assert_eq!(first.admin("call-as", &write)["status"], 200);
    first.admin("clock", &json!({"now": "2031-05-06T07:08:09Z"}));
    first.end(Signal::TERM);

    let second = Running::with_state(&state);
    let field = |name: &str| user[name].as_str().unwrap();
    let form = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("grant_type", "refresh_token")
        .append_pair("client_id", field("client_id"))
        .append_pair("client_secret", field("client_secret"))
        .append_pair("refresh_token", field("refresh_token"))
        .finish();
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let refused = send("POST", &format!("{}/token", second.url), &headers, &form);
    assert_eq!(
        refused.json()["error"],
        "invalid_grant",
        "the clock was kept, and the token lay idle for years"
    );
    let read = json!({"email": "ann@example.com", "method": "GET", "path": format!("/v4/spreadsheets/{id}/values/B2")});
    assert_eq!(second.admin("call-as", &read)["body"]["values"], json!([["kept"]]));
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1, "no temporary file is left");
    second.end(Signal::TERM);
}

#[test]
fn a_state_file_that_cannot_be_read_is_not_taken_for_a_new_one() {
    let directory = tempfile::tempdir().unwrap();
    let state = directory.path().join("state.json");
    std::fs::write(&state, "{").unwrap();
    let arguments = ["--listen", "127.0.0.1:0", "--state", state.to_str().unwrap()];
    let output = Command::new(EXECUTABLE).args(arguments).output().unwrap();
    assert!(!output.status.success());
    assert_eq!(std::fs::read_to_string(&state).unwrap(), "{");
}
