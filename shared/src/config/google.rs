//! `[google]`: where Google's API is, and the limits on requests.

use std::time::Duration;

use url::Url;

use super::Reader;
use crate::sys::url::is_confidential;

/// The settings of `[google]`.
#[derive(Clone, Debug)]
pub struct Google {
    /// The Sheets v4 endpoint, ending in `/`. `None` for Google's own.
    pub sheets_url: Option<Url>,
    /// Token hosts besides Google's own.
    pub token_hosts: Vec<String>,
    /// The limit on one request: connecting, headers and body.
    pub timeout: Duration,
    /// The first pause before a request is sent again; each further one is twice as long.
    pub first_pause: Duration,
}

impl Google {
    pub(super) fn read(mut reader: Reader<'_>) -> Self {
        let sheets_url = reader.text("sheets-url").and_then(|text| match Url::parse(&text) {
            Ok(url) if !is_confidential(&url) => {
                reader.problem(
                    "sheets-url",
                    format!("{text:?} would send tokens unencrypted: use https, or http on loopback"),
                );
                None
            }
            Ok(url) if url.path().ends_with('/') => Some(url),
            Ok(_) => {
                reader.problem("sheets-url", format!("{text:?} must end in /"));
                None
            }
            Err(error) => {
                reader.problem("sheets-url", format!("{text:?} is not a URL: {error}"));
                None
            }
        });
        let token_hosts = reader.texts("token-hosts").unwrap_or_default();
        for host in token_hosts.iter().filter(|host| url::Host::parse(host).is_err()) {
            reader.problem("token-hosts", format!("{host:?} is not a host name"));
        }
        let timeout = reader.positive_duration("timeout").unwrap_or(Duration::from_secs(60));
        let first_pause = reader.positive_duration("first-pause").unwrap_or(Duration::from_secs(1));
        reader.finish();
        Self { sheets_url, token_hosts, timeout, first_pause }
    }
}
