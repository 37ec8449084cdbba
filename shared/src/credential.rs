//! A credential file: one account for one service, as Google and its Python library write it.
//!
//! It reads and rewrites files; the network is [`crate::oauth`]'s. Fields that it does not know are kept.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::config::Config;
use crate::history::Seen;
use crate::{Failure, Result, Secret, file, private};

mod parse;
mod rotation;

pub use rotation::Rotation;

/// Where a credential is and what it may be used for.
#[derive(Clone, Debug)]
pub struct Place {
    /// Its name in the configuration.
    pub name: String,
    /// The file.
    pub path: PathBuf,
    /// systemd's `$CREDENTIALS_DIRECTORY`, if it is set.
    pub credentials_directory: Option<PathBuf>,
    /// Token hosts beyond Google's own, reached over https.
    pub token_hosts: Vec<String>,
}

impl Place {
    /// Where the configuration has a credential.
    ///
    /// # Errors
    /// [`crate::Kind::Bug`] for a name that it does not have: sheets were checked against it.
    pub fn of(
        config: &Config,
        name: &str,
        credentials_directory: Option<&Path>,
        state_credentials: &Path,
    ) -> Result<Self> {
        let entry =
            config.credentials.get(name).ok_or_else(|| Failure::bug(format!("no credential {name:?}")))?;
        Ok(Self {
            name: name.to_owned(),
            path: private::locate(&entry.file, credentials_directory, state_credentials),
            credentials_directory: credentials_directory.map(Path::to_owned),
            token_hosts: config.google.token_hosts.clone(),
        })
    }
}

/// The two kinds of file.
#[derive(Clone, Debug)]
pub enum Credential {
    /// A person's authorization.
    User(User),
    /// A robot account with a private key.
    ServiceAccount(ServiceAccount),
}

/// An `authorized_user` file: `type` may be missing, as in the files of Python's google-auth.
#[derive(Clone, Debug, Deserialize)]
pub struct User {
    /// The OAuth client.
    pub client_id: String,
    /// The OAuth client's secret.
    pub client_secret: Secret,
    /// What buys access tokens.
    pub refresh_token: Secret,
    /// Where it buys them; a file without one means Google.
    #[serde(default = "parse::google_token_uri")]
    pub token_uri: String,
    /// The person's address, where the library that wrote the file knew it; often blank.
    pub account: Option<String>,
}

/// A `service_account` key file.
#[derive(Clone, Debug)]
pub struct ServiceAccount {
    /// The account's address: what a sheet is shared with.
    pub client_email: String,
    /// Where assertions are exchanged.
    pub token_uri: String,
    /// The key: its id and the private key itself.
    key: Secret,
    /// The whole file, for the library that signs.
    pub content: Secret,
}

impl Place {
    /// Reads the file with every safety check, and checks where its secrets would be sent.
    ///
    /// # Errors
    /// [`crate::Kind::Credential`] when the file is missing, unsafe, malformed, of an unknown type, or would send its secret
    /// to a host that is neither Google's nor named in the configuration.
    pub fn read(&self) -> Result<Credential> {
        let content =
            private::read(&self.path, self.credentials_directory.as_deref()).map_err(|f| f.within(self))?;
        self.parse_checked(&content)
    }

    /// The file as it stands, with every safety check; none when there is none.
    ///
    /// # Errors
    /// [`crate::Kind::Credential`] when it or a directory above it is unsafe; [`crate::Kind::Io`] when it cannot be read.
    pub fn content(&self) -> Result<Option<Vec<u8>>> {
        private::check_directories(&self.path).map_err(|f| f.within(self))?;
        match self.path.symlink_metadata() {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            _ => private::read(&self.path, self.credentials_directory.as_deref())
                .map(Some)
                .map_err(|f| f.within(self)),
        }
    }

    /// Puts another credential in place. A file before is kept beside it as `.prev`. Both are 0600.
    ///
    /// Hold the credential's lock.
    ///
    /// # Errors
    /// [`crate::Kind::Credential`] when the content is no credential or the file before is unsafe; [`crate::Kind::Io`] when it cannot
    /// be written. The old file then is what it was.
    pub fn replace(&self, content: &[u8]) -> Result<()> {
        self.parse_checked(content)?;
        self.put(self.content()?.as_deref(), content)?;
        // A changed token of the authorization before is worth nothing now.
        let _ = std::fs::remove_file(self.kept());
        Ok(())
    }

    fn put(&self, before: Option<&[u8]>, content: &[u8]) -> Result<()> {
        if let Some(before) = before {
            file::replace(&self.previous(), before)?;
        }
        file::replace(&self.path, content)
    }

    /// Where the file before the last rotation or login is kept.
    pub fn previous(&self) -> PathBuf {
        self.beside(".prev")
    }

    /// The file's name with this at its end.
    fn beside(&self, end: &str) -> PathBuf {
        let mut name = self.path.as_os_str().to_owned();
        name.push(end);
        PathBuf::from(name)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "credential {:?}", self.name)
    }
}

