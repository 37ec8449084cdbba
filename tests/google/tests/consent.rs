//! The consent page and what follows it: the code, its exchange, tokeninfo and revocation.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use google_standin::Server;
use ring::digest::{SHA256, digest};
use serde_json::json;
use url::Url;

use crate::client::{Answer, access_token, call, form, refresh, send, small_sheet};

const SCOPE: &str = "https://www.googleapis.com/auth/spreadsheets";
const REDIRECT: &str = "http://127.0.0.1:7777/";
const VERIFIER: &str = "a-verifier-of-at-least-forty-three-characters";

/// The address of the page with the usual parameters, some replaced or added.
fn page(server: &Server, changes: &[(&str, &str)]) -> String {
    let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, VERIFIER.as_bytes()));
    let client = server.client();
    let usual = [
        ("client_id", client.id.as_str()),
        ("response_type", "code"),
        ("redirect_uri", REDIRECT),
        ("scope", SCOPE),
        ("state", "s&1"),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
        ("login_hint", "ann@example.com"),
    ];
    let kept = usual.iter().filter(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
    let mut url = Url::parse(&format!("{}/o/oauth2/v2/auth", server.url())).unwrap();
    url.query_pairs_mut().extend_pairs(kept).extend_pairs(changes);
    url.into()
}

fn visit(server: &Server, changes: &[(&str, &str)]) -> Answer {
    send("GET", &page(server, changes), &[], "")
}

