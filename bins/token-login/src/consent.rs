//! The request for a user's consent: its address, and the two values that only this run knows.
//!
//! The parameters are those of RFC 6749 section 4.1.1, with PKCE (RFC 7636, method S256).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom as _, SystemRandom};
use shared::cause::Cause;
use shared::{Failure, Kind, Result, Secret};
use url::Url;

use crate::client::OauthClient;

/// RFC 7636 section 4.1 recommends 32 random bytes, which are 43 characters.
const RANDOM_BYTES: usize = 32;

/// An authorization request (RFC 6749, section 4.1.1).
pub(crate) struct Consent {
    /// The page on which the user allows or denies it.
    pub url: String,
    /// Returned only with the response to this request.
    pub state: Secret,
    /// Proves at the exchange that this run asked for the code.
    pub verifier: Secret,
}

impl Consent {
    /// Asks for these scopes, for a token that works while the user is away.
    pub fn new(
        client: &OauthClient,
        redirect_uri: &str,
        scopes: &[String],
        hint: Option<&str>,
    ) -> Result<Self> {
        let mut url = Url::parse(&client.auth_uri).map_err(|error| unusable(&client.auth_uri, error))?;
        let (state, verifier) = (random()?, random()?);
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &client.id)
            .append_pair("redirect_uri", redirect_uri)
            .append_pair("scope", &scopes.join(" "))
            .append_pair("state", &state)
            .append_pair("code_challenge", &challenge(&verifier))
            .append_pair("code_challenge_method", "S256")
            .append_pair("access_type", "offline")
            // Without it Google gives a refresh token at the first login only.
            .append_pair("prompt", "consent");
        if let Some(hint) = hint {
            url.query_pairs_mut().append_pair("login_hint", hint);
        }
        Ok(Self { url: url.into(), state: Secret::new(state), verifier: Secret::new(verifier) })
    }
}

fn unusable(auth_uri: &str, error: url::ParseError) -> Failure {
    Failure::new(
        Kind::Credential,
        format!("the OAuth client's auth_uri {auth_uri:?} is not an address: {error}"),
        "download the client again: https://console.cloud.google.com/apis/credentials",
    )
    .caused_by(Cause::new(error))
}

fn random() -> Result<String> {
    let mut bytes = [0; RANDOM_BYTES];
    SystemRandom::new().fill(&mut bytes).map_err(|error| {
        Failure::bug("the operating system gives no random bytes").caused_by(Cause::new(error))
    })?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// RFC 7636 section 4.2.
fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn the_challenge_is_that_of_appendix_b() {
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        assert_eq!(challenge(verifier), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn the_address_asks_for_everything_that_google_needs_and_no_secret() {
        let client = OauthClient {
            id: "c".into(),
            secret: Secret::new("the-client-secret"),
            auth_uri: "https://accounts.google.com/o/oauth2/auth".into(),
            token_uri: "https://oauth2.googleapis.com/token".into(),
        };
        let scopes = ["https://a".to_owned(), "b".to_owned()];
        let consent = Consent::new(&client, "http://127.0.0.1:5/", &scopes, Some("ann@example.com")).unwrap();
        let url = Url::parse(&consent.url).unwrap();
        let mut asked: BTreeMap<String, String> = url.query_pairs().into_owned().collect();
        assert_eq!(asked.remove("code_challenge").map(|challenge| challenge.len()), Some(43));
        assert_eq!(asked.remove("state").as_deref(), Some(consent.state.expose()));
        let expected = [
            ("access_type", "offline"),
            ("client_id", "c"),
            ("code_challenge_method", "S256"),
            ("login_hint", "ann@example.com"),
            ("prompt", "consent"),
            ("redirect_uri", "http://127.0.0.1:5/"),
            ("response_type", "code"),
            ("scope", "https://a b"),
        ];
        assert_eq!(asked, expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
        for secret in [consent.verifier.expose(), client.secret.expose()] {
            assert!(!consent.url.contains(secret));
        }
    }
}
