//! The APIs' wire: who is let in, what errors look like, quotas, the log.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use google_standin::{Server, Tab};
use serde_json::json;

use crate::client::{admin, call, person, send, small_sheet};

const READONLY: &str = "https://www.googleapis.com/auth/spreadsheets.readonly";

#[test]
fn an_answer_has_googles_headers_and_layout() {
    let server = Server::start();
    let token = person(&server, "ann@example.com");
    let id = small_sheet(&server, &["ann@example.com"]);
    let answer = call(&server, &token, "GET", &format!("/v4/spreadsheets/{id}?fields=spreadsheetId"), None);
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.header("content-type"), "application/json; charset=UTF-8");
    assert_eq!(answer.header("vary"), "Origin, X-Origin, Referer");
    assert_eq!(answer.header("cache-control"), "private");
    assert_eq!(answer.header("server"), "ESF");
    assert_eq!(answer.header("transfer-encoding"), "chunked");
    assert_eq!(answer.text, format!("{{\n  \"spreadsheetId\": \"{id}\"\n}}\n"));
}

#[test]
fn no_authorization_header_is_403_and_a_bad_bearer_401() {
    let server = Server::start();
    let id = small_sheet(&server, &["anyone"]);
    let url = format!("{}/v4/spreadsheets/{id}", server.url());
    let without = send("GET", &url, &[], "");
    assert_eq!((without.status, &without.json()["error"]["status"]), (403, &json!("PERMISSION_DENIED")));
    assert!(without.text.contains("Method doesn't allow unregistered callers"), "{}", without.text);
    let bad = send("GET", &url, &[("authorization", "Bearer nonsense")], "");
    assert_eq!((bad.status, &bad.json()["error"]["status"]), (401, &json!("UNAUTHENTICATED")));
}

#[test]
fn a_missing_scope_names_service_and_method() {
    let server = Server::start();
    let user = server.authorized_user(Some("ann@example.com"), Some(&[READONLY]));
    let token = crate::client::access_token(&server, &user);
    let id = small_sheet(&server, &["ann@example.com"]);
    let path = format!("/v4/spreadsheets/{id}/values/A1?valueInputOption=RAW");
    let answer = call(&server, &token, "PUT", &path, Some(json!({"values": [["x"]]})));
    assert_eq!(answer.status, 403);
    let error = &answer.json()["error"];
    assert_eq!(error["message"], "Request had insufficient authentication scopes.");
    assert_eq!(error["details"][0]["reason"], "ACCESS_TOKEN_SCOPE_INSUFFICIENT");
    let metadata = &error["details"][0]["metadata"];
    assert_eq!(metadata["method"], "google.apps.sheets.v4.SpreadsheetsService.UpdateValues");
}

#[test]
fn a_sheet_that_is_not_shared_is_403_and_an_unknown_one_404() {
    let server = Server::start();
    let token = person(&server, "ann@example.com");
    let id = small_sheet(&server, &["bob@example.com"]);
    let private = call(&server, &token, "GET", &format!("/v4/spreadsheets/{id}"), None);
    let expected = json!({"error": {
        "code": 403, "message": "The caller does not have permission", "status": "PERMISSION_DENIED",
    }});
    assert_eq!((private.status, private.json()), (403, expected));
    let unknown = call(&server, &token, "GET", "/v4/spreadsheets/nowhere", None);
    let expected =
        json!({"error": {"code": 404, "message": "Requested entity was not found.", "status": "NOT_FOUND"}});
    assert_eq!((unknown.status, unknown.json()), (404, expected));
}

#[test]
fn the_errors_array_is_a_switch() {
    let server = Server::start();
    let token = person(&server, "ann@example.com");
    admin(&server, "POST", "errors-array", &json!({"on": true}));
    let answer = call(&server, &token, "GET", "/v4/spreadsheets/nowhere", None);
    let expected =
        json!([{"message": "Requested entity was not found.", "domain": "global", "reason": "notFound"}]);
    assert_eq!(answer.json()["error"]["errors"], expected);
}

