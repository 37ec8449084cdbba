//! One connection to the Sheets API: sends a request until it is answered, refused for good, or out of tries.
//!
//! Every request is bounded, counted and, where that is safe, repeated. What is asked is its caller's.

use std::error::Error;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use google_sheets4::common::{self, GetToken};
use google_sheets4::{Sheets, hyper_rustls, hyper_util};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::connect::HttpConnector;
use log::{debug, info};
use serde_json::Value;
use shared::budget::Budget;
use shared::config::Google;
use shared::oauth::TokenSource;
use shared::refusal::{Class, Refusal, Subject};
use shared::store::Quota;
use shared::{Failure, Result, http, retry};
use tokio::time::{sleep, timeout};

use super::refusal;
use crate::progress::Progress;

/// The crate's entry point to all methods.
pub(super) type Hub = Sheets<HttpsConnector<HttpConnector>>;

/// A connection for one spreadsheet and one credential.
pub(super) struct Connection {
    hub: Hub,
    bearer: Bearer,
    /// Where access tokens come from.
    pub tokens: TokenSource,
    spreadsheet: String,
    timeout: Duration,
    first_pause: Duration,
    /// What every request takes a token from.
    pub budget: Budget,
    /// What a person who waits is shown.
    pub progress: Progress,
    /// Read and write requests sent so far.
    pub sent: (u64, u64),
    /// How many of the writes were applied, or may have been.
    pub applied: u64,
    /// Whether any answer was Google's own, be it a refusal.
    pub answered: bool,
}

/// Why a request brought nothing.
#[derive(Debug)]
pub enum Trouble {
    /// It was refused: nothing was changed.
    Refused(Failure),
    /// It may have been applied: look before trying again.
    Unknown(Failure),
}

/// What a request does to Google's quotas, and whether it may be sent twice.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Intent {
    /// Reads, and may be repeated.
    Read,
    /// Writes the same however often it is sent.
    WriteRepeatable,
    /// Must not be applied twice.
    WriteOnce,
}

impl Intent {
    fn quota(self) -> Quota {
        match self {
            Self::Read => Quota::Read,
            Self::WriteRepeatable | Self::WriteOnce => Quota::Write,
        }
    }
}

impl Connection {
    pub fn new(google: &Google, tokens: TokenSource, spreadsheet: &str, budget: Budget) -> Result<Self> {
        let executor = hyper_util::rt::TokioExecutor::new();
        let client = hyper_util::client::legacy::Client::builder(executor).build(http::connector()?);
        let bearer = Bearer::default();
        let mut hub = Sheets::new(client, bearer.clone());
        hub.user_agent(format!("port-jobs/{}", env!("CARGO_PKG_VERSION")));
        if let Some(url) = &google.sheets_url {
            hub.base_url(url.to_string());
            hub.root_url(url.to_string());
        }
        let (timeout, first_pause) = (google.timeout, google.first_pause);
        let spreadsheet = spreadsheet.to_owned();
        let (progress, sent, applied, answered) = (Progress::unseen(), (0, 0), 0, false);
        Ok(Self {
            hub,
            bearer,
            tokens,
            spreadsheet,
            timeout,
            first_pause,
            budget,
            progress,
            sent,
            applied,
            answered,
        })
    }