impl Credential {
    /// What this file is known by in histories: a hash over everything that decides whether it works, so that a file that
    /// was mended in any way is tried at once. It tells nothing of what it was made from.
    pub fn seen(&self) -> Seen {
        match self {
            Self::User(user) => {
                let (token, secret) = (user.refresh_token.expose(), user.client_secret.expose());
                Seen::of("authorized_user", &[token, &user.client_id, secret, &user.token_uri])
            }
            Self::ServiceAccount(account) => {
                let key = account.key.expose();
                Seen::of("service_account", &[&account.client_email, key, &account.token_uri])
            }
        }
    }

    /// Where its tokens come from.
    pub fn token_uri(&self) -> &str {
        match self {
            Self::User(user) => &user.token_uri,
            Self::ServiceAccount(account) => &account.token_uri,
        }
    }
}

/// The lock file of a credential.
pub fn lock_file(locks: &Path, name: &str) -> PathBuf {
    crate::lock::file_for(locks, &format!("credential-{name}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Kind;
    use std::fs;

    const PYTHON: &str = r#"{"token":"ya29.x","refresh_token":"1//r","token_uri":"https://oauth2.googleapis.com/token",
        "client_id":"c","client_secret":"s","scopes":["a"],"universe_domain":"googleapis.com","account":"","expiry":"2026-01-02T03:04:05Z"}"#;

    fn place(dir: &Path, content: &str) -> Place {
        let path = dir.join("token.json");
        file::replace(&path, content.as_bytes()).unwrap();
        Place {
            name: "port-sheet".into(),
            path,
            credentials_directory: None,
            token_hosts: vec!["login.example.com".into()],
        }
    }

    #[test]
    fn a_python_file_without_a_type_is_a_user() {
        let dir = tempfile::tempdir().unwrap();
        let Credential::User(user) = place(dir.path(), PYTHON).read().unwrap() else { panic!("a user") };
        assert_eq!(user.refresh_token.expose(), "1//r");
    }

    #[test]
    fn a_fingerprint_changes_with_what_authorizes_and_with_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let seen = |content: &str| place(dir.path(), content).read().unwrap().seen();
        let python = seen(PYTHON);
        assert_eq!(python.fingerprint.len(), 64);
        assert_eq!(python, seen(&PYTHON.replace("2026-01-02", "2027-01-02")));
        assert_ne!(python, seen(&PYTHON.replace("1//r", "1//other")));
        assert_ne!(python, seen(&PYTHON.replace("\"client_secret\":\"s\"", "\"client_secret\":\"mended\"")));
    }

    #[test]
    fn another_credential_is_put_in_place_and_only_a_credential() {
        let dir = tempfile::tempdir().unwrap();
        let place = place(dir.path(), PYTHON);
        assert_eq!(place.replace(b"{}").unwrap_err().kind, Kind::Credential);
        assert_eq!(fs::read_to_string(&place.path).unwrap(), PYTHON);
        let other = PYTHON.replace("1//r", "1//other");
        place.replace(other.as_bytes()).unwrap();
        assert_eq!(fs::read_to_string(&place.path).unwrap(), other);
        assert_eq!(fs::read_to_string(place.previous()).unwrap(), PYTHON);
        fs::remove_file(&place.path).unwrap();
        assert_eq!(place.content().unwrap(), None);
        place.replace(PYTHON.as_bytes()).unwrap();
        assert_eq!(place.content().unwrap().unwrap(), PYTHON.as_bytes());
    }

    #[test]
    fn secrets_are_sent_to_google_named_hosts_and_loopback_only() {
        let dir = tempfile::tempdir().unwrap();
        for (uri, allowed) in [
            ("https://oauth2.googleapis.com/token", true),
            ("https://login.example.com/token", true),
            ("http://127.0.0.1:8899/token", true),
            ("http://[::1]:8899/token", true),
            ("http://oauth2.googleapis.com/token", false),
            ("http://login.example.com/token", false),
            ("https://oauth2.googleapis.com.evil.example/token", false),
            ("https://oauth2.googleapis.com@evil.example/token", false),
            ("file:///etc/passwd", false),
        ] {
            let content = PYTHON.replace("https://oauth2.googleapis.com/token", uri);
            assert_eq!(place(dir.path(), &content).read().is_ok(), allowed, "{uri}");
        }
    }

    #[test]
    fn a_malformed_file_is_refused_without_quoting_it() {
        let dir = tempfile::tempdir().unwrap();
        let refused = place(dir.path(), r#"{"refresh_token": "1//secret" "x"}"#).read().unwrap_err();
        assert_eq!(refused.kind, Kind::Credential);
        assert!(!refused.message.contains("secret"), "{refused}");
        assert!(
            place(dir.path(), r#"{"type":"external_account"}"#)
                .read()
                .unwrap_err()
                .message
                .contains("external_account")
        );
        assert!(
            place(dir.path(), r#"{"client_id":"c"}"#).read().unwrap_err().message.contains("client_secret")
        );
    }
}
