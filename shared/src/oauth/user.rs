//! The token calls for a person's credential: the refresh (RFC 6749, section 6) and, at a login, the exchange of an
//! authorization code (section 4.1.3, with PKCE as in RFC 7636).
//!
//! One exchange and what it brought; retries, locks and files are the caller's.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;

use super::{AccessToken, Refusal};
use crate::Secret;
use crate::credential::User;
use crate::history::Good;
use crate::http::Http;

/// How long a token is taken to last when the answer does not say: Google's hour, less a minute.
const USUAL_SECONDS: i64 = 3540;

/// What the endpoint grants.
#[derive(Clone, Debug)]
pub struct Granted {
    /// The access token.
    pub access_token: AccessToken,
    /// The refresh token after a login. After a refresh, a new one from servers that rotate them; Google's rarely does.
    pub refresh_token: Option<Secret>,
    /// How many seconds the refresh token lives, where its end is fixed: access for a limited time, or a test client's.
    pub refresh_token_expires_in: Option<i64>,
    /// The server's clock.
    pub date: Option<DateTime<Utc>>,
}

impl Granted {
    /// What the histories are told of it.
    pub fn good(&self, now: DateTime<Utc>) -> Good {
        let left = self.refresh_token_expires_in.and_then(TimeDelta::try_seconds);
        let ends = left.and_then(|left| now.checked_add_signed(left));
        Good { rotated: None, scopes: self.access_token.scopes.clone(), ends }
    }

    /// What a service account is granted: a token, with the scopes that were asked for.
    pub(super) fn of_robot(access_token: AccessToken) -> Self {
        Self { access_token, refresh_token: None, refresh_token_expires_in: None, date: None }
    }
}

/// What a login has in hand when the person has agreed.
#[derive(Debug)]
pub struct Exchange<'a> {
    /// The OAuth client.
    pub client_id: &'a str,
    /// Its secret.
    pub client_secret: &'a Secret,
    /// Where codes are exchanged.
    pub token_uri: &'a str,
    /// The address to which the browser was sent back.
    pub redirect_uri: &'a str,
    /// The authorization code.
    pub code: &'a Secret,
    /// The PKCE verifier.
    pub verifier: &'a Secret,
}

#[derive(Deserialize)]
struct TokenBody {
    access_token: Secret,
    expires_in: Option<i64>,
    refresh_token: Option<Secret>,
    refresh_token_expires_in: Option<i64>,
    scope: Option<String>,
}

/// Exchanges the refresh token for an access token.
pub(super) async fn fetch(user: &User, http: &Http) -> Result<Granted, Refusal> {
    let form = [
        ("grant_type", "refresh_token"),
        ("client_id", &user.client_id),
        ("client_secret", user.client_secret.expose()),
        ("refresh_token", user.refresh_token.expose()),
    ];
    let answer = ask(&user.token_uri, &form, http).await;
    answer.map_err(|refusal| refusal.without(&[&user.refresh_token, &user.client_secret]))
}

/// Exchanges an authorization code for tokens. A code is good for one exchange, so this is never tried again.
///
/// # Errors
/// The refusal, classified.
pub async fn exchange(login: &Exchange<'_>, http: &Http) -> Result<Granted, Refusal> {
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", login.client_id),
        ("client_secret", login.client_secret.expose()),
        ("code", login.code.expose()),
        ("code_verifier", login.verifier.expose()),
        ("redirect_uri", login.redirect_uri),
    ];
    let answer = ask(login.token_uri, &form, http).await;
    answer.map_err(|refusal| refusal.without(&[login.client_secret, login.code, login.verifier]))
}

async fn ask(token_uri: &str, form: &[(&str, &str)], http: &Http) -> Result<Granted, Refusal> {
    let reply = http.post_form(token_uri, form).await.map_err(Refusal::unheard)?;
    let body = match serde_json::from_slice::<TokenBody>(&reply.body) {
        Ok(body) if reply.status == 200 && !body.access_token.expose().is_empty() => body,
        _ => return Err(Refusal::from_reply(&reply)),
    };
    let seconds = body.expires_in.filter(|seconds| (1..=86_400).contains(seconds)).unwrap_or(USUAL_SECONDS);
    Ok(Granted {
        access_token: AccessToken {
            value: body.access_token,
            expires_at: Utc::now() + TimeDelta::seconds(seconds),
            scopes: body.scope.map(|scopes| scopes.split_whitespace().map(str::to_owned).collect()),
        },
        refresh_token: body.refresh_token.filter(|token| !token.expose().is_empty()),
        refresh_token_expires_in: body.refresh_token_expires_in,
        date: reply.date,
    })
}
