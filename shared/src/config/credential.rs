//! `[credential.NAME]`: a credential's file, its scopes, and the limit on its requests.

use std::path::PathBuf;

use super::Reader;
use super::reader::count;

/// The scope of a credential that names none.
pub(super) const SPREADSHEETS_SCOPE: &str = "https://www.googleapis.com/auth/spreadsheets";

/// Google's default limit for a user and a project.
const REQUESTS_A_MINUTE: u32 = 60;

/// The settings of one credential.
#[derive(Clone, Debug)]
pub struct CredentialEntry {
    /// The file, relative to the credentials folder or absolute.
    pub file: PathBuf,
    /// The scopes that the jobs with this credential need.
    pub scopes: Vec<String>,
    /// How many requests a minute all jobs together may send to Google with it.
    pub per_minute: RequestsPerMinute,
}

/// Limits on requests to Google.
#[derive(Clone, Copy, Debug)]
pub struct RequestsPerMinute {
    /// `reads-per-minute`.
    pub reads: u32,
    /// `writes-per-minute`.
    pub writes: u32,
}

impl CredentialEntry {
    pub(super) fn read(_name: &str, mut reader: Reader<'_>) -> Self {
        let file = reader.required("file").map(PathBuf::from).unwrap_or_default();
        let scopes = reader.texts("scopes").unwrap_or_else(|| vec![SPREADSHEETS_SCOPE.to_owned()]);
        if scopes.is_empty() {
            reader.problem("scopes", "must name at least one scope");
        }
        let per_minute = RequestsPerMinute {
            reads: per_minute(&mut reader, "reads-per-minute"),
            writes: per_minute(&mut reader, "writes-per-minute"),
        };
        reader.finish();
        Self { file, scopes, per_minute }
    }
}

fn per_minute(reader: &mut Reader<'_>, key: &'static str) -> u32 {
    count(reader, key, 1..=100_000).unwrap_or(REQUESTS_A_MINUTE)
}
