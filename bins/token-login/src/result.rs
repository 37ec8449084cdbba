//! What a run answers with `--json`, beside the frame. No secret is in it.

use serde::Serialize;

/// The job's part of the result.
#[derive(Debug, Default, Serialize)]
pub struct Body {
    /// The credential of the command line.
    pub credentials: Vec<Entry>,
}

/// What became of it.
#[derive(Debug, Serialize)]
pub struct Entry {
    /// Its name in the configuration.
    pub credential: String,
    /// `ok` when it is in place, `failed` when the file is what it was.
    pub outcome: &'static str,
    /// Whose it is, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// What the person allowed.
    pub scopes: Vec<String>,
    /// The sheets of the configuration that use it, as far as they were tried.
    pub sheets: Vec<Reached>,
}

/// One sheet that was tried.
#[derive(Debug, Serialize)]
pub struct Reached {
    /// Its name in the configuration.
    pub sheet: String,
    /// Whether spreadsheet and tab could be read.
    pub reachable: bool,
}

impl Entry {
    /// A credential of which nothing is known yet.
    pub fn new(credential: &str) -> Self {
        Self {
            credential: credential.to_owned(),
            outcome: "failed",
            account: None,
            scopes: Vec::new(),
            sheets: Vec::new(),
        }
    }

    pub(crate) fn ended(&mut self, well: bool) {
        self.outcome = if well { "ok" } else { "failed" };
    }
}
