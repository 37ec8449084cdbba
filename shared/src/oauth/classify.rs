//! What a refused token request means: one pure function, used by every job.
//!
//! It looks at the HTTP status, then at the JSON `error`, never at prose: a description changes without notice, and a
//! booking that contains "invalid_grant" must not look like one. The rows are those of Google's OAuth documentation
//! (<https://developers.google.com/identity/protocols/oauth2>) and RFC 6749, section 5.2.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::Kind;
use crate::Secret;
use crate::http::Reply;

/// What is to be done about a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// It may pass: try again.
    Transient,
    /// The grant is gone: a person must authorize again.
    Dead,
    /// The OAuth client or the request is wrong: a person must mend the configuration.
    Broken,
    /// This machine's clock is wrong.
    Clock,
    /// A refusal that Google has not documented: not tried again at once, nothing thrown away.
    Unknown,
}

/// A refused token request, in Google's own words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What is to be done.
    pub class: Class,
    /// What the endpoint said, or why nothing was heard.
    pub words: String,
    /// How long the server asked to wait.
    pub retry_after: Option<Duration>,
    /// Whether an organisation's session policy wants the person to sign in again; it will do so regularly.
    pub is_reauth: bool,
}

/// The body of RFC 6749, section 5.2, with Google's `error_subtype`. None of these fields holds a secret.
#[derive(Debug, Default, Deserialize)]
pub(super) struct ErrorBody {
    error: Option<String>,
    error_subtype: Option<String>,
    error_description: Option<String>,
}

impl Class {
    /// The words that records hold.
    const WORDS: [(&'static str, Self); 5] = [
        ("transient", Self::Transient),
        ("dead", Self::Dead),
        ("broken", Self::Broken),
        ("clock", Self::Clock),
        ("unknown", Self::Unknown),
    ];

    /// Its word.
    pub fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(_, class)| *class == self).map_or("unknown", |(word, _)| word)
    }

    /// The class of a word.
    pub fn of_word(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(known, _)| *known == word).map(|(_, class)| *class)
    }

    /// Whether a person must act, so that waiting alone helps nothing.
    pub fn needs_a_person(self) -> bool {
        matches!(self, Self::Dead | Self::Broken | Self::Clock)
    }
}

/// The class of an answer with this HTTP status and JSON `error`.
pub fn classify(status: u16, error: Option<&str>) -> Class {
    match (status, error) {
        (408 | 429 | 500..=599, _) => Class::Transient,
        (_, Some("server_error" | "temporarily_unavailable" | "internal_failure")) => Class::Transient,
        (400..=499, Some("invalid_grant" | "invalid_rapt" | "rapt_required")) => Class::Dead,
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
        ) => Class::Broken,
        // A 4xx page without a JSON error comes from something between us and Google.
        (400..=499, None) => Class::Transient,
        (400..=499, Some(_)) => Class::Unknown,
        // 200 without a token, a redirect: not an answer of the token endpoint.
        _ => Class::Transient,
    }
}

impl Class {
    /// What kind of failure it is.
    pub fn kind(self) -> Kind {
        match self {
            Self::Dead => Kind::Credential,
            Self::Broken | Self::Clock => Kind::Config,
            Self::Transient | Self::Unknown => Kind::Unavailable,
        }
    }
}

impl Refusal {
    /// From an answer that carries no token.
    pub fn from_reply(reply: &Reply) -> Self {
        let body: ErrorBody = serde_json::from_slice(&reply.body).unwrap_or_default();
        let class = classify(reply.status, body.error.as_deref());
        let words = match &body.error {
            Some(error) => format!("the token endpoint answered {}: {}", reply.status, spoken(error, &body)),
            None => format!("the token endpoint answered {} {}", reply.status, look(reply)),
        };
        let reauth =
            |word: &Option<String>| matches!(word.as_deref(), Some("invalid_rapt" | "rapt_required"));
        let is_reauth = reauth(&body.error) || reauth(&body.error_subtype);
        Self { class, words, retry_after: reply.retry_after, is_reauth }
    }

