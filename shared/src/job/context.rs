//! What a run may use: the configuration, the environment, the state directory, and what is opened from them.
//!
//! It hands out; it asks nobody and writes nothing.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Utc};
use tokio::time::Instant;

use super::{Common, output};
use crate::budget::Budget;
use crate::config::Config;
use crate::credential::Place;
use crate::dirs::{Environment, State};
use crate::http::Http;
use crate::oauth::{Asking, Ledger, TokenSource, Wallet};
use crate::store::{Purpose, Run};
use crate::{Failure, Result};

/// What a run may use.
#[derive(Debug)]
pub struct Context {
    /// The executable.
    pub job: &'static str,
    /// The run's ULID.
    pub run: String,
    /// When it started.
    pub started: DateTime<Utc>,
    /// The configuration.
    pub config: Config,
    /// The environment.
    pub environment: Environment,
    /// The state directory.
    pub state: State,
    /// Why this run cannot be recorded; only a job that runs all the same ever sees it.
    pub unrecorded: Option<Failure>,
    /// Whether there were records before this run.
    pub had_records: bool,
    /// Whether a person watches standard error and did not ask for silence or for log lines in its place.
    pub is_watched: bool,
    /// The access tokens of this run, by credential.
    wallets: Mutex<BTreeMap<String, Wallet>>,
}

impl Context {
    pub(super) fn of(
        job: &'static str,
        run: &Run,
        common: &Common,
        environment: Environment,
        config: Config,
    ) -> Self {
        let dir = environment.state_dir(common.state_dir.as_deref(), config.state_dir.as_deref());
        let (state, run, started) = (State::at(dir), run.id.clone(), run.started);
        let had_records = state.database().is_file();
        let is_watched = output::is_watched(common);
        let wallets = Mutex::default();
        Self {
            job,
            run,
            started,
            config,
            environment,
            state,
            unrecorded: None,
            had_records,
            is_watched,
            wallets,
        }
    }

    /// A source of access tokens for a credential of the configuration, each refresh recorded under this job's name. All
    /// sources of one credential share its token: a run with many sheets refreshes once.
    ///
    /// # Errors
    /// As [`Place::of`] and [`Http::new`].
    pub fn tokens(&self, credential: &str) -> Result<TokenSource> {
        self.tokens_for(credential, Purpose::Work)
    }

    /// The same for another purpose than work.
    ///
    /// # Errors
    /// As [`Context::tokens`].
    pub fn tokens_for(&self, credential: &str, purpose: Purpose) -> Result<TokenSource> {
        let ledger = self.ledger(purpose, Asking::WhenDue);
        let granted = self.environment.credentials_directory.as_deref();
        let place = Place::of(&self.config, credential, granted, &self.state.credentials())?;
        let scopes = self.config.credentials.get(credential).map(|entry| entry.scopes.clone());
        let google = &self.config.google;
        let (scopes, locks) = (scopes.unwrap_or_default(), self.state.locks());
        let source = TokenSource::new(place, scopes, locks, Http::new(google.timeout)?, google.first_pause);
        let mut wallets = self.wallets.lock().unwrap_or_else(PoisonError::into_inner);
        let wallet = wallets.entry(credential.to_owned()).or_default().clone();
        Ok(source.recorded_in(ledger).paying_from(wallet))
    }

    /// A credential's budget of requests, for work that must be done by `deadline`.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when the store cannot be used.
    pub fn budget(&self, credential: &str, deadline: Instant) -> Result<Budget> {
        let entry = self.config.credentials.get(credential);
        let entry = entry.ok_or_else(|| Failure::bug(format!("no credential {credential:?}")))?;
        Budget::open(&self.state.database(), credential, entry.per_minute, deadline)
    }

    /// Where this job's refreshes are recorded.
    pub fn ledger(&self, purpose: Purpose, asking: Asking) -> Ledger {
        let (database, settings) = (self.state.database(), self.config.token_check.clone());
        Ledger { database, job: self.job, purpose, asking, settings }
    }
}
