//! `/tokeninfo`, `/revoke` and the account's own address: what a token is, and its end.

use serde_json::json;

use super::accounts::{AccessToken, Holder};
use super::error::OauthError;
use crate::reply::Reply;
use crate::request::Request;
use crate::world::World;

/// Scopes that let a client know whose token it holds.
const EMAIL_SCOPES: &[&str] = &["openid", "email", "https://www.googleapis.com/auth/userinfo.email"];

/// `GET` or `POST /tokeninfo`; numbers are strings, as Google has it.
pub(crate) fn tokeninfo(world: &World, request: &Request) -> Reply {
    let now = world.kept.clock.seconds();
    let token = parameter(request, "access_token");
    let Some(token) = token.and_then(|token| world.kept.accounts.live_token(&token, now)) else {
        return OauthError::new(400, "invalid_token", "Invalid Value").reply();
    };
    let mut body = json!({
        "azp": token.issued_to,
        "aud": token.issued_to,
        "scope": token.scopes.join(" "),
        "exp": token.expires_at.to_string(),
        "expires_in": (token.expires_at - now).to_string(),
    });
    if tells_email(token) {
        body["email"] = json!(token.email);
        body["email_verified"] = json!("true");
    }
    body["access_type"] = json!(if token.holder == Holder::Person { "offline" } else { "online" });
    Reply::json(200, body)
}

/// `POST /revoke`: a person's token of either kind ends everything they granted the client.
pub(crate) fn revoke(world: &mut World, request: &Request) -> Reply {
    let now = world.kept.clock.seconds();
    let token = parameter(request, "token").unwrap_or_default();
    let accounts = &mut world.kept.accounts;
    let from_grant =
        accounts.find_grant(&token).filter(|grant| grant.is_live(now)).map(|grant| grant.email.clone());
    let from_access = accounts.live_token(&token, now).map(|token| (token.email.clone(), token.holder));
    match (from_grant, from_access) {
        (Some(email), _) | (None, Some((email, Holder::Person))) => accounts.revoke_person(&email),
        (None, Some((_, Holder::Service))) => accounts.forget_token(&token),
        (None, None) => return OauthError::new(400, "invalid_token", "Token expired or revoked").reply(),
    }
    Reply::json(200, json!({}))
}

/// `GET /oauth2/v3/userinfo`: the address, for a token that may read it.
pub(crate) fn userinfo(world: &World, request: &Request) -> Reply {
    let header = request.authorization.as_deref().unwrap_or_default();
    let token = header.strip_prefix("Bearer ").unwrap_or_default();
    match world.kept.accounts.live_token(token, world.kept.clock.seconds()) {
        Some(token) if tells_email(token) => {
            Reply::json(200, json!({"sub": token.email, "email": token.email, "email_verified": true}))
        }
        _ => OauthError::new(401, "invalid_request", "Invalid Credentials").reply(),
    }
}

fn tells_email(token: &AccessToken) -> bool {
    token.scopes.iter().any(|scope| EMAIL_SCOPES.contains(&scope.as_str()))
}

/// A parameter of the form or, failing that, of the query.
fn parameter(request: &Request, name: &str) -> Option<String> {
    request.form().get(name).map(str::to_owned).or_else(|| request.query_value(name))
}
