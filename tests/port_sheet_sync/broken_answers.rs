//! Answers that break off, or that do not come from Google: tried again, then given up, never believed.

use google_standin::{Fault, Stall};
use serde_json::json;

use crate::google_refuses::{EVERY_TIME, TRIES, any_call, calls};
use crate::outage::Outage;
use crate::world;

/// Each of them in the place of each request of a run: once, it is sent again; for good, it is an outage.
#[test]
fn an_answer_of_200_that_is_not_googles_is_never_believed() {
    let error = json!({"error": {"code": 503, "message": "The service is currently unavailable.", "status": "UNAVAILABLE"}});
    let no_rows = json!({"sheets": [{
        "properties": {"sheetId": 0, "title": "Port sheet", "gridProperties": {"rowCount": 0, "columnCount": 26}},
        "data": [{"rowData": [{"values": [{"formattedValue": "Booking"}]}]}],
    }]});
    for body in [json!({}), error, json!({"spreadsheetId": 7}), json!({"sheets": []}), no_rows] {
        for (method, path) in
            [("GET", "/v4/spreadsheets/[^/]+[?]"), ("GET", "values:batchGet"), ("POST", ":batchUpdate")]
        {
            let outage = Outage::of(world());
            let (method, path) = (Some(method.to_owned()), Some(path.to_owned()));
            let fault =
                Fault { method, path, status: Some(200), body: Some(body.clone()), ..Fault::default() };
            outage.world.fault(fault.clone());
            outage.world.run(&[]).exit(0);
            outage.heals();
            let outage = Outage::of(world());
            outage.world.fault(Fault { times: EVERY_TIME, ..fault });
            outage.fails(69).hint_with("the next run tries again");
            outage.world.server.clear_faults();
            outage.heals();
        }
    }
}

/// Every way in which a read can break; each is tried again and gets through.
#[test]
fn a_broken_read_is_read_again() {
    for fault in [
        Fault { cut: true, ..Fault::default() },
        Fault { reset: true, ..Fault::default() },
        Fault { apply_then_reset: true, ..Fault::default() },
        Fault { status: Some(200), body: Some(json!("not json")), ..Fault::default() },
        Fault { status: Some(200), body: Some(json!("")), ..Fault::default() },
    ] {
        for nth in 1..=3 {
            let outage = Outage::of(world());
            outage.world.fault(any_call(Fault { method: Some("GET".into()), nth, ..fault.clone() }));
            outage.world.run(&[]).exit(0);
            assert_eq!(outage.world.counts().reads, 4, "{fault:?}");
            outage.heals();
        }
    }
}

#[test]
fn a_read_that_stays_broken_is_given_up() {
    for (fault, error) in [
        (Fault { cut: true, ..Fault::default() }, "Google Sheets: "),
        (Fault { reset: true, ..Fault::default() }, "Google Sheets: "),
        (Fault { stall: Stall::Request, ..Fault::default() }, "Google Sheets: no whole answer within 0.2 s"),
        (Fault { stall: Stall::Body, ..Fault::default() }, "Google Sheets: no whole answer within 0.2 s"),
    ] {
        let outage = Outage::of(world().google("timeout = \"60s\""));
        outage.world.replace_in_config("timeout = \"60s\"", "timeout = \"200ms\"");
        outage.world.fault(any_call(Fault { times: EVERY_TIME, ..fault }));
        outage.fails(69).error(error).hint_with("the next run tries again");
        assert_eq!(calls(&outage.world), TRIES);
        outage.world.server.clear_faults();
        outage.world.replace_in_config("timeout = \"200ms\"", "timeout = \"60s\"");
        outage.heals();
    }
}
