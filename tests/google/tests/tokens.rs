//! The token endpoint: every way to a token, and every way to lose one.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use google_standin::{Person, Server};
use serde_json::{Value, json};

use crate::client::{
    Answer, Padding, access_token, admin, assertion, call, claims, exchange_assertion, form, refresh,
    small_sheet,
};

fn refusal(answer: &Answer) -> (u16, String, String) {
    let body = answer.json();
    let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    (answer.status, text("error"), text("error_description"))
}

fn refused(status: u16, error: &str, description: &str) -> (u16, String, String) {
    (status, error.to_owned(), description.to_owned())
}

#[test]
fn a_refresh_token_gives_an_access_token_with_its_scopes() {
    let server = Server::start();
    let user = server.authorized_user(Some("ann@example.com"), None);
    let body = refresh(&server, &user).json();
    assert_eq!(body["expires_in"], 3599);
    assert_eq!(body["scope"], "https://www.googleapis.com/auth/spreadsheets");
    assert_eq!(body["token_type"], "Bearer");
    assert!(body.get("refresh_token").is_none());
    assert_eq!(user["token_uri"], format!("{}/token", server.url()));
}

#[test]
fn an_access_token_ends_on_the_clock() {
    let server = Server::start();
    let token = access_token(&server, &server.authorized_user(Some("ann@example.com"), None));
    let path =
        format!("/v4/spreadsheets/{}?fields=spreadsheetId", small_sheet(&server, &["ann@example.com"]));
    assert_eq!(call(&server, &token, "GET", &path, None).status, 200);
    server.advance_clock(3600);
    assert_eq!(call(&server, &token, "GET", &path, None).status, 401);
}

#[test]
fn a_revoked_refresh_token_is_dead_with_its_access_tokens() {
    let server = Server::start();
    let user = server.authorized_user(Some("ann@example.com"), None);
    let token = access_token(&server, &user);
    admin(&server, "POST", "revoke", &json!({"refresh_token": user["refresh_token"]}));
    let expected = refused(400, "invalid_grant", "Token has been expired or revoked.");
    assert_eq!(refusal(&refresh(&server, &user)), expected);
    let path = format!("/v4/spreadsheets/{}", small_sheet(&server, &["ann@example.com"]));
    assert_eq!(call(&server, &token, "GET", &path, None).status, 401);
}

#[test]
fn the_client_must_be_known_and_its_secret_right() {
    let server = Server::start();
    let mut user = server.authorized_user(None, None);
    user["client_secret"] = json!("wrong");
    let expected = refused(401, "invalid_client", "The provided client secret is invalid.");
    assert_eq!(refusal(&refresh(&server, &user)), expected);
    user["client_id"] = json!("unknown");
    assert_eq!(
        refusal(&refresh(&server, &user)),
        refused(401, "invalid_client", "The OAuth client was not found.")
    );
}

#[test]
fn the_client_may_name_itself_in_a_header() {
    let server = Server::start();
    let user = server.authorized_user(None, None);
    let client = server.client();
    let basic = STANDARD.encode(format!("{}:{}", client.id, client.secret));
    let headers =
        [("content-type", "application/x-www-form-urlencoded"), ("authorization", &format!("Basic {basic}"))];
    let body = format!("grant_type=refresh_token&refresh_token={}", user["refresh_token"].as_str().unwrap());
    assert_eq!(crate::client::send("POST", &format!("{}/token", server.url()), &headers, &body).status, 200);
}

#[test]
fn a_request_must_be_a_form_with_a_known_grant() {
    let server = Server::start();
    let url = format!("{}/token", server.url());
    let json = crate::client::send("POST", &url, &[("content-type", "application/json")], "{}");
    assert_eq!(refusal(&json), refused(400, "invalid_request", "Required parameter is missing: grant_type"));
    let other = form(&server, "/token", &[("grant_type", "password")]);
    assert_eq!(refusal(&other), refused(400, "unsupported_grant_type", "Invalid grant_type: password"));
}

#[test]
fn a_refresh_may_narrow_its_scopes_but_not_widen_them() {
    let server = Server::start();
    let user = server.authorized_user(None, Some(&["openid", "https://www.googleapis.com/auth/drive"]));
    let with_scope = |scope: &str| {
        let field = |name: &str| user[name].as_str().unwrap().to_owned();
        let (id, secret, token) = (field("client_id"), field("client_secret"), field("refresh_token"));
        let grant = ("grant_type", "refresh_token");
        let fields = [
            grant,
            ("client_id", &id),
            ("client_secret", &secret),
            ("refresh_token", &token),
            ("scope", scope),
        ];
        form(&server, "/token", &fields)
    };
    assert_eq!(with_scope("openid").json()["scope"], "openid");
    assert_eq!(with_scope("openid email").json()["error"], "invalid_scope");
}

#[test]
fn rotation_kills_the_old_refresh_token() {
    let server = Server::start();
    let user = server.person(Person { rotates: true, ..Person::default() });
    let first = refresh(&server, &user).json();
    let mut next = user.clone();
    next["refresh_token"] = first["refresh_token"].clone();
    assert_ne!(user["refresh_token"], next["refresh_token"]);
    let expected = refused(400, "invalid_grant", "Token has been expired or revoked.");
    assert_eq!(refusal(&refresh(&server, &user)), expected);
    assert_eq!(refresh(&server, &next).status, 200);
}

