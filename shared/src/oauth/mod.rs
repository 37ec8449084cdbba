//! Access tokens for a credential, fetched when needed and never stored.
//!
//! The refresh of a user's token is a call of our own, because yup-oauth2 discards the server's reason. Service
//! accounts use yup-oauth2. Two jobs may share a credential, so the call and a rotation that follows from it happen
//! under the credential's own lock, and the file is read again inside it.

mod gate;
mod hints;
mod in_flight;
mod service_account;
mod token_cache;
mod token_failure;
mod token_source;
mod user;

use crate::Result;
use crate::credential::Credential;
use crate::sys::http::Http;

pub use gate::{ProbePolicy, RefreshGate};
pub use in_flight::finish_refreshes;
pub use token_cache::{AccessToken, TokenCache};
pub use token_failure::TokenFailure;
pub use token_source::TokenSource;
pub use user::{Exchange, Granted, exchange};

/// Requests one access token with a credential that is not installed yet. Does not retry, and writes no file.
///
/// # Errors
/// [`TokenFailure::Local`] for a key that cannot sign; [`TokenFailure::Refused`] when the endpoint granted no token.
pub async fn try_credential(
    credential: &Credential,
    scopes: &[String],
    http: &Http,
) -> Result<Granted, TokenFailure> {
    match credential {
        Credential::User(user) => Ok(user::fetch(user, http).await?),
        Credential::ServiceAccount(account) => {
            service_account::fetch(account, scopes, http).await.map(Granted::from_service_account)
        }
    }
}
