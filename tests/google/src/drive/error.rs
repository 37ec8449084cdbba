//! Drive's error bodies, which differ from those of the Sheets API.

use serde_json::{Value, json};
use sheets_model::ApiError;

/// A refused Drive call.
#[derive(Debug)]
pub(super) enum DriveError {
    /// Drive's own, with its `errors` array and no status name.
    Own { code: u16, reason: &'static str, message: String, location: Option<&'static str> },
    /// From what all of Google's APIs share: the caller and the scopes.
    Shared(ApiError),
}

impl From<ApiError> for DriveError {
    fn from(error: ApiError) -> Self {
        Self::Shared(error)
    }
}

impl DriveError {
    /// The file does not exist, or not for this caller.
    pub(super) fn no_file(id: &str) -> Self {
        let message = format!("File not found: {id}.");
        Self::Own { code: 404, reason: "notFound", message, location: Some("fileId") }
    }

    pub(super) fn not_found(message: &str) -> Self {
        Self::Own { code: 404, reason: "notFound", message: message.to_owned(), location: None }
    }

    /// The caller may read the file, but not do this.
    pub(super) fn not_allowed() -> Self {
        let message = "The user does not have sufficient permissions for this file.".to_owned();
        Self::Own { code: 403, reason: "insufficientFilePermissions", message, location: None }
    }

    pub(super) fn bad_request(message: &str) -> Self {
        Self::Own { code: 400, reason: "badRequest", message: message.to_owned(), location: None }
    }

    pub(super) fn code(&self) -> u16 {
        match self {
            Self::Own { code, .. } => *code,
            Self::Shared(error) => error.code,
        }
    }

    pub(super) fn body(&self) -> Value {
        match self {
            Self::Own { code, reason, message, location } => {
                let mut first = json!({"message": message, "domain": "global", "reason": reason});
                if let Some(location) = location {
                    first["location"] = json!(location);
                    first["locationType"] = json!("parameter");
                }
                json!({"error": {"code": code, "message": message, "errors": [first]}})
            }
            Self::Shared(error) => shared_body(error),
        }
    }
}

fn shared_body(error: &ApiError) -> Value {
    let first = match (error.code, error.details.is_empty()) {
        (401, _) => json!({
            "message": "Invalid Credentials", "domain": "global", "reason": "authError",
            "location": "Authorization", "locationType": "header",
        }),
        (_, false) => {
            json!({"message": "Insufficient Permission", "domain": "global", "reason": "insufficientPermissions"})
        }
        (_, true) => json!({"message": error.message, "domain": "global", "reason": "forbidden"}),
    };
    let mut inner =
        json!({"code": error.code, "message": error.message, "errors": [first], "status": error.status});
    if !error.details.is_empty() {
        inner["details"] = Value::Array(error.details.clone());
    }
    json!({ "error": inner })
}