    /// Sends a request until it is answered, refused for good, or out of tries.
    pub async fn call<T>(
        &mut self,
        name: &str,
        intent: Intent,
        request: impl AsyncFn(&Hub, &mut Listener) -> common::Result<(common::Response, T)>,
    ) -> std::result::Result<T, Trouble> {
        let mut pauses = retry::pauses(self.first_pause);
        let mut renewed = false;
        loop {
            self.bearer.set(self.tokens.token().await.map_err(Trouble::Refused)?.expose());
            self.take(intent.quota()).await?;
            debug!("sending {name}");
            let mut listener = Listener::default();
            let outcome = match timeout(self.timeout, request(&self.hub, &mut listener)).await {
                Ok(Ok((_, answer))) => Ok(answer),
                Ok(Err(error)) => Err(refusal::from_error(&error)),
                Err(_) => Err(refusal::late(self.timeout)),
            };
            self.answered |= !outcome.as_ref().is_err_and(|refusal| refusal.class == Class::Passing);
            if intent != Intent::Read && !outcome.as_ref().is_err_and(Refusal::was_not_applied) {
                self.applied += 1;
            }
            let refusal = match outcome {
                Ok(answer) => return Ok(answer),
                Err(refusal) => refusal,
            };
            let may_repeat = intent != Intent::WriteOnce || refusal.was_not_applied();
            match refusal.class {
                Class::Unauthenticated if !renewed => {
                    renewed = true;
                    self.tokens.invalidate();
                    info!("{name}: {refusal}; fetching a new access token");
                }
                Class::Quota | Class::Passing if may_repeat => {
                    match pauses.next().and_then(|pause| retry::at_least(pause, listener.retry_after)) {
                        Some(pause) => {
                            info!("{name}: {refusal}; trying again in {:.1} s", pause.as_secs_f64());
                            if refusal.class == Class::Quota {
                                self.empty(intent.quota(), pause)
                                    .map_err(|failure| failure.within(&refusal))?;
                            }
                            sleep(pause).await;
                        }
                        None => return Err(Trouble::Refused(self.explain(&refusal))),
                    }
                }
                Class::Passing => return Err(Trouble::Unknown(self.explain(&refusal))),
                _ => return Err(Trouble::Refused(self.explain(&refusal))),
            }
        }
    }

    /// Takes a token for a request and counts it.
    async fn take(&mut self, quota: Quota) -> Result<()> {
        let progress = &self.progress;
        self.budget.take(quota, |wait| progress.waits(quota, wait)).await?;
        match quota {
            Quota::Read => self.sent.0 += 1,
            Quota::Write => self.sent.1 += 1,
        }
        self.progress.requests(self.sent.0 + self.sent.1);
        Ok(())
    }

    /// Google says that the minute's requests are spent: for everybody who shares them, and for this run for good if it
    /// ends before there are new ones.
    fn empty(&mut self, quota: Quota, pause: Duration) -> Result<()> {
        self.progress.waits(quota, pause);
        self.budget.empty(quota, pause)?;
        match quota {
            Quota::Read => self.budget.afford(1, 0),
            Quota::Write => self.budget.afford(0, 1),
        }
    }

    /// Whom the sheet is shared with.
    pub fn account(&self) -> String {
        self.tokens.account()
    }

    fn explain(&self, refusal: &Refusal) -> Failure {
        let account = self.tokens.account();
        refusal.failure(&Subject {
            spreadsheet: &self.spreadsheet,
            account: &account,
            scopes: self.tokens.scopes(),
        })
    }
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self::Refused(failure)
    }
}

impl Trouble {
    /// The same, with where it happened.
    pub fn within(self, place: impl std::fmt::Display) -> Self {
        match self {
            Self::Refused(failure) => Self::Refused(failure.within(place)),
            Self::Unknown(failure) => Self::Unknown(failure.within(place)),
        }
    }

    /// The failure, where nothing is left to be found out.
    pub fn into_failure(self) -> Failure {
        match self {
            Self::Refused(failure) | Self::Unknown(failure) => failure,
        }
    }
}

/// The crate keeps its own name for this type to itself.
type TokenOutput<'a> = Pin<
    Box<dyn Future<Output = std::result::Result<Option<String>, Box<dyn Error + Send + Sync>>> + Send + 'a>,
>;

/// Hands the token of the moment to the hub; fetching it is [`TokenSource`]'s.
#[derive(Clone, Default)]
struct Bearer(Arc<Mutex<String>>);

impl Bearer {
    fn set(&self, token: &str) {
        if let Ok(mut bearer) = self.0.lock() {
            token.clone_into(&mut bearer);
        }
    }
}

impl GetToken for Bearer {
    fn get_token<'a>(&'a self, _scopes: &'a [&str]) -> TokenOutput<'a> {
        Box::pin(async move { Ok(self.0.lock().ok().map(|token| token.clone())) })
    }
}

/// Notes what the crate does not hand on.
#[derive(Default)]
pub(super) struct Listener {
    retry_after: Option<Duration>,
}

impl common::Delegate for Listener {
    fn http_failure(&mut self, response: &common::Response, _error: Option<&Value>) -> common::Retry {
        self.retry_after = http::retry_after(response.headers());
        common::Retry::Abort
    }
}
