//! The error that Google's APIs answer: an HTTP code, a status name and a sentence.

use serde_json::{Value, json};

/// A refused request.
#[derive(Clone, Debug, PartialEq)]
pub struct ApiError {
    /// The HTTP status code.
    pub code: u16,
    /// Google's name for it, such as `INVALID_ARGUMENT`.
    pub status: &'static str,
    /// The sentence shown to people.
    pub message: String,
    /// `details`, where Google sends them.
    pub details: Vec<Value>,
}

impl ApiError {
    /// 400 `INVALID_ARGUMENT`.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self { code: 400, status: "INVALID_ARGUMENT", message: message.into(), details: Vec::new() }
    }

    /// 404 `NOT_FOUND`, with Google's words.
    pub fn not_found() -> Self {
        Self {
            code: 404,
            status: "NOT_FOUND",
            message: "Requested entity was not found.".to_owned(),
            details: Vec::new(),
        }
    }

    /// The JSON body that carries it.
    pub fn body(&self) -> Value {
        let mut error = json!({"code": self.code, "message": self.message, "status": self.status});
        if !self.details.is_empty() {
            error["details"] = Value::Array(self.details.clone());
        }
        json!({ "error": error })
    }
}
