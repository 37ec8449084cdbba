//! The OAuth client that asks a person: from the file that Google's console gives, or from the credential in place.

use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value};
use shared::credential::Place;
use shared::{Failure, Kind, Result, Secret};

/// Google's page on which a person allows or denies.
const GOOGLE_AUTH_URI: &str = "https://accounts.google.com/o/oauth2/v2/auth";

/// Where a client is made.
const CONSOLE: &str = "https://console.cloud.google.com/apis/credentials";

/// An OAuth client of the type *Desktop app*.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct OauthClient {
    #[serde(rename = "client_id")]
    pub id: String,
    #[serde(rename = "client_secret")]
    pub secret: Secret,
    /// Where the person is asked.
    #[serde(default = "google_auth_uri")]
    pub auth_uri: String,
    /// Where the person's answer is exchanged for tokens.
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
    pub fn from_download(content: &[u8], path: &Path, place: &Place) -> Result<Self> {
        let shown = path.display();
        let refused = |why: &str, hint: &str| {
            Failure::new(Kind::Credential, format!("{place}: the OAuth client {shown} {why}"), hint)
        };
        let again = format!("download it again: {CONSOLE}");
        // The parser's message is left out: it may quote what stands in the file.
        let file: Map<String, Value> =
            serde_json::from_slice(content).map_err(|_| refused("is not a JSON object", &again))?;
        if file.contains_key("refresh_token") || file.contains_key("private_key") {
            let hint = format!("token-login {} --import {}", place.name, shared::private::shell(path));
            return Err(refused("is a credential already", &hint));
        }
        if file.contains_key("web") {
            let why = "is of the type Web application: Google sends its answers to registered sites only, not to this machine";
            return Err(refused(why, &format!("make one of the type Desktop app: {CONSOLE}")));
        }
        let Some(installed) = file.get("installed") else {
            return Err(refused("has no \"installed\" part", &again));
        };
        let client = Self::from_fields(installed)
            .ok_or_else(|| refused("lacks \"client_id\" or \"client_secret\"", &again))?;
        client.trusted_by(place)
    }

    /// From the credential in place, for a person who logs in again.
    pub fn from_credential(content: Option<&[u8]>, place: &Place) -> Result<Self> {
        let fields: Option<Value> = content.and_then(|content| serde_json::from_slice(content).ok());
        let client =
            fields.as_ref().filter(|fields| fields["type"] != "service_account").and_then(Self::from_fields);
        let Some(client) = client else {
            let path = place.path.display();
            let why = match (content, &fields) {
                (None, _) => format!("{path} does not exist yet, so there is no OAuth client to log in with"),
                (_, Some(fields)) if fields["type"] == "service_account" => {
                    format!("{path} is a service account's key, and a robot has no login")
                }
                _ => format!("{path} holds no OAuth client to log in with"),
            };
            return Err(Failure::new(
                Kind::Credential,
                format!("{place}: {why}"),
                format!(
                    "make a client of the type Desktop app at {CONSOLE}, download it, then: token-login {} --client FILE; for a service account's key: token-login {} --import FILE",
                    place.name, place.name
                ),
            ));
        };
        client.trusted_by(place)
    }

    fn from_fields(fields: &Value) -> Option<Self> {
        let client = Self::deserialize(fields).ok()?;
        (!client.id.is_empty() && !client.secret.expose().is_empty()).then_some(client)
    }

    /// A client file from a stranger could send the person's sign-in and the secret elsewhere.
    fn trusted_by(self, place: &Place) -> Result<Self> {
        let strange = [&self.auth_uri, &self.token_uri].into_iter().find(|uri| !place.trusts(uri)).cloned();
        match strange {
            None => Ok(self),
            Some(strange) => Err(Failure::new(
                Kind::Credential,
                format!("{place}: the OAuth client names {strange:?}, which is not Google"),
                "if that host is right, name it under [google] token-hosts in the configuration and use https",
            )),
        }
    }

    /// Whether people are asked by Google itself, on any of its pages.
    pub fn has_googles_page(&self) -> bool {
        self.auth_uri.starts_with("https://accounts.google.com/")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn place() -> Place {
        Place {
            name: "port-sheet".into(),
            path: "/state/port-sheet.json".into(),
            credentials_directory: None,
            token_hosts: vec!["login.example.com".into()],
        }
    }

    fn downloaded(content: &Value) -> Result<OauthClient> {
        OauthClient::from_download(content.to_string().as_bytes(), Path::new("client secret.json"), &place())
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
    fn a_credential_in_place_lends_its_client_unless_it_is_a_robots() {
        let from = |content: Option<&str>| OauthClient::from_credential(content.map(str::as_bytes), &place());
        let client = from(Some(r#"{"client_id":"c","client_secret":"s","refresh_token":"dead"}"#)).unwrap();
        assert!(client.has_googles_page());
        for (content, why) in [
            (None, "does not exist yet"),
            (
                Some(r#"{"type":"service_account","client_id":"1","client_secret":"s"}"#),
                "a robot has no login",
            ),
            (Some("damaged"), "holds no OAuth client"),
        ] {
            let refused = from(content).unwrap_err();
            assert!(refused.message.contains(why) && refused.hint.contains("--client FILE"), "{refused:?}");
        }
    }
}
