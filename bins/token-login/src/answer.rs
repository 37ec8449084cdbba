//! What a person's answer says: from the browser's request, or from what was pasted. It is pure.

use shared::{Failure, Kind, Secret, oauth};
use url::form_urlencoded;

/// The code to exchange, or why there is none.
pub(crate) type Answer = Result<Secret, Failure>;

/// A code alone is no shorter and no longer than this.
const CODE_LENGTHS: std::ops::RangeInclusive<usize> = 10..=2048;

/// The answer in the query of the address to which the browser was sent back; none if it is no answer at all.
pub(crate) fn in_query(query: &str, state: &Secret) -> Option<Answer> {
    let find = |wanted: &str| {
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        pairs.find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned())
    };
    let (code, error, returned) = (find("code"), find("error"), find("state"));
    if code.is_none() && error.is_none() && returned.is_none() {
        return None;
    }
    // An answer that was not asked for is not believed, whatever else it says (RFC 6749, section 10.12).
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

/// The answer in what a person pasted: the address of the last page, its query, or the code alone; none if it is neither.
///
/// A code alone comes without its state. PKCE stands in for it: only a code that this run asked for can be exchanged.
pub(crate) fn in_pasted(text: &str, state: &Secret) -> Option<Answer> {
    let text = text.trim();
    let query = text.split_once('?').map_or(text, |(_, query)| query);
    let query = query.split_once('#').map_or(query, |(query, _)| query);
    if let Some(answer) = in_query(query, state) {
        return Some(answer);
    }
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/-._~%".contains(c);
    let is_code =
        CODE_LENGTHS.contains(&text.len()) && text.chars().all(is_plain) && !text.starts_with("http");
    is_code.then(|| {
        let decoded = form_urlencoded::parse(text.as_bytes()).next().map(|(code, _)| code.into_owned());
        Ok(Secret::new(decoded.unwrap_or_default()))
    })
}

/// `error` of RFC 6749, section 4.1.2.1, and Google's own.
fn refused(error: &str) -> Failure {
    if error == "access_denied" {
        return Failure::new(
            Kind::Credential,
            "the person did not allow it: access_denied",
            "type the same command again and press Allow; if there was no such button, the app is in testing: add the account as a test user or publish the app at https://console.cloud.google.com/auth/audience",
        );
    }
    // The word comes from the network: only what words are made of is shown.
    let word: String =
        error.chars().filter(|c| c.is_ascii_alphanumeric() || "_-.".contains(*c)).take(64).collect();
    let kind = match oauth::classify(400, Some(error)) {
        oauth::Class::Broken => Kind::Config,
        oauth::Class::Transient => Kind::Unavailable,
        oauth::Class::Dead | oauth::Class::Clock | oauth::Class::Unknown => Kind::Credential,
    };
    Failure::new(
        kind,
        format!("Google's page refused the login: {word}"),
        "look at the OAuth client: https://console.cloud.google.com/apis/credentials; then type the same command again",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> Secret {
        Secret::new("the-state")
    }

    fn code(answer: Option<Answer>) -> String {
        answer.expect("an answer").expect("a code").expose().to_owned()
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
    fn what_is_no_answer_is_none() {
        for text in
            ["", "yes", "what am I to do?", "http://127.0.0.1:5/", "https://accounts.google.com/o/oauth2"]
        {
            assert!(in_pasted(text, &state()).is_none(), "{text}");
        }
        assert!(in_query("", &state()).is_none());
        assert!(in_query("x=1", &state()).is_none());
    }

    #[test]
    fn an_answer_to_another_request_is_not_believed_whatever_it_says() {
        for query in
            ["code=c&state=other", "code=c", "error=access_denied&state=other", "error=access_denied"]
        {
            let refused = in_query(query, &state()).expect("an answer").unwrap_err();
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
            let refused = in_query(&query, &state()).expect("an answer").unwrap_err();
            assert!(refused.kind == kind && refused.message.contains(why), "{query}: {refused:?}");
        }
    }
}
