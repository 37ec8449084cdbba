//! Where a new credential is installed: checked before a login begins, written after the credential was tried.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::Utc;
use shared::config::{Google, Sheet, executables};
use shared::credential::health::{GrantInfo, TokenOutcome};
use shared::credential::token_error::TokenError;
use shared::credential::{self, CredentialFile};
use shared::oauth::{ProbePolicy, RefreshGate};
use shared::run::Context;
use shared::store::Purpose;
use shared::sys::atomic_file::Draft;
use shared::sys::http::Http;
use shared::sys::lock;
use shared::sys::secret_file::{SIZE_LIMIT, shell};
use shared::{Failure, Kind, Result, Secret};

use crate::content::{self, UserAuthorization};
use crate::result::LoginResult;

/// How long to wait for a job that is refreshing the credential, longer than an exchange can take.
const LOCK_WAIT: Duration = Duration::from_secs(120);

/// The credential to replace, and what a login needs of the configuration.
pub(crate) struct Destination<'a> {
    pub file: CredentialFile,
    pub http: Http,
    pub google: &'a Google,
    /// The scopes that the configuration requires.
    pub scopes: &'a [String],
    /// The sheets that use the credential.
    pub sheets: Vec<&'a Sheet>,
    locks: PathBuf,
    gate: RefreshGate,
}

/// A credential that works, but is not installed yet.
pub(crate) struct Obtained {
    pub content: NewContent,
    pub token: Secret,
    pub account: Option<String>,
    pub scopes: Vec<String>,
    /// What the credential's health records of the grant.
    pub grant: GrantInfo,
    /// Further lines for the summary, once it is installed.
    pub notes: Vec<String>,
}

/// The new content of the file.
pub(crate) enum NewContent {
    /// A complete file.
    Imported(Vec<u8>),
    /// Merged with the file that is there.
    Login(UserAuthorization),
}

impl<'a> Destination<'a> {
    pub fn new(context: &'a Context, credential: &str) -> Result<Self> {
        let config = &context.config;
        let granted = context.environment.credentials_directory.as_deref();
        let file = CredentialFile::from_config(config, credential, granted, &context.state.credentials())?;
        let entry =
            config.credentials.get(credential).ok_or_else(|| Failure::bug("a checked name is gone"))?;
        Ok(Self {
            file,
            http: Http::new(config.google.timeout)?,
            google: &config.google,
            scopes: &entry.scopes,
            sheets: config.sheets.values().filter(|sheet| sheet.credential == credential).collect(),
            locks: context.state.locks(),
            gate: context.refresh_gate(Purpose::Login, ProbePolicy::Now),
        })
    }

    /// The path of `state.db`.
    pub fn database(&self) -> &Path {
        &self.gate.database
    }

    /// The command of this run, for hints.
    pub fn command(&self) -> String {
        executables::login(&self.file.name)
    }

    /// Makes sure that the file can be replaced, before the user logs in or a token is used. Returns the current file.
    pub fn check(&self) -> Result<Option<Vec<u8>>> {
        let dir = self.file.path.parent().unwrap_or(Path::new("/"));
        let owner = dir.metadata().map_err(|error| Failure::io("cannot look at", dir, error))?.uid();
        let me = rustix::process::geteuid().as_raw();
        if owner != me && owner != 0 {
            return Err(Failure::new(
                Kind::Credential,
                format!("{}: {} belongs to uid {owner}, and this is uid {me}", self.file, dir.display()),
                format!("log in as the user that the jobs run as: sudo -u '#{owner}' {}", self.command()),
            ));
        }
        let previous = self.file.content()?;
        let room = usize::try_from(SIZE_LIMIT).unwrap_or(usize::MAX);
        Draft::new(&self.file.path)
            .and_then(|draft| draft.reserve(room))
            .map_err(|failure| failure.within(&self.file))?;
        Ok(previous)
    }

    /// The failure of a token request.
    pub fn failure(&self, error: TokenError, hint: impl AsRef<str>) -> Failure {
        let failure = Failure::new(error.class.kind(), format!("{}: {error}", self.file), hint);
        Failure { cause: error.cause, ..failure }
    }

    /// Installs it under the credential's lock, and records that it works, so that jobs that stopped requests with a dead
    /// credential resume at once.
    pub async fn install(&self, obtained: &Obtained) -> Result<()> {
        let path = credential::lock_file(&self.locks, &self.file.name);
        let _lock = lock::acquire(&path, LOCK_WAIT, Utc::now())
            .await
            .map_err(|failure| failure.within(&self.file))?;
        match &obtained.content {
            NewContent::Imported(content) => self.file.replace(content)?,
            NewContent::Login(authorization) => {
                let previous = self.file.content()?;
                self.file.replace(&content::merged(previous.as_deref(), authorization)?)?;
            }
        }
        let fingerprint = self.file.read()?.fingerprint();
        self.gate.record(&self.file, &fingerprint, TokenOutcome::Granted(obtained.grant.clone()), "");
        Ok(())
    }

    /// The lines that report success.
    pub fn summary(&self, obtained: &Obtained, result: &LoginResult) -> Vec<String> {
        let account = obtained.account.as_deref().unwrap_or("the account");
        let sheets = match result.sheets.len() {
            0 => "no sheet of the configuration uses it".to_owned(),
            1 => "its sheet was read".to_owned(),
            count => format!("its {count} sheets were read"),
        };
        let path = self.file.path.display();
        let mut lines = vec![format!(
            "{}: {account} may do what the jobs need; {sheets}; {path} is in place",
            self.file.name
        )];
        lines.extend(obtained.notes.iter().cloned());
        lines
    }
}

/// The note about a file that the user provided and that is no longer needed.
pub(crate) fn removal_note(path: &Path) -> String {
    format!("its secret is in place now; remove the download: rm {}", shell(path))
}
