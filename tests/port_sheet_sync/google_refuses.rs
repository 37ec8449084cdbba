//! The Sheets API refuses, fails or breaks off: each answer has its exit code, its number of tries and its next step.
//!
//! Answers that are broken or not Google's are in `broken_answers`, and what a broken write leaves behind in `broken_writes`.

use google_standin::{Fault, Person};
use serde_json::{Value, json};
use support::World;

use crate::outage::Outage;
use crate::world;

/// For as long as it is set.
pub const EVERY_TIME: u64 = u64::MAX;

/// The first try and the five after its pauses.
pub const TRIES: usize = 6;

/// Any call of the Sheets API.
pub fn any_call(fault: Fault) -> Fault {
    Fault { path: Some("^/v4/".into()), ..fault }
}

fn status(status: u16) -> Fault {
    any_call(Fault { status: Some(status), ..Fault::default() })
}

fn error_body(status: u16, name: &str, message: &str, reason: &str) -> Value {
    json!({"error": {"code": status, "message": message, "status": name, "details": [
        {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "domain": "googleapis.com"}
    ]}})
}

fn address(world: &World) -> String {
    format!("https://docs.google.com/spreadsheets/d/{}/edit", world.spreadsheet)
}

/// Requests of the Sheets API.
pub fn calls(world: &World) -> usize {
    world.counts().reads + world.counts().writes
}

#[test]
fn a_401_brings_one_fresh_token_and_one_more_try() {
    let outage = Outage::of(world());
    outage.world.fault(status(401));
    outage.world.run(&[]).exit(0);
    assert_eq!(outage.world.counts().tokens, 2);
    assert_eq!(calls(&outage.world), 6, "the five of a small sync, and one refused");
    outage.heals();
}

#[test]
fn a_401_at_the_write_brings_one_fresh_token_too() {
    let outage = Outage::of(world());
    outage.world.fault(Fault { method: Some("POST".into()), ..status(401) });
    outage.world.run(&[]).exit(0);
    assert_eq!((outage.world.counts().tokens, outage.world.counts().writes), (2, 3));
    outage.heals();
}

#[test]
fn a_401_that_stays_needs_a_person_after_exactly_two_tries() {
    let outage = Outage::of(world());
    outage.world.fault(Fault { times: EVERY_TIME, ..status(401) });
    let run = outage.fails(77);
    run.error("Google Sheets: 401 UNAUTHENTICATED: Request had invalid authentication credentials");
    run.hint_with("Google does not accept its token, even a new one");
    assert_eq!((calls(&outage.world), outage.world.counts().tokens), (2, 2));
    outage.world.server.clear_faults();
    outage.heals();
}

#[test]
fn a_401_whose_renewal_is_refused_tells_the_reason_of_the_token_endpoint() {
    let outage = Outage::of(world());
    outage.world.fault(status(401));
    let body = json!({"error": "invalid_grant", "error_description": "Token has been expired or revoked."});
    let path = Some("^/token$".to_owned());
    let revoked = Fault { path, nth: 2, status: Some(400), body: Some(body), ..Fault::default() };
    outage.world.fault(revoked);
    outage.fails(77).error("400: invalid_grant (Token has been expired or revoked.)");
    assert_eq!((calls(&outage.world), outage.world.counts().tokens), (1, 2));
    outage.world.log_in_again();
    outage.heals();
}

#[test]
fn a_sheet_that_is_not_shared_names_the_account_to_add() {
    for builder in [world().not_shared(), world().not_shared().service_account()] {
        let world = builder.build();
        let run = world.run(&["--json"]);
        run.exit(77).error("Google Sheets: 403 PERMISSION_DENIED: The caller does not have permission");
        run.hint(&format!("open {}, click Share, and add {} as an editor", address(&world), world.account));
        assert_eq!((calls(&world), world.counts().tokens), (1, 1), "a 403 is not tried again");
        world.server.share(&world.spreadsheet, &world.account, "writer");
        world.run(&[]).exit(0);
        assert_eq!(world.rows().len(), 4);
    }
}

/// Google's Python library leaves the field blank more often than not.
#[test]
fn an_account_without_an_address_is_told_by_its_credential() {
    let world = world().not_shared().build();
    let mut credential = world.credential_json();
    credential["account"] = json!("");
    world.write_credential(&credential);
    let account = "the account of credential \"port-sheet\"";
    let hint = format!("open {}, click Share, and add {account} as an editor", address(&world));
    world.run(&[]).exit(77).hint(&hint);
}

#[test]
fn a_sheet_that_is_shared_for_reading_only_names_the_account_to_add_as_an_editor() {
    let outage = Outage::of(world());
    let world = &outage.world;
    world.server.share(&world.spreadsheet, &world.account, "reader");
    outage.fails(77).error("403 PERMISSION_DENIED").hint(&format!(
        "open {}, click Share, and add {} as an editor",
        address(world),
        world.account
    ));
    assert_eq!(world.counts().writes, 1);
    world.server.share(&world.spreadsheet, &world.account, "writer");
    outage.heals();
}

