//! Faults that tests set: which request they hit and what then happens to it. Touches no socket itself.

use std::fmt;
use std::sync::Arc;

use regex::Regex;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use crate::reply::Reply;
use crate::request::Request;

/// What to do to matching requests. All fields may be left at their defaults.
///
/// Every fault counts all requests that match it, from the moment it was set. When two are due on the same
/// request, the one set first is applied.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Fault {
    /// Only this method.
    pub method: Option<String>,
    /// A regular expression, searched in the path as sent, in `path?query` and in the decoded path.
    pub path: Option<String>,
    /// The first matching request that is hit, counted from 1.
    pub nth: u64,
    /// How many matching requests are hit from there; a large number means for ever.
    pub times: u64,
    /// Answers this status without applying the request.
    pub status: Option<u16>,
    /// The body answered: JSON, or a string such as an HTML page. Alone it goes with status 200.
    pub body: Option<Value>,
    /// Headers added to the answer, such as `Retry-After`.
    pub headers: std::collections::BTreeMap<String, String>,
    /// Waits so long before anything else happens.
    pub delay_ms: u64,
    /// Never finishes the answer.
    pub stall: Stall,
    /// Applies the request, sends headers with the true `Content-Length`, half of the body, and closes.
    pub cut: bool,
    /// Resets the connection and applies nothing.
    pub reset: bool,
    /// Applies the request and then resets the connection.
    pub apply_then_reset: bool,
    /// Something that happens while the request is under way, before anything else is done about it.
    #[serde(skip)]
    pub meanwhile: Option<Act>,
    /// Something that happens when the request is done, before it is answered.
    #[serde(skip)]
    pub afterwards: Option<Act>,
}

/// Something that a test lets happen at an exact moment: a person edits, a process is killed.
#[derive(Clone)]
pub struct Act(Arc<dyn Fn() + Send + Sync>);

impl Act {
    /// It happens each time the fault hits. It may use the stand-in as a person does.
    pub fn new(act: impl Fn() + Send + Sync + 'static) -> Self {
        Self(Arc::new(act))
    }

    pub(crate) fn happen(&self) {
        (self.0)();
    }
}

impl fmt::Debug for Act {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Act")
    }
}

/// Where an answer stops for ever.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Stall {
    /// Nowhere: it is answered.
    #[default]
    No,
    /// Before it is applied: `"stall": true`.
    Request,
    /// Before it is applied, and only until the faults are removed: `"stall": "held"`.
    Held,
    /// The request is applied and the headers are sent, the body never comes: `"stall": "body"`.
    Body,
    /// The request is applied and nothing is ever sent: `"stall": "applied"`.
    Applied,
}

impl Default for Fault {
    fn default() -> Self {
        Self {
            method: None,
            path: None,
            nth: 1,
            times: 1,
            status: None,
            body: None,
            headers: std::collections::BTreeMap::default(),
            delay_ms: 0,
            stall: Stall::No,
            cut: false,
            reset: false,
            apply_then_reset: false,
            meanwhile: None,
            afterwards: None,
        }
    }
}

impl<'de> Deserialize<'de> for Stall {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::Bool(false) | Value::Null => Ok(Self::No),
            Value::Bool(true) => Ok(Self::Request),
            Value::String(text) if text == "held" => Ok(Self::Held),
            Value::String(text) if text == "body" => Ok(Self::Body),
            Value::String(text) if text == "applied" => Ok(Self::Applied),
            other => Err(serde::de::Error::custom(format!(
                "stall is true, \"held\", \"body\" or \"applied\", not {other}"
            ))),
        }
    }
}

impl Fault {
    /// The answer given in place of the real one, if there is one.
    pub(crate) fn answer(&self, request: &Request) -> Option<Reply> {
        if self.status.is_none() && self.body.is_none() {
            return None;
        }
        let status = self.status.unwrap_or(200);
        let body = self.body.clone().unwrap_or_else(|| usual_body(status, request));
        Some(match body {
            Value::String(text) => Reply::html(status, text),
            json => Reply::json(status, json),
        })
    }
}

/// What Google sends with this status when the test does not say.
fn usual_body(status: u16, request: &Request) -> Value {
    if request.path == "/token" {
        let error = if status >= 500 { "internal_failure" } else { "invalid_request" };
        return json!({"error": error, "error_description": "Backend Error"});
    }
    let (name, message) = match status {
        400 => ("INVALID_ARGUMENT", "Request contains an invalid argument."),
        401 => ("UNAUTHENTICATED", crate::auth::INVALID_CREDENTIALS),
        403 => ("PERMISSION_DENIED", "The caller does not have permission"),
        404 => ("NOT_FOUND", "Requested entity was not found."),
        409 => ("ABORTED", "The operation was aborted."),
        429 => ("RESOURCE_EXHAUSTED", "Resource has been exhausted (e.g. check quota)."),
        503 => ("UNAVAILABLE", "The service is currently unavailable."),
        504 => ("DEADLINE_EXCEEDED", "Deadline expired before operation could complete."),
        _ => ("INTERNAL", "Internal error encountered."),
    };
    json!({"error": {"code": status, "message": message, "status": name}})
}

/// The faults that are set, each with its count.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<Armed>);

#[derive(Debug)]
struct Armed {
    fault: Fault,
    path: Option<Regex>,
    seen: u64,
}

impl Faults {
    /// Sets one more fault.
    pub(crate) fn add(&mut self, fault: Fault) -> Result<(), String> {
        if fault.status.is_some_and(|status| !(200..=599).contains(&status)) {
            return Err("status: a number from 200 to 599".to_owned());
        }
        let path = fault.path.as_deref().map(Regex::new).transpose().map_err(|error| error.to_string())?;
        self.0.push(Armed { fault, path, seen: 0 });
        Ok(())
    }

    /// Whether a held request is still held.
    pub(crate) fn is_holding(&self) -> bool {
        self.0.iter().any(|armed| armed.fault.stall == Stall::Held)
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// Counts the request with every fault it matches; the first one due is applied.
    pub(crate) fn due(&mut self, request: &Request) -> Option<Fault> {
        let mut due = None;
        for armed in &mut self.0 {
            if armed.matches(request) {
                armed.seen += 1;
                let first = armed.fault.nth.max(1);
                if due.is_none() && armed.seen >= first && armed.seen - first < armed.fault.times {
                    due = Some(armed.fault.clone());
                }
            }
        }
        due
    }
}

impl Armed {
    fn matches(&self, request: &Request) -> bool {
        let method = self.fault.method.as_ref();
        method.is_none_or(|method| method.eq_ignore_ascii_case(&request.method))
            && self.path.as_ref().is_none_or(|regex| request_matches(regex, request))
    }
}

/// Whether a regular expression is found in the path as sent, with its query, or decoded.
pub(crate) fn request_matches(regex: &Regex, request: &Request) -> bool {
    regex.is_match(&request.path)
        || regex.is_match(&format!("{}?{}", request.path, request.query))
        || regex.is_match(&request.decoded_path())
}
