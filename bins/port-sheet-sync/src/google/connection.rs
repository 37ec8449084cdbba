//! One connection to the Sheets API: sends a request until it succeeds, is refused for good, or has no tries left.
//!
//! Every request is bounded, counted and, where that is safe, repeated. What is asked is its caller's.

use std::error::Error;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use google_sheets4::common::{self, GetToken};
use google_sheets4::{Sheets, hyper_rustls, hyper_util};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::connect::HttpConnector;
use log::{debug, info};
use serde_json::Value;
use shared::config::Google;
use shared::google::api_error::{ApiError, ApiErrorClass, ApiTarget};
use shared::google::rate_limit::RateLimiter;
use shared::oauth::TokenSource;
use shared::store::RequestKind;
use shared::sys::{http, retry};
use shared::{Failure, Kind, Result};
use tokio::time::{sleep, timeout};

use crate::google::error;
use crate::google::fence;
use crate::google::write_error::WriteError;
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
    pub budget: RateLimiter,
    /// What a terminal shows.
    pub progress: Progress,
    /// Read and write requests sent so far.
    pub sent: (u64, u64),
    /// How many of the writes were applied, or may have been.
    pub applied: u64,
    /// Whether any response, including a refusal, came from Google.
    pub answered: bool,
    /// Google's clock in the last response.
    pub date: Option<SystemTime>,
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
    /// Is refused where it was applied already, or where the sheet was written since it was read.
    WriteFenced,
}

impl Intent {
    fn quota(self) -> RequestKind {
        match self {
            Self::Read => RequestKind::Read,
            Self::WriteRepeatable | Self::WriteOnce | Self::WriteFenced => RequestKind::Write,
        }
    }
}

impl Intent {
    /// Whether a refused request may be sent again as it is. What must not be applied twice is repeated only after another look at the
    /// sheet, unless it never reached Google.
    fn may_be_repeated_after(self, refusal: &ApiError) -> bool {
        match self {
            Self::Read | Self::WriteRepeatable => true,
            Self::WriteFenced => refusal.was_not_applied(),
            Self::WriteOnce => refusal.was_not_applied() && refusal.class == ApiErrorClass::Passing,
        }
    }
}

impl Connection {
    pub fn new(google: &Google, tokens: TokenSource, spreadsheet: &str, budget: RateLimiter) -> Result<Self> {
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
            date: None,
        })
    }

    /// Sends a request until it succeeds, is refused for good, or has no tries left. `is_googles` tells Google's response from
    /// one that a proxy made, or that cannot be true; such a response is like none.
    pub async fn call<T>(
        &mut self,
        name: &str,
        intent: Intent,
        request: impl AsyncFn(&Hub, &mut Listener) -> common::Result<(common::Response, T)>,
        is_googles: impl Fn(&T) -> bool,
    ) -> Result<T, WriteError> {
        let mut pauses = retry::pauses(self.first_pause);
        let mut renewed = false;
        loop {
            self.bearer.set(self.tokens.token().await.map_err(WriteError::Rejected)?.expose());
            self.take(intent.quota()).await?;
            debug!("sending {name}");
            let mut listener = Listener::default();
            let outcome = match timeout(self.timeout, request(&self.hub, &mut listener)).await {
                Ok(Ok((response, answer))) if is_googles(&answer) => {
                    self.date = date(&response).or(self.date);
                    Ok(answer)
                }
                Ok(Ok(_)) => Err(ApiError::foreign()),
                Ok(Err(error)) => Err(error::from_error(error)),
                Err(_) => Err(error::late(self.timeout)),
            };
            self.answered |= !outcome.as_ref().is_err_and(|refusal| refusal.class == ApiErrorClass::Passing);
            if intent != Intent::Read && !outcome.as_ref().is_err_and(ApiError::was_not_applied) {
                self.applied += 1;
            }
            let refusal = match outcome {
                Ok(answer) => return Ok(answer),
                Err(refusal) => refusal,
            };
            let may_repeat = intent.may_be_repeated_after(&refusal);
            if intent == Intent::WriteFenced && refusal.refused_request().is_some_and(fence::is_of_fence) {
                return Err(WriteError::Outdated(outdated(&refusal)));
            }
            match refusal.class {
                ApiErrorClass::Unauthenticated if !renewed && may_repeat => {
                    renewed = true;
                    self.tokens.invalidate();
                    info!("{name}: {refusal}; fetching a new access token");
                }
                ApiErrorClass::Quota | ApiErrorClass::Passing if may_repeat => {
                    match pauses.next().and_then(|pause| retry::at_least(pause, listener.retry_after)) {
                        Some(pause) => {
                            info!("{name}: {refusal}; trying again in {:.1} s", pause.as_secs_f64());
                            if refusal.class == ApiErrorClass::Quota {
                                self.empty(intent.quota(), pause)
                                    .map_err(|failure| failure.within(&refusal))?;
                            }
                            sleep(pause).await;
                        }
                        None => return Err(WriteError::Rejected(self.explain(&refusal))),
                    }
                }
                ApiErrorClass::Unauthenticated if !may_repeat => {
                    self.tokens.invalidate();
                    return Err(WriteError::OutcomeUnknown(self.explain(&refusal)));
                }
                ApiErrorClass::Quota | ApiErrorClass::Passing => {
                    return Err(WriteError::OutcomeUnknown(self.explain(&refusal)));
                }
                _ => return Err(WriteError::Rejected(self.explain(&refusal))),
            }
        }
    }

    /// Takes a token for a request and counts it.
    async fn take(&mut self, quota: RequestKind) -> Result<()> {
        let progress = &self.progress;
        self.budget.take(quota, |wait| progress.waits(quota, wait)).await?;
        match quota {
            RequestKind::Read => self.sent.0 += 1,
            RequestKind::Write => self.sent.1 += 1,
        }
        self.progress.requests(self.sent.0 + self.sent.1);
        Ok(())
    }

    /// Google says that the minute's requests are spent: for everybody who shares them, and for this run for good if it
    /// ends before there are new ones.
    fn empty(&mut self, quota: RequestKind, pause: Duration) -> Result<()> {
        self.progress.waits(quota, pause);
        self.budget.empty(quota, pause)?;
        match quota {
            RequestKind::Read => self.budget.afford(1, 0),
            RequestKind::Write => self.budget.afford(0, 1),
        }
    }

    /// Whom the sheet is shared with.
    pub fn account(&self) -> String {
        self.tokens.account()
    }

    fn explain(&self, refusal: &ApiError) -> Failure {
        let account = self.tokens.account();
        refusal.failure(&ApiTarget {
            spreadsheet: &self.spreadsheet,
            account: &account,
            scopes: self.tokens.scopes(),
        })
    }
}

/// Google's clock, as its response says.
fn date(response: &common::Response) -> Option<SystemTime> {
    let text = response.headers().get("date")?.to_str().ok()?;
    chrono::DateTime::parse_from_rfc2822(text).ok().map(SystemTime::from)
}

/// The write was planned from an older reading of the sheet.
fn outdated(refusal: &ApiError) -> Failure {
    Failure::new(
        Kind::Busy,
        format!("another run is writing this sheet: Google Sheets: {refusal}"),
        "does another machine or user run port-sheet-sync for this sheet? One of them is enough; the next run tries again",
    )
}

/// The crate keeps its own name for this type to itself.
type TokenOutput<'a> =
    Pin<Box<dyn Future<Output = Result<Option<String>, Box<dyn Error + Send + Sync>>> + Send + 'a>>;

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