#[test]
fn a_missing_scope_is_named() {
    let scopes = Some(vec!["https://www.googleapis.com/auth/spreadsheets.readonly".to_owned()]);
    let world = world().person(Person { scopes, ..Person::default() }).build();
    let run = world.run(&["--json"]);
    run.exit(77).error("Request had insufficient authentication scopes");
    run.hint_with("again with the scope https://www.googleapis.com/auth/spreadsheets");
    assert_eq!((world.rows().len(), world.counts().writes, world.counts().tokens), (0, 1, 1));
}

#[test]
fn an_api_that_is_switched_off_is_a_matter_of_configuration() {
    let outage = Outage::of(world());
    let message = "Google Sheets API has not been used in project 123456789012 before or it is disabled.";
    let body = error_body(403, "PERMISSION_DENIED", message, "SERVICE_DISABLED");
    outage.world.fault(Fault { body: Some(body), times: EVERY_TIME, ..status(403) });
    let run = outage.fails(78);
    run.error(message.trim_end_matches('.'));
    run.hint("enable the API: https://console.cloud.google.com/apis/library/sheets.googleapis.com");
    assert_eq!(calls(&outage.world), 1);
    outage.world.server.clear_faults();
    outage.heals();
}

#[test]
fn a_spreadsheet_that_is_not_there_is_a_matter_of_configuration() {
    let outage = Outage::of(world());
    let world = &outage.world;
    world.replace_in_config(&world.spreadsheet, "1NoSuchSpreadsheet");
    let run = outage.fails(78);
    run.error(
        "Google Sheets: 404 NOT_FOUND: Requested entity was not found; the rows as they should be are in",
    );
    run.hint_with("https://docs.google.com/spreadsheets/d/1NoSuchSpreadsheet/edit");
    run.hint_with(&world.account).hint_with("correct spreadsheet = in the configuration");
    assert_eq!(calls(world), 1);
    world.replace_in_config("1NoSuchSpreadsheet", &world.spreadsheet);
    outage.heals();
}

#[test]
fn a_tab_that_is_not_there_is_told_with_those_that_are() {
    let outage = Outage::of(world());
    let world = &outage.world;
    world.replace_in_config("tab = \"Port sheet\"", "tab = \"Ports\"");
    let run = outage.fails(78);
    run.error("the spreadsheet has no tab \"Ports\"; its tabs are \"Port sheet\"");
    run.hint("was the tab renamed? rename it back in the sheet, or set tab = in the configuration");
    assert_eq!(world.counts().writes, 0);
    world.replace_in_config("tab = \"Ports\"", "tab = \"Port sheet\"");
    outage.heals();
}

#[test]
fn what_passes_is_waited_for() {
    for (code, times) in [(429, 1), (429, 5), (500, 1), (503, 5), (408, 1), (502, 2), (504, 1)] {
        let outage = Outage::of(world());
        outage.world.fault(Fault { times, ..status(code) });
        outage.world.run(&[]).exit(0);
        assert_eq!(calls(&outage.world), 5 + usize::try_from(times).unwrap(), "{code} {times} times");
        assert_eq!(outage.world.counts().tokens, 1);
        outage.heals();
    }
}

#[test]
fn what_does_not_pass_is_given_up_after_six_tries() {
    for (code, exit, hint) in [
        (429, 75, "the next run tries again"),
        (500, 69, "nothing to do if it passes: the next run tries again"),
        (503, 69, "nothing to do if it passes: the next run tries again"),
    ] {
        let outage = Outage::of(world());
        outage.world.fault(Fault { times: EVERY_TIME, ..status(code) });
        outage.fails(exit).error(&format!("Google Sheets: {code} ")).hint_with(hint);
        assert_eq!((calls(&outage.world), outage.world.counts().tokens), (TRIES, 1));
        outage.world.server.clear_faults();
        outage.heals();
    }
}

#[test]
fn a_web_page_in_place_of_an_answer_is_an_outage() {
    let outage = Outage::of(world());
    let body = Some(json!("<html><title>Error 502 (Server Error)!!1</title></html>"));
    outage.world.fault(Fault { times: EVERY_TIME, body, ..status(502) });
    outage.fails(69).error("Google Sheets: 502 with a web page instead of JSON");
    assert_eq!(calls(&outage.world), TRIES);
    outage.world.server.clear_faults();
    outage.heals();
}

#[test]
fn the_older_wording_of_a_spent_quota_is_understood() {
    let outage = Outage::of(world());
    let body = json!({"error": {"code": 403, "message": "Rate Limit Exceeded", "errors": [
        {"message": "Rate Limit Exceeded", "domain": "usageLimits", "reason": "rateLimitExceeded"}
    ]}});
    outage.world.fault(Fault { body: Some(body), times: 2, ..status(403) });
    outage.world.run(&[]).exit(0);
    outage.heals();
}

