//! Reads the authorization response (RFC 6749, section 4.1.2), from the browser's request or from pasted text. Pure.

use shared::credential::token_error::{TokenErrorClass, classify};
use shared::{Failure, Kind, Result, Secret};
use url::form_urlencoded;

/// The code to exchange, or why there is none.
pub(crate) type AuthorizationResponse = Result<Secret>;

/// The length of a code that is pasted alone.
const CODE_LENGTHS: std::ops::RangeInclusive<usize> = 10..=2048;

/// The response in the query of the address to which the browser was redirected; `None` when the query holds no response.
pub(crate) fn in_query(query: &str, state: &Secret) -> Option<AuthorizationResponse> {
    let (code, error) = (parameter(query, "code"), parameter(query, "error"));
    let returned = parameter(query, "state");
    if code.is_none() && error.is_none() && returned.is_none() {
        return None;
    }
    // A response to another request is rejected whatever it contains (RFC 6749, section 10.12).
    if returned.as_deref() != Some(state.expose()) {
        return Some(Err(Failure::new(
            Kind::Credential,
            "the answer belongs to another login: its state is not the one that was sent",
            "close all tabs of earlier logins and type the same command again",
        )));
    }
    Some(match (error, code.filter(|code| !code.is_empty())) {
        (Some(error), _) => Err(refused(&error)),
        (None, Some(code)) => Ok(Secret::new(code)),
        (None, None) => Err(Failure::new(
            Kind::Credential,
            "the answer holds no authorization code",
            "type the same command again, and copy the whole address of the last page",
        )),
    })
}

fn parameter(query: &str, wanted: &str) -> Option<String> {
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    pairs.find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned())
}

/// The response in pasted text: the address of the last page, its query, or the code alone; `None` for other text.
///
/// A code alone has no state. PKCE protects it instead: only a code that this run requested can be exchanged.
pub(crate) fn in_pasted(text: &str, state: &Secret) -> Option<AuthorizationResponse> {
    let text = text.trim();
    let query = text.split_once('?').map_or(text, |(_, query)| query);
    let query = query.split_once('#').map_or(query, |(query, _)| query);
    if let Some(response) = in_query(query, state) {
        return Some(response);
    }
    is_code(text).then(|| {
        let decoded = form_urlencoded::parse(text.as_bytes()).next().map(|(code, _)| code.into_owned());
        Ok(Secret::new(decoded.unwrap_or_default()))
    })
}

fn is_code(text: &str) -> bool {
    CODE_LENGTHS.contains(&text.len())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "/-._~%".contains(c))
        && !text.starts_with("http")
}

/// The `error` codes of RFC 6749, section 4.1.2.1, and Google's own.
fn refused(error: &str) -> Failure {
    if error == "access_denied" {
        return Failure::new(
            Kind::Credential,
            "the user did not allow it: access_denied",
            "type the same command again and press Allow; if there was no such button, the app is in testing: add the account as a test user or publish the app at https://console.cloud.google.com/auth/audience",
        );
    }
    // The code comes from the network, so only the characters of a code are shown.
    let code: String =
        error.chars().filter(|c| c.is_ascii_alphanumeric() || "_-.".contains(*c)).take(64).collect();
    let kind = match classify(400, Some(error)) {
        TokenErrorClass::Broken => Kind::Config,
        TokenErrorClass::Transient => Kind::Unavailable,
        TokenErrorClass::Dead | TokenErrorClass::Clock | TokenErrorClass::Unknown => Kind::Credential,
    };
    Failure::new(
        kind,
        format!("Google's page refused the login: {code}"),
        "look at the OAuth client: https://console.cloud.google.com/apis/credentials; then type the same command again",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> Secret {
        Secret::new("the-state")
    }

    fn code(response: Option<AuthorizationResponse>) -> String {
        response.expect("a response").expect("a code").expose().to_owned()
    }

    #[test]
    fn a_code_is_found_however_it_is_pasted() {
        for text in [
            "http://127.0.0.1:5/?state=the-state&code=4%2F0Ab-c_defgh&scope=x#top",
            "  http://127.0.0.1:5/?code=4/0Ab-c_defgh&state=the-state\r\n",
            "code=4%2F0Ab-c_defgh&state=the-state",
            "4/0Ab-c_defgh",
            "4%2F0Ab-c_defgh",
        ] {
            assert_eq!(code(in_pasted(text, &state())), "4/0Ab-c_defgh", "{text}");
        }
    }

    #[test]
    fn other_text_holds_no_response() {
        for text in
            ["", "yes", "what am I to do?", "http://127.0.0.1:5/", "https://accounts.google.com/o/oauth2"]
        {
            assert!(in_pasted(text, &state()).is_none(), "{text}");
        }
        assert!(in_query("", &state()).is_none());
        assert!(in_query("x=1", &state()).is_none());
    }

    #[test]
    fn a_response_to_another_request_is_rejected_whatever_it_contains() {
        for query in
            ["code=c&state=other", "code=c", "error=access_denied&state=other", "error=access_denied"]
        {
            let refused = in_query(query, &state()).expect("a response").unwrap_err();
            assert!(refused.message.contains("another login"), "{query}: {refused}");
        }
    }

    #[test]
    fn each_refusal_is_explained_and_has_its_kind() {
        for (query, kind, why) in [
            ("error=access_denied", Kind::Credential, "did not allow it"),
            ("error=admin_policy_enforced", Kind::Config, "refused the login: admin_policy_enforced"),
            ("error=temporarily_unavailable", Kind::Unavailable, "temporarily_unavailable"),
            ("error=%1B%5B31mnew%0A", Kind::Credential, "refused the login: 31mnew"),
            ("code=", Kind::Credential, "no authorization code"),
            ("x=1", Kind::Credential, "no authorization code"),
        ] {
            let query = format!("{query}&state=the-state");
            let refused = in_query(&query, &state()).expect("a response").unwrap_err();
            assert!(refused.kind == kind && refused.message.contains(why), "{query}: {refused:?}");
        }
    }
}
