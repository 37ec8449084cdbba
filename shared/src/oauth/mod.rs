//! Access tokens for a credential, fetched when needed and never stored.
//!
//! A user's refresh call is ours, since yup-oauth2 swallows the server's reason; service accounts go through
//! yup-oauth2. Two jobs may share a credential: the call and the rotation it may bring happen under the credential's
//! own lock, with the file read again inside it.

mod classify;
mod service_account;
mod user;

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use log::info;
use tokio::time::sleep;

use crate::credential::{Credential, Place};
use crate::http::Http;
use crate::lock::Lock;
use crate::{Failure, Kind, Result, Secret, credential, lock, retry};

pub use classify::{Class, Refusal, classify};
pub use user::{Exchange, Granted, exchange};

/// A token is fetched anew when less than this is left of it.
const REFRESH_MARGIN: TimeDelta = TimeDelta::minutes(5);

/// How long to wait for another job that refreshes the same credential: more than one exchange can take.
const LOCK_WAIT: Duration = Duration::from_secs(120);

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

/// An access token and when it ends.
#[derive(Clone, Debug)]
pub struct AccessToken {
    /// The bearer token.
    pub value: Secret,
    /// When it stops being accepted.
    pub expires_at: DateTime<Utc>,
}

/// Where a run's access tokens come from.
#[derive(Debug)]
pub struct TokenSource {
    place: Place,
    scopes: Vec<String>,
    locks: std::path::PathBuf,
    http: Http,
    first_pause: Duration,
    token: Option<AccessToken>,
}

impl TokenSource {
    /// A source for one credential. Nothing is read or sent yet. `first_pause` is the first pause between tries.
    pub fn new(
        place: Place,
        scopes: Vec<String>,
        locks: std::path::PathBuf,
        http: Http,
        first_pause: Duration,
    ) -> Self {
        Self { place, scopes, locks, http, first_pause, token: None }
    }

    /// A token with at least five minutes left.
    ///
    /// # Errors
    /// As the class of the refusal says: [`Kind::Credential`] when a person must authorize again,
    /// [`Kind::Config`] when the OAuth client is broken or the clock is wrong, [`Kind::Unavailable`] when the endpoint
    /// could not be reached in five tries.
    pub async fn token(&mut self) -> Result<Secret> {
        let fresh = |token: &&AccessToken| token.expires_at - Utc::now() > REFRESH_MARGIN;
        if let Some(token) = self.token.as_ref().filter(fresh) {
            return Ok(token.value.clone());
        }
        let token = self.fetch_with_retries().await?;
        Ok(self.token.insert(token).value.clone())
    }

    /// Forgets the token, because the API did not accept it.
    pub fn invalidate(&mut self) {
        self.token = None;
    }

    /// Whom a sheet must be shared with: the robot's address, or the person who authorized the credential.
    pub fn account(&self) -> String {
        match self.place.read() {
            Ok(Credential::ServiceAccount(account)) => Some(account.client_email),
            Ok(Credential::User(user)) => user.account.filter(|account| !account.is_empty()),
            Err(_) => None,
        }
        .unwrap_or_else(|| format!("the account of {}", self.place))
    }

    /// The scopes its tokens need.
    pub fn scopes(&self) -> &[String] {
        &self.scopes
    }

    async fn fetch_with_retries(&self) -> Result<AccessToken> {
        // Five tries: the sixth that `pauses` would allow is for the API's per-minute quota.
        let mut pauses = retry::pauses(self.first_pause).take(4);
        loop {
            let refusal = match self.fetch().await? {
                Ok(token) => return Ok(token),
                Err(refusal) => refusal,
            };
            let pause = pauses.next().filter(|_| refusal.class == Class::Transient);
            let Some(pause) = pause else {
                return Err(self.failure(&refusal));
            };
            info!("{}: {refusal}; trying again", self.place);
            sleep(retry::at_least(pause, refusal.retry_after)).await;
        }
    }

    /// One exchange. The outer error is local (the file, the lock); the inner one is the server's.
    async fn fetch(&self) -> Result<std::result::Result<AccessToken, Refusal>> {
        match self.place.read()? {
            Credential::ServiceAccount(account) => service_account::fetch(&account, &self.scopes, &self.http)
                .await
                .map_err(|f| f.within(&self.place)),
            Credential::User(_) => {
                let _lock = self.lock().await?;
                let Credential::User(user) = self.place.read()? else {
                    return Err(Failure::new(
                        Kind::Credential,
                        format!("{}: the file was replaced meanwhile", self.place),
                        "run it again",
                    ));
                };
                let granted = match user::fetch(&user, &self.http).await {
                    Ok(granted) => granted,
                    Err(refusal) => return Ok(Err(refusal)),
                };
                if let Some(rotated) = granted.refresh_token.filter(|new| *new != user.refresh_token) {
                    self.place.rotate(&rotated)?;
                }
                Ok(Ok(granted.access_token))
            }
        }
    }

    async fn lock(&self) -> Result<Lock> {
        let path = credential::lock_file(&self.locks, &self.place.name);
        lock::acquire(&path, LOCK_WAIT, Utc::now()).await.map_err(|failure| failure.within(&self.place))
    }

    /// What a person does about a credential that is gone.
    fn renewal(&self) -> String {
        match self.place.read() {
            Ok(Credential::ServiceAccount(account)) => format!(
                "make a new key for {} at https://console.cloud.google.com/iam-admin/serviceaccounts and put it in {} (mode 0600); nothing is lost meanwhile, the next run catches up",
                account.client_email,
                self.place.path.display()
            ),
            _ => format!(
                "log in again: token-login {}; nothing is lost meanwhile, the next run catches up",
                self.place.name
            ),
        }
    }

    fn failure(&self, refusal: &Refusal) -> Failure {
        let place = self.place.path.display();
        let hint = match refusal.class {
            Class::Dead => self.renewal(),
            Class::Broken => format!("compare client_id and client_secret in {place} with the OAuth client in https://console.cloud.google.com/apis/credentials"),
            Class::Clock => "set the clock: timedatectl set-ntp true; timedatectl status".to_owned(),
            Class::Transient | Class::Unknown => "nothing to do if it passes: the next run tries again; is the network up? curl -sI https://oauth2.googleapis.com/token".to_owned(),
        };
        Failure::new(refusal.class.kind(), format!("{}: {refusal}", self.place), hint)
    }
}