#[test]
fn retry_after_is_honoured() {
    let outage = Outage::of(world());
    let headers = [("Retry-After".to_owned(), "1".to_owned())].into();
    outage.world.fault(Fault { headers, ..status(429) });
    let run = outage.world.run(&[]);
    run.exit(0);
    assert!(run.stderr.contains("trying again in 1.0 s"), "a pause of its own would be a millisecond");
    outage.heals();
}

#[test]
fn error_bodies_with_and_without_the_errors_array_mean_the_same() {
    for is_on in [true, false] {
        let world = world().not_shared().build();
        world.server.errors_array(is_on);
        world.run(&[]).exit(77).hint_with(&format!("add {} as an editor", world.account));
        world.replace_in_config(&world.spreadsheet, "1NoSuchSpreadsheet");
        world.run(&[]).exit(78).error("404 NOT_FOUND");
    }
}

#[test]
fn a_quota_of_reads_is_waited_out_by_the_next_run() {
    let outage = Outage::of(world());
    outage.world.server.quota(2, 60);
    // Two reads show what is to do; the third, which would verify it, is one too many.
    let run = outage.world.run(&["--json"]);
    run.exit(75).error(
        "Quota exceeded for quota metric 'Read requests' and limit 'Read requests per minute per user'",
    );
    assert_eq!(run.sheet()["verified"], false);
    run.hint_with("other programs use the same quota");
    outage.world.server.advance_clock(60);
    outage.world.server.quota(60, 60);
    outage.heals();
}

#[test]
fn sixty_reads_a_minute_are_enough_for_a_run_every_two_seconds() {
    let world = world().build();
    world.run(&[]).exit(0);
    // Real numbers, a minute of its own for the next runs.
    world.server.quota(60, 60);
    world.clear_requests();
    for _ in 0..30 {
        world.run(&[]).exit(0);
    }
    assert_eq!(world.counts().reads, 60, "a run in step takes two reads");
    world.server.advance_clock(61);
    world.run(&[]).exit(0);
}

#[test]
fn a_protected_range_is_told_in_googles_words_and_nothing_is_half_written() {
    let outage = Outage::of(world());
    let range = json!({"sheetId": outage.world.tab_id(), "startColumnIndex": 3, "endColumnIndex": 4});
    let protected = json!({"range": range, "editors": {"users": [google_standin::OWNER]}});
    outage.world.owner_edits(&json!([{"addProtectedRange": {"protectedRange": protected}}]));
    let run = outage.fails(65);
    run.error("You are trying to edit a protected cell or object");
    run.hint_with(&address(&outage.world));
    assert_eq!(outage.world.counts().writes, 1, "a refused write is not tried again");
}

/// A conflict with another writer passes by itself, and nothing of the request was applied.
#[test]
fn a_request_that_met_another_one_is_sent_again() {
    let outage = Outage::of(world());
    let body = json!({"error": {"code": 409, "message": "The operation was aborted.", "status": "ABORTED"}});
    outage.world.fault(Fault { method: Some("POST".into()), body: Some(body), times: 2, ..status(409) });
    outage.world.run(&[]).exit(0);
    assert_eq!(outage.world.counts().reads, 3, "the write is repeated without another look");
    outage.heals();
}

#[test]
fn an_excel_file_is_told_for_what_it_is() {
    let outage = Outage::of(world());
    let message =
        "This operation is not supported for this document. The document must not be an Office file.";
    let body = json!({"error": {"code": 400, "message": message, "status": "FAILED_PRECONDITION"}});
    outage.world.fault(Fault { body: Some(body), times: EVERY_TIME, ..status(400) });
    let run = outage.fails(78);
    run.error(message.trim_end_matches('.')).hint_with("choose File, Save as Google Sheets");
    outage.world.server.clear_faults();
    outage.heals();
}

#[test]
fn a_tab_without_cells_is_told_for_what_it_is() {
    let outage = Outage::of(world());
    let chart = json!({"sheets": [{"properties": {"sheetId": 5, "title": "Port sheet", "index": 0, "sheetType": "OBJECT"}}]});
    for refused in [false, true] {
        if refused {
            let message = "Unable to parse range: 'Port sheet'!1:2";
            let body = json!({"error": {"code": 400, "message": message, "status": "INVALID_ARGUMENT"}});
            let path = Some("ranges=".into());
            outage.world.fault(Fault { path, body: Some(body), times: EVERY_TIME, ..status(400) });
        }
        let path = Some("fields=".into());
        outage.world.fault(Fault { path, body: Some(chart.clone()), times: EVERY_TIME, ..status(200) });
        let run = outage.fails(78);
        run.error("tab \"Port sheet\" is a chart or other object: it is not a table and has no cells");
        run.hint("name a tab that has cells: tab = \"…\" in the configuration");
        outage.world.server.clear_faults();
    }
    outage.heals();
}
