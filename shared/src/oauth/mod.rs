//! Access tokens for a credential, fetched when needed and never stored.
//!
//! A user's refresh call is ours, since yup-oauth2 swallows the server's reason; service accounts go through
//! yup-oauth2. Two jobs may share a credential: the call and the rotation it may bring happen under the credential's
//! own lock, with the file read again inside it.

pub(crate) mod classify;
mod ledger;
mod service_account;
mod user;

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use log::info;
use tokio::time::sleep;

use crate::config::TokenCheck;
use crate::credential::{Credential, Place};
use crate::history::{Good, Outcome, Seen};
use crate::http::{Http, NoReply, Reply};
use crate::lock::Lock;
use crate::{Failure, Result, Secret, credential, lock, retry, tally};

pub use classify::{Class, Refusal, classify};
pub use ledger::{Asking, Ledger};
pub use user::{Exchange, Granted, exchange};

/// How long to wait for another job that refreshes the same credential: more than one exchange can take.
const LOCK_WAIT: Duration = Duration::from_secs(120);

/// How many refreshes are under way that may bring a changed refresh token.
static UNDER_WAY: AtomicUsize = AtomicUsize::new(0);

/// Goes on with work that is to be given up while a refresh is under way in this process that may bring a changed refresh
/// token: whoever drops it loses that. It takes no longer than one exchange.
pub async fn keep_rotated(mut work: Pin<&mut impl Future>) {
    let is_rotating = || UNDER_WAY.load(Ordering::SeqCst) > 0;
    poll_fn(|task| {
        let goes_on = is_rotating() && work.as_mut().poll(task).is_pending() && is_rotating();
        if goes_on { Poll::Pending } else { Poll::Ready(()) }
    })
    .await;
}

/// A refresh from its request until what it brought is on the disk.
struct Rotating;

impl Rotating {
    fn begin() -> Self {
        UNDER_WAY.fetch_add(1, Ordering::SeqCst);
        Self
    }
}

impl Drop for Rotating {
    fn drop(&mut self) {
        UNDER_WAY.fetch_sub(1, Ordering::SeqCst);
    }
}

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
    /// What it reaches, where the answer said it.
    pub scopes: Option<Vec<String>>,
}

/// Where a run's access tokens come from.
#[derive(Debug)]
pub struct TokenSource {
    place: Place,
    scopes: Vec<String>,
    locks: std::path::PathBuf,
    http: Http,
    first_pause: Duration,
    refresh_margin: Duration,
    tries: usize,
    ledger: Option<Ledger>,
    skew: Option<TimeDelta>,
    token: Wallet,
}

/// The access token of a credential, shared by everything in one run that uses it.
#[derive(Clone, Debug, Default)]
pub struct Wallet(Arc<Mutex<Option<AccessToken>>>);

impl Wallet {
    /// The token, if it lasts for more than `margin`.
    fn lasting(&self, margin: TimeDelta) -> Option<Secret> {
        let token = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        token.as_ref().filter(|token| token.expires_at - Utc::now() > margin).map(|token| token.value.clone())
    }

    fn put(&self, token: Option<AccessToken>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = token;
    }

    /// How long the token in it lasts.
    fn left(&self) -> Option<TimeDelta> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .as_ref()
            .map(|token| token.expires_at - Utc::now())
    }

    /// What the token in it reaches, where the server said it.
    fn granted(&self) -> Option<Vec<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).as_ref().and_then(|token| token.scopes.clone())
    }
}

/// What an exchange brought: what the file was known by, the answer, and what came beside a token.
type Answered = (Seen, std::result::Result<AccessToken, Refusal>, Good);

/// One exchange: what the file was known by, and what the server answered.
struct Tried {
    seen: Seen,
    answer: std::result::Result<AccessToken, Refusal>,
}

impl TokenSource {
    /// A source for one credential. Nothing is read or sent yet. `first_pause` is the first pause between tries.
    /// Its refreshes are not recorded: [`TokenSource::recorded_in`].
    pub fn new(
        place: Place,
        scopes: Vec<String>,
        locks: std::path::PathBuf,
        http: Http,
        first_pause: Duration,
    ) -> Self {
        let TokenCheck { refresh_margin, max_retries: tries, .. } = TokenCheck::default();
        let (ledger, skew, token) = (None, None, Wallet::default());
        Self { place, scopes, locks, http, first_pause, refresh_margin, tries, ledger, skew, token }
    }

    /// The same source, recording every refresh and obeying the settings that come with it.
    #[must_use]
    pub fn recorded_in(self, ledger: Ledger) -> Self {
        let TokenCheck { refresh_margin, max_retries: tries, .. } = ledger.settings;
        Self { refresh_margin, tries, ledger: Some(ledger), ..self }
    }

    /// The same source, using the token in this wallet and putting new ones there.
    #[must_use]
    pub fn paying_from(self, wallet: Wallet) -> Self {
        Self { token: wallet, ..self }
    }

    /// A token with at least `refresh-margin` left.
    ///
    /// # Errors
    /// As the class of the refusal says: [`crate::Kind::Credential`] when a person must authorize again,
    /// [`crate::Kind::Config`] when the OAuth client is broken or the clock is wrong, [`crate::Kind::Unavailable`] when the endpoint
    /// could not be reached in `max-retries` tries, [`crate::Kind::Busy`] when it was asked too often within the hour.
    pub async fn token(&mut self) -> Result<Secret> {
        let margin = TimeDelta::from_std(self.refresh_margin).unwrap_or(TimeDelta::MAX);
        if let Some(token) = self.token.lasting(margin) {
            return Ok(token);
        }
        self.token.left().into_iter().for_each(tally::refreshed_early);
        let token = self.fetch_with_retries().await?;
        self.token.put(Some(token.clone()));
        Ok(token.value)
    }

