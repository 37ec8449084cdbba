//! A service account's signed assertion: read, checked against its key, its audience and the clock.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use serde::Deserialize;

use super::accounts::ServiceAccount;
use super::error::OauthError;
use super::key;

/// Google takes assertions with and without padding, and client libraries send both.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
const LONGEST_LIFE_S: i64 = 3600;
/// How far the two clocks may be apart.
const CLOCK_SKEW_S: i64 = 300;
const TIMEFRAME: &str = "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. \
     Check your iat and exp values in the JWT claim.";
const NOT_AUTHORIZED: &str = "Client is unauthorized to retrieve access tokens using this method, \
     or client not authorized for any of the scopes requested.";

/// A parsed assertion, not yet believed.
pub(crate) struct Assertion {
    claims: Claims,
    signed: String,
    signature: Vec<u8>,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    iat: i64,
    exp: i64,
    sub: Option<String>,
    scope: Option<String>,
}

/// Takes the three parts apart.
pub(crate) fn parse(text: &str) -> Result<Assertion, OauthError> {
    let malformed = || OauthError::grant("Invalid JWT: Failed to parse the assertion.");
    let (signed, signature) = text.rsplit_once('.').ok_or_else(malformed)?;
    let (header, claims) = signed.split_once('.').ok_or_else(malformed)?;
    let header: Header = part(header).ok_or_else(malformed)?;
    if header.alg != "RS256" {
        return Err(OauthError::grant("Invalid JWT Signature."));
    }
    let claims = part(claims).ok_or_else(malformed)?;
    let signature = LENIENT.decode(signature).map_err(|_| malformed())?;
    Ok(Assertion { claims, signed: signed.to_owned(), signature })
}

fn part<T: for<'de> Deserialize<'de>>(text: &str) -> Option<T> {
    serde_json::from_slice(&LENIENT.decode(text).ok()?).ok()
}

impl Assertion {
    /// The account that says it made the assertion.
    pub(crate) fn issuer(&self) -> &str {
        &self.claims.iss
    }

    /// The account, once everything it claims holds.
    pub(crate) fn check<'a>(
        &self,
        services: &'a BTreeMap<String, ServiceAccount>,
        audiences: &[String],
        now: i64,
    ) -> Result<&'a ServiceAccount, OauthError> {
        let account = services.get(self.issuer());
        let account = account.ok_or_else(|| OauthError::grant("Invalid grant: account not found"))?;
        if account.is_revoked || !key::verifies(&account.public_der, self.signed.as_bytes(), &self.signature)
        {
            return Err(OauthError::grant("Invalid JWT Signature."));
        }
        if !audiences.contains(&self.claims.aud) {
            return Err(OauthError::grant("Invalid JWT: Failed audience check."));
        }
        self.check_time(now)?;
        match &self.claims.sub {
            Some(subject) if subject != self.issuer() => {
                Err(OauthError::new(401, "unauthorized_client", NOT_AUTHORIZED))
            }
            _ => Ok(account),
        }
    }

    fn check_time(&self, now: i64) -> Result<(), OauthError> {
        let Claims { iat, exp, .. } = self.claims;
        let is_short_lived = exp > iat && exp.saturating_sub(iat) <= LONGEST_LIFE_S;
        if is_short_lived && iat <= now.saturating_add(CLOCK_SKEW_S) && exp > now {
            return Ok(());
        }
        Err(OauthError::grant(TIMEFRAME))
    }

    /// The scopes asked for: some, and each of Google's form.
    pub(crate) fn scopes(&self) -> Result<Vec<String>, OauthError> {
        let asked = self.claims.scope.as_deref().unwrap_or_default();
        let scopes: Vec<String> = asked.split_whitespace().map(str::to_owned).collect();
        if scopes.is_empty() || !scopes.iter().all(|scope| is_scope(scope)) {
            return Err(OauthError::new(
                400,
                "invalid_scope",
                "Invalid OAuth scope or ID token audience provided.",
            ));
        }
        Ok(scopes)
    }
}

/// Whether a text has the form of a scope that Google knows.
pub(crate) fn is_scope(text: &str) -> bool {
    matches!(text, "openid" | "email" | "profile") || text.starts_with("https://www.googleapis.com/auth/")
}
