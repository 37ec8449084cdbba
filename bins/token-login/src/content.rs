//! The content of a credential file. Pure.

use serde_json::{Map, Value};
use shared::{Failure, Result, Secret};

use crate::client::OauthClient;

/// The result of a login.
pub(crate) struct UserAuthorization {
    pub client: OauthClient,
    pub refresh_token: Secret,
    pub scopes: Vec<String>,
    pub account: Option<String>,
}

/// Fields of the previous authorization, or of an access token, which is never stored.
const STALE: [&str; 6] = ["token", "expiry", "rapt_token", "scopes", "account", "auth_uri"];

/// The new authorization, with the other fields of the previous file.
pub(crate) fn merged(previous: Option<&[u8]>, authorization: &UserAuthorization) -> Result<Vec<u8>> {
    let mut fields = previous.and_then(user_fields).unwrap_or_default();
    STALE.iter().for_each(|stale| drop(fields.remove(*stale)));
    let UserAuthorization { client, refresh_token, scopes, account } = authorization;
    let new = [
        ("type", Some(Value::from("authorized_user"))),
        ("client_id", Some(client.id.as_str().into())),
        ("client_secret", Some(client.secret.expose().into())),
        ("refresh_token", Some(refresh_token.expose().into())),
        ("token_uri", Some(client.token_uri.as_str().into())),
        ("scopes", Some(scopes.clone().into())),
        ("account", account.as_deref().map(Value::from)),
        // Other programs know Google's page. The next login must find any other one here.
        ("auth_uri", (!client.has_googles_page()).then(|| client.auth_uri.as_str().into())),
    ];
    fields.extend(new.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
    to_text(&fields)
}

/// An imported user file, without its access token and with the refresh token that is valid now.
pub(crate) fn imported(content: &[u8], rotated: Option<&Secret>) -> Result<Vec<u8>> {
    let mut fields = user_fields(content).unwrap_or_default();
    drop((fields.remove("token"), fields.remove("expiry")));
    if let Some(rotated) = rotated {
        fields.insert("refresh_token".to_owned(), rotated.expose().into());
    }
    to_text(&fields)
}

/// The fields of a user's file; those of a service account must not get into one.
fn user_fields(content: &[u8]) -> Option<Map<String, Value>> {
    let fields: Map<String, Value> = serde_json::from_slice(content).ok()?;
    matches!(fields.get("type").map(Value::as_str), None | Some(Some("authorized_user"))).then_some(fields)
}

fn to_text(fields: &Map<String, Value>) -> Result<Vec<u8>> {
    let mut text = serde_json::to_vec_pretty(fields).map_err(Failure::defect)?;
    text.push(b'\n');
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn authorization(account: Option<&str>) -> UserAuthorization {
        UserAuthorization {
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

    fn merged_with(previous: &Value) -> Value {
        let text = merged(Some(previous.to_string().as_bytes()), &authorization(None)).unwrap();
        serde_json::from_slice(&text).unwrap()
    }

    #[test]
    fn what_belongs_to_the_old_authorization_goes_and_the_rest_stays() {
        let before = json!({"token": "ya29", "expiry": "2026", "account": "old@x", "refresh_token": "1//old",
            "client_id": "c", "client_secret": "s", "quota_project_id": "p", "note": "kept"});
        let expected = json!({"type": "authorized_user", "client_id": "c2", "client_secret": "s2",
            "refresh_token": "1//new", "token_uri": "https://oauth2.googleapis.com/token", "scopes": ["a"],
            "quota_project_id": "p", "note": "kept"});
        assert_eq!(merged_with(&before), expected);
    }

    #[test]
    fn no_field_of_a_service_account_or_of_another_file_is_kept() {
        for before in [json!({"type": "service_account", "private_key": "k"}), json!([1])] {
            assert_eq!(merged_with(&before), merged_with(&json!({})));
        }
    }

    #[test]
    fn an_imported_file_loses_its_access_token_only() {
        let before =
            json!({"token": "ya29", "expiry": "2026", "refresh_token": "1//r", "universe_domain": "u"});
        let text = imported(before.to_string().as_bytes(), None).unwrap();
        let after: Value = serde_json::from_slice(&text).unwrap();
        assert_eq!(after, json!({"refresh_token": "1//r", "universe_domain": "u"}));
        let rotated = imported(before.to_string().as_bytes(), Some(&Secret::new("1//next"))).unwrap();
        assert!(String::from_utf8(rotated).unwrap().contains("1//next"));
    }
}
