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

    /// 400 for a payload that does not fit the message, with a `BadRequest` detail.
    pub(crate) fn violations(violations: &[Violation]) -> Self {
        let message = violations.iter().map(|one| one.description.as_str()).collect::<Vec<_>>().join("\n");
        Self::bad_request(message, violations)
    }

    /// 400 for a response mask that names no field.
    pub(crate) fn unknown_field(path: &str) -> Self {
        let description =
            format!("Error expanding 'fields' parameter. Cannot find matching fields for path '{path}'.");
        let violation = Violation { field: path.to_owned(), description };
        Self::bad_request("Request contains an invalid argument.".to_owned(), &[violation])
    }

    fn bad_request(message: String, violations: &[Violation]) -> Self {
        let violations: Vec<Value> = violations.iter().map(Violation::body).collect();
        let detail =
            json!({"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": violations});
        Self { details: vec![detail], ..Self::invalid(message) }
    }

    /// The same error, said of one part of the request: `Invalid requests[0].addSheet: …`.
    pub(crate) fn within(self, part: &str) -> Self {
        Self { message: format!("Invalid {part}: {}", self.message), ..self }
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

/// One field that does not fit, and why.
#[derive(Debug)]
pub(crate) struct Violation {
    field: String,
    description: String,
}

impl Violation {
    pub(crate) fn unknown_name(name: &str, path: &str) -> Self {
        let place = if path.is_empty() { String::new() } else { format!(" at '{path}'") };
        let description =
            format!("Invalid JSON payload received. Unknown name \"{name}\"{place}: Cannot find field.");
        Self { field: path.to_owned(), description }
    }

    pub(crate) fn unknown_parameter(name: &str) -> Self {
        let description = format!(
            "Invalid JSON payload received. Unknown name \"{name}\": Cannot bind query parameter. \
             Field '{name}' could not be found in request message."
        );
        Self { field: String::new(), description }
    }

    pub(crate) fn invalid_value(path: &str, kind: &str, value: &Value) -> Self {
        Self { field: path.to_owned(), description: format!("Invalid value at '{path}' ({kind}), {value}") }
    }

    /// Google prints no `field` for a violation of the whole message.
    fn body(&self) -> Value {
        if self.field.is_empty() {
            return json!({"description": self.description});
        }
        json!({"field": self.field, "description": self.description})
    }
}
