//! A credential file: one account for one service, as Google and its Python library write it.
//!
//! Reads and rewrites files; [`crate::oauth`] uses the network. Unknown fields are kept.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::config::Config;
use crate::credential::health::Fingerprint;
use crate::sys::{atomic_file, secret_file};
use crate::{Failure, Result, Secret};

pub mod alerts;
pub mod health;
mod parse;
mod rotation;
pub mod scope;
pub mod token_error;

pub use rotation::Rotation;

/// Where a credential is, and which hosts may receive its secrets.
#[derive(Clone, Debug)]
pub struct CredentialFile {
    /// The name in the configuration.
    pub name: String,
    /// The file.
    pub path: PathBuf,
    /// systemd's `$CREDENTIALS_DIRECTORY`, if it is set.
    pub credentials_directory: Option<PathBuf>,
    /// Token hosts beyond Google's own, reached over https.
    pub token_hosts: Vec<String>,
}

impl CredentialFile {
    /// The file of a configured credential.
    ///
    /// # Errors
    /// [`crate::Kind::Bug`] for an unknown name: sheets were checked against the configured names.
    pub fn from_config(
        config: &Config,
        name: &str,
        credentials_directory: Option<&Path>,
        state_credentials: &Path,
    ) -> Result<Self> {
        let entry =
            config.credentials.get(name).ok_or_else(|| Failure::bug(format!("no credential {name:?}")))?;
        Ok(Self {
            name: name.to_owned(),
            path: secret_file::locate(&entry.file, credentials_directory, state_credentials),
            credentials_directory: credentials_directory.map(Path::to_owned),
            token_hosts: config.google.token_hosts.clone(),
        })
    }
}

/// The two kinds of file.
#[derive(Clone, Debug)]
pub enum Credential {
    /// A user's authorization.
    User(User),
    /// A service account's private key.
    ServiceAccount(ServiceAccount),
}

/// An `authorized_user` file: `type` may be missing, as in the files of Python's google-auth.
#[derive(Clone, Debug, Deserialize)]
pub struct User {
    /// The OAuth client.
    pub client_id: String,
    /// The client's secret.
    pub client_secret: Secret,
    /// Exchanged for access tokens.
    pub refresh_token: Secret,
    /// The token endpoint; Google's when the file names none.
    #[serde(default = "parse::google_token_uri")]
    pub token_uri: String,
    /// The user's address, where the library that wrote the file knew it; often empty.
    pub account: Option<String>,
}

/// A `service_account` key file.
#[derive(Clone, Debug)]
pub struct ServiceAccount {
    /// The account's address, with which a sheet is shared.
    pub client_email: String,
    /// The token endpoint, where assertions are exchanged.
    pub token_uri: String,
    /// The key's id and the private key.
    key: Secret,
    /// The whole file, for the library that signs.
    pub content: Secret,
}

impl CredentialFile {
    /// Reads the file with every safety check, and checks the host that would receive its secrets.
    ///
    /// # Errors
    /// [`crate::Kind::Credential`] when the file is missing, unsafe, malformed, of an unknown type, or names a token
    /// endpoint that is neither Google's nor in the configuration.
    pub fn read(&self) -> Result<Credential> {
        let content = secret_file::read(&self.path, self.credentials_directory.as_deref())
            .map_err(|f| f.within(self))?;
        self.parse_checked(&content)
    }

    /// The content of the file, after every safety check; `None` when there is no file.
    ///
    /// # Errors
    /// [`crate::Kind::Credential`] when it or a directory above it is unsafe; [`crate::Kind::Io`] when it cannot be read.
    pub fn content(&self) -> Result<Option<Vec<u8>>> {
        secret_file::check_directories(&self.path).map_err(|f| f.within(self))?;
        match self.path.symlink_metadata() {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            _ => secret_file::read(&self.path, self.credentials_directory.as_deref())
                .map(Some)
                .map_err(|f| f.within(self)),
        }
    }

    /// Installs another credential. The previous file is kept beside it as `.prev`. Both have mode 0600.
    ///
    /// The caller holds the credential's lock.
    ///
    /// # Errors
    /// [`crate::Kind::Credential`] when the content is no credential or the previous file is unsafe;
    /// [`crate::Kind::Io`] when it cannot be written. The previous file is then unchanged.
    pub fn replace(&self, content: &[u8]) -> Result<()> {
        self.parse_checked(content)?;
        if let Some(previous) = self.content()? {
            atomic_file::replace(&self.previous_path(), &previous)?;
        }
        atomic_file::replace(&self.path, content)?;
        // A rotated token of the previous authorization is worthless now.
        let _ = std::fs::remove_file(self.rotated_path());
        Ok(())
    }