    /// The same without secrets that were sent: an endpoint that echoes them is not to spread them.
    #[must_use]
    pub fn without(mut self, secrets: &[&Secret]) -> Self {
        for secret in secrets.iter().filter(|secret| !secret.expose().is_empty()) {
            self.words = self.words.replace(secret.expose(), "(secret)");
        }
        self
    }

    /// When nothing was heard.
    pub fn unheard(why: impl fmt::Display) -> Self {
        Self {
            class: Class::Transient,
            words: format!("the token endpoint did not answer: {why}"),
            retry_after: None,
            is_reauth: false,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words)
    }
}

/// `invalid_grant / invalid_rapt (reauth related error)`.
fn spoken(error: &str, body: &ErrorBody) -> String {
    let subtype = body.error_subtype.as_ref().map(|subtype| format!(" / {subtype}")).unwrap_or_default();
    let description = body.error_description.as_ref().map(|text| format!(" ({text})")).unwrap_or_default();
    format!("{error}{subtype}{description}")
}

/// What the body is, without quoting it: it might echo what was sent, or hold a token.
fn look(reply: &Reply) -> &'static str {
    let start = reply.body.iter().find(|byte| !byte.is_ascii_whitespace());
    match start {
        None => "with an empty body",
        Some(b'<') => "with a web page instead of JSON",
        Some(_) if serde_json::from_slice::<serde_json::Value>(&reply.body).is_ok() => {
            "with JSON that holds no token"
        }
        Some(_) => "with a body that is not JSON",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_comes_before_the_error_and_the_error_before_nothing() {
        for (status, error, class) in [
            (400, Some("invalid_grant"), Class::Dead),
            (400, Some("invalid_rapt"), Class::Dead),
            (503, Some("invalid_grant"), Class::Transient),
            (401, Some("invalid_client"), Class::Broken),
            (401, Some("deleted_client"), Class::Broken),
            (401, Some("unauthorized_client"), Class::Broken),
            (400, Some("invalid_scope"), Class::Broken),
            (400, Some("something_new"), Class::Unknown),
            (400, None, Class::Transient),
            (429, None, Class::Transient),
            (408, None, Class::Transient),
            (200, None, Class::Transient),
        ] {
            assert_eq!(classify(status, error), class, "{status} {error:?}");
        }
    }

    fn refusal(status: u16, body: &str) -> Refusal {
        Refusal::from_reply(&Reply { status, date: None, retry_after: None, etag: None, body: body.into() })
    }

    #[test]
    fn googles_words_are_shown_and_prose_never_decides() {
        let dead = refusal(
            400,
            r#"{"error":"invalid_grant","error_description":"reauth related error (invalid_rapt)","error_subtype":"invalid_rapt"}"#,
        );
        assert_eq!((dead.class, dead.is_reauth), (Class::Dead, true));
        let words = "the token endpoint answered 400: invalid_grant / invalid_rapt (reauth related error (invalid_rapt))";
        assert_eq!(dead.words, words);
        let prose = refusal(503, r#"{"error":"server_error","error_description":"invalid_grant 401"}"#);
        assert_eq!(prose.class, Class::Transient);
    }

    #[test]
    fn a_secret_that_the_endpoint_echoes_is_taken_out() {
        let echoed = refusal(400, r#"{"error":"invalid_grant","error_description":"no such token 1//abc"}"#);
        let words = echoed.without(&[&Secret::new("1//abc"), &Secret::new("")]).words;
        assert_eq!(words, "the token endpoint answered 400: invalid_grant (no such token (secret))");
    }

    #[test]
    fn a_body_that_may_hold_a_token_is_described_and_not_quoted() {
        assert!(refusal(200, r#"{"id_token":"secret"}"#).words.ends_with("with JSON that holds no token"));
        assert!(refusal(503, "<html>secret</html>").words.ends_with("with a web page instead of JSON"));
        assert!(refusal(200, "").words.ends_with("with an empty body"));
    }
}