#[test]
fn a_body_that_is_no_json_is_400() {
    let server = Server::start();
    let token = person(&server, "ann@example.com");
    let id = small_sheet(&server, &["ann@example.com"]);
    let url = format!("{}/v4/spreadsheets/{id}:batchUpdate", server.url());
    let bearer = format!("Bearer {token}");
    let answer = send("POST", &url, &[("authorization", &bearer)], "{\"requests\": [");
    assert_eq!((answer.status, &answer.json()["error"]["status"]), (400, &json!("INVALID_ARGUMENT")));
}

#[test]
fn the_61st_read_of_a_minute_is_refused_and_the_next_minute_is_free() {
    let server = Server::start();
    let token = person(&server, "ann@example.com");
    let id = small_sheet(&server, &["anyone"]);
    let read = |token: &str| {
        call(&server, token, "GET", &format!("/v4/spreadsheets/{id}?fields=spreadsheetId"), None)
    };
    for _ in 0..60 {
        assert_eq!(read(&token).status, 200);
    }
    let refused = read(&token);
    assert_eq!(refused.status, 429);
    assert_eq!(refused.header("retry-after"), "");
    let recorded = json!({"error": {
        "code": 429,
        "message": "Quota exceeded for quota metric 'Read requests' and limit 'Read requests per minute per user' of \
            service 'sheets.googleapis.com' for consumer 'project_number:123456789012'.",
        "status": "RESOURCE_EXHAUSTED",
        "details": [{
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": "RATE_LIMIT_EXCEEDED",
            "domain": "googleapis.com",
            "metadata": {
                "consumer": "projects/123456789012",
                "quota_limit": "ReadRequestsPerMinutePerUser",
                "quota_metric": "sheets.googleapis.com/read_requests",
                "service": "sheets.googleapis.com",
            },
        }],
    }});
    assert_eq!(refused.json(), recorded);
    assert_eq!(
        read(&person(&server, "bob@example.com")).status,
        200,
        "another user has a quota of their own"
    );
    server.advance_clock(60);
    assert_eq!(read(&token).status, 200);
}

#[test]
fn a_quota_of_nothing_is_no_quota_and_people_by_hand_use_none() {
    let server = Server::start();
    let token = person(&server, "ann@example.com");
    let id = small_sheet(&server, &["ann@example.com"]);
    let path = format!("/v4/spreadsheets/{id}?fields=spreadsheetId");
    server.quota(1, 1);
    for _ in 0..3 {
        assert_eq!(server.call_as("ann@example.com", "GET", &path, None).0, 200);
    }
    assert_eq!(call(&server, &token, "GET", &path, None).status, 200);
    assert_eq!(call(&server, &token, "GET", &path, None).status, 429);
    admin(&server, "POST", "quota", &json!({"reads_per_minute": 0, "writes_per_minute": 0}));
    for _ in 0..70 {
        assert_eq!(call(&server, &token, "GET", &path, None).status, 200);
    }
}

#[test]
fn the_log_tells_what_was_sent_and_answered_but_no_admin_call() {
    let server = Server::start();
    let token = person(&server, "ann@example.com");
    let id = small_sheet(&server, &["ann@example.com"]);
    admin(&server, "DELETE", "requests", &json!({}));
    let path = format!("/v4/spreadsheets/{id}/values/Ports%21A1?valueInputOption=RAW");
    call(&server, &token, "PUT", &path, Some(json!({"values": [["x", null]]})));
    server.call_as("ann@example.com", "GET", &path, None);
    let log = admin(&server, "GET", "requests", &json!({})).json();
    let expected = json!([{
        "method": "PUT",
        "path": format!("/v4/spreadsheets/{id}/values/Ports%21A1"),
        "query": "valueInputOption=RAW",
        "body": {"values": [["x", null]]},
        "status": 200,
        "bytes": 23,
    }]);
    assert_eq!(log, expected);
}

#[test]
fn the_project_has_a_quota_beside_its_users() {
    let server = Server::start();
    let id = small_sheet(&server, &["anyone"]);
    server.quota(1, 1);
    let read = |name: &str| {
        let token = person(&server, &format!("{name}@example.com"));
        call(&server, &token, "GET", &format!("/v4/spreadsheets/{id}?fields=spreadsheetId"), None)
    };
    for name in ["ann", "bob", "cem", "dee", "eva"] {
        assert_eq!(read(name).status, 200);
    }
    let refused = read("fay");
    assert_eq!(refused.status, 429);
    let metadata = &refused.json()["error"]["details"][0]["metadata"];
    assert_eq!(metadata["quota_limit"], "ReadRequestsPerMinutePerProject");
}

