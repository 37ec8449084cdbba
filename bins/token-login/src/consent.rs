//! The request for a person's consent: its address, and the two values that only this run knows.
//!
//! The `oauth2` crate makes PKCE, state and address (RFC 7636, RFC 6749 section 4.1.1). Its exchange is not used: it keeps
//! the HTTP status to itself, by which refusals are classified here.

use oauth2::basic::BasicClient;
use oauth2::{AuthUrl, ClientId, CsrfToken, PkceCodeChallenge, RedirectUrl, Scope};
use shared::{Failure, Kind, Result, Secret};

use crate::client::OauthClient;

/// A request that a person is to answer.
pub(crate) struct Consent {
    /// Where the person allows or denies.
    pub url: String,
    /// Comes back with the answer to this request only.
    pub state: Secret,
    /// Proves at the exchange that the code was asked for by this run.
    pub verifier: Secret,
}

impl Consent {
    /// Asks for these scopes, for a token that works while the person is away.
    pub fn new(
        client: &OauthClient,
        redirect_uri: &str,
        scopes: &[String],
        hint: Option<&str>,
    ) -> Result<Self> {
        let unusable = |error: url::ParseError| {
            Failure::new(
                Kind::Credential,
                format!("the OAuth client's auth_uri {:?} is not an address: {error}", client.auth_uri),
                "download the client again: https://console.cloud.google.com/apis/credentials",
            )
        };
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let asking = BasicClient::new(ClientId::new(client.id.clone()))
            .set_auth_uri(AuthUrl::new(client.auth_uri.clone()).map_err(unusable)?)
            .set_redirect_uri(RedirectUrl::new(redirect_uri.to_owned()).map_err(unusable)?);
        let mut request = asking
            .authorize_url(CsrfToken::new_random)
            .add_scopes(scopes.iter().cloned().map(Scope::new))
            .set_pkce_challenge(challenge)
            .add_extra_param("access_type", "offline")
            // Without it Google gives a refresh token at the first login only.
            .add_extra_param("prompt", "consent");
        if let Some(hint) = hint {
            request = request.add_extra_param("login_hint", hint);
        }
        let (url, state) = request.url();
        Ok(Self {
            url: url.into(),
            state: Secret::new(state.secret().as_str()),
            verifier: Secret::new(verifier.secret().as_str()),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

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
        let url = url::Url::parse(&consent.url).unwrap();
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
