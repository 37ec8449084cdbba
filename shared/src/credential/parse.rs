//! The content of a credential file, and the hosts that may receive its secrets.
//!
//! No failure ever quotes the content.

use serde::Deserialize;
use serde_json::{Map, Value};
use url::Url;

use super::{Credential, CredentialFile, ServiceAccount};
use crate::cause::Cause;
use crate::sys::url::is_loopback;
use crate::{Failure, Kind, Result, Secret};

/// Google's token endpoint, for files that name none, such as gcloud's.
const GOOGLE_TOKEN_URI: &str = "https://oauth2.googleapis.com/token";

/// Google's hosts with a token endpoint.
const GOOGLE_TOKEN_HOSTS: [&str; 3] = ["oauth2.googleapis.com", "accounts.google.com", "www.googleapis.com"];

pub(super) fn google_token_uri() -> String {
    GOOGLE_TOKEN_URI.to_owned()
}

impl CredentialFile {
    /// The credential in this content, which is not necessarily the file's. Checks the host that would receive its
    /// secrets.
    ///
    /// # Errors
    /// As [`CredentialFile::read`], without the safety of the file.
    pub fn parse_checked(&self, content: &[u8]) -> Result<Credential> {
        let credential = self.parse(content)?;
        self.check_token_uri(credential.token_uri())?;
        Ok(credential)
    }

    fn parse(&self, content: &[u8]) -> Result<Credential> {
        let fields = self.fields(content)?;
        match fields.get("type").map(|kind| kind.as_str().unwrap_or("")) {
            Some("authorized_user") | None => self.decode(&fields).map(Credential::User),
            Some("service_account") => self.service_account(&fields, content).map(Credential::ServiceAccount),
            Some(other) => Err(self.refused(format!("has the unknown type {other:?}"))),
        }
    }

    pub(super) fn fields(&self, content: &[u8]) -> Result<Map<String, Value>> {
        // The parser's message is left out: it may quote the file.
        serde_json::from_slice(content).map_err(|error| {
            self.refused(format!("is not a JSON object (line {}, column {})", error.line(), error.column()))
                .caused_by(error)
        })
    }

    fn decode<T: for<'de> Deserialize<'de>>(&self, fields: &Map<String, Value>) -> Result<T> {
        for name in ["client_id", "client_secret", "refresh_token"] {
            self.required(fields, name)?;
        }
        T::deserialize(Value::Object(fields.clone()))
            .map_err(|error| self.refused("has a field of the wrong kind").caused_by(error))
    }

    /// A field that must be text and must not be empty.
    fn required(&self, fields: &Map<String, Value>, name: &str) -> Result<String> {
        let value = fields.get(name).and_then(Value::as_str).filter(|value| !value.is_empty());
        value.map(str::to_owned).ok_or_else(|| self.refused(format!("lacks the field {name:?}")))
    }

    fn service_account(&self, fields: &Map<String, Value>, content: &[u8]) -> Result<ServiceAccount> {
        let id = fields.get("private_key_id").and_then(Value::as_str).unwrap_or_default();
        let key = Secret::new(format!("{id}\0{}", self.required(fields, "private_key")?));
        let content = str::from_utf8(content)
            .map_err(|error| self.refused("is not UTF-8").caused_by(Cause::new(error)))?;
        Ok(ServiceAccount {
            client_email: self.required(fields, "client_email")?,
            token_uri: self.required(fields, "token_uri")?,
            key,
            content: Secret::new(content),
        })
    }

    /// Whether an address may receive a secret or a user's sign-in: over https one of Google's or a host in the
    /// configuration, or any on this machine.
    pub fn trusts(&self, uri: &str) -> bool {
        Url::parse(uri).is_ok_and(|url| match (url.scheme(), url.host_str()) {
            ("https", Some(host)) => self.is_token_host(host) || is_loopback(&url),
            ("http", Some(_)) => is_loopback(&url),
            _ => false,
        })
    }

    fn is_token_host(&self, host: &str) -> bool {
        GOOGLE_TOKEN_HOSTS.contains(&host) || self.token_hosts.iter().any(|configured| configured == host)
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

    fn refused(&self, why: impl AsRef<str>) -> Failure {
        Failure::new(
            Kind::Credential,
            format!("{self}: {} {}", self.path.display(), why.as_ref()),
            "put a service-account key or an authorized_user file from Google there, with mode 0600",
        )
    }
}
