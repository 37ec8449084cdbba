//! What a refused token request means: one pure function, used by every job.
//!
//! The HTTP status decides, then the JSON `error`, and never the description: it changes without notice, and text that
//! contains "invalid_grant" must not count as that error. The cases are those of Google's OAuth documentation
//! (<https://developers.google.com/identity/protocols/oauth2>) and of RFC 6749, section 5.2.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::cause::Cause;
use crate::{Kind, Secret};

/// What to do about a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum TokenErrorClass {
    /// It may pass: try again.
    Transient,
    /// The grant is gone: someone must authorize again.
    Dead,
    /// The OAuth client or the request is wrong: someone must correct the configuration.
    Broken,
    /// This machine's clock is wrong.
    Clock,
    /// A refusal that Google has not documented: not tried again at once, and the credential counts as usable.
    Unknown,
}

/// A refused token request, in Google's own words.
#[derive(Clone, Debug)]
pub struct TokenError {
    /// What to do about it.
    pub class: TokenErrorClass,
    /// The endpoint's own text, or why there was no response.
    pub message: String,
    /// The server's `Retry-After`.
    pub retry_after: Option<Duration>,
    /// Whether an organisation's session policy requires a new login; it will do so regularly.
    pub is_reauth: bool,
    /// The error below it, where there was no response.
    pub cause: Option<Cause>,
}

/// The body of RFC 6749, section 5.2, with Google's `error_subtype`. None of these fields holds a secret.
#[derive(Debug, Default, Deserialize)]
pub(super) struct ErrorBody {
    error: Option<String>,
    error_subtype: Option<String>,
    error_description: Option<String>,
}

impl TokenErrorClass {
    /// The names in records.
    const NAMES: [(&'static str, Self); 5] = [
        ("transient", Self::Transient),
        ("dead", Self::Dead),
        ("broken", Self::Broken),
        ("clock", Self::Clock),
        ("unknown", Self::Unknown),
    ];

    /// The name in records.
    pub fn as_str(self) -> &'static str {
        Self::NAMES.iter().find(|(_, class)| *class == self).map_or("unknown", |(name, _)| name)
    }

    /// The class with this name; [`Self::Unknown`] for the name of a later version.
    pub fn from_name(name: &str) -> Self {
        Self::NAMES.iter().find(|(known, _)| *known == name).map_or(Self::Unknown, |(_, class)| *class)
    }

    /// Whether someone must act, so that waiting alone does not help.
    pub fn needs_a_person(self) -> bool {
        matches!(self, Self::Dead | Self::Broken | Self::Clock)
    }
}

/// The class of a response with this HTTP status and JSON `error`.
pub fn classify(status: u16, error: Option<&str>) -> TokenErrorClass {
    match (status, error) {
        (408 | 429 | 500..=599, _) => TokenErrorClass::Transient,
        (_, Some("server_error" | "temporarily_unavailable" | "internal_failure")) => {
            TokenErrorClass::Transient
        }
        (400..=499, Some("invalid_grant" | "invalid_rapt" | "rapt_required")) => TokenErrorClass::Dead,
        (
            400..=499,
            Some(
                "invalid_client"
                | "deleted_client"
                | "disabled_client"
                | "unauthorized_client"
                | "invalid_scope"
                | "invalid_request"
                | "unsupported_grant_type"
                | "admin_policy_enforced"
                | "org_internal",
            ),
        ) => TokenErrorClass::Broken,
        // A 4xx page without a JSON error comes from a proxy on the way to Google.
        (400..=499, None) => TokenErrorClass::Transient,
        (400..=499, Some(_)) => TokenErrorClass::Unknown,
        // 200 without a token, or a redirect: not a response of the token endpoint.
        _ => TokenErrorClass::Transient,
    }
}

impl TokenErrorClass {
    /// The kind of the failure, and so the exit code.
    pub fn kind(self) -> Kind {
        match self {
            Self::Dead => Kind::Credential,
            Self::Broken | Self::Clock => Kind::Config,
            Self::Transient | Self::Unknown => Kind::Unavailable,
        }
    }
}

impl TokenError {
    /// A refusal of this class with this text.
    pub fn new(class: TokenErrorClass, message: impl Into<String>) -> Self {
        Self { class, message: message.into(), retry_after: None, is_reauth: false, cause: None }
    }

