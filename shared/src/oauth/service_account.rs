//! Tokens for a service account, signed and fetched by yup-oauth2.
//!
//! yup-oauth2 gives no HTTP status and no `Date` header, and Google answers a wrong clock and a deleted key with the
//! same `invalid_grant`: so after one, the endpoint's clock is asked for.

use chrono::{DateTime, TimeDelta, Utc};
use yup_oauth2::{Error, ServiceAccountAuthenticator, ServiceAccountKey};

use super::{AccessToken, Class, Refusal, classify};
use crate::credential::ServiceAccount;
use crate::http::{self, Http};
use crate::{Failure, Kind, Result, Secret};

/// Google refuses assertions outside a "reasonable timeframe"; beyond this the clock is to blame.
const CLOCK_TOLERANCE: TimeDelta = TimeDelta::minutes(5);

/// Signs an assertion and exchanges it. The outer error is local, the inner one the server's.
pub(super) async fn fetch(
    account: &ServiceAccount,
    scopes: &[String],
    http: &Http,
) -> Result<std::result::Result<AccessToken, Refusal>> {
    let unusable = |why: String| {
        Failure::new(
            Kind::Credential,
            format!("the service-account key of {} cannot be used: {why}", account.client_email),
            "make a new key: https://console.cloud.google.com/iam-admin/serviceaccounts",
        )
    };
    let key: ServiceAccountKey =
        serde_json::from_str(account.content.expose()).map_err(|_| unusable("a field is missing".into()))?;
    let client = hyper_util::client::legacy::Client::builder(hyper_util::rt::TokioExecutor::new())
        .pool_max_idle_per_host(0)
        .build(http::connector()?);
    let builder = ServiceAccountAuthenticator::with_client(
        key,
        yup_oauth2::client::CustomHyperClientBuilder::from(client),
    );
    let authenticator = builder.build().await.map_err(|error| unusable(error.to_string()))?;
    let exchange = authenticator.token(scopes);
    // The library's own timeout ends at the headers; this one covers the body as well.
    let answer = match tokio::time::timeout(http.timeout(), exchange).await {
        Ok(Ok(token)) => token,
        Ok(Err(error)) => return Ok(Err(refusal(&error, account, http).await)),
        Err(_) => return Ok(Err(Refusal::unheard("no whole answer in time"))),
    };
    let ends = answer.expiration_time().and_then(|time| DateTime::from_timestamp(time.unix_timestamp(), 0));
    Ok(match (answer.token(), ends) {
        (Some(value), Some(expires_at)) => {
            Ok(AccessToken { value: Secret::new(value), expires_at, scopes: None })
        }
        _ => Err(Refusal::unheard("its answer holds no token")),
    })
}

async fn refusal(error: &Error, account: &ServiceAccount, http: &Http) -> Refusal {
    let Error::AuthError(auth) = error else {
        return Refusal::unheard(unheard(error));
    };
    let code = auth.error.as_str();
    let description = auth.error_description.as_ref().map(|text| format!(" ({text})")).unwrap_or_default();
    let words = format!(
        "the token endpoint refused the service account {}: {code}{description}",
        account.client_email
    );
    // The library's own reading of the error decides; 400 stands for the status that it keeps to itself.
    let class = classify(400, Some(code));
    if class == Class::Dead
        && let Some(skew) = clock_skew(account, http).await
    {
        let words = format!("{words}; this machine's clock is {} minutes off", skew.num_minutes());
        return Refusal { class: Class::Clock, words, retry_after: None, is_reauth: false };
    }
    Refusal { class, words, retry_after: None, is_reauth: false }
}

/// How far this machine's clock is from the endpoint's, if that is too far.
async fn clock_skew(account: &ServiceAccount, http: &Http) -> Option<TimeDelta> {
    let reply = http.get(&account.token_uri).await.ok()?;
    let skew = (Utc::now() - reply.date?).abs();
    (skew > CLOCK_TOLERANCE).then_some(skew)
}

/// An error without the body that caused it, which could hold a token.
fn unheard(error: &Error) -> String {
    match error {
        Error::JSONError(_) => "its answer is not JSON with a token".to_owned(),
        Error::HttpClientError(yup_oauth2::error::SendError::Hyper(error)) => http::chain(error),
        Error::HttpClientError(_) | Error::HttpError(_) => "the exchange broke off".to_owned(),
        Error::LowLevelError(error) => error.to_string(),
        _ => "the exchange failed".to_owned(),
    }
}
