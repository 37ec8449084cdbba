//! What a refused Google API request means and what to do about it: one place for every job.
//!
//! The HTTP status and the machine-readable reason decide, never the message. Google's message is always shown. The cases
//! are those of <https://developers.google.com/workspace/sheets/api/troubleshoot-api-errors>.

use std::fmt;

use serde_json::Value;

use crate::cause::Cause;
use crate::sys::http::NoReply;
use crate::{Failure, Kind};

/// The HTTP status of a request that met another one.
const ABORTED: u16 = 409;

/// The status of a request that this kind of file does not allow, such as an Excel file in Drive.
const PRECONDITION: &str = "FAILED_PRECONDITION";

/// What to do about a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApiErrorClass {
    /// 401: fetch a new access token, once.
    Unauthenticated,
    /// 429: the requests of this minute are spent.
    Quota,
    /// It may pass, and a write may have been applied.
    Passing,
    /// 403: not shared, or a scope or the API is missing.
    Forbidden,
    /// 404.
    NotFound,
    /// Any other 4xx: the request itself is refused.
    Invalid,
}

/// A request that failed.
#[derive(Clone, Debug)]
pub struct ApiError {
    /// What to do about it.
    pub class: ApiErrorClass,
    reason: Option<String>,
    message: String,
    /// Whether a write may have been applied although it failed.
    may_be_applied: bool,
    cause: Option<Cause>,
}

/// What a refused request was about, for the hint.
#[derive(Clone, Copy, Debug)]
pub struct ApiTarget<'a> {
    /// The spreadsheet's id.
    pub spreadsheet: &'a str,
    /// The account that needs access to the sheet.
    pub account: &'a str,
    /// The scopes that the account needs.
    pub scopes: &'a [String],
}

impl ApiError {
    /// From Google's error object: `{"error": {"code", "status", "message", "details"?, "errors"?}}`.
    pub fn from_body(body: &Value) -> Self {
        let error = &body["error"];
        let Some(code) = error["code"].as_u64().and_then(|code| u16::try_from(code).ok()) else {
            return Self::foreign();
        };
        let details =
            error["details"].as_array().into_iter().flatten().filter_map(|detail| detail["reason"].as_str());
        let older =
            error["errors"].as_array().into_iter().flatten().filter_map(|error| error["reason"].as_str());
        let status = error["status"].as_str().unwrap_or_default();
        let precondition = (status == PRECONDITION).then_some(PRECONDITION);
        let reason = details.chain(older).chain(precondition).next().map(str::to_owned);
        let message = format!("{code} {status}: {}", error["message"].as_str().unwrap_or("no message"));
        Self { reason: reason.clone(), ..Self::of_status(code, reason.as_deref(), message) }
    }

    /// From a response without JSON.
    pub fn from_status(status: u16) -> Self {
        Self::of_status(status, None, format!("{status} with a web page instead of JSON"))
    }

    fn of_status(status: u16, reason: Option<&str>, message: String) -> Self {
        let class = classify(status, reason);
        // 409 ABORTED is a conflict with another writer: nothing of the request is left.
        let may_be_applied = class == ApiErrorClass::Passing && status != ABORTED;
        Self { class, may_be_applied, ..Self::passing(message) }
    }

    /// From a request that was cut off: it may have been applied, and the next try may succeed.
    pub fn passing(message: String) -> Self {
        Self { class: ApiErrorClass::Passing, reason: None, message, may_be_applied: true, cause: None }
    }

    /// From a response that is not a complete JSON document.
    pub fn cut_off() -> Self {
        Self::passing("its answer was cut off or is not JSON".to_owned())
    }

    /// From a response of status 200 that lacks what was asked for, or cannot be true.
    pub fn foreign() -> Self {
        Self::passing("it answered with JSON that is not Google's".to_owned())
    }

    /// From a server that could not be reached, so that the request was not sent.
    pub fn unreached(message: String) -> Self {
        Self { may_be_applied: false, ..Self::passing(message) }
    }

    /// From a request that the client library refused to send.
    pub fn unsent(message: String) -> Self {
        Self { class: ApiErrorClass::Invalid, may_be_applied: false, ..Self::passing(message) }
    }

    /// The same with the error below it.
    #[must_use]
    pub fn caused_by(self, cause: impl Into<Cause>) -> Self {
        Self { cause: Some(cause.into()), ..self }
    }

    /// Whether Google certainly did not apply the request: it refused it, or was never reached.
    pub fn was_not_applied(&self) -> bool {
        !self.may_be_applied
    }

    /// Which request of a batch was refused: `Invalid requests[0].addNamedRange: …`, counted from 0.
    pub fn refused_request(&self) -> Option<usize> {
        if self.class != ApiErrorClass::Invalid {
            return None;
        }
        let (_, rest) = self.message.split_once("requests[")?;
        rest.split_once(']')?.0.parse().ok()
    }

