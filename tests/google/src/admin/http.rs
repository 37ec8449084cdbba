//! `/_admin/…`: the handle's calls over HTTP, for tests in other languages and for people. Never logged.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use sheets_model::Tab;

use super::{Admin, Person};
use crate::fault::Fault;
use crate::reply::Reply;
use crate::request::Request;

/// A refused admin call: what is wrong with it.
struct Refusal(u16, String);

type Outcome = Result<Value, Refusal>;

/// Answers one admin call.
pub(crate) fn serve(admin: &Admin, request: &Request) -> Reply {
    let name = request.path.trim_start_matches("/_admin").trim_matches('/');
    let outcome = match (request.method.as_str(), name) {
        ("POST", "authorized-user") => read(request).map(|user| authorized_user(admin, user)),
        ("POST", "service-account") => Ok(admin.service_account()),
        ("GET", "client") => Ok(client(admin)),
        ("POST", "spreadsheets") => read(request).map(|new| spreadsheet(admin, &new)),
        ("POST", "share") => read(request).and_then(|share| set_share(admin, &share)),
        ("POST", "revoke") => read(request).and_then(|revoke| set_revoked(admin, &revoke)),
        ("POST", "token-error") => read(request).and_then(|error| set_token_error(admin, error)),
        ("GET", "requests") => requests(admin),
        ("DELETE", "requests") => Ok(clear_requests(admin)),
        ("POST", "faults") => read(request).and_then(|fault| set_fault(admin, fault)),
        ("DELETE", "faults") => Ok(clear_faults(admin)),
        ("GET", "clock") => Ok(clock(admin)),
        ("POST", "clock") => read(request).map(|clock| set_clock(admin, &clock)),
        ("POST", "quota") => read(request).map(|quota| set_quota(admin, &quota)),
        ("POST", "errors-array") => read(request).map(|switch| set_errors_array(admin, &switch)),
        ("POST", "call-as") => read(request).map(|call| call_as(admin, &call)),
        _ => Err(Refusal(404, format!("no admin call {} {}", request.method, request.path))),
    };
    match outcome {
        Ok(body) => Reply::json(200, body),
        Err(Refusal(status, message)) => Reply::json(status, json!({ "error": message })),
    }
}

/// The body as the call's own type; no body counts as `{}`.
fn read<T: DeserializeOwned>(request: &Request) -> Result<T, Refusal> {
    let body = request.json().map_err(|error| Refusal(400, error.to_string()))?;
    serde_json::from_value(body.unwrap_or_else(|| json!({}))).map_err(|error| Refusal(400, error.to_string()))
}

/// The answer of a call that has nothing to say.
fn done() -> Value {
    json!({})
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AuthorizedUser {
    email: Option<String>,
    scopes: Option<Vec<String>>,
    #[serde(default)]
    rotate: bool,
    refresh_token_expires_in: Option<i64>,
}

fn authorized_user(admin: &Admin, user: AuthorizedUser) -> Value {
    admin.person(Person {
        email: user.email,
        scopes: user.scopes,
        rotates: user.rotate,
        refresh_token_expires_in: user.refresh_token_expires_in,
    })
}

/// The client in the form that Google's console lets one download.
fn client(admin: &Admin) -> Value {
    let client = admin.client();
    let url = admin.url();
    json!({"installed": {
        "client_id": client.id,
        "project_id": crate::PROJECT_ID,
        "auth_uri": format!("{url}/o/oauth2/v2/auth"),
        "token_uri": format!("{url}/token"),
        "client_secret": client.secret,
        "redirect_uris": ["http://localhost"],
    }})
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewSpreadsheet {
    #[serde(default)]
    title: String,
    #[serde(default)]
    tabs: Vec<Tab>,
    #[serde(default)]
    share: Vec<String>,
}

fn spreadsheet(admin: &Admin, new: &NewSpreadsheet) -> Value {
    let share: Vec<&str> = new.share.iter().map(String::as_str).collect();
    json!({"spreadsheetId": admin.spreadsheet(&new.title, &new.tabs, &share)})
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Share {
    spreadsheet_id: String,
    with: String,
    /// `none` takes the file away again.
    role: String,
}

fn set_share(admin: &Admin, share: &Share) -> Outcome {
    if share.role == "none" {
        admin.unshare(&share.spreadsheet_id, &share.with);
        return Ok(done());
    }
    if admin.share(&share.spreadsheet_id, &share.with, &share.role) {
        return Ok(done());
    }
    Err(Refusal(404, "no such spreadsheet or role".to_owned()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Revoke {
    refresh_token: Option<String>,
    client_email: Option<String>,
}

fn set_revoked(admin: &Admin, revoke: &Revoke) -> Outcome {
    let is_known = match (&revoke.refresh_token, &revoke.client_email) {
        (Some(token), None) => admin.revoke_refresh_token(token),
        (None, Some(email)) => admin.revoke_service_account(email),
        _ => return Err(Refusal(400, "either refresh_token or client_email".to_owned())),
    };
    if is_known { Ok(done()) } else { Err(Refusal(404, "nothing of that name".to_owned())) }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenErrorCall {
    #[serde(alias = "client_email")]
    email: String,
    /// Without one the account gets tokens again.
    status: Option<u16>,
    #[serde(default)]
    body: Value,
}

fn set_token_error(admin: &Admin, error: TokenErrorCall) -> Outcome {
    if error.status.is_some_and(|status| !(200..=599).contains(&status)) {
        return Err(Refusal(400, "status: a number from 200 to 599".to_owned()));
    }
    admin.token_error(&error.email, error.status.map(|status| (status, error.body)));
    Ok(done())
}

fn requests(admin: &Admin) -> Outcome {
    serde_json::to_value(admin.requests()).map_err(|error| Refusal(500, error.to_string()))
}

fn clear_requests(admin: &Admin) -> Value {
    admin.clear_requests();
    done()
}

fn clear_faults(admin: &Admin) -> Value {
    admin.clear_faults();
    done()
}

fn set_fault(admin: &Admin, fault: Fault) -> Outcome {
    admin.try_fault(fault).map_err(|error| Refusal(400, error)).map(|()| done())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetClock {
    now: Option<DateTime<Utc>>,
    #[serde(default)]
    advance_s: i64,
}

fn set_clock(admin: &Admin, set: &SetClock) -> Value {
    if let Some(now) = set.now {
        admin.set_clock(now);
    }
    admin.advance_clock(set.advance_s);
    clock(admin)
}

fn clock(admin: &Admin) -> Value {
    json!({"now": crate::clock::rfc3339_ms(admin.now())})
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Quota {
    reads_per_minute: Option<u32>,
    writes_per_minute: Option<u32>,
}

fn set_quota(admin: &Admin, quota: &Quota) -> Value {
    admin.world().quota.set(quota.reads_per_minute, quota.writes_per_minute);
    done()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Switch {
    on: bool,
}

fn set_errors_array(admin: &Admin, switch: &Switch) -> Value {
    admin.errors_array(switch.on);
    done()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CallAs {
    email: String,
    method: String,
    /// With its query.
    path: String,
    body: Option<Value>,
}

fn call_as(admin: &Admin, call: &CallAs) -> Value {
    let (status, body) = admin.call_as(&call.email, &call.method, &call.path, call.body.as_ref());
    json!({"status": status, "body": body})
}
