//! Everything the stand-in knows, behind one lock: what a restart keeps, and what it does not.

use serde::{Deserialize, Serialize};

use crate::clock::Clock;
use crate::drive::store::Files;
use crate::fault::Faults;
use crate::oauth::accounts::Accounts;
use crate::quota::Quota;
use crate::reply::ErrorsArray;
use crate::requests::Log;

/// The whole stand-in apart from its sockets.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) kept: Kept,
    /// Grows with every request that may have changed what is kept.
    pub(crate) changes: u64,
    pub(crate) quota: Quota,
    pub(crate) faults: Faults,
    pub(crate) log: Log,
    pub(crate) any_token: bool,
    pub(crate) errors_array: ErrorsArray,
    /// Where this stand-in is reached, without a trailing slash.
    pub(crate) url: String,
    /// The token endpoint, which is the audience that assertions must name.
    pub(crate) token_uri: String,
}

/// What the state file holds.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Kept {
    pub(crate) clock: Clock,
    pub(crate) accounts: Accounts,
    pub(crate) files: Files,
}

impl World {
    pub(crate) fn new(kept: Kept, url: String, any_token: bool) -> Self {
        Self {
            kept,
            changes: 0,
            quota: Quota::default(),
            faults: Faults::default(),
            log: Log::default(),
            any_token,
            errors_array: ErrorsArray::Left,
            token_uri: format!("{url}/token"),
            url,
        }
    }

    /// The audiences that an assertion may name: this token endpoint. Google's Python library names Google's own
    /// whatever the key file says, so foreign clients may.
    pub(crate) fn audiences(&self) -> Vec<String> {
        let mut audiences = vec![self.token_uri.clone()];
        if self.any_token {
            audiences.push("https://oauth2.googleapis.com/token".to_owned());
        }
        audiences
    }
}