    /// The failure to report.
    pub fn failure(&self, target: &ApiTarget<'_>) -> Failure {
        let ApiTarget { spreadsheet, account, scopes } = target;
        let url = format!("https://docs.google.com/spreadsheets/d/{spreadsheet}/edit");
        let (kind, hint) = match (self.class, self.reason.as_deref()) {
            (ApiErrorClass::Unauthenticated, _) => (
                Kind::Credential,
                format!("authorize {account} again; Google does not accept its token, even a new one"),
            ),
            (
                ApiErrorClass::Forbidden,
                Some("ACCESS_TOKEN_SCOPE_INSUFFICIENT" | "insufficientPermissions"),
            ) => (Kind::Credential, format!("authorize {account} again with the scope {}", scopes.join(" "))),
            (ApiErrorClass::Forbidden, Some("SERVICE_DISABLED" | "accessNotConfigured")) => (
                Kind::Config,
                "enable the API: https://console.cloud.google.com/apis/library/sheets.googleapis.com"
                    .to_owned(),
            ),
            (ApiErrorClass::Forbidden, _) => {
                (Kind::Credential, format!("open {url}, click Share, and add {account} as an editor"))
            }
            (ApiErrorClass::NotFound, _) => (
                Kind::Config,
                format!(
                    "does this address open in a browser? {url} If so, share it with {account}; if not, correct spreadsheet = in the configuration"
                ),
            ),
            (ApiErrorClass::Invalid, Some(PRECONDITION)) => (
                Kind::Config,
                format!(
                    "is it an Excel file? open {url}, choose File, Save as Google Sheets, and put the new address into spreadsheet = in the configuration"
                ),
            ),
            (ApiErrorClass::Invalid, _) => (
                Kind::Data,
                format!("Google's message above says what the sheet does not allow; look at it: {url}"),
            ),
            (ApiErrorClass::Quota, _) => (
                Kind::Busy,
                "other programs use the same quota of requests; the next run tries again".to_owned(),
            ),
            (ApiErrorClass::Passing, _) => (
                Kind::Unavailable,
                "nothing to do if it passes: the next run tries again; see https://www.google.com/appsstatus"
                    .to_owned(),
            ),
        };
        Failure { cause: self.cause.clone(), ..Failure::new(kind, format!("Google Sheets: {self}"), hint) }
    }
}

impl From<NoReply> for ApiError {
    fn from(no_reply: NoReply) -> Self {
        Self { cause: no_reply.cause.clone(), ..Self::passing(no_reply.to_string()) }
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

fn classify(code: u16, reason: Option<&str>) -> ApiErrorClass {
    match (code, reason) {
        (401, _) => ApiErrorClass::Unauthenticated,
        // Drive's older code for a spent quota.
        (429, _) | (403, Some("rateLimitExceeded" | "userRateLimitExceeded")) => ApiErrorClass::Quota,
        (403, _) => ApiErrorClass::Forbidden,
        (404, _) => ApiErrorClass::NotFound,
        (408 | ABORTED | 500..=599, _) => ApiErrorClass::Passing,
        (400..=499, _) => ApiErrorClass::Invalid,
        _ => ApiErrorClass::Passing,
    }
}

#[cfg(test)]
mod tests {
    use crate::google::api_error::*;
    use serde_json::json;

    #[test]
    fn status_and_reason_decide_and_the_message_never_does() {
        for (code, reason, class) in [
            (401, None, ApiErrorClass::Unauthenticated),
            (403, None, ApiErrorClass::Forbidden),
            (403, Some("rateLimitExceeded"), ApiErrorClass::Quota),
            (403, Some("ACCESS_TOKEN_SCOPE_INSUFFICIENT"), ApiErrorClass::Forbidden),
            (404, None, ApiErrorClass::NotFound),
            (400, None, ApiErrorClass::Invalid),
            (429, None, ApiErrorClass::Quota),
            (409, None, ApiErrorClass::Passing),
            (500, None, ApiErrorClass::Passing),
            (503, None, ApiErrorClass::Passing),
        ] {
            let body = json!({"error": {"code": code, "status": "X", "message": "401 invalid_grant quota", "details": [{"reason": reason}]}});
            assert_eq!(ApiError::from_body(&body).class, class, "{code} {reason:?}");
        }
    }

    #[test]
    fn the_reason_is_found_in_both_of_googles_shapes() {
        let older =
            json!({"error": {"code": 403, "message": "m", "errors": [{"reason": "userRateLimitExceeded"}]}});
        assert_eq!(ApiError::from_body(&older).class, ApiErrorClass::Quota);
    }

    #[test]
    fn the_request_that_google_names_is_counted_from_0() {
        let refused = |code: u16, message: &str| {
            ApiError::from_body(&json!({"error": {"code": code, "message": message}})).refused_request()
        };
        let message = "Invalid requests[1].addNamedRange: Cannot add named range with name: X, a named range with that name already exists.";
        assert_eq!(refused(400, message), Some(1));
        assert_eq!(refused(503, message), None);
        assert_eq!(refused(400, "Unable to parse range: requests[x]"), None);
    }

    #[test]
    fn only_a_write_that_may_have_arrived_is_in_doubt() {
        assert!(!ApiError::passing("late".into()).was_not_applied());
        assert!(!ApiError::from_status(503).was_not_applied());
        assert!(ApiError::from_status(429).was_not_applied());
        assert!(ApiError::from_status(409).was_not_applied(), "ABORTED");
        assert!(!ApiError::foreign().was_not_applied());
        assert!(ApiError::from_status(401).was_not_applied());
    }
}
