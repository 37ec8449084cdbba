//! The OAuth client of a login: from the file that Google's console provides, or from the installed credential.

use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value};
use shared::credential::CredentialFile;
use shared::{Failure, Kind, Result, Secret};

/// Google's page on which the user allows or denies access.
const GOOGLE_AUTH_URI: &str = "https://accounts.google.com/o/oauth2/v2/auth";

/// Where a client is created.
const CONSOLE: &str = "https://console.cloud.google.com/apis/credentials";

/// An OAuth client of the type *Desktop app*.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct OauthClient {
    #[serde(rename = "client_id")]
    pub id: String,
    #[serde(rename = "client_secret")]
    pub secret: Secret,
    /// The page on which the user allows or denies access.
    #[serde(default = "google_auth_uri")]
    pub auth_uri: String,
    /// The endpoint that exchanges the authorization code for tokens.
    #[serde(default = "google_token_uri")]
    pub token_uri: String,
}

fn google_auth_uri() -> String {
    GOOGLE_AUTH_URI.to_owned()
}

fn google_token_uri() -> String {
    "https://oauth2.googleapis.com/token".to_owned()
}

impl OauthClient {
    /// From a downloaded `client_secret….json`.
    pub fn from_download(content: &[u8], path: &Path, credential: &CredentialFile) -> Result<Self> {
        let download = ClientDownload { path, credential };
        let again = format!("download it again: {CONSOLE}");
        // The parser's message is left out: it may quote the file.
        let file: Map<String, Value> = serde_json::from_slice(content)
            .map_err(|error| download.refused("is not a JSON object", &again).caused_by(error))?;
        if file.contains_key("refresh_token") || file.contains_key("private_key") {
            let hint =
                format!("token-login {} --import {}", credential.name, shared::sys::secret_file::shell(path));
            return Err(download.refused("is a credential already", &hint));
        }
        if file.contains_key("web") {
            let why = "is of the type Web application: Google sends its answers to registered sites only, not to this machine";
            return Err(download.refused(why, &format!("make one of the type Desktop app: {CONSOLE}")));
        }
        let Some(installed) = file.get("installed") else {
            return Err(download.refused("has no \"installed\" part", &again));
        };
        let client = Self::from_fields(installed)
            .ok_or_else(|| download.refused("lacks \"client_id\" or \"client_secret\"", &again))?;
        client.trusted_by(credential)
    }

    /// From the installed credential, for a further login.
    pub fn from_credential(content: Option<&[u8]>, credential: &CredentialFile) -> Result<Self> {
        let fields: Option<Value> = content.and_then(|content| serde_json::from_slice(content).ok());
        let client =
            fields.as_ref().filter(|fields| fields["type"] != "service_account").and_then(Self::from_fields);
        let Some(client) = client else {
            let path = credential.path.display();
            let why = match (content, &fields) {
                (None, _) => format!("{path} does not exist yet, so there is no OAuth client to log in with"),
                (_, Some(fields)) if fields["type"] == "service_account" => {
                    format!("{path} is a service account's key, which has no login")
                }
                _ => format!("{path} holds no OAuth client to log in with"),
            };
            return Err(Failure::new(
                Kind::Credential,
                format!("{credential}: {why}"),
                format!(
                    "make a client of the type Desktop app at {CONSOLE}, download it, then: token-login {} --client FILE; for a service account's key: token-login {} --import FILE",
                    credential.name, credential.name
                ),
            ));
        };
        client.trusted_by(credential)
    }

    fn from_fields(fields: &Value) -> Option<Self> {
        let client = Self::deserialize(fields).ok()?;
        (!client.id.is_empty() && !client.secret.expose().is_empty()).then_some(client)
    }

    /// A client file from an unknown source could send the user's sign-in and the secret to another host.
    fn trusted_by(self, credential: &CredentialFile) -> Result<Self> {
        let strange =
            [&self.auth_uri, &self.token_uri].into_iter().find(|uri| !credential.trusts(uri)).cloned();
        match strange {
            None => Ok(self),
            Some(strange) => Err(Failure::new(
                Kind::Credential,
                format!("{credential}: the OAuth client names {strange:?}, which is not Google"),
                "if that host is right, name it under [google] token-hosts in the configuration and use https",
            )),
        }
    }

    /// Whether the user is asked on a page of Google itself.
    pub fn has_googles_page(&self) -> bool {
        self.auth_uri.starts_with("https://accounts.google.com/")
    }
}

/// A downloaded client file, for messages.
struct ClientDownload<'a> {
    path: &'a Path,
    credential: &'a CredentialFile,
}

impl ClientDownload<'_> {
    fn refused(&self, why: &str, hint: &str) -> Failure {
        let Self { path, credential } = self;
        let message = format!("{credential}: the OAuth client {} {why}", path.display());
        Failure::new(Kind::Credential, message, hint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn credential() -> CredentialFile {
        CredentialFile {
            name: "port-sheet".into(),
            path: "/state/port-sheet.json".into(),
            credentials_directory: None,
            token_hosts: vec!["login.example.com".into()],
        }
    }

    fn downloaded(content: &Value) -> Result<OauthClient> {
        OauthClient::from_download(
            content.to_string().as_bytes(),
            Path::new("client secret.json"),
            &credential(),
        )
    }

    #[test]
    fn a_desktop_client_is_taken_as_google_writes_it() {
        let client = downloaded(
            &json!({"installed": {"client_id": "c", "client_secret": "s", "project_id": "p",
            "auth_uri": "https://accounts.google.com/o/oauth2/auth", "token_uri": "https://oauth2.googleapis.com/token",
            "redirect_uris": ["http://localhost"]}}),
        );
        assert_eq!(client.unwrap().id, "c");
    }

    #[test]
    fn other_files_are_refused_with_what_they_are() {
        let hosts = json!({"installed": {"client_id": "c", "client_secret": "s", "auth_uri": "https://evil.example/auth"}});
        for (content, why, hint) in [
            (json!({"web": {"client_id": "c"}}), "Web application", "Desktop app"),
            (json!({"refresh_token": "r"}), "credential already", "--import 'client secret.json'"),
            (json!({"installed": {"client_id": "c"}}), "lacks", "download it again"),
            (json!({"x": 1}), "no \"installed\" part", "download it again"),
            (json!([]), "not a JSON object", "download it again"),
            (hosts, "\"https://evil.example/auth\", which is not Google", "token-hosts"),
        ] {
            let refused = downloaded(&content).unwrap_err();
            assert!(refused.message.contains(why) && refused.hint.contains(hint), "{refused:?}");
        }
    }

    #[test]
    fn an_installed_credential_provides_its_client_unless_it_is_a_service_account() {
        let from =
            |content: Option<&str>| OauthClient::from_credential(content.map(str::as_bytes), &credential());
        let client = from(Some(r#"{"client_id":"c","client_secret":"s","refresh_token":"dead"}"#)).unwrap();
        assert!(client.has_googles_page());
        for (content, why) in [
            (None, "does not exist yet"),
            (Some(r#"{"type":"service_account","client_id":"1","client_secret":"s"}"#), "which has no login"),
            (Some("damaged"), "holds no OAuth client"),
        ] {
            let refused = from(content).unwrap_err();
            assert!(refused.message.contains(why) && refused.hint.contains("--client FILE"), "{refused:?}");
        }
    }
}
