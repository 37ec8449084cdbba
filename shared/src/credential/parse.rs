//! What is in a credential file, and where its secrets may be sent.
//!
//! Nothing of the content is ever quoted in a failure.

use serde::Deserialize;
use serde_json::{Map, Value};
use url::Url;

use super::{Credential, Place, ServiceAccount};
use crate::address::is_loopback;
use crate::{Failure, Kind, Result, Secret};

/// Google's token endpoint, for files that name none, as gcloud's do.
const GOOGLE_TOKEN_URI: &str = "https://oauth2.googleapis.com/token";

/// Hosts of Google that answer token requests.
const GOOGLE_TOKEN_HOSTS: [&str; 3] = ["oauth2.googleapis.com", "accounts.google.com", "www.googleapis.com"];

pub(super) fn google_token_uri() -> String {
    GOOGLE_TOKEN_URI.to_owned()
}

impl Place {
    /// The credential in this content, which need not be in the file; where its secrets would be sent is checked.
    ///
    /// # Errors
    /// As [`Place::read`], safety of the file apart.
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

    fn refused(&self, why: impl AsRef<str>) -> Failure {
        Failure::new(
            Kind::Credential,
            format!("{self}: {} {}", self.path.display(), why.as_ref()),
            "put a service-account key or an authorized_user file from Google there, with mode 0600",
        )
    }
}
