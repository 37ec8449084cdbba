//! What a refused Google API request means and what to do about it: one place for every job.
//!
//! Decided by HTTP status and by the machine-readable reason, never by prose; Google's own words are always shown.
//! The rows are those of <https://developers.google.com/workspace/sheets/api/troubleshoot-api-errors>. Nothing is
//! sent or repeated here.

use std::fmt;

use serde_json::Value;

use crate::{Failure, Kind};

/// What is to be done about a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// 401: fetch a new access token, once.
    Unauthenticated,
    /// 429: the requests of this minute are spent.
    Quota,
    /// It may pass; a write may have been applied.
    Passing,
    /// 403: not shared, or a scope or the API is missing.
    Forbidden,
    /// 404.
    NotFound,
    /// Any other 4xx: the request itself is refused.
    Invalid,
}

/// A request that brought nothing.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// What is to be done.
    pub class: Class,
    reason: Option<String>,
    words: String,
    sent: bool,
}

/// Whom and what a refused request was about, for its hint.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The spreadsheet's id.
    pub spreadsheet: &'a str,
    /// Whom the sheet is to be shared with.
    pub account: &'a str,
    /// The scopes that the account needs.
    pub scopes: &'a [String],
}

impl Refusal {
    /// From Google's error object: `{"error": {"code", "status", "message", "details"?, "errors"?}}`.
    pub fn from_body(body: &Value) -> Self {
        let error = &body["error"];
        let Some(code) = error["code"].as_u64().and_then(|code| u16::try_from(code).ok()) else {
            return Self::passing("it answered with JSON that is not Google's".to_owned());
        };
        let details =
            error["details"].as_array().into_iter().flatten().filter_map(|detail| detail["reason"].as_str());
        let older =
            error["errors"].as_array().into_iter().flatten().filter_map(|error| error["reason"].as_str());
        let reason = details.chain(older).next().map(str::to_owned);
        let class = classify(code, reason.as_deref());
        let status = error["status"].as_str().unwrap_or_default();
        let words = format!("{code} {status}: {}", error["message"].as_str().unwrap_or("no message"));
        Self { class, reason, words, sent: true }
    }

    /// From an answer without JSON.
    pub fn from_status(status: u16) -> Self {
        let class = classify(status, None);
        Self { class, ..Self::passing(format!("{status} with a web page instead of JSON")) }
    }

    /// From an exchange that broke off: it may have been applied, and it may go well the next time.
    pub fn passing(words: String) -> Self {
        Self { class: Class::Passing, reason: None, words, sent: true }
    }

    /// From a server that could not be reached, so that nothing was sent.
    pub fn unreached(words: String) -> Self {
        Self { sent: false, ..Self::passing(words) }
    }

    /// From a request that the client library would not send.
    pub fn unsent(words: String) -> Self {
        Self { class: Class::Invalid, ..Self::passing(words) }
    }

    /// Whether Google certainly did nothing: it said so, or was never reached.
    pub fn was_not_applied(&self) -> bool {
        self.class != Class::Passing || !self.sent
    }

    /// The failure to report.
    pub fn failure(&self, subject: &Subject<'_>) -> Failure {
        let Subject { spreadsheet, account, scopes } = subject;
        let url = format!("https://docs.google.com/spreadsheets/d/{spreadsheet}/edit");
        let (kind, hint) = match (self.class, self.reason.as_deref()) {
            (Class::Unauthenticated, _) => (
                Kind::Credential,
                format!(
                    "authorize {account} again; the token it was given is not accepted, even a fresh one"
                ),
            ),
            (Class::Forbidden, Some("ACCESS_TOKEN_SCOPE_INSUFFICIENT" | "insufficientPermissions")) => {
                (Kind::Credential, format!("authorize {account} again with the scope {}", scopes.join(" ")))
            }
            (Class::Forbidden, Some("SERVICE_DISABLED" | "accessNotConfigured")) => (
                Kind::Config,
                "enable the API: https://console.cloud.google.com/apis/library/sheets.googleapis.com"
                    .to_owned(),
            ),
            (Class::Forbidden, _) => {
                (Kind::Credential, format!("open {url}, click Share, and add {account} as an editor"))
            }
            (Class::NotFound, _) => (
                Kind::Config,
                format!(
                    "does this address open in a browser? {url} If so, share it with {account}; if not, mend spreadsheet = in the configuration"
                ),
            ),
            (Class::Invalid, _) => (
                Kind::Data,
                format!("Google's words above say what the sheet does not allow; look at it: {url}"),
            ),
            (Class::Quota, _) => (
                Kind::Busy,
                "other programs use the same quota of requests; the next run tries again".to_owned(),
            ),
            (Class::Passing, _) => (
                Kind::Unavailable,
                "nothing to do if it passes: the next run tries again; see https://www.google.com/appsstatus"
                    .to_owned(),
            ),
        };
        Failure::new(kind, format!("Google Sheets: {self}"), hint)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words)
    }
}

fn classify(code: u16, reason: Option<&str>) -> Class {
    match (code, reason) {
        (401, _) => Class::Unauthenticated,
        // Drive's older wording of a spent quota.
        (429, _) | (403, Some("rateLimitExceeded" | "userRateLimitExceeded")) => Class::Quota,
        (403, _) => Class::Forbidden,
        (404, _) => Class::NotFound,
        (408 | 500..=599, _) => Class::Passing,
        (400..=499, _) => Class::Invalid,
        _ => Class::Passing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn status_and_reason_decide_and_the_message_never_does() {
        for (code, reason, class) in [
            (401, None, Class::Unauthenticated),
            (403, None, Class::Forbidden),
            (403, Some("rateLimitExceeded"), Class::Quota),
            (403, Some("ACCESS_TOKEN_SCOPE_INSUFFICIENT"), Class::Forbidden),
            (404, None, Class::NotFound),
            (400, None, Class::Invalid),
            (429, None, Class::Quota),
            (500, None, Class::Passing),
            (503, None, Class::Passing),
        ] {
            let body = json!({"error": {"code": code, "status": "X", "message": "401 invalid_grant quota", "details": [{"reason": reason}]}});
            assert_eq!(Refusal::from_body(&body).class, class, "{code} {reason:?}");
        }
    }

    #[test]
    fn the_reason_is_found_in_both_of_googles_shapes() {
        let older =
            json!({"error": {"code": 403, "message": "m", "errors": [{"reason": "userRateLimitExceeded"}]}});
        assert_eq!(Refusal::from_body(&older).class, Class::Quota);
    }

    #[test]
    fn only_a_write_that_may_have_arrived_is_in_doubt() {
        assert!(!Refusal::passing("late".into()).was_not_applied());
        assert!(!Refusal::from_status(503).was_not_applied());
        assert!(Refusal::from_status(429).was_not_applied());
        assert!(Refusal::from_status(401).was_not_applied());
    }
}
