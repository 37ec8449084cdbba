//! Access tokens for a credential, fetched when needed and never stored.
//!
//! A user's refresh call is ours, since yup-oauth2 swallows the server's reason; service accounts go through
//! yup-oauth2. Two jobs may share a credential: the call and the rotation it may bring happen under the credential's
//! own lock, with the file read again inside it.

pub(crate) mod classify;
mod ledger;
mod remedy;
mod rotating;
mod service_account;
mod source;
mod user;
mod wallet;

use crate::Result;
use crate::credential::Credential;
use crate::http::Http;

pub use classify::{Class, Refusal, classify};
pub use ledger::{Asking, Ledger};
pub use rotating::keep_rotated;
pub use source::TokenSource;
pub use user::{Exchange, Granted, exchange};
pub use wallet::{AccessToken, Wallet};

/// Buys one access token with a credential that need not be in its place yet. Nothing is tried again or written.
///
/// # Errors
/// The outer error is local, such as a key that cannot sign; the inner one is the server's.
pub async fn prove(
    credential: &Credential,
    scopes: &[String],
    http: &Http,
) -> Result<std::result::Result<Granted, Refusal>> {
    match credential {
        Credential::User(user) => Ok(user::fetch(user, http).await),
        Credential::ServiceAccount(account) => {
            let bought = service_account::fetch(account, scopes, http).await?;
            Ok(bought.map(Granted::of_robot))
        }
    }
}
