//! What an authorization needs from the configuration, and the way into the file: checked first, written last.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::Utc;
use shared::config::{Google, Sheet};
use shared::credential::{self, Place};
use shared::file::Draft;
use shared::history::{Good, Outcome};
use shared::http::Http;
use shared::job::Context;
use shared::oauth::{Asking, Ledger, Refusal};
use shared::private::{SIZE_LIMIT, shell};
use shared::store::Purpose;
use shared::{Failure, Kind, Result, Secret, lock};

use crate::content::{self, Person};
use crate::result::Entry;

/// How long to wait for a job that is refreshing the credential: more than one exchange can take.
const LOCK_WAIT: Duration = Duration::from_secs(120);

/// The credential to be replaced, and the means.
pub(crate) struct Desk<'a> {
    pub place: Place,
    pub http: Http,
    pub google: &'a Google,
    /// The scopes that the configuration asks for.
    pub scopes: &'a [String],
    /// The sheets that use the credential.
    pub sheets: Vec<&'a Sheet>,
    locks: PathBuf,
    ledger: Ledger,
}

/// A credential that works, but is not in its place.
pub(crate) struct Obtained {
    pub content: Content,
    pub token: Secret,
    pub account: Option<String>,
    pub scopes: Vec<String>,
    /// What the token's answer says for the history.
    pub good: Good,
    /// What else the person is to be told when it is in place.
    pub notes: Vec<String>,
}

/// What the file is to hold.
pub(crate) enum Content {
    /// A file taken over.
    Whole(Vec<u8>),
    /// A person's authorization, to be laid over the file that is there.
    Person(Person),
}

impl<'a> Desk<'a> {
    pub fn new(context: &'a Context, credential: &str) -> Result<Self> {
        let config = &context.config;
        let granted = context.environment.credentials_directory.as_deref();
        let place = Place::of(config, credential, granted, &context.state.credentials())?;
        let entry =
            config.credentials.get(credential).ok_or_else(|| Failure::bug("a checked name is gone"))?;
        Ok(Self {
            place,
            http: Http::new(config.google.timeout)?,
            google: &config.google,
            scopes: &entry.scopes,
            sheets: config.sheets.values().filter(|sheet| sheet.credential == credential).collect(),
            locks: context.state.locks(),
            ledger: context.ledger(Purpose::Login, Asking::Now),
        })
    }

    /// The records.
    pub fn database(&self) -> &Path {
        &self.ledger.database
    }

    /// The command that this is a run of, for hints.
    pub fn command(&self) -> String {
        format!("token-login {}", self.place.name)
    }

    /// Makes sure that the file could be replaced, before a person is troubled or a token is spent. Answers the file that is there.
    pub fn check_destination(&self) -> Result<Option<Vec<u8>>> {
        let dir = self.place.path.parent().unwrap_or(Path::new("/"));
        let owner = dir.metadata().map_err(|error| Failure::io("cannot look at", dir, error))?.uid();
        let me = rustix::process::geteuid().as_raw();
        if owner != me && owner != 0 {
            return Err(Failure::new(
                Kind::Credential,
                format!("{}: {} belongs to uid {owner}, and this is uid {me}", self.place, dir.display()),
                format!("log in as the user that the jobs run as: sudo -u '#{owner}' {}", self.command()),
            ));
        }
        let before = self.place.content()?;
        let room = usize::try_from(SIZE_LIMIT).unwrap_or(usize::MAX);
        Draft::new(&self.place.path)
            .and_then(|draft| draft.reserve(room))
            .map_err(|failure| failure.within(&self.place))?;
        Ok(before)
    }

    /// The failure of a token request.
    pub fn refused(&self, refusal: &Refusal, hint: impl AsRef<str>) -> Failure {
        Failure::new(refusal.class.kind(), format!("{}: {refusal}", self.place), hint)
    }

    /// Puts it in place, under the credential's lock and laid over the file as it is then, and records that it works:
    /// whoever left it in peace because it was dead asks again.
    pub async fn put(&self, obtained: &Obtained) -> Result<()> {
        let path = credential::lock_file(&self.locks, &self.place.name);
        let _lock = lock::acquire(&path, LOCK_WAIT, Utc::now())
            .await
            .map_err(|failure| failure.within(&self.place))?;
        match &obtained.content {
            Content::Whole(content) => self.place.replace(content)?,
            Content::Person(person) => {
                let before = self.place.content()?;
                self.place.replace(&content::laid_over(before.as_deref(), person)?)?;
            }
        }
        let seen = self.place.read()?.seen();
        self.ledger.record(&self.place, &seen, Outcome::Good(obtained.good.clone()), "");
        Ok(())
    }

    /// What was done.
    pub fn summary(&self, obtained: &Obtained, entry: &Entry) -> Vec<String> {
        let account = obtained.account.as_deref().unwrap_or("the account");
        let sheets = match entry.sheets.len() {
            0 => "no sheet of the configuration uses it".to_owned(),
            1 => "its sheet was read".to_owned(),
            count => format!("its {count} sheets were read"),
        };
        let path = self.place.path.display();
        let mut lines = vec![format!(
            "{}: {account} may do what the jobs need; {sheets}; {path} is in place",
            self.place.name
        )];
        lines.extend(obtained.notes.iter().cloned());
        lines
    }
}

/// What to tell about a file that a person handed over.
pub(crate) fn farewell(path: &Path) -> String {
    format!("its secret is in place now; remove the download: rm {}", shell(path))
}
