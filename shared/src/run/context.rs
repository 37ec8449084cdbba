//! What a run may use: the configuration, the environment, the state directory, and what is opened from them.
//!
//! It sends and writes nothing itself.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Utc};
use tokio::time::Instant;

use super::{Common, output};
use crate::config::Config;
use crate::credential::CredentialFile;
use crate::google::rate_limit::RateLimiter;
use crate::oauth::{ProbePolicy, RefreshGate, TokenCache, TokenSource};
use crate::store::{Purpose, Run};
use crate::sys::dirs::{Environment, StateDir};
use crate::sys::http::Http;
use crate::{Failure, Result};

/// What a run may use. One value for the whole run.
#[derive(Debug)]
pub struct Context {
    /// The name of the executable.
    pub job: &'static str,
    /// The run's ULID.
    pub run: String,
    /// The start of the run.
    pub started: DateTime<Utc>,
    /// Read and checked.
    pub config: Config,
    /// Read once, at the start.
    pub environment: Environment,
    /// The folders of the state directory, which exist.
    pub state: StateDir,
    /// Why this run cannot be recorded. Only a job with [`super::Job::RUNS_UNRECORDED`] ever sees it.
    pub unrecorded: Option<Failure>,
    /// Whether there were records of earlier runs.
    pub had_records: bool,
    /// Whether a user reads standard error and did not ask for silence or for log lines instead.
    pub is_watched: bool,
    /// By credential.
    token_caches: Mutex<BTreeMap<String, TokenCache>>,
}

impl Context {
    pub(super) fn new(
        job: &'static str,
        run: &Run,
        common: &Common,
        environment: Environment,
        config: Config,
    ) -> Self {
        let dir = environment.state_dir(common.state_dir.as_deref(), config.state_dir.as_deref());
        let (state, run, started) = (StateDir::at(dir), run.id.clone(), run.started);
        let had_records = state.database().is_file();
        let is_watched = output::is_watched(common);
        let token_caches = Mutex::default();
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
            token_caches,
        }
    }

    /// A source of access tokens for a credential of the configuration. Each refresh is recorded under this job's name.
    /// All sources of one credential share its token, so a run with many sheets refreshes once.
    ///
    /// # Errors
    /// As [`CredentialFile::from_config`] and [`Http::new`].
    pub fn tokens(&self, credential: &str) -> Result<TokenSource> {
        self.tokens_for(credential, Purpose::Work)
    }

    /// The same for another purpose than the job's work.
    ///
    /// # Errors
    /// As [`Context::tokens`].
    pub fn tokens_for(&self, credential: &str, purpose: Purpose) -> Result<TokenSource> {
        let ledger = self.refresh_gate(purpose, ProbePolicy::WhenDue);
        let granted = self.environment.credentials_directory.as_deref();
        let place =
            CredentialFile::from_config(&self.config, credential, granted, &self.state.credentials())?;
        let scopes = self.config.credentials.get(credential).map(|entry| entry.scopes.clone());
        let google = &self.config.google;
        let (scopes, locks) = (scopes.unwrap_or_default(), self.state.locks());
        let source = TokenSource::new(place, scopes, locks, Http::new(google.timeout)?, google.first_pause);
        let mut caches = self.token_caches.lock().unwrap_or_else(PoisonError::into_inner);
        let cache = caches.entry(credential.to_owned()).or_default().clone();
        Ok(source.with_gate(ledger).with_cache(cache))
    }

    /// The limit on a credential's requests, for work that must be done by `deadline`.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when the store cannot be used.
    pub fn budget(&self, credential: &str, deadline: Instant) -> Result<RateLimiter> {
        let entry = self.config.credentials.get(credential);
        let entry = entry.ok_or_else(|| Failure::bug(format!("no credential {credential:?}")))?;
        RateLimiter::open(&self.state.database(), credential, entry.per_minute, deadline)
    }

    /// Where this job's refreshes are recorded.
    pub fn refresh_gate(&self, purpose: Purpose, probe_policy: ProbePolicy) -> RefreshGate {
        let (database, settings) = (self.state.database(), self.config.token_check.clone());
        RefreshGate { database, job: self.job, purpose, probe_policy, settings }
    }
}
