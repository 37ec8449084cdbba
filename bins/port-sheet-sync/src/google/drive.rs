//! The version of a spreadsheet's file, from the Drive API: one small request that can prove that nothing changed.
//!
//! It is asked for only where the credential may. A refusal is no failure: without a version the sheet is read.

use serde::Deserialize;
use shared::refusal::Refusal;
use shared::{Result, reach};

use super::Client;

/// The Drive API, unless the configuration names another endpoint for all of Google.
const DRIVE_URL: &str = "https://www.googleapis.com/";

/// The scopes that may read a version. `drive.file` reaches only files that the app made itself.
const SCOPES: [&str; 5] = [
    "https://www.googleapis.com/auth/drive.metadata.readonly",
    "https://www.googleapis.com/auth/drive.file",
    "https://www.googleapis.com/auth/drive.metadata",
    "https://www.googleapis.com/auth/drive.readonly",
    "https://www.googleapis.com/auth/drive",
];

/// Google sends 64-bit numbers as strings.
#[derive(Deserialize)]
struct File {
    version: String,
}

impl Client {
    /// The version of the spreadsheet's file; none where the credential may not ask, and then nothing is sent.
    ///
    /// # Errors
    /// When there is no access token; the inner one when Drive did not tell.
    pub async fn version(&mut self) -> Result<Option<std::result::Result<String, Refusal>>> {
        // Only with a token it is known what was granted.
        self.connection.tokens.token().await?;
        if !self.connection.tokens.reaches(&SCOPES) {
            return Ok(None);
        }
        let path = ["drive", "v3", "files", &self.spreadsheet];
        let mut url = reach::address(&self.google, DRIVE_URL, &path, "version")?;
        url.query_pairs_mut().append_pair("supportsAllDrives", "true");
        self.connection.sent.0 += 1;
        let reply = self.connection.tokens.get(url.as_str()).await?;
        Ok(Some(reach::answer(reply).map(|file: File| file.version)))
    }
}
