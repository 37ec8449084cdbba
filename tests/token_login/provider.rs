//! npm's `oidc-provider` on loopback: installed from `tests/oidc/package-lock.json` alone.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;

use serde_json::{Value, json};

use crate::person::{Browser, Page};

const CLIENT_ID: &str = "port-jobs-of-the-test";
const CLIENT_SECRET: &str = "a-secret-of-the-test-and-of-nobody-else";

/// Where its packages are.
static PACKAGES: LazyLock<PathBuf> =
    LazyLock::new(|| support::packages(&sources(), Path::new(env!("CARGO_TARGET_TMPDIR"))));

/// A running server with one client, which may use any port of 127.0.0.1. It ends with its standard input.
pub struct Provider {
    process: Child,
    url: String,
}

impl Provider {
    /// Starts one.
    pub fn start() -> Self {
        let mut process = Command::new(support::program("node"))
            .arg(sources().join("server.mjs"))
            .args([PACKAGES.as_path(), Path::new(CLIENT_ID)])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        writeln!(process.stdin.as_mut().unwrap(), "{CLIENT_SECRET}").unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim().strip_prefix("listening on ").expect("the server starts").to_owned();
        Self { process, url }
    }

    /// The client as a console would give it for download.
    pub fn client(&self) -> Value {
        json!({"installed": {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET,
            "auth_uri": format!("{}/auth", self.url), "token_uri": format!("{}/token", self.url)}})
    }

    /// A person signs in and allows everything; returns where the browser is sent back to.
    pub fn allows(&self, address: &str) -> String {
        let mut browser = Browser::default();
        let mut page = browser.open(address);
        for _ in 0..10 {
            page = match page.status {
                200 => self.answer(&mut browser, &page),
                _ if page.location.starts_with('/') => {
                    browser.open(&format!("{}{}", self.url, page.location))
                }
                _ if page.location.starts_with(&self.url) => browser.open(&page.location),
                _ => return page.location,
            };
        }
        panic!("the pages never end: {}", page.text);
    }

    /// Fills in the form that the page shows.
    fn answer(&self, browser: &mut Browser, page: &Page) -> Page {
        let (_, rest) = page.text.split_once("action=\"").expect("a form");
        let action = rest.split('"').next().unwrap();
        let address =
            if action.starts_with('/') { format!("{}{action}", self.url) } else { action.to_owned() };
        let prompt = if page.text.contains("name=\"login\"") { "login" } else { "consent" };
        browser.submit(&address, &[("prompt", prompt), ("login", "ann"), ("password", "any")])
    }

    /// Sends a refresh token to be exchanged, as any client could; answers status and error.
    pub fn exchange(&self, refresh_token: &str) -> (u16, Value) {
        let page = self.send("/token", &[("grant_type", "refresh_token"), ("refresh_token", refresh_token)]);
        (page.status, serde_json::from_str::<Value>(&page.text).unwrap()["error"].clone())
    }

    /// Ends a grant, as its person does on the server's own page.
    pub fn revoke(&self, refresh_token: &str) {
        assert_eq!(self.send("/token/revocation", &[("token", refresh_token)]).status, 200);
    }

    fn send(&self, path: &str, form: &[(&str, &str)]) -> Page {
        let form = [form, &[("client_id", CLIENT_ID), ("client_secret", CLIENT_SECRET)]].concat();
        Browser::default().submit(&format!("{}{path}", self.url), &form)
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/oidc")
}