    /// From the HTTP status and the body of a response without a token.
    pub fn from_response(status: u16, content: &[u8]) -> Self {
        let body: ErrorBody = serde_json::from_slice(content).unwrap_or_default();
        let class = classify(status, body.error.as_deref());
        let message = match &body.error {
            Some(error) => format!("the token endpoint answered {status}: {}", error_text(error, &body)),
            None => format!("the token endpoint answered {status} {}", describe(content)),
        };
        let mut codes = [&body.error, &body.error_subtype].into_iter().flatten();
        let is_reauth = codes.any(|code| matches!(code.as_str(), "invalid_rapt" | "rapt_required"));
        Self { is_reauth, ..Self::new(class, message) }
    }

    /// The same without the secrets that were sent, in case the endpoint echoes them.
    #[must_use]
    pub fn without(mut self, secrets: &[&Secret]) -> Self {
        for secret in secrets.iter().filter(|secret| !secret.expose().is_empty()) {
            self.message = self.message.replace(secret.expose(), "(secret)");
        }
        self
    }

    /// The same with the error below it.
    #[must_use]
    pub fn caused_by(self, cause: impl Into<Cause>) -> Self {
        Self { cause: Some(cause.into()), ..self }
    }

    /// When there was no complete response.
    pub fn no_response(why: impl fmt::Display) -> Self {
        Self::new(TokenErrorClass::Transient, format!("the token endpoint did not answer: {why}"))
    }
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// `invalid_grant / invalid_rapt (reauth related error)`.
fn error_text(error: &str, body: &ErrorBody) -> String {
    let subtype = body.error_subtype.as_ref().map(|subtype| format!(" / {subtype}")).unwrap_or_default();
    let description = body.error_description.as_ref().map(|text| format!(" ({text})")).unwrap_or_default();
    format!("{error}{subtype}{description}")
}

/// Describes the body without quoting it: it might echo what was sent, or hold a token.
fn describe(body: &[u8]) -> &'static str {
    let start = body.iter().find(|byte| !byte.is_ascii_whitespace());
    match start {
        None => "with an empty body",
        Some(b'<') => "with a web page instead of JSON",
        Some(_) if serde_json::from_slice::<serde_json::Value>(body).is_ok() => {
            "with JSON that holds no token"
        }
        Some(_) => "with a body that is not JSON",
    }
}

#[cfg(test)]
mod tests {
    use crate::credential::token_error::*;

    #[test]
    fn status_comes_before_the_error_and_the_error_before_nothing() {
        for (status, error, class) in [
            (400, Some("invalid_grant"), TokenErrorClass::Dead),
            (400, Some("invalid_rapt"), TokenErrorClass::Dead),
            (503, Some("invalid_grant"), TokenErrorClass::Transient),
            (401, Some("invalid_client"), TokenErrorClass::Broken),
            (401, Some("deleted_client"), TokenErrorClass::Broken),
            (401, Some("unauthorized_client"), TokenErrorClass::Broken),
            (400, Some("invalid_scope"), TokenErrorClass::Broken),
            (400, Some("something_new"), TokenErrorClass::Unknown),
            (400, None, TokenErrorClass::Transient),
            (429, None, TokenErrorClass::Transient),
            (408, None, TokenErrorClass::Transient),
            (200, None, TokenErrorClass::Transient),
        ] {
            assert_eq!(classify(status, error), class, "{status} {error:?}");
        }
    }

    fn refused(status: u16, body: &str) -> TokenError {
        TokenError::from_response(status, body.as_bytes())
    }

    #[test]
    fn googles_words_are_shown_and_prose_never_decides() {
        let dead = refused(
            400,
            r#"{"error":"invalid_grant","error_description":"reauth related error (invalid_rapt)","error_subtype":"invalid_rapt"}"#,
        );
        assert_eq!((dead.class, dead.is_reauth), (TokenErrorClass::Dead, true));
        let message = "the token endpoint answered 400: invalid_grant / invalid_rapt (reauth related error (invalid_rapt))";
        assert_eq!(dead.message, message);
        let prose = refused(503, r#"{"error":"server_error","error_description":"invalid_grant 401"}"#);
        assert_eq!(prose.class, TokenErrorClass::Transient);
    }

    #[test]
    fn a_secret_that_the_endpoint_echoes_is_taken_out() {
        let echoed = refused(400, r#"{"error":"invalid_grant","error_description":"no such token 1//abc"}"#);
        let message = echoed.without(&[&Secret::new("1//abc"), &Secret::new("")]).message;
        assert_eq!(message, "the token endpoint answered 400: invalid_grant (no such token (secret))");
    }

    #[test]
    fn a_body_that_may_hold_a_token_is_described_and_not_quoted() {
        assert!(refused(200, r#"{"id_token":"secret"}"#).message.ends_with("with JSON that holds no token"));
        assert!(refused(503, "<html>secret</html>").message.ends_with("with a web page instead of JSON"));
        assert!(refused(200, "").message.ends_with("with an empty body"));
    }
}
