//! Where a run's access tokens come from: the file, the lock, the exchange, the rotation, the record.

use std::path::PathBuf;
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use log::info;
use tokio::time::sleep;

use super::{AccessToken, RefreshGate, TokenCache, TokenFailure, service_account, user};
use crate::config::TokenCheckEntry;
use crate::credential::health::{Fingerprint, GrantInfo, TokenOutcome};
use crate::credential::token_error::{TokenError, TokenErrorClass};
use crate::credential::{Credential, CredentialFile, User};
use crate::oauth::in_flight::RefreshInFlight;
use crate::sys::http::Http;
use crate::sys::lock::Lock;
use crate::sys::{counters, lock, retry};
use crate::{Result, Secret, credential};

/// How long to wait for another job that refreshes the same credential: more than one exchange can take.
const LOCK_WAIT: Duration = Duration::from_secs(120);

/// Where a run's access tokens come from.
#[derive(Debug)]
pub struct TokenSource {
    pub(super) file: CredentialFile,
    scopes: Vec<String>,
    locks: PathBuf,
    http: Http,
    first_pause: Duration,
    refresh_margin: Duration,
    tries: usize,
    gate: Option<RefreshGate>,
    skew: Option<TimeDelta>,
    token: TokenCache,
}

/// The result of one exchange.
enum Fetched {
    Token(AccessToken),
    /// The endpoint refused the credential with this fingerprint.
    Refused(Fingerprint, TokenError),
}

impl TokenSource {
    /// A source for one credential. Reads and sends nothing yet. `first_pause` is the first pause between tries.
    /// Refreshes are recorded only with [`TokenSource::with_gate`].
    pub fn new(
        file: CredentialFile,
        scopes: Vec<String>,
        locks: PathBuf,
        http: Http,
        first_pause: Duration,
    ) -> Self {
        let TokenCheckEntry { refresh_margin, max_retries: tries, .. } = TokenCheckEntry::default();
        let (gate, skew, token) = (None, None, TokenCache::default());
        Self { file, scopes, locks, http, first_pause, refresh_margin, tries, gate, skew, token }
    }

    /// The same source, which records every refresh and follows the gate's settings.
    #[must_use]
    pub fn with_gate(self, gate: RefreshGate) -> Self {
        let TokenCheckEntry { refresh_margin, max_retries: tries, .. } = gate.settings;
        Self { refresh_margin, tries, gate: Some(gate), ..self }
    }

    /// The same source, which takes its token from this cache and puts a new one there.
    #[must_use]
    pub fn with_cache(self, cache: TokenCache) -> Self {
        Self { token: cache, ..self }
    }

    /// A token with at least `refresh-margin` left.
    ///
    /// # Errors
    /// Of the kind of the refusal's class: [`crate::Kind::Credential`] when someone must authorize again,
    /// [`crate::Kind::Config`] when the OAuth client is broken or the clock is wrong, [`crate::Kind::Unavailable`] when
    /// the endpoint could not be reached in `max-retries` tries. [`crate::Kind::Busy`] when there were too many refreshes
    /// within the hour.
    pub async fn token(&mut self) -> Result<Secret> {
        let margin = TimeDelta::from_std(self.refresh_margin).unwrap_or(TimeDelta::MAX);
        if let Some(token) = self.token.valid_for(margin) {
            return Ok(token);
        }
        self.token.remaining().into_iter().for_each(counters::refreshed_early);
        let token = self.fetch_with_retries().await?;
        self.token.set(Some(token.clone()));
        Ok(token.value)
    }

    /// The HTTP client that fetches the tokens, for small requests with one of them.
    pub fn http(&self) -> &Http {
        &self.http
    }

    /// Discards the token, because the API did not accept it.
    pub fn invalidate(&mut self) {
        counters::unauthenticated();
        self.token.set(None);
    }

    /// The account with which a sheet must be shared: the service account, or the user who authorized the credential.
    pub fn account(&self) -> String {
        match self.file.read() {
            Ok(Credential::ServiceAccount(account)) => Some(account.client_email),
            Ok(Credential::User(user)) => user.account.filter(|account| !account.is_empty()),
            Err(_) => None,
        }
        .unwrap_or_else(|| format!("the account of {}", self.file))
    }

    /// The scopes its tokens need.
    pub fn scopes(&self) -> &[String] {
        &self.scopes
    }