#[test]
fn a_grant_for_a_limited_time_says_so_and_ends() {
    let server = Server::start();
    let user =
        admin(&server, "POST", "authorized-user", &json!({"refresh_token_expires_in": 604_800})).json();
    let left = refresh(&server, &user).json()["refresh_token_expires_in"].as_i64().unwrap();
    assert!((604_700..=604_800).contains(&left), "{left}");
    server.advance_clock(604_800);
    assert_eq!(refresh(&server, &user).json()["error"], "invalid_grant");
}

#[test]
fn a_refresh_token_unused_for_six_months_is_dead() {
    let server = Server::start();
    let user = server.authorized_user(None, None);
    server.advance_clock(184 * 24 * 3600);
    assert_eq!(refresh(&server, &user).json()["error"], "invalid_grant");
}

#[test]
fn the_oldest_of_more_than_a_hundred_grants_dies() {
    let server = Server::start();
    let first = server.authorized_user(Some("ann@example.com"), None);
    for _ in 0..99 {
        server.authorized_user(Some("ann@example.com"), None);
    }
    assert_eq!(refresh(&server, &first).status, 200);
    server.authorized_user(Some("ann@example.com"), None);
    assert_eq!(refresh(&server, &first).json()["error"], "invalid_grant");
}

#[test]
fn any_other_answer_can_be_set_for_an_account() {
    let server = Server::start();
    let user = server.authorized_user(Some("ann@example.com"), None);
    let body = json!({
        "error": "invalid_grant",
        "error_description": "reauth related error (invalid_rapt)",
        "error_uri": "https://support.google.com/a/answer/9368756",
        "error_subtype": "invalid_rapt",
    });
    let call = json!({"email": "ann@example.com", "status": 400, "body": body});
    assert_eq!(admin(&server, "POST", "token-error", &call).status, 200);
    let answer = refresh(&server, &user);
    assert_eq!((answer.status, answer.json()), (400, body));
    admin(&server, "POST", "token-error", &json!({"email": "ann@example.com"}));
    assert_eq!(refresh(&server, &user).status, 200);
}

#[test]
fn the_token_endpoint_can_fail_like_any_other() {
    let server = Server::start();
    let user = server.authorized_user(None, None);
    let fault = json!({"path": "^/token$", "status": 503, "body": "<html>Service Unavailable</html>"});
    admin(&server, "POST", "faults", &fault);
    admin(&server, "POST", "faults", &json!({"path": "^/token$", "nth": 2, "body": {}}));
    let unavailable = refresh(&server, &user);
    assert_eq!((unavailable.status, unavailable.header("content-type")), (503, "text/html; charset=UTF-8"));
    let empty = refresh(&server, &user);
    assert_eq!((empty.status, empty.json()), (200, json!({})));
    assert!(refresh(&server, &user).json()["access_token"].is_string());
}

#[test]
fn a_service_account_gets_a_token_in_the_recorded_shape() {
    let server = Server::start();
    let key = server.service_account();
    for padding in [Padding::Padded, Padding::Bare] {
        let assertion = assertion(&key, &claims(&key, server.now().timestamp()), padding);
        let answer = exchange_assertion(&server, &assertion);
        assert_eq!(answer.status, 200, "{}", answer.text);
        let body = answer.json();
        let fields: Vec<&String> = body.as_object().unwrap().keys().collect();
        assert_eq!(fields, ["access_token", "expires_in", "token_type"]);
        let token = body["access_token"].as_str().unwrap();
        assert_eq!((token.len(), token.trim_end_matches('.').len()), (1024, 232));
        let path =
            format!("/v4/spreadsheets/{}", small_sheet(&server, &[key["client_email"].as_str().unwrap()]));
        assert_eq!(call(&server, token, "GET", &path, None).status, 200);
    }
}

#[test]
fn an_assertion_is_refused_in_googles_words() {
    let server = Server::start();
    let key = server.service_account();
    let now = server.now().timestamp();
    let with = |name: &str, value: Value| {
        let mut claims = claims(&key, now);
        claims[name] = value;
        refusal(&exchange_assertion(&server, &assertion(&key, &claims, Padding::Bare)))
    };
    let grant = |description: &str| refused(400, "invalid_grant", description);
    assert_eq!(with("iss", json!("nobody@example.com")), grant("Invalid grant: account not found"));
    assert_eq!(
        with("aud", json!("https://oauth2.googleapis.com/token")),
        grant("Invalid JWT: Failed audience check.")
    );
    let timeframe = grant(
        "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. \
         Check your iat and exp values in the JWT claim.",
    );
    assert_eq!(with("exp", json!(now + 3601)), timeframe);
    assert_eq!(with("iat", json!(now + 3000)), timeframe);
    let scope = refused(400, "invalid_scope", "Invalid OAuth scope or ID token audience provided.");
    assert_eq!(with("scope", json!("nonsense")), scope);
    assert_eq!(with("sub", json!("ann@example.com")).1, "unauthorized_client");
    server.advance_clock(4 * 3600);
    assert_eq!(with("scope", json!("openid")), timeframe, "the stand-in's clock is what counts");
}

#[test]
fn a_revoked_key_and_a_foreign_key_have_no_valid_signature() {
    let server = Server::start();
    let key = server.service_account();
    let mut forged = server.service_account();
    forged["client_email"] = key["client_email"].clone();
    let now = server.now().timestamp();
    let ask = |signer: &Value| {
        refusal(&exchange_assertion(&server, &assertion(signer, &claims(&key, now), Padding::Bare)))
    };
    assert_eq!(ask(&forged), refused(400, "invalid_grant", "Invalid JWT Signature."));
    admin(&server, "POST", "revoke", &json!({"client_email": key["client_email"]}));
    assert_eq!(ask(&key), refused(400, "invalid_grant", "Invalid JWT Signature."));
}
