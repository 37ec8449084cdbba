//! `POST /token`: refresh tokens, service-account assertions and authorization codes become access tokens.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};

use super::accounts::{AccessToken, Code, Grant, Holder, Terms, TokenError};
use super::assertion;
use super::error::OauthError;
use crate::reply::Reply;
use crate::request::{Form, Request};
use crate::world::World;

/// An access token's life in seconds, as Google reports it.
pub(crate) const EXPIRES_IN: i64 = 3599;
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// What the endpoint says instead of a token.
enum Refusal {
    Usual(OauthError),
    /// The answer a test fixed for the account.
    Fixed(TokenError),
}

impl From<OauthError> for Refusal {
    fn from(error: OauthError) -> Self {
        Self::Usual(error)
    }
}

/// Answers one request to the token endpoint.
pub(crate) fn serve(world: &mut World, request: &Request) -> Reply {
    let form = with_basic_client(request);
    let outcome = match form.get("grant_type") {
        Some("refresh_token") => refresh(world, &form),
        Some(JWT_BEARER) => service_account(world, &form),
        Some("authorization_code") => exchange(world, &form),
        Some(other) => {
            Err(OauthError::new(400, "unsupported_grant_type", format!("Invalid grant_type: {other}")).into())
        }
        None => Err(OauthError::request("Required parameter is missing: grant_type").into()),
    };
    let reply = match outcome {
        Ok(body) => Reply::json(200, body),
        Err(Refusal::Usual(error)) => error.reply(),
        Err(Refusal::Fixed(TokenError { status, body: Value::String(text) })) => Reply::html(status, text),
        Err(Refusal::Fixed(TokenError { status, body })) => Reply::json(status, body),
    };
    reply
        .header("cache-control", "no-cache, no-store, max-age=0, must-revalidate")
        .header("pragma", "no-cache")
        .header("vary", "Origin, X-Origin, Referer")
}

/// The form, with the client that some libraries name in a header instead.
fn with_basic_client(request: &Request) -> Form {
    let mut form = request.form();
    let header = request.authorization.as_deref().and_then(|header| header.strip_prefix("Basic "));
    let decoded =
        header.and_then(|header| STANDARD.decode(header).ok()).and_then(|text| String::from_utf8(text).ok());
    if let Some((id, secret)) = decoded.as_deref().and_then(|text| text.split_once(':')) {
        form.0.push(("client_id".to_owned(), id.to_owned()));
        form.0.push(("client_secret".to_owned(), secret.to_owned()));
    }
    form
}

fn refresh(world: &mut World, form: &Form) -> Result<Value, Refusal> {
    check_client(world, form)?;
    let Some(token) = form.get("refresh_token") else {
        return Err(OauthError::request("Missing required parameter: refresh_token").into());
    };
    let now = world.kept.clock.seconds();
    let accounts = &mut world.kept.accounts;
    let Some(grant) = accounts.find_grant(token).cloned() else {
        return Err(OauthError::grant("Bad Request").into());
    };
    if let Some(fixed) = accounts.token_errors.get(&grant.email) {
        return Err(Refusal::Fixed(fixed.clone()));
    }
    if !grant.is_live(now) {
        return Err(OauthError::revoked().into());
    }
    let scopes = narrowed(&grant, form.get("scope"))?;
    let rotated = rotate(world, &grant, now);
    let mut body = user_tokens(world, &grant.email, &scopes, now);
    if let Some(rotated) = rotated {
        add_refresh_token(&mut body, &rotated, grant.terms);
    } else if let Some(end) = grant.ends_at {
        body["refresh_token_expires_in"] = json!(end - now);
    }
    Ok(in_google_order(&body))
}

/// The scopes asked for, which have to be among those granted.
fn narrowed(grant: &Grant, asked: Option<&str>) -> Result<Vec<String>, OauthError> {
    let Some(asked) = asked else { return Ok(grant.scopes.clone()) };
    let asked: Vec<String> = asked.split_whitespace().map(str::to_owned).collect();
    if asked.iter().all(|scope| grant.scopes.contains(scope)) {
        return Ok(asked);
    }
    Err(OauthError::new(400, "invalid_scope", "Bad Request"))
}

/// Notes the use; a rotating grant gets its next refresh token, and the present one dies.
fn rotate(world: &mut World, grant: &Grant, now: i64) -> Option<String> {
    let accounts = &mut world.kept.accounts;
    let old = accounts.find_grant(&grant.refresh_token)?;
    old.last_used = now;
    if !grant.terms.rotates {
        return None;
    }
    old.is_revoked = true;
    Some(accounts.grant(&grant.email, &grant.scopes, grant.terms, now))
}

