//! The refresh call for a person's credential (RFC 6749, section 6).
//!
//! One exchange and what it brought; retries, locks and files are the caller's.

use chrono::{TimeDelta, Utc};
use serde::Deserialize;

use super::{AccessToken, Refusal};
use crate::Secret;
use crate::credential::User;
use crate::http::Http;

/// How long a token is taken to last when the answer does not say: Google's hour, less a minute.
const USUAL_SECONDS: i64 = 3540;

/// What a refresh brings.
pub(super) struct Granted {
    pub access_token: AccessToken,
    /// A new refresh token, from servers that rotate them; Google's rarely does.
    pub refresh_token: Option<Secret>,
}

#[derive(Deserialize)]
struct TokenBody {
    access_token: Secret,
    expires_in: Option<i64>,
    refresh_token: Option<Secret>,
}

/// Exchanges the refresh token for an access token.
pub(super) async fn fetch(user: &User, http: &Http) -> Result<Granted, Refusal> {
    let form = [
        ("grant_type", "refresh_token"),
        ("client_id", &user.client_id),
        ("client_secret", user.client_secret.expose()),
        ("refresh_token", user.refresh_token.expose()),
    ];
    let reply = http.post_form(&user.token_uri, &form).await.map_err(Refusal::unheard)?;
    let body = match serde_json::from_slice::<TokenBody>(&reply.body) {
        Ok(body) if reply.status == 200 && !body.access_token.expose().is_empty() => body,
        _ => return Err(Refusal::from_reply(&reply)),
    };
    let seconds = body.expires_in.filter(|seconds| (1..=86_400).contains(seconds)).unwrap_or(USUAL_SECONDS);
    Ok(Granted {
        access_token: AccessToken {
            value: body.access_token,
            expires_at: Utc::now() + TimeDelta::seconds(seconds),
        },
        refresh_token: body.refresh_token.filter(|token| !token.expose().is_empty()),
    })
}
