//! The result of a run: the `credentials` list of the JSON result.

use chrono::{DateTime, Utc};
use serde::Serialize;
use shared::credential::health::Health;
use shared::credential::token_error::TokenErrorClass;
use shared::google::access_check::Access;
use shared::outcome::Outcome;
use shared::store::Blocked;
use shared::{Failure, Result};

use crate::forecast::Forecast;

/// The job's part of the JSON result.
#[derive(Debug, Default, Serialize)]
pub struct Body {
    /// One entry for each credential.
    pub credentials: Vec<CredentialResult>,
}

/// One credential.
#[derive(Debug, Serialize)]
pub struct CredentialResult {
    /// Its name in the configuration.
    pub credential: String,
    /// `ok` or `failed`.
    pub outcome: Outcome,
    /// The exit code that it alone would give.
    pub exit: u8,
    /// The most serious failure.
    pub error: Option<Failure>,
    /// `authorized_user` or `service_account`, once its file could be read.
    pub kind: Option<String>,
    /// Whether any job ever requested a token with this authorization; before that its state is unknown.
    pub tried: bool,
    /// Whether a token was asked for in this run.
    pub probed: bool,
    /// When the next probe is due; none for at once.
    pub next_probe: Option<DateTime<Utc>>,
    /// When this authorization, or this key, was first seen.
    pub obtained: Option<DateTime<Utc>>,
    /// When it last gave a token to any job.
    pub last_good: Option<DateTime<Utc>>,
    /// When the present outage began.
    pub first_failure: Option<DateTime<Utc>>,
    /// Failed refreshes since the last good one.
    pub failed_refreshes: u32,
    /// The class of the last failure.
    pub class: Option<TokenErrorClass>,
    /// Google's own words about it.
    pub words: Option<String>,
    /// The scopes granted, where Google said.
    pub scopes: Vec<String>,
    /// The needed scopes that are not among them.
    pub missing_scopes: Vec<String>,
    /// When the authorization itself ends, where Google said.
    pub ends: Option<DateTime<Utc>>,
    /// The sheets that use it, tried in this run.
    pub sheets: Vec<SheetReach>,
    /// What it will die of.
    pub forecasts: Vec<Forecast>,
    /// The jobs that its outage holds up.
    pub blocked: Vec<Blocked>,
    /// All failures.
    #[serde(skip)]
    pub failures: Vec<Failure>,
}

/// Whether a sheet was reached.
#[derive(Debug, Serialize)]
pub struct SheetReach {
    /// Its name in the configuration.
    pub sheet: String,
    /// Whether the spreadsheet could be opened and has the tab.
    pub reached: bool,
    /// Whether its tab may be written, as far as protection shows; null if unknown.
    pub writable: Option<bool>,
    /// What is wrong.
    pub error: Option<Failure>,
}

impl CredentialResult {
    /// A result before anything was looked at.
    pub fn new(credential: &str) -> Self {
        Self {
            credential: credential.to_owned(),
            outcome: Outcome::Ok,
            exit: 0,
            error: None,
            kind: None,
            tried: false,
            probed: false,
            next_probe: None,
            obtained: None,
            last_good: None,
            first_failure: None,
            failed_refreshes: 0,
            class: None,
            words: None,
            scopes: Vec::new(),
            missing_scopes: Vec::new(),
            ends: None,
            sheets: Vec::new(),
            forecasts: Vec::new(),
            blocked: Vec::new(),
            failures: Vec::new(),
        }
    }

    /// Takes over what is known.
    pub fn tell(&mut self, history: &Health) {
        self.kind = Some(history.kind.clone());
        self.tried = history.last_try.is_some();
        self.obtained = Some(history.obtained);
        self.last_good = history.last_good;
        self.first_failure = history.first_failure;
        self.failed_refreshes = history.failures;
        self.class = history.class;
        self.words.clone_from(&history.words);
        self.scopes.clone_from(&history.scopes);
        self.ends = history.ends;
    }

    /// What is known is of another authorization than the one in the file.
    pub fn forget_tries(&mut self) {
        (self.tried, self.class, self.words) = (false, None, None);
    }

    /// Notes what came of opening a sheet; `closed` is the failure when its whole tab is protected.
    pub fn reached(&mut self, sheet: &str, reached: Result<Access>, closed: impl Fn() -> Failure) {
        let is_reached = reached.is_ok();
        let writable = reached.as_ref().ok().and_then(|reached| reached.writable);
        let failure = reached.err().or_else(|| (writable == Some(false)).then(closed));
        let error = failure.map(|failure| failure.within(format_args!("sheet {sheet:?}")));
        error.iter().for_each(|failure| self.fail(failure.clone()));
        self.sheets.push(SheetReach { sheet: sheet.to_owned(), reached: is_reached, writable, error });
    }

    /// Notes a failure.
    pub fn fail(&mut self, failure: Failure) {
        self.outcome = Outcome::Failed;
        self.failures.push(failure);
        self.error = self.failures.iter().min_by_key(|failure| failure.kind).cloned();
        self.exit = self.error.as_ref().map_or(0, |failure| failure.kind.exit_code());
    }
}