fn service_account(world: &mut World, form: &Form) -> Result<Value, Refusal> {
    let Some(assertion) = form.get("assertion") else {
        return Err(OauthError::request("Missing required parameter: assertion").into());
    };
    let now = world.kept.clock.seconds();
    let assertion = assertion::parse(assertion)?;
    let audiences = world.audiences();
    let accounts = &mut world.kept.accounts;
    if let Some(fixed) = accounts.token_errors.get(assertion.issuer()) {
        return Err(Refusal::Fixed(fixed.clone()));
    }
    let account = assertion.check(&accounts.services, &audiences, now)?;
    let token = AccessToken {
        email: assertion.issuer().to_owned(),
        scopes: assertion.scopes()?,
        expires_at: now + EXPIRES_IN,
        issued_to: account.client_id.clone(),
        holder: Holder::Service,
    };
    let text = accounts.issue(token, now);
    Ok(json!({"access_token": text, "expires_in": EXPIRES_IN, "token_type": "Bearer"}))
}

fn exchange(world: &mut World, form: &Form) -> Result<Value, Refusal> {
    check_client(world, form)?;
    let Some(text) = form.get("code") else {
        return Err(OauthError::request("Missing required parameter: code").into());
    };
    let now = world.kept.clock.seconds();
    let Some(code) = world.kept.accounts.codes.get_mut(text) else {
        return Err(OauthError::grant("Malformed auth code.").into());
    };
    if let Some(fixed) = world.kept.accounts.token_errors.get(&code.email) {
        return Err(Refusal::Fixed(fixed.clone()));
    }
    check_code(code, form, now)?;
    code.is_used = true;
    let code = code.clone();
    let terms = Terms::default();
    let refresh_token = world.kept.accounts.grant(&code.email, &code.scopes, terms, now);
    let mut body = user_tokens(world, &code.email, &code.scopes, now);
    add_refresh_token(&mut body, &refresh_token, terms);
    Ok(in_google_order(&body))
}

fn check_code(code: &Code, form: &Form, now: i64) -> Result<(), OauthError> {
    if code.is_used || code.expires_at <= now {
        return Err(OauthError::grant("Bad Request"));
    }
    if form.get("redirect_uri") != Some(code.redirect_uri.as_str()) {
        return Err(OauthError::new(400, "redirect_uri_mismatch", "Bad Request"));
    }
    let Some(challenge) = &code.challenge else { return Ok(()) };
    let Some(verifier) = form.get("code_verifier") else {
        return Err(OauthError::grant("Missing code verifier."));
    };
    if URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes())) == challenge.trim_end_matches('=') {
        return Ok(());
    }
    Err(OauthError::grant("Invalid code verifier."))
}

fn check_client(world: &World, form: &Form) -> Result<(), OauthError> {
    let client = &world.kept.accounts.client;
    let Some(id) = form.get("client_id") else {
        return Err(OauthError::request("Could not determine client ID from request."));
    };
    if id != client.id {
        return Err(OauthError::new(401, "invalid_client", "The OAuth client was not found."));
    }
    match form.get("client_secret") {
        Some(secret) if secret == client.secret => Ok(()),
        Some(_) => Err(OauthError::new(401, "invalid_client", "The provided client secret is invalid.")),
        None => Err(OauthError::request("client_secret is missing.")),
    }
}

fn user_tokens(world: &mut World, email: &str, scopes: &[String], now: i64) -> Value {
    let accounts = &mut world.kept.accounts;
    let token = AccessToken {
        email: email.to_owned(),
        scopes: scopes.to_vec(),
        expires_at: now + EXPIRES_IN,
        issued_to: accounts.client.id.clone(),
        holder: Holder::Person,
    };
    let text = accounts.issue(token, now);
    json!({"access_token": text, "expires_in": EXPIRES_IN, "scope": scopes.join(" "), "token_type": "Bearer"})
}

fn add_refresh_token(body: &mut Value, refresh_token: &str, terms: Terms) {
    body["refresh_token"] = json!(refresh_token);
    if let Some(seconds) = terms.expires_in {
        body["refresh_token_expires_in"] = json!(seconds);
    }
}

/// Google writes the refresh token before the scope.
fn in_google_order(body: &Value) -> Value {
    let order =
        ["access_token", "expires_in", "refresh_token", "scope", "token_type", "refresh_token_expires_in"];
    let fields = order.iter().filter_map(|key| Some(((*key).to_owned(), body.get(key)?.clone())));
    Value::Object(fields.collect())
}
