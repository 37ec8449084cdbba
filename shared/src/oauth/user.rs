//! The token requests for a user's credential: the refresh (RFC 6749, section 6) and, at a login, the exchange of an
//! authorization code (section 4.1.3, with PKCE as in RFC 7636).
//!
//! Each function sends one request. Retries, locks and files belong to the caller.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;

use super::AccessToken;
use crate::Secret;
use crate::credential::User;
use crate::credential::health::GrantInfo;
use crate::credential::token_error::TokenError;
use crate::sys::http::Http;

/// The lifetime of a token when the response does not give it: Google's hour, less a minute.
const USUAL_SECONDS: i64 = 3540;

/// What the endpoint granted.
#[derive(Clone, Debug)]
pub struct Granted {
    /// The access token.
    pub access_token: AccessToken,
    /// The refresh token after a login. After a refresh: the new one of a server that rotates them; Google rarely does.
    pub refresh_token: Option<Secret>,
    /// The lifetime of the refresh token in seconds, where it is limited: time-limited access, or a client in *Testing*.
    pub refresh_token_expires_in: Option<i64>,
    /// The server's clock.
    pub date: Option<DateTime<Utc>>,
}

impl Granted {
    /// What the credential's health records of it.
    pub fn grant_info(&self, now: DateTime<Utc>) -> GrantInfo {
        let remaining = self.refresh_token_expires_in.and_then(TimeDelta::try_seconds);
        let ends = remaining.and_then(|remaining| now.checked_add_signed(remaining));
        GrantInfo { rotated: None, scopes: self.access_token.scopes.clone(), ends }
    }

    /// A service account gets a token alone, with the requested scopes.
    pub(super) fn from_service_account(access_token: AccessToken) -> Self {
        Self { access_token, refresh_token: None, refresh_token_expires_in: None, date: None }
    }
}

/// What a login exchanges for tokens once the user has agreed.
#[derive(Debug)]
pub struct Exchange<'a> {
    /// The OAuth client.
    pub client_id: &'a str,
    /// The client's secret.
    pub client_secret: &'a Secret,
    /// The token endpoint.
    pub token_uri: &'a str,
    /// The address to which the browser was redirected.
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
pub(super) async fn fetch(user: &User, http: &Http) -> Result<Granted, TokenError> {
    let form = [
        ("grant_type", "refresh_token"),
        ("client_id", &user.client_id),
        ("client_secret", user.client_secret.expose()),
        ("refresh_token", user.refresh_token.expose()),
    ];
    let granted = request(&user.token_uri, &form, http).await;
    granted.map_err(|error| error.without(&[&user.refresh_token, &user.client_secret]))
}

/// Exchanges an authorization code for tokens. Does not retry: a code is valid for one exchange.
///
/// # Errors
/// The classified refusal.
pub async fn exchange(login: &Exchange<'_>, http: &Http) -> Result<Granted, TokenError> {
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", login.client_id),
        ("client_secret", login.client_secret.expose()),
        ("code", login.code.expose()),
        ("code_verifier", login.verifier.expose()),
        ("redirect_uri", login.redirect_uri),
    ];
    let granted = request(login.token_uri, &form, http).await;
    granted.map_err(|error| error.without(&[login.client_secret, login.code, login.verifier]))
}

async fn request(token_uri: &str, form: &[(&str, &str)], http: &Http) -> Result<Granted, TokenError> {
    let reply = http.post_form(token_uri, form).await?;
    let body = match serde_json::from_slice::<TokenBody>(&reply.body) {
        Ok(body) if reply.status == 200 && !body.access_token.expose().is_empty() => body,
        _ => {
            let error = TokenError::from_response(reply.status, &reply.body);
            return Err(TokenError { retry_after: reply.retry_after, ..error });
        }
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
