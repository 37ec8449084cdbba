//! The job's own part of the JSON result. It contains no secret.

use serde::Serialize;

/// The job's part of the result.
#[derive(Debug, Default, Serialize)]
pub struct Body {
    /// The credential of the command line.
    pub credentials: Vec<LoginResult>,
}

/// The result of a login or an import.
#[derive(Debug, Serialize)]
pub struct LoginResult {
    /// The credential's name in the configuration.
    pub credential: String,
    /// `ok` when the credential is installed, `failed` when the file is unchanged.
    pub outcome: &'static str,
    /// The account that authorized it, where known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The granted scopes.
    pub scopes: Vec<String>,
    /// The configured sheets that use it, as far as they were tried.
    pub sheets: Vec<SheetAccess>,
}

/// One sheet that was tried.
#[derive(Debug, Serialize)]
pub struct SheetAccess {
    /// The sheet's name in the configuration.
    pub sheet: String,
    /// Whether spreadsheet and tab could be read.
    pub reachable: bool,
}

impl LoginResult {
    /// The result before the first step.
    pub fn new(credential: &str) -> Self {
        Self {
            credential: credential.to_owned(),
            outcome: "failed",
            account: None,
            scopes: Vec::new(),
            sheets: Vec::new(),
        }
    }

    pub(crate) fn end(&mut self, is_installed: bool) {
        self.outcome = if is_installed { "ok" } else { "failed" };
    }
}