    /// Where the file is kept that the last rotation or login replaced.
    pub fn previous_path(&self) -> PathBuf {
        self.with_suffix(".prev")
    }

    fn with_suffix(&self, suffix: &str) -> PathBuf {
        let mut name = self.path.as_os_str().to_owned();
        name.push(suffix);
        PathBuf::from(name)
    }
}

impl fmt::Display for CredentialFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "credential {:?}", self.name)
    }
}

impl Credential {
    /// Identifies this credential in the records: a hash of every field that decides whether it works, so that a
    /// corrected file is tried at once. The fields cannot be derived from it.
    pub fn fingerprint(&self) -> Fingerprint {
        match self {
            Self::User(user) => {
                let (token, secret) = (user.refresh_token.expose(), user.client_secret.expose());
                Fingerprint::new("authorized_user", &[token, &user.client_id, secret, &user.token_uri])
            }
            Self::ServiceAccount(account) => {
                let key = account.key.expose();
                Fingerprint::new("service_account", &[&account.client_email, key, &account.token_uri])
            }
        }
    }

    /// The token endpoint.
    pub fn token_uri(&self) -> &str {
        match self {
            Self::User(user) => &user.token_uri,
            Self::ServiceAccount(account) => &account.token_uri,
        }
    }
}

/// The lock file of a credential.
pub fn lock_file(locks: &Path, name: &str) -> PathBuf {
    crate::sys::lock::file_for(locks, &format!("credential-{name}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Kind;
    use std::fs;

    const PYTHON: &str = r#"{"token":"ya29.x","refresh_token":"1//r","token_uri":"https://oauth2.googleapis.com/token",
        "client_id":"c","client_secret":"s","scopes":["a"],"universe_domain":"googleapis.com","account":"","expiry":"2026-01-02T03:04:05Z"}"#;

    fn file(dir: &Path, content: &str) -> CredentialFile {
        let path = dir.join("token.json");
        atomic_file::replace(&path, content.as_bytes()).unwrap();
        CredentialFile {
            name: "port-sheet".into(),
            path,
            credentials_directory: None,
            token_hosts: vec!["login.example.com".into()],
        }
    }

    #[test]
    fn a_python_file_without_a_type_is_a_user() {
        let dir = tempfile::tempdir().unwrap();
        let Credential::User(user) = file(dir.path(), PYTHON).read().unwrap() else { panic!("a user") };
        assert_eq!(user.refresh_token.expose(), "1//r");
    }

    #[test]
    fn a_fingerprint_changes_with_what_authorizes_and_with_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let fingerprint = |content: &str| file(dir.path(), content).read().unwrap().fingerprint();
        let python = fingerprint(PYTHON);
        assert_eq!(python.hash.len(), 64);
        assert_eq!(python, fingerprint(&PYTHON.replace("2026-01-02", "2027-01-02")));
        assert_ne!(python, fingerprint(&PYTHON.replace("1//r", "1//other")));
        assert_ne!(
            python,
            fingerprint(&PYTHON.replace("\"client_secret\":\"s\"", "\"client_secret\":\"mended\""))
        );
    }

    #[test]
    fn another_credential_is_put_in_place_and_only_a_credential() {
        let dir = tempfile::tempdir().unwrap();
        let file = file(dir.path(), PYTHON);
        assert_eq!(file.replace(b"{}").unwrap_err().kind, Kind::Credential);
        assert_eq!(fs::read_to_string(&file.path).unwrap(), PYTHON);
        let other = PYTHON.replace("1//r", "1//other");
        file.replace(other.as_bytes()).unwrap();
        assert_eq!(fs::read_to_string(&file.path).unwrap(), other);
        assert_eq!(fs::read_to_string(file.previous_path()).unwrap(), PYTHON);
        fs::remove_file(&file.path).unwrap();
        assert_eq!(file.content().unwrap(), None);
        file.replace(PYTHON.as_bytes()).unwrap();
        assert_eq!(file.content().unwrap().unwrap(), PYTHON.as_bytes());
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
            assert_eq!(file(dir.path(), &content).read().is_ok(), allowed, "{uri}");
        }
    }

    #[test]
    fn a_malformed_file_is_refused_without_quoting_it() {
        let dir = tempfile::tempdir().unwrap();
        let refused = file(dir.path(), r#"{"refresh_token": "1//secret" "x"}"#).read().unwrap_err();
        assert_eq!(refused.kind, Kind::Credential);
        assert!(!refused.message.contains("secret"), "{refused}");
        assert!(
            file(dir.path(), r#"{"type":"external_account"}"#)
                .read()
                .unwrap_err()
                .message
                .contains("external_account")
        );
        assert!(
            file(dir.path(), r#"{"client_id":"c"}"#).read().unwrap_err().message.contains("client_secret")
        );
    }
}