/// A parameter of the address that the browser is sent back to.
fn returned(answer: &Answer, name: &str) -> Option<String> {
    let back = Url::parse(answer.header("location")).unwrap();
    back.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

fn exchange(server: &Server, code: &str, changes: &[(&str, &str)]) -> Answer {
    let client = server.client();
    let usual = [
        ("grant_type", "authorization_code"),
        ("client_id", client.id.as_str()),
        ("client_secret", client.secret.as_str()),
        ("code", code),
        ("redirect_uri", REDIRECT),
        ("code_verifier", VERIFIER),
    ];
    let kept = usual.iter().filter(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
    let fields: Vec<(&str, &str)> = kept.chain(changes).copied().collect();
    form(server, "/token", &fields)
}

#[test]
fn the_page_shows_account_and_scopes_and_both_buttons() {
    let server = Server::start();
    let answer = visit(&server, &[("login_hint", "<ann>@example.com")]);
    assert_eq!(answer.status, 200);
    for text in [SCOPE, "&#60;ann&#62;@example.com", "Allow", "Deny"] {
        assert!(answer.text.contains(text), "{text} in {}", answer.text);
    }
}

#[test]
fn deny_sends_the_browser_back_with_access_denied() {
    let server = Server::start();
    let answer = visit(&server, &[("deny", "1")]);
    assert_eq!(answer.status, 302);
    assert!(answer.header("location").starts_with(REDIRECT));
    assert_eq!(returned(&answer, "error").as_deref(), Some("access_denied"));
    assert_eq!(returned(&answer, "state").as_deref(), Some("s&1"));
}

#[test]
fn allow_sends_a_code_that_is_worth_tokens_once() {
    let server = Server::start();
    let answer = visit(&server, &[("approve", "1")]);
    assert_eq!(returned(&answer, "state").as_deref(), Some("s&1"));
    assert_eq!(returned(&answer, "scope").as_deref(), Some(SCOPE));
    let code = returned(&answer, "code").unwrap();
    let tokens = exchange(&server, &code, &[]).json();
    assert_eq!(tokens["scope"], SCOPE);
    let path = format!("/v4/spreadsheets/{}", small_sheet(&server, &["ann@example.com"]));
    assert_eq!(call(&server, tokens["access_token"].as_str().unwrap(), "GET", &path, None).status, 200);
    let client = server.client();
    let user = json!({
        "client_id": client.id, "client_secret": client.secret, "refresh_token": tokens["refresh_token"],
    });
    assert_eq!(refresh(&server, &user).status, 200);
    assert_eq!(
        exchange(&server, &code, &[]).json()["error"],
        "invalid_grant",
        "a code is good for one exchange"
    );
}

#[test]
fn the_form_on_the_page_does_the_same_with_the_scopes_left_ticked() {
    let server = Server::start();
    let address = page(&server, &[("scope", "openid email")]);
    let fields: Vec<(String, String)> = Url::parse(&address).unwrap().query_pairs().into_owned().collect();
    let mut fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (&**name, &**value)).collect();
    fields.extend([("email", "bob@example.com"), ("granted", "openid"), ("approve", "1")]);
    let answer = form(&server, "/o/oauth2/v2/auth", &fields);
    let tokens = exchange(&server, &returned(&answer, "code").unwrap(), &[]).json();
    assert_eq!(tokens["scope"], "openid");
    let info =
        form(&server, "/tokeninfo", &[("access_token", tokens["access_token"].as_str().unwrap())]).json();
    assert_eq!(info["email"], "bob@example.com");
}

#[test]
fn the_exchange_wants_the_verifier_and_the_same_redirect() {
    let server = Server::start();
    let code = returned(&visit(&server, &[("approve", "1")]), "code").unwrap();
    let wrong = exchange(&server, &code, &[("code_verifier", "another")]).json();
    assert_eq!(wrong, json!({"error": "invalid_grant", "error_description": "Invalid code verifier."}));
    let missing = exchange(&server, &code, &[("code_verifier", "")]).json();
    assert_eq!(missing, json!({"error": "invalid_grant", "error_description": "Missing code verifier."}));
    let elsewhere = exchange(&server, &code, &[("redirect_uri", "http://127.0.0.1:1/")]).json();
    assert_eq!(elsewhere["error"], "redirect_uri_mismatch");
    server.advance_clock(601);
    assert_eq!(
        exchange(&server, &code, &[]).json()["error"],
        "invalid_grant",
        "a code does not wait for ever"
    );
}

#[test]
fn a_request_that_cannot_be_asked_never_leaves_the_page() {
    let server = Server::start();
    for (change, status, error) in [
        (("redirect_uri", "http://example.com/"), 400, "redirect_uri_mismatch"),
        (("client_id", "unknown"), 401, "invalid_client"),
        (("scope", "nonsense"), 400, "invalid_scope"),
        (("code_challenge_method", "plain"), 400, "invalid_request"),
    ] {
        let answer = visit(&server, &[change, ("approve", "1")]);
        assert_eq!((answer.status, answer.header("location")), (status, ""), "{change:?}");
        assert!(answer.text.contains(error), "{}", answer.text);
    }
}

#[test]
fn tokeninfo_has_strings_for_numbers_and_knows_no_dead_token() {
    let server = Server::start();
    let token = access_token(&server, &server.authorized_user(None, None));
    let info = form(&server, "/tokeninfo", &[("access_token", &token)]).json();
    assert_eq!((&info["scope"], &info["access_type"]), (&json!(SCOPE), &json!("offline")));
    assert!(
        info["expires_in"].is_string() && info["exp"].is_string() && info.get("email").is_none(),
        "{info}"
    );
    server.advance_clock(3600);
    let dead = send("GET", &format!("{}/tokeninfo?access_token={token}", server.url()), &[], "");
    let expected = json!({"error": "invalid_token", "error_description": "Invalid Value"});
    assert_eq!((dead.status, dead.json()), (400, expected));
}

#[test]
fn revoking_one_token_ends_all_that_the_account_granted() {
    let server = Server::start();
    let old = server.authorized_user(Some("ann@example.com"), None);
    let new = server.authorized_user(Some("ann@example.com"), None);
    let other = server.authorized_user(Some("bob@example.com"), None);
    assert_eq!(form(&server, "/revoke", &[("token", old["refresh_token"].as_str().unwrap())]).status, 200);
    assert_eq!(refresh(&server, &new).json()["error_description"], "Token has been expired or revoked.");
    assert_eq!(refresh(&server, &other).status, 200);
    assert_eq!(form(&server, "/revoke", &[("token", "unknown")]).status, 400);
}