#[test]
fn the_date_header_follows_the_movable_clock() {
    let server = Server::start();
    let moved = admin(&server, "POST", "clock", &json!({"now": "2031-05-06T07:08:09Z"})).json();
    assert!(moved["now"].as_str().unwrap().starts_with("2031-05-06T07:08:"), "{moved}");
    let date = send("GET", &format!("{}/v4/spreadsheets/x", server.url()), &[], "").header("date").to_owned();
    assert!(date.starts_with("Tue, 06 May 2031 07:08:"), "{date}");
}

#[test]
fn pretty_print_can_be_switched_off() {
    let server = Server::start();
    let token = person(&server, "ann@example.com");
    let id = small_sheet(&server, &["ann@example.com"]);
    let path = format!("/v4/spreadsheets/{id}?fields=spreadsheetId&prettyPrint=false");
    assert_eq!(call(&server, &token, "GET", &path, None).text, format!("{{\"spreadsheetId\":\"{id}\"}}"));
}

#[test]
fn a_path_may_be_encoded_and_end_in_a_slash() {
    let server = Server::start();
    let token = person(&server, "ann@example.com");
    let id = small_sheet(&server, &["ann@example.com"]);
    for path in
        ["/values/Ports!A1", "/values/Ports%21A1", "/values/'Ports'!A1", "/values/%27Ports%27%21A1/", "/"]
    {
        let answer = call(&server, &token, "GET", &format!("/v4/spreadsheets/{id}{path}"), None);
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
    }
    let update = json!({"requests": [
        {"updateSpreadsheetProperties": {"properties": {"title": "Harbours"}, "fields": "title"}},
    ]});
    let answer = call(&server, &token, "POST", &format!("/v4/spreadsheets/{id}/:batchUpdate"), Some(update));
    assert_eq!(answer.status, 200, "{}", answer.text);
}

#[test]
fn a_person_can_look_at_the_spreadsheet_in_a_browser() {
    let server = Server::start();
    let id = small_sheet(&server, &["ann@example.com"]);
    let path = format!("/v4/spreadsheets/{id}/values/A1?valueInputOption=RAW");
    server.call_as("ann@example.com", "PUT", &path, Some(&json!({"values": [["Oslo <1>"]]})));
    let page = send("GET", &format!("{}/spreadsheets/d/{id}/edit", server.url()), &[], "");
    assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=UTF-8"));
    assert!(page.text.contains("Ports") && page.text.contains("Oslo &lt;1&gt;"), "{}", page.text);
    assert_eq!(send("GET", &format!("{}/spreadsheets/d/nowhere/edit", server.url()), &[], "").status, 404);
}

#[test]
fn one_connection_serves_many_requests() {
    let server = Server::start();
    let address = server.url().replace("http://", "");
    let mut stream = TcpStream::connect(&address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    for end in ["keep-alive", "close"] {
        let head = format!("GET /tokeninfo HTTP/1.1\r\nHost: {address}\r\nConnection: {end}\r\n\r\n");
        stream.write_all(head.as_bytes()).unwrap();
    }
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    assert_eq!(text.matches("HTTP/1.1 400 Bad Request").count(), 2, "{text}");
}

#[test]
fn a_body_of_twenty_megabytes_is_taken_and_given_back() {
    let server = Server::start();
    let token = person(&server, "ann@example.com");
    let tab = Tab { title: "Ports".to_owned(), rows: 500, columns: 1 };
    let id = server.spreadsheet("Large", &[tab], &["ann@example.com"]);
    let rows = vec![[json!("x".repeat(42_000))]; 500];
    let path = format!("/v4/spreadsheets/{id}/values/Ports!A1:A500");
    let written =
        call(&server, &token, "PUT", &format!("{path}?valueInputOption=RAW"), Some(json!({"values": rows})));
    assert_eq!(written.status, 200, "{}", written.text);
    let read = call(&server, &token, "GET", &path, None);
    assert_eq!(read.json()["values"], json!(rows));
    assert_eq!(server.requests()[1].body, "(not kept: 21002512 bytes)");
}
