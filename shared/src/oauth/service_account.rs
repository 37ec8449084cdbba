//! Tokens for a service account, signed and fetched by yup-oauth2.
//!
//! yup-oauth2 returns no HTTP status and no `Date` header, and Google refuses a wrong clock and a deleted key with the
//! same `invalid_grant`. After such a refusal the endpoint's clock is therefore compared with this machine's.

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use yup_oauth2::error::{AuthError, SendError};
use yup_oauth2::{Error, ServiceAccountAuthenticator, ServiceAccountKey};

use super::{AccessToken, TokenFailure};
use crate::cause::Cause;
use crate::credential::ServiceAccount;
use crate::credential::token_error::{TokenError, TokenErrorClass, classify};
use crate::sys::http::{self, Http};
use crate::{Failure, Kind, Result, Secret};

/// Google refuses assertions outside a "reasonable timeframe"; beyond this the clock is to blame.
const CLOCK_TOLERANCE: TimeDelta = TimeDelta::minutes(5);

/// Signs an assertion and exchanges it.
pub(super) async fn fetch(
    account: &ServiceAccount,
    scopes: &[String],
    http: &Http,
) -> Result<AccessToken, TokenFailure> {
    let key: ServiceAccountKey = serde_json::from_str(account.content.expose())
        .map_err(|error| unusable(account, "a field is missing").caused_by(error))?;
    let client = hyper_util::client::legacy::Client::builder(hyper_util::rt::TokioExecutor::new())
        .pool_max_idle_per_host(0)
        .build(http::connector()?);
    let builder = ServiceAccountAuthenticator::with_client(
        key,
        yup_oauth2::client::CustomHyperClientBuilder::from(client),
    );
    let authenticator = builder.build().await.map_err(|error| unusable(account, &error).caused_by(error))?;
    let exchange = authenticator.token(scopes);
    // The library's own timeout ends at the headers; this one covers the body as well.
    let token = match tokio::time::timeout(http.timeout(), exchange).await {
        Ok(Ok(token)) => token,
        Ok(Err(Error::AuthError(error))) => return Err(refused(&error, account, http).await.into()),
        Ok(Err(error)) => return Err(without_body(error).into()),
        Err(_) => return Err(TokenError::no_response("no whole answer in time").into()),
    };
    let ends = token.expiration_time().and_then(|time| DateTime::from_timestamp(time.unix_timestamp(), 0));
    match (token.token(), ends) {
        (Some(value), Some(expires_at)) => {
            Ok(AccessToken { value: Secret::new(value), expires_at, scopes: None })
        }
        _ => Err(TokenError::no_response("its answer holds no token").into()),
    }
}

fn unusable(account: &ServiceAccount, why: impl fmt::Display) -> Failure {
    Failure::new(
        Kind::Credential,
        format!("the service-account key of {} cannot be used: {why}", account.client_email),
        "make a new key: https://console.cloud.google.com/iam-admin/serviceaccounts",
    )
}

async fn refused(error: &AuthError, account: &ServiceAccount, http: &Http) -> TokenError {
    let code = error.error.as_str();
    let description = error.error_description.as_ref().map(|text| format!(" ({text})")).unwrap_or_default();
    let message = format!(
        "the token endpoint refused the service account {}: {code}{description}",
        account.client_email
    );
    // The library does not return the HTTP status, so 400 is assumed and the error code decides.
    let class = classify(400, Some(code));
    if class == TokenErrorClass::Dead
        && let Some(skew) = clock_skew(account, http).await
    {
        let message = format!("{message}; this machine's clock is {} minutes off", skew.num_minutes());
        return TokenError::new(TokenErrorClass::Clock, message);
    }
    TokenError::new(class, message)
}

/// How far this machine's clock is from the endpoint's, if further than the tolerance.
async fn clock_skew(account: &ServiceAccount, http: &Http) -> Option<TimeDelta> {
    let reply = http.get(&account.token_uri).await.ok()?;
    let skew = (Utc::now() - reply.date?).abs();
    (skew > CLOCK_TOLERANCE).then_some(skew)
}

/// Leaves out the body of the response, which could hold a token.
fn without_body(error: Error) -> TokenError {
    match error {
        Error::JSONError(error) => {
            TokenError::no_response("its answer is not JSON with a token").caused_by(error)
        }
        Error::HttpClientError(SendError::Hyper(error)) => {
            TokenError::no_response(http::chain(&error)).caused_by(Cause::new(error))
        }
        Error::HttpClientError(_) => TokenError::no_response("the exchange broke off"),
        Error::HttpError(error) => {
            TokenError::no_response("the exchange broke off").caused_by(Cause::new(error))
        }
        Error::LowLevelError(error) => TokenError::no_response(&error).caused_by(error),
        _ => TokenError::no_response("the exchange failed"),
    }
}
