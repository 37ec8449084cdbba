//! The flat error body of the token endpoint.

use serde_json::json;

use crate::reply::Reply;

/// `{"error", "error_description"}` with its status.
#[derive(Debug)]
pub(crate) struct OauthError {
    status: u16,
    error: &'static str,
    description: String,
}

impl OauthError {
    pub(crate) fn new(status: u16, error: &'static str, description: impl Into<String>) -> Self {
        Self { status, error, description: description.into() }
    }

    /// 400 `invalid_grant`.
    pub(crate) fn grant(description: impl Into<String>) -> Self {
        Self::new(400, "invalid_grant", description)
    }

    /// 400 `invalid_request`.
    pub(crate) fn request(description: impl Into<String>) -> Self {
        Self::new(400, "invalid_request", description)
    }

    /// What Google says of a grant that a person or time has ended.
    pub(crate) fn revoked() -> Self {
        Self::grant("Token has been expired or revoked.")
    }

    pub(crate) fn reply(&self) -> Reply {
        Reply::json(self.status, json!({"error": self.error, "error_description": self.description}))
    }
}
