//! `[credential.NAME]`: a credential's file, and what jobs do with it.
//!
//! It only describes; the file is opened elsewhere.

use std::path::PathBuf;

use super::Reader;
use super::reader::count;

/// The spreadsheets scope: what a credential gets when it names no scopes.
pub(super) const SPREADSHEETS_SCOPE: &str = "https://www.googleapis.com/auth/spreadsheets";

/// Google's own limit for a user and a project, unless a project was given more.
const REQUESTS_A_MINUTE: u32 = 60;

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

impl CredentialEntry {
    pub(super) fn read(_name: &str, mut reader: Reader<'_>) -> Self {
        let file = reader.needed("file").map(PathBuf::from).unwrap_or_default();
        let scopes = reader.texts("scopes").unwrap_or_else(|| vec![SPREADSHEETS_SCOPE.to_owned()]);
        if scopes.is_empty() {
            reader.problem("scopes", "must name at least one scope");
        }
        let mut per_minute = |key| count(&mut reader, key, 1..=100_000).unwrap_or(REQUESTS_A_MINUTE);
        let per_minute = (per_minute("reads-per-minute"), per_minute("writes-per-minute"));
        reader.finish();
        Self { file, scopes, per_minute }
    }
}