    /// Gets a page with such a token. Nothing is tried again.
    ///
    /// # Errors
    /// As [`TokenSource::token`]; the inner one when there was no whole answer.
    pub async fn get(&mut self, url: &str) -> Result<std::result::Result<Reply, NoReply>> {
        let token = self.token().await?;
        Ok(self.http.get_as(&token, url).await)
    }

    /// Forgets the token, because the API did not accept it.
    pub fn invalidate(&mut self) {
        tally::unauthenticated();
        self.token.put(None);
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

    /// Whether the newest token reaches one of these scopes: as the server said or, where it said nothing, as was asked.
    pub fn reaches(&self, scopes: &[&str]) -> bool {
        let held = self.token.granted().unwrap_or_else(|| self.scopes.clone());
        held.iter().any(|scope| scopes.contains(&scope.as_str()))
    }

    /// How far this machine's clock was ahead of the token endpoint's at the last refresh, where that is known.
    pub fn clock_skew(&self) -> Option<TimeDelta> {
        self.skew
    }

    async fn fetch_with_retries(&mut self) -> Result<AccessToken> {
        let mut pauses = retry::pauses_between(self.first_pause, self.tries);
        loop {
            let Tried { seen, answer } = self.fetch().await?;
            let refusal = match answer {
                Ok(token) => return Ok(token),
                Err(refusal) => refusal,
            };
            if refusal.class != Class::Transient {
                return Err(self.failure(&refusal));
            }
            let pause = pauses.next().and_then(|pause| retry::at_least(pause, refusal.retry_after));
            let Some(pause) = pause else {
                self.record(&seen, Outcome::Failed(&refusal));
                return Err(self.failure(&refusal));
            };
            info!("{}: {refusal}; trying again", self.place);
            sleep(pause).await;
        }
    }

    /// One exchange, recorded unless it is to be tried again. An error is local: the file, the lock, or a refresh that
    /// must not be sent.
    async fn fetch(&mut self) -> Result<Tried> {
        let mut credential = self.place.read()?;
        let _lock = match credential {
            Credential::ServiceAccount(_) => None,
            Credential::User(_) => {
                let lock = self.lock().await?;
                self.place.finish_rotation()?;
                // Another job may have rotated it meanwhile.
                credential = self.place.read()?;
                Some(lock)
            }
        };
        let answered = self.exchange(&credential).await?;
        Ok(self.recorded(answered))
    }

    fn recorded(&self, (seen, answer, good): Answered) -> Tried {
        match &answer {
            Ok(_) => self.record(&seen, Outcome::Good(good)),
            Err(refusal) if refusal.class != Class::Transient => {
                self.record(&seen, Outcome::Failed(refusal));
            }
            Err(_) => {}
        }
        Tried { seen, answer }
    }

    async fn exchange(&mut self, credential: &Credential) -> Result<Answered> {
        let seen = credential.seen();
        if let Some(ledger) = &self.ledger {
            ledger.allow(&self.place, &seen, &self.renewal(), Utc::now())?;
        }
        let user = match credential {
            Credential::ServiceAccount(account) => {
                let answer = service_account::fetch(account, &self.scopes, &self.http).await;
                return Ok((seen, answer.map_err(|f| f.within(&self.place))?, Good::default()));
            }
            Credential::User(user) => user,
        };
        let _rotating = Rotating::begin();
        let rotation = self.place.prepare_rotation()?;
        let granted = match user::fetch(user, &self.http).await {
            Ok(granted) => granted,
            Err(refusal) => return Ok((seen, Err(refusal), Good::default())),
        };
        self.skew = granted.date.map(|date| Utc::now() - date);
        let good = granted.good(Utc::now());
        let rotated = granted.refresh_token.filter(|new| *new != user.refresh_token);
        if let Some(rotated) = &rotated {
            rotation.commit(rotated)?;
        }
        let rotated = rotated.map(|refresh_token| {
            let rotated = credential::User { refresh_token, ..user.clone() };
            Credential::User(rotated).seen().fingerprint
        });
        Ok((seen, Ok(granted.access_token), Good { rotated, ..good }))
    }

    fn record(&self, seen: &Seen, outcome: Outcome<'_>) {
        let Some(ledger) = &self.ledger else { return };
        let hint = match &outcome {
            Outcome::Failed(refusal) => self.failure(refusal).hint,
            Outcome::Good(_) | Outcome::NotAsked => String::new(),
        };
        ledger.record(&self.place, seen, outcome, &hint);
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

    /// What a person does about a refusal of this class.
    pub fn remedy(&self, class: Class) -> String {
        let place = self.place.path.display();
        match class {
            Class::Dead => self.renewal(),
            Class::Broken => format!("compare client_id and client_secret in {place} with the OAuth client in https://console.cloud.google.com/apis/credentials"),
            Class::Clock => "set the clock: timedatectl set-ntp true; timedatectl status".to_owned(),
            Class::Transient | Class::Unknown => "nothing to do if it passes: the next run tries again; is the network up? curl -sI https://oauth2.googleapis.com/token".to_owned(),
        }
    }

    fn failure(&self, refusal: &Refusal) -> Failure {
        let message = format!("{}: {refusal}", self.place);
        let mut hint = self.remedy(refusal.class);
        if refusal.is_reauth {
            hint.push_str("; your organisation will ask for it again: have its administrator exempt the app, or use a service account");
        }
        Failure::new(refusal.class.kind(), message, hint)
    }
}
