//! An access token, and where a run keeps it: in memory, nowhere else.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};

use crate::Secret;

/// An access token and when it ends.
#[derive(Clone, Debug)]
pub struct AccessToken {
    /// The bearer token.
    pub value: Secret,
    /// When it stops being accepted.
    pub expires_at: DateTime<Utc>,
    /// What it reaches, where the answer said it.
    pub scopes: Option<Vec<String>>,
}

/// The access token of a credential, shared by everything in one run that uses it.
#[derive(Clone, Debug, Default)]
pub struct Wallet(Arc<Mutex<Option<AccessToken>>>);

impl Wallet {
    /// The token, if it lasts for more than `margin`.
    pub(super) fn lasting(&self, margin: TimeDelta) -> Option<Secret> {
        let token = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        token.as_ref().filter(|token| token.expires_at - Utc::now() > margin).map(|token| token.value.clone())
    }

    pub(super) fn put(&self, token: Option<AccessToken>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = token;
    }

    /// How long the token in it lasts.
    pub(super) fn left(&self) -> Option<TimeDelta> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .as_ref()
            .map(|token| token.expires_at - Utc::now())
    }

    /// What the token in it reaches, where the server said it.
    pub(super) fn granted(&self) -> Option<Vec<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).as_ref().and_then(|token| token.scopes.clone())
    }
}
