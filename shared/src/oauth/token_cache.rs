//! An access token, and where a run keeps it: in memory only.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};

use crate::Secret;

/// An access token and when it expires.
#[derive(Clone, Debug)]
pub struct AccessToken {
    /// The bearer token.
    pub value: Secret,
    /// When the API stops accepting it.
    pub expires_at: DateTime<Utc>,
    /// The granted scopes; `None` when the response did not name them.
    pub scopes: Option<Vec<String>>,
}

/// The access token of a credential, shared by everything in one run that uses the credential.
#[derive(Clone, Debug, Default)]
pub struct TokenCache(Arc<Mutex<Option<AccessToken>>>);

impl TokenCache {
    /// The token, if it is valid for longer than `margin`.
    pub(super) fn valid_for(&self, margin: TimeDelta) -> Option<Secret> {
        self.lock()
            .as_ref()
            .filter(|token| token.expires_at - Utc::now() > margin)
            .map(|token| token.value.clone())
    }

    pub(super) fn set(&self, token: Option<AccessToken>) {
        *self.lock() = token;
    }

    /// How long the token is still valid.
    pub(super) fn remaining(&self) -> Option<TimeDelta> {
        self.lock().as_ref().map(|token| token.expires_at - Utc::now())
    }

    /// The scopes of the token; `None` when the response did not name them.
    pub(super) fn scopes(&self) -> Option<Vec<String>> {
        self.lock().as_ref().and_then(|token| token.scopes.clone())
    }

    fn lock(&self) -> MutexGuard<'_, Option<AccessToken>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
