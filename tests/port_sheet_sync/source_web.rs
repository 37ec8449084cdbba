//! Bookings from a web server: redirects, secrets, compression, what was fetched before, and every way to break off.

use std::io::Write;

use serde_json::json;
use support::{WebServer, World, answer, unmeasured};

use crate::outage::{NEWER, newest_rows};
use crate::world;

const SECRET: &str = "the-key-of-the-booking-system";

fn csv() -> Vec<u8> {
    NEWER.join("\n").into_bytes()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A world whose source is a CSV file on this server.
fn web_world(server: &WebServer, more: &str) -> World {
    let world = world().build();
    world.set_source(&format!(
        "kind = \"csv\"\nurl = \"{}\"\nfirst-pause = \"1ms\"\n{more}",
        server.url("/export.csv?day=today")
    ));
    world
}

/// The run fails with this, nothing is written to the sheet, and the query of the address is not told.
#[track_caller]
fn refuses(server: &WebServer, more: &str, exit: i32, error: &str, hint: &str) {
    let world = web_world(server, more);
    let run = world.run(&["--json"]);
    run.exit(exit).error(&format!("the source {} {error}", server.url("/export.csv"))).hint_with(hint);
    assert!(!run.stderr.contains("day=today") && !run.stdout.contains("day=today"), "{}", run.stderr);
    assert_eq!((world.requests().len(), world.rows().len()), (0, 0));
    assert!(!world.state().join("spool/port-sheet.download").exists());
}

#[test]
fn a_file_arrives_plain_and_compressed() {
    let plain = answer("200 OK", &[], &csv());
    let chunked = {
        let body = csv();
        let (first, second) = body.split_at(40);
        let mut chunks = format!("{:x}\r\n", first.len()).into_bytes();
        chunks.extend_from_slice(first);
        chunks.extend_from_slice(format!("\r\n{:x}\r\n", second.len()).as_bytes());
        chunks.extend_from_slice(second);
        chunks.extend_from_slice(b"\r\n0\r\n\r\n");
        unmeasured("200 OK", &["Transfer-Encoding: chunked"], &chunks)
    };
    let compressed = answer("200 OK", &["Content-Encoding: gzip"], &gzip(&csv()));
    for bytes in [plain, chunked, compressed] {
        let server = WebServer::answering([bytes]);
        let world = web_world(&server, "");
        world.run(&[]).exit(0);
        assert_eq!(json!(world.rows()), newest_rows());
        assert!(server.requests()[0].starts_with("GET /export.csv?day=today HTTP/1.1\r\n"));
        assert_eq!(world.mode(&world.state().join("spool/port-sheet.download")), 0o600);
    }
}

#[test]
fn a_file_that_did_not_change_is_not_fetched_again() {
    let tagged = ["ETag: \"v1\"", "Last-Modified: Wed, 13 May 2026 12:00:00 GMT"];
    let server =
        WebServer::answering([answer("200 OK", &tagged, &csv()), unmeasured("304 Not Modified", &[], b"")]);
    let world = web_world(&server, "");
    world.run(&[]).exit(0);
    world.clear_requests();
    world.run(&[]).exit(0);
    assert_eq!((json!(world.rows()), world.counts().writes), (newest_rows(), 0));
    let second = &server.requests()[1];
    assert!(
        second.contains("if-none-match: \"v1\"") && second.contains("if-modified-since: Wed, 13 May"),
        "{second}"
    );

    world.write("state/spool/port-sheet.download", b"booking_id,vessel");
    server.answer([answer("200 OK", &tagged, &csv())]);
    world.run(&[]).exit(0);
    let third = &server.requests()[2];
    assert!(!third.contains("if-none-match"), "a file that is not the one fetched is fetched anew: {third}");

    world.replace_in_config("?day=today", "?day=tomorrow");
    world.run(&[]).exit(0);
    let fourth = &server.requests()[3];
    assert!(!fourth.contains("if-none-match"), "another address is another file: {fourth}");
}

#[test]
fn a_304_that_was_not_asked_for_is_refused() {
    let server = WebServer::answering([unmeasured("304 Not Modified", &[], b"")]);
    refuses(&server, "", 69, "answered 304 Not Modified", "the next run tries again");
}

#[test]
fn the_secret_is_sent_as_configured_and_never_told() {
    for (more, sent) in [
        ("", format!("authorization: Bearer {SECRET}")),
        ("secret-header = \"X-Api-Key\"", format!("x-api-key: {SECRET}")),
        ("secret-parameter = \"key\"", format!("GET /export.csv?day=today&key={SECRET} HTTP/1.1")),
    ] {
        let server = WebServer::answering([answer("200 OK", &["ETag: \"v\""], &csv())]);
        let world = web_world(&server, &format!("secret-file = \"booking.key\"\n{more}"));
        world.write_secret("booking.key", SECRET);
        world.run(&["-vv"]).exit(0);
        assert!(server.requests()[0].contains(&sent), "{sent}");
        server.answer([answer("403 Forbidden", &[], SECRET.as_bytes())]);
        world.run(&["-vv", "--json"]).exit(77).error("answered 403 Forbidden").hint_with("booking.key");
    }
}

#[test]
fn a_loose_secret_file_is_refused_before_anything_is_sent() {
    let server = WebServer::answering([answer("200 OK", &[], &csv())]);
    let world = web_world(&server, "secret-file = \"booking.key\"");
    world.run(&[]).exit(77).error("booking.key does not exist");
    let path = world.write_secret("booking.key", SECRET);
    world.set_mode(&path, 0o644);
    world.run(&[]).exit(77).error("has mode 0644").hint(&format!("chmod 600 {}", path.display()));
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn a_file_that_holds_no_secret_to_send_is_refused_before_anything_is_sent() {
    let server = WebServer::answering([answer("200 OK", &[], &csv())]);
    let world = web_world(&server, "secret-file = \"booking.key\"");
    for content in [&b"\n"[..], b"one-key-of-two\nthe-other-of-two\n", b"key-of-two\x7f", b"key-of-two\xff"] {
        world.write_private(&world.state().join("credentials/booking.key"), content);
        let run = world.run(&["--json", "-vv"]);
        run.exit(77).error("booking.key does not hold one line of text");
        assert!(!run.stderr.contains("of-two") && !run.stdout.contains("of-two"), "{}", run.stderr);
    }
    assert_eq!(server.requests().len(), 0);
    // Other letters than ASCII's are bytes of UTF-8 on the wire.
    world.write_secret("booking.key", "schlüssel-der-buchungen");
    world.run(&["-vv"]).exit(0);
}

#[test]
fn a_redirect_is_followed_and_the_secret_stays_with_the_first_server() {
    let content = WebServer::answering([answer("200 OK", &[], &csv())]);
    let location = format!("Location: {}", content.url("/macros/echo?user_content_key=abc"));
    let app = WebServer::answering([answer("302 Moved Temporarily", &[&location], b"<html>Moved</html>")]);
    for more in ["", "secret-header = \"X-Api-Key\"", "secret-parameter = \"key\""] {
        app.clear();
        content.clear();
        let world = web_world(&app, &format!("secret-file = \"booking.key\"\n{more}"));
        world.write_secret("booking.key", SECRET);
        world.run(&[]).exit(0);
        assert_eq!(json!(world.rows()), newest_rows());
        assert!(app.requests()[0].contains(SECRET), "{more}");
        assert!(!content.requests()[0].contains(SECRET), "{more}: {}", content.requests()[0]);
    }
    let within = answer("307 Temporary Redirect", &["Location: /elsewhere"], b"");
    let server = WebServer::answering([within, answer("200 OK", &[], &csv())]);
    let world = web_world(&server, "secret-file = \"booking.key\"");
    world.write_secret("booking.key", SECRET);
    world.run(&[]).exit(0);
    assert!(server.requests()[1].contains(SECRET), "the same server may see it again");
}

#[test]
fn redirects_end_and_never_leave_for_the_open() {
    let server = WebServer::answering([answer("302 Found", &["Location: /again?day=today"], b"")]);
    refuses(&server, "", 69, "redirects more than 5 times", "the next run tries again");
    assert_eq!(server.requests().len(), 6);
    let server =
        WebServer::answering([answer("302 Found", &["Location: http://192.0.2.1/x?day=today"], b"")]);
    refuses(&server, "", 69, "redirects to http://192.0.2.1/x, which is not encrypted", "the next run");
}

#[test]
fn a_login_page_is_no_outage_and_a_person_is_told_what_to_do() {
    let page =
        b"<!DOCTYPE html><html><form action=\"/signin\"><input type=\"password\" name=\"p\"></form></html>";
    let hint = "Who has access: Anyone";
    let server = WebServer::answering([answer("200 OK", &["Content-Type: text/csv"], page)]);
    refuses(&server, "", 77, "shows a login page instead of bookings", hint);
    let google = "Location: https://accounts.google.com/ServiceLogin?continue=x";
    let server = WebServer::answering([answer("302 Found", &[google], b"")]);
    refuses(&server, "", 77, "shows a login page instead of bookings", hint);
    let error = b"<html><body>Script function not found: doGet</body></html>";
    let server = WebServer::answering([answer("200 OK", &["Content-Encoding: gzip"], &gzip(error))]);
    refuses(&server, "", 69, "shows a web page instead of bookings", "in a browser");
}

#[test]
fn an_answer_that_is_not_whole_is_never_used() {
    let short = {
        let whole = answer("200 OK", &[], &csv());
        whole[..whole.len() - 5].to_vec()
    };
    let server = WebServer::answering([short]);
    refuses(&server, "", 69, "broke off: ", "the next run tries again");
    assert_eq!(server.requests().len(), 4, "tried again");

    let compressed = gzip(&csv());
    let server = WebServer::answering([answer(
        "200 OK",
        &["Content-Encoding: gzip"],
        &compressed[..compressed.len() - 6],
    )]);
    refuses(&server, "", 69, "sent a damaged or cut answer: ", "the next run tries again");

    let chunk =
        unmeasured("200 OK", &["Transfer-Encoding: chunked"], b"20\r\nbooking_id,vessel,arrival,nights\r\n");
    refuses(&WebServer::answering([chunk]), "", 69, "broke off: ", "the next run tries again");

    let endless = unmeasured("200 OK", &[], &csv());
    refuses(&WebServer::answering([endless]), "", 69, "does not say how long its answer is", "the next run");
}

#[test]
fn trouble_that_passes_is_waited_out_and_other_trouble_is_not_repeated() {
    let busy = answer("503 Service Unavailable", &["Retry-After: 0"], b"<html>down</html>");
    let server = WebServer::answering([busy.clone(), Vec::new(), answer("200 OK", &[], &csv())]);
    let world = web_world(&server, "");
    world.run(&[]).exit(0);
    assert_eq!((json!(world.rows()), server.requests().len()), (newest_rows(), 3));

    refuses(
        &WebServer::answering([busy]),
        "",
        69,
        "answered 503 Service Unavailable",
        "the next run tries again",
    );
    let gone = WebServer::answering([answer("404 Not Found", &[], b"")]);
    refuses(&gone, "", 69, "answered 404 Not Found", "in a browser");
    assert_eq!(gone.requests().len(), 1);
    let tomorrow =
        (chrono::Utc::now() + chrono::TimeDelta::days(1)).format("Retry-After: %a, %d %b %Y %H:%M:%S GMT");
    let dated = WebServer::answering([answer("503 Service Unavailable", &[&tomorrow.to_string()], b"")]);
    refuses(&dated, "", 69, "answered 503 Service Unavailable", "the next run tries again");
    assert_eq!(dated.requests().len(), 1);
    let later = WebServer::answering([answer("429 Too Many Requests", &["Retry-After: 86400"], b"")]);
    refuses(&later, "", 69, "answered 429 Too Many Requests", "the next run tries again");
    assert_eq!(later.requests().len(), 1, "a day is longer than the run may take");
}

#[test]
fn a_server_that_falls_silent_is_left_when_the_time_is_up() {
    let whole = answer("200 OK", &[], &csv());
    let cut = whole[..whole.len() - 5].to_vec();
    let server = WebServer::answering([Vec::new(), cut.clone(), whole]);
    server.stall();
    let world = web_world(&server, "timeout = \"1s\"");
    world.run(&[]).exit(0);
    assert_eq!((json!(world.rows()), server.requests().len()), (newest_rows(), 3));

    let server = WebServer::answering([cut]);
    server.stall();
    let hint = "the next run tries again";
    refuses(&server, "timeout = \"100ms\"", 69, "did not answer whole within 100ms", hint);
    assert_eq!(server.requests().len(), 4, "tried again");
}

#[test]
fn a_file_larger_than_allowed_is_refused_even_if_it_comes_compressed() {
    let large = vec![b'x'; 3 * 1024 * 1024];
    for (headers, body) in [(&[][..], large.clone()), (&["Content-Encoding: gzip"][..], gzip(&large))] {
        let server = WebServer::answering([answer("200 OK", headers, &body)]);
        for limit in ["2 MiB", "100 KiB"] {
            let (line, error) =
                (format!("max-size = {limit:?}"), format!("is larger than max-size allows, {limit}"));
            refuses(&server, &line, 65, &error, "raise max-size");
        }
    }
}

#[test]
fn an_apps_script_that_answers_with_json_is_a_source() {
    let bookings =
        json!({"bookings": [{"booking_id": "B-1", "vessel": "Alma", "arrival": "2026-05-13", "nights": 3}]});
    let content = WebServer::answering([unmeasured(
        "200 OK",
        &["Content-Type: application/json"],
        bookings.to_string().as_bytes(),
    )]);
    let location = format!("Location: {}", content.url("/macros/echo?user_content_key=abc"));
    let app = WebServer::answering([answer("302 Moved Temporarily", &[&location], b"")]);
    let world = world().build();
    let lines = "pointer = \"/bookings\"\nsecret-file = \"script.key\"\nsecret-parameter = \"key\"";
    world.set_source(&format!("kind = \"json\"\nurl = \"{}\"\n{lines}", app.url("/macros/s/x/exec")));
    world.write_secret("script.key", SECRET);
    world.run(&[]).exit(0);
    assert_eq!(json!(world.rows()[1..]), json!([["B-1", "Alma", 46155, 3]]));
    let cut = bookings.to_string();
    content.answer([unmeasured("200 OK", &[], &cut.as_bytes()[..cut.len() - 2])]);
    world.run(&[]).exit(65).error("is cut off");
    world.replace_in_config("pointer = \"/bookings\"\n", "");
    content.answer([unmeasured("200 OK", &[], b"{\"booking_id\": \"B-1\"}\n")]);
    world.run(&[]).exit(69).error("does not say how long its answer is");
}

#[test]
fn an_address_that_nobody_answers_at_is_an_outage() {
    let server = WebServer::answering([Vec::new()]);
    let url = server.url("/export.csv?day=today");
    let world = web_world(&server, "timeout = \"2s\"");
    drop(server);
    let run = world.run(&["--json"]);
    run.exit(69).error(&format!("the source {} did not answer: ", url.trim_end_matches("?day=today")));
    assert!(!run.stderr.contains("day=today"));
}
