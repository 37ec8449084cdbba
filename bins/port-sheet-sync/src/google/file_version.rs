//! The version of a spreadsheet's file, from the Drive API: one small request that can prove that nothing changed.
//!
//! It is asked for only where the credential may. A refusal is no failure: without a version the sheet is read.

use serde::Deserialize;
use shared::Result;
use shared::google::access_check;

use crate::google::Client;

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

/// The version of the spreadsheet's file, which every change of the spreadsheet raises.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileVersion {
    Known(String),
    /// The credential's scopes do not include it, so no request was sent.
    Unknown,
    /// Why Drive did not return it.
    Refused(String),
}

/// Google sends 64-bit numbers as strings.
#[derive(Deserialize)]
struct File {
    version: String,
}

impl Client {
    /// The version of the spreadsheet's file.
    ///
    /// # Errors
    /// When there is no access token.
    pub async fn version(&mut self) -> Result<FileVersion> {
        // The granted scopes are known only once there is a token.
        let token = self.connection.tokens.token().await?;
        if !self.connection.tokens.has_any_scope(&SCOPES) {
            return Ok(FileVersion::Unknown);
        }
        let path = ["drive", "v3", "files", &self.spreadsheet];
        let mut url = access_check::api_url(&self.google, DRIVE_URL, &path, "version")?;
        url.query_pairs_mut().append_pair("supportsAllDrives", "true");
        self.connection.sent.0 += 1;
        let reply = self.connection.tokens.http().get_as(&token, url.as_str()).await;
        Ok(match access_check::parse_reply::<File>(reply) {
            Ok(file) => FileVersion::Known(file.version),
            Err(refusal) => FileVersion::Refused(refusal.to_string()),
        })
    }
}
