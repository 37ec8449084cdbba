//! The text of a credential file. It is pure: nothing is read or written.

use serde_json::{Map, Value};
use shared::{Failure, Result, Secret};

use crate::client::OauthClient;

/// What a login brings.
pub(crate) struct Person {
    pub client: OauthClient,
    pub refresh_token: Secret,
    pub scopes: Vec<String>,
    pub account: Option<String>,
}

/// Fields that belong to the authorization before, or to an access token, which is never stored.
const STALE: [&str; 6] = ["token", "expiry", "rapt_token", "scopes", "account", "auth_uri"];

/// The new authorization, with the fields of the file before that belong to neither.
pub(crate) fn laid_over(before: Option<&[u8]>, person: &Person) -> Result<Vec<u8>> {
    let mut fields = before.and_then(persons_fields).unwrap_or_default();
    STALE.iter().for_each(|stale| drop(fields.remove(*stale)));
    let client = &person.client;
    let mut set = |name: &str, value: Value| drop(fields.insert(name.to_owned(), value));
    set("type", "authorized_user".into());
    set("client_id", client.id.as_str().into());
    set("client_secret", client.secret.expose().into());
    set("refresh_token", person.refresh_token.expose().into());
    set("token_uri", client.token_uri.as_str().into());
    set("scopes", person.scopes.clone().into());
    if let Some(account) = &person.account {
        set("account", account.as_str().into());
    }
    // Other programs know Google's; a page elsewhere must be found again at the next login.
    if !client.has_googles_page() {
        set("auth_uri", client.auth_uri.as_str().into());
    }
    written(&fields)
}

/// A person's file taken over, without its access token and with the refresh token that is good now.
pub(crate) fn taken_over(content: &[u8], rotated: Option<&Secret>) -> Result<Vec<u8>> {
    let mut fields = persons_fields(content).unwrap_or_default();
    drop((fields.remove("token"), fields.remove("expiry")));
    if let Some(rotated) = rotated {
        fields.insert("refresh_token".to_owned(), rotated.expose().into());
    }
    written(&fields)
}

/// The fields of a file that is a person's; a robot's have no place in one.
fn persons_fields(content: &[u8]) -> Option<Map<String, Value>> {
    let fields: Map<String, Value> = serde_json::from_slice(content).ok()?;
    matches!(fields.get("type").map(Value::as_str), None | Some(Some("authorized_user"))).then_some(fields)
}

fn written(fields: &Map<String, Value>) -> Result<Vec<u8>> {
    let mut text = serde_json::to_vec_pretty(fields).map_err(|error| Failure::bug(error.to_string()))?;
    text.push(b'\n');
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn person(account: Option<&str>) -> Person {
        Person {
            client: OauthClient {
                id: "c2".into(),
                secret: Secret::new("s2"),
                auth_uri: "https://accounts.google.com/o/oauth2/auth".into(),
                token_uri: "https://oauth2.googleapis.com/token".into(),
            },
            refresh_token: Secret::new("1//new"),
            scopes: vec!["a".into()],
            account: account.map(str::to_owned),
        }
    }

    fn over(before: &Value) -> Value {
        let text = laid_over(Some(before.to_string().as_bytes()), &person(None)).unwrap();
        serde_json::from_slice(&text).unwrap()
    }

    #[test]
    fn what_belongs_to_the_old_authorization_goes_and_the_rest_stays() {
        let before = json!({"token": "ya29", "expiry": "2026", "account": "old@x", "refresh_token": "1//old",
            "client_id": "c", "client_secret": "s", "quota_project_id": "p", "note": "kept"});
        let expected = json!({"type": "authorized_user", "client_id": "c2", "client_secret": "s2",
            "refresh_token": "1//new", "token_uri": "https://oauth2.googleapis.com/token", "scopes": ["a"],
            "quota_project_id": "p", "note": "kept"});
        assert_eq!(over(&before), expected);
    }

    #[test]
    fn nothing_of_a_robots_key_or_of_another_file_is_kept() {
        for before in [json!({"type": "service_account", "private_key": "k"}), json!([1])] {
            assert_eq!(over(&before), over(&json!({})));
        }
    }

    #[test]
    fn a_file_taken_over_loses_its_access_token_only() {
        let before =
            json!({"token": "ya29", "expiry": "2026", "refresh_token": "1//r", "universe_domain": "u"});
        let text = taken_over(before.to_string().as_bytes(), None).unwrap();
        let after: Value = serde_json::from_slice(&text).unwrap();
        assert_eq!(after, json!({"refresh_token": "1//r", "universe_domain": "u"}));
        let rotated = taken_over(before.to_string().as_bytes(), Some(&Secret::new("1//next"))).unwrap();
        assert!(String::from_utf8(rotated).unwrap().contains("1//next"));
    }
}
