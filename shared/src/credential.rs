//! A credential file: one account for one service, as Google and its Python library write it.
//!
//! It reads and rewrites files; the network is [`crate::oauth`]'s. Fields that it does not know are kept.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Map, Value};
use url::Url;

use crate::address::is_loopback;
use crate::config::Config;
use crate::history::Seen;
use crate::{Failure, Kind, Result, Secret, file, private};

mod rotation;

pub use rotation::Rotation;

/// Google's token endpoint, for files that name none, as gcloud's do.
const GOOGLE_TOKEN_URI: &str = "https://oauth2.googleapis.com/token";

/// Hosts of Google that answer token requests.
const GOOGLE_TOKEN_HOSTS: [&str; 3] = ["oauth2.googleapis.com", "accounts.google.com", "www.googleapis.com"];

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
    /// [`Kind::Bug`] for a name that it does not have: sheets were checked against it.
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
    #[serde(default = "google_token_uri")]
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

fn google_token_uri() -> String {
    GOOGLE_TOKEN_URI.to_owned()
}

impl Place {
    /// Reads the file with every safety check, and checks where its secrets would be sent.
    ///
    /// # Errors
    /// [`Kind::Credential`] when the file is missing, unsafe, malformed, of an unknown type, or would send its secret
    /// to a host that is neither Google's nor named in the configuration.
    pub fn read(&self) -> Result<Credential> {
        let content =
            private::read(&self.path, self.credentials_directory.as_deref()).map_err(|f| f.within(self))?;
        self.parse_checked(&content)
    }

    /// The credential in this content, which need not be in the file; where its secrets would be sent is checked.
    ///
    /// # Errors
    /// As [`Place::read`], safety of the file apart.
    pub fn parse_checked(&self, content: &[u8]) -> Result<Credential> {
        let credential = self.parse(content)?;
        self.check_token_uri(credential.token_uri())?;
        Ok(credential)
    }

    /// The file as it stands, with every safety check; none when there is none.
    ///
    /// # Errors
    /// [`Kind::Credential`] when it or a directory above it is unsafe; [`Kind::Io`] when it cannot be read.
    pub fn content(&self) -> Result<Option<Vec<u8>>> {
        private::check_directories(&self.path).map_err(|f| f.within(self))?;
        match self.path.symlink_metadata() {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            _ => private::read(&self.path, self.credentials_directory.as_deref())
                .map(Some)
                .map_err(|f| f.within(self)),
        }
    }

    fn parse(&self, content: &[u8]) -> Result<Credential> {
        let fields = self.fields(content)?;
        match fields.get("type").map(|kind| kind.as_str().unwrap_or("")) {
            Some("authorized_user") | None => self.decode(&fields).map(Credential::User),
            Some("service_account") => self.service_account(&fields, content).map(Credential::ServiceAccount),
            Some(other) => Err(self.refused(format!("has the unknown type {other:?}"))),
        }
    }

    fn fields(&self, content: &[u8]) -> Result<Map<String, Value>> {
        // The parser's message is left out: it may quote what stands in the file.
        serde_json::from_slice(content).map_err(|error| {
            self.refused(format!("is not a JSON object (line {}, column {})", error.line(), error.column()))
        })
    }

    fn decode<T: for<'de> Deserialize<'de>>(&self, fields: &Map<String, Value>) -> Result<T> {
        for needed in ["client_id", "client_secret", "refresh_token"] {
            let filled = fields.get(needed).and_then(Value::as_str).is_some_and(|text| !text.is_empty());
            if !filled {
                return Err(self.refused(format!("lacks the field {needed:?}")));
            }
        }
        T::deserialize(Value::Object(fields.clone()))
            .map_err(|_| self.refused("has a field of the wrong kind"))
    }

    fn service_account(&self, fields: &Map<String, Value>, content: &[u8]) -> Result<ServiceAccount> {
        let text = |name: &str| {
            let value = fields.get(name).and_then(Value::as_str).filter(|value| !value.is_empty());
            value.map(str::to_owned).ok_or_else(|| self.refused(format!("lacks the field {name:?}")))
        };
        let id = fields.get("private_key_id").and_then(Value::as_str).unwrap_or_default();
        let key = Secret::new(format!("{id}\0{}", text("private_key")?));
        let content = String::from_utf8(content.to_vec()).map_err(|_| self.refused("is not UTF-8"))?;
        Ok(ServiceAccount {
            client_email: text("client_email")?,
            token_uri: text("token_uri")?,
            key,
            content: Secret::new(content),
        })
    }

    /// Whether an address may be trusted with a secret or a person's sign-in: Google's, over https a host that the
    /// configuration names, or one on this machine.
    pub fn trusts(&self, uri: &str) -> bool {
        let named = |host: &str| {
            GOOGLE_TOKEN_HOSTS.contains(&host) || self.token_hosts.iter().any(|named| named == host)
        };
        Url::parse(uri).is_ok_and(|url| match (url.scheme(), url.host_str()) {
            ("https", Some(host)) => named(host) || is_loopback(&url),
            ("http", Some(_)) => is_loopback(&url),
            _ => false,
        })
    }

    fn check_token_uri(&self, token_uri: &str) -> Result<()> {
        if self.trusts(token_uri) {
            return Ok(());
        }
        Err(Failure::new(
            Kind::Credential,
            format!(
                "{self}: {} would send its secret to {token_uri:?}, which is not Google",
                self.path.display()
            ),
            "if that host is right, name it under [google] token-hosts in the configuration and use https",
        ))
    }

    /// Puts another credential in place. A file before is kept beside it as `.prev`. Both are 0600.
    ///
    /// Hold the credential's lock.
    ///
    /// # Errors
    /// [`Kind::Credential`] when the content is no credential or the file before is unsafe; [`Kind::Io`] when it cannot
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

    fn refused(&self, why: impl AsRef<str>) -> Failure {
        Failure::new(
            Kind::Credential,
            format!("{self}: {} {}", self.path.display(), why.as_ref()),
            "put a service-account key or an authorized_user file from Google there, with mode 0600",
        )
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