    /// Whether the newest token has one of these scopes: those that the server granted or, where it did not name them,
    /// those that were requested.
    pub fn has_any_scope(&self, scopes: &[&str]) -> bool {
        let granted = self.token.scopes().unwrap_or_else(|| self.scopes.clone());
        granted.iter().any(|scope| scopes.contains(&scope.as_str()))
    }

    /// How far this machine's clock was ahead of the token endpoint's at the last refresh; `None` where unknown.
    pub fn clock_skew(&self) -> Option<TimeDelta> {
        self.skew
    }

    async fn fetch_with_retries(&mut self) -> Result<AccessToken> {
        let mut pauses = retry::pauses_between(self.first_pause, self.tries);
        loop {
            let (fingerprint, error) = match self.fetch().await? {
                Fetched::Token(token) => return Ok(token),
                Fetched::Refused(fingerprint, error) => (fingerprint, error),
            };
            if error.class != TokenErrorClass::Transient {
                return Err(self.failure(&error));
            }
            let pause = pauses.next().and_then(|pause| retry::at_least(pause, error.retry_after));
            let Some(pause) = pause else {
                self.record(&fingerprint, TokenOutcome::Failed(&error));
                return Err(self.failure(&error));
            };
            info!("{}: {error}; trying again", self.file);
            sleep(pause).await;
        }
    }

    /// One exchange, recorded unless it will be tried again. An error is local: the file, the lock, or a refresh that
    /// must not be sent.
    async fn fetch(&mut self) -> Result<Fetched> {
        let mut credential = self.file.read()?;
        let _lock = match credential {
            Credential::ServiceAccount(_) => None,
            Credential::User(_) => {
                let lock = self.lock().await?;
                self.file.finish_rotation()?;
                // Another job may have rotated the token since.
                credential = self.file.read()?;
                Some(lock)
            }
        };
        let fingerprint = credential.fingerprint();
        if let Some(gate) = &self.gate {
            gate.allow(&self.file, &fingerprint, &self.renewal_hint(), Utc::now())?;
        }
        match self.exchange(&credential).await {
            Ok((token, grant)) => {
                self.record(&fingerprint, TokenOutcome::Granted(grant));
                Ok(Fetched::Token(token))
            }
            Err(TokenFailure::Refused(error)) => {
                if error.class != TokenErrorClass::Transient {
                    self.record(&fingerprint, TokenOutcome::Failed(&error));
                }
                Ok(Fetched::Refused(fingerprint, error))
            }
            Err(TokenFailure::Local(failure)) => Err(failure),
        }
    }

    async fn exchange(&mut self, credential: &Credential) -> Result<(AccessToken, GrantInfo), TokenFailure> {
        match credential {
            Credential::User(user) => self.refresh(user).await,
            Credential::ServiceAccount(account) => {
                let token = service_account::fetch(account, &self.scopes, &self.http).await;
                let token = token.map_err(|failure| failure.within(&self.file))?;
                Ok((token, GrantInfo::default()))
            }
        }
    }

    /// Exchanges the refresh token, and installs the new one if the server rotated it.
    async fn refresh(&mut self, user: &User) -> Result<(AccessToken, GrantInfo), TokenFailure> {
        let _in_flight = RefreshInFlight::begin();
        let rotation = self.file.prepare_rotation()?;
        let granted = user::fetch(user, &self.http).await?;
        self.skew = granted.date.map(|date| Utc::now() - date);
        let mut grant = granted.grant_info(Utc::now());
        if let Some(rotated) = granted.refresh_token.filter(|new| *new != user.refresh_token) {
            rotation.commit(&rotated)?;
            let user = User { refresh_token: rotated, ..user.clone() };
            grant.rotated = Some(Credential::User(user).fingerprint().hash);
        }
        Ok((granted.access_token, grant))
    }

    fn record(&self, fingerprint: &Fingerprint, outcome: TokenOutcome<'_>) {
        let Some(gate) = &self.gate else { return };
        let hint = match &outcome {
            TokenOutcome::Failed(error) => self.failure(error).hint,
            TokenOutcome::Granted(_) | TokenOutcome::NotAsked => String::new(),
        };
        gate.record(&self.file, fingerprint, outcome, &hint);
    }

    async fn lock(&self) -> Result<Lock> {
        let path = credential::lock_file(&self.locks, &self.file.name);
        lock::acquire(&path, LOCK_WAIT, Utc::now()).await.map_err(|failure| failure.within(&self.file))
    }
}
