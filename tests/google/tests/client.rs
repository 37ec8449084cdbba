//! A small blocking client, so that the tests read as requests and answers.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use google_standin::{Server, Tab};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::{Value, json};

/// One answer: its status, its headers and its body.
pub struct Answer {
    pub status: u16,
    pub headers: ureq::http::HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// Sends one request; a broken connection is the error.
pub fn try_send(
    method: &str,
    url: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Result<Answer, ureq::Error> {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .timeout_global(Some(Duration::from_secs(60)))
        .build()
        .into();
    let mut request = ureq::http::Request::builder().method(method).uri(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut response = agent.run(request.body(body.to_owned()).unwrap())?;
    let text = response.body_mut().with_config().limit(200 << 20).read_to_string()?;
    Ok(Answer { status: response.status().as_u16(), headers: response.headers().clone(), text })
}

pub fn send(method: &str, url: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    try_send(method, url, headers, body).unwrap_or_else(|error| panic!("{method} {url}: {error}"))
}

/// A request to an API with a bearer token.
pub fn call(server: &Server, token: &str, method: &str, path: &str, body: Option<Value>) -> Answer {
    let url = format!("{}{path}", server.url());
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    send(method, &url, &headers, &body.map(|body| body.to_string()).unwrap_or_default())
}

/// An admin call over HTTP.
pub fn admin(server: &Server, method: &str, path: &str, body: &Value) -> Answer {
    send(method, &format!("{}/_admin/{path}", server.url()), &[], &body.to_string())
}

/// A form posted to one of the OAuth endpoints.
pub fn form(server: &Server, path: &str, fields: &[(&str, &str)]) -> Answer {
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    send("POST", &format!("{}{path}", server.url()), &headers, &body)
}

/// The refresh grant with what an `authorized_user` file holds.
pub fn refresh(server: &Server, user: &Value) -> Answer {
    let field = |name: &str| user[name].as_str().unwrap().to_owned();
    let (id, secret, token) = (field("client_id"), field("client_secret"), field("refresh_token"));
    let fields = [
        ("grant_type", "refresh_token"),
        ("client_id", &id),
        ("client_secret", &secret),
        ("refresh_token", &token),
    ];
    form(server, "/token", &fields)
}

/// An access token for an `authorized_user` file.
pub fn access_token(server: &Server, user: &Value) -> String {
    let answer = refresh(server, user);
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()["access_token"].as_str().unwrap().to_owned()
}

/// A new person with the Sheets scope, and their access token.
pub fn person(server: &Server, email: &str) -> String {
    access_token(server, &server.authorized_user(Some(email), None))
}

/// A new spreadsheet with one small tab, shared with these addresses.
pub fn small_sheet(server: &Server, share: &[&str]) -> String {
    let tab = Tab { title: "Ports".to_owned(), rows: 20, columns: 5 };
    server.spreadsheet("Port sheet", &[tab], share)
}

/// What base64url does at its end.
#[derive(Clone, Copy, PartialEq)]
pub enum Padding {
    Padded,
    Bare,
}

/// The claims that a client library makes for a key file.
pub fn claims(key: &Value, now: i64) -> Value {
    json!({
        "iss": key["client_email"],
        "aud": key["token_uri"],
        "exp": now + 3595,
        "iat": now,
        "sub": null,
        "scope": "https://www.googleapis.com/auth/spreadsheets",
    })
}

/// An assertion signed with a key file's key.
pub fn assertion(key: &Value, claims: &Value, padding: Padding) -> String {
    let engine = if padding == Padding::Padded { URL_SAFE } else { URL_SAFE_NO_PAD };
    let header = engine.encode(r#"{"alg":"RS256","typ":"JWT"}"#);
    let signed = format!("{header}.{}", engine.encode(claims.to_string()));
    let pem = key["private_key"].as_str().unwrap();
    let der: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    let der = base64::engine::general_purpose::STANDARD.decode(der).unwrap();
    let pair = RsaKeyPair::from_pkcs8(&der).unwrap();
    let mut signature = vec![0; pair.public().modulus_len()];
    pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).unwrap();
    format!("{signed}.{}", engine.encode(signature))
}

/// The service-account grant.
pub fn exchange_assertion(server: &Server, assertion: &str) -> Answer {
    let grant = "urn:ietf:params:oauth:grant-type:jwt-bearer";
    form(server, "/token", &[("grant_type", grant), ("assertion", assertion)])
}
