//! Checks access to a sheet: whether an access token can read it and, as far as one cheap read of the spreadsheet's tabs
//! shows, write it. Changes nothing in the sheet.

use std::path::Path;

use chrono::{DateTime, Utc};
use log::info;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use tokio::time::sleep;
use url::Url;

use crate::cause::Cause;
use crate::config::{Google, Sheet};
use crate::google::api_error::{ApiError, ApiErrorClass, ApiTarget};
use crate::store::{RequestKind, Store};
use crate::sys::http::{Http, NoReply, Reply};
use crate::sys::retry;
use crate::{Failure, Kind, Result, Secret};

/// The Sheets API, unless the configuration names another.
pub(crate) const SHEETS_URL: &str = "https://sheets.googleapis.com/";

/// The fields that are read: no cell, and of a protected range whether the caller may edit it.
const FIELDS: &str = "sheets(properties.title,protectedRanges(range,unprotectedRanges,namedRangeId,warningOnly,requestingUserCanEdit))";

/// The account whose access is checked.
#[derive(Clone, Copy, Debug)]
pub struct Caller<'a> {
    /// The access token.
    pub token: &'a Secret,
    /// Its address or another name, for messages.
    pub account: &'a str,
    /// The scopes that it needs.
    pub scopes: &'a [String],
    /// The path of `state.db`, where its requests are counted.
    pub database: &'a Path,
}

/// The access to a tab of a spreadsheet that could be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access {
    /// Whether protection lets the account write the tab: `Some(false)` when the whole tab is closed to it, `None` when a
    /// part is, because that part may not matter. Google reveals a read-only share only when something is written.
    pub writable: Option<bool>,
    /// The server's clock.
    pub date: Option<DateTime<Utc>>,
}

#[derive(Deserialize)]
struct SpreadsheetReply {
    #[serde(default)]
    sheets: Vec<TabAccess>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TabAccess {
    properties: Properties,
    #[serde(default)]
    protected_ranges: Vec<ProtectedRange>,
}

/// Google omits fields that are false, and the bounds of a range that is open to that side.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ProtectedRange {
    #[serde(default)]
    range: Map<String, Value>,
    #[serde(default)]
    unprotected_ranges: Vec<Value>,
    named_range_id: Option<String>,
    #[serde(default)]
    warning_only: bool,
    #[serde(default)]
    requesting_user_can_edit: bool,
}

impl ProtectedRange {
    fn is_closed(&self) -> bool {
        !self.warning_only && !self.requesting_user_can_edit
    }

    /// Whether it covers the whole tab without an exception.
    fn is_whole(&self) -> bool {
        let is_bounded = self.range.keys().any(|key| key != "sheetId");
        !is_bounded && self.named_range_id.is_none() && self.unprotected_ranges.is_empty()
    }
}

impl TabAccess {
    fn writable(&self) -> Option<bool> {
        let mut closed = self.protected_ranges.iter().filter(|range| range.is_closed()).peekable();
        if closed.peek().is_none() {
            Some(true)
        } else {
            closed.any(ProtectedRange::is_whole).then_some(false)
        }
    }
}

#[derive(Deserialize)]
struct Properties {
    title: String,
}

/// Reads the tabs of the sheet's spreadsheet and searches for the configured one. Tries five times where a failure may
/// pass. Counts the requests in the credential's budget, but never waits for it.
///
/// # Errors
/// [`Kind::Credential`] when the sheet is not shared or a scope is missing, [`Kind::Config`] when there is no such
/// spreadsheet or tab or the API is disabled, [`Kind::Unavailable`] or [`Kind::Busy`] when Google sent no response.
pub async fn check_sheet(http: &Http, google: &Google, sheet: &Sheet, caller: Caller<'_>) -> Result<Access> {
    let url = api_url(google, SHEETS_URL, &["v4", "spreadsheets", &sheet.spreadsheet], FIELDS)?;
    let mut pauses = retry::pauses(google.first_pause).take(4);
    let (tabs, date) = loop {
        count_request(caller.database, &sheet.credential);
        let error = match fetch_tabs(http, url.as_str(), caller.token).await {
            Ok(fetched) => break fetched,
            Err(error) => error,
        };
        let pause =
            pauses.next().filter(|_| matches!(error.class, ApiErrorClass::Quota | ApiErrorClass::Passing));
        let Some(pause) = pause else {
            let Caller { account, scopes, .. } = caller;
            return Err(error.failure(&ApiTarget { spreadsheet: &sheet.spreadsheet, account, scopes }));
        };
        info!("sheet {:?}: {error}; trying again", sheet.name);
        sleep(pause).await;
    };
    match tabs.iter().find(|tab| tab.properties.title == sheet.tab) {
        Some(tab) => Ok(Access { writable: tab.writable(), date }),
        None => {
            let titles: Vec<String> = tabs.into_iter().map(|tab| tab.properties.title).collect();
            Err(no_such_tab(&sheet.tab, &titles))
        }
    }
}

/// The failure for a tab that protection closes to the account.
pub fn protected_tab(sheet: &Sheet, account: &str) -> Failure {
    Failure::new(
        Kind::Credential,
        format!("the tab {:?} is protected, and {account} may not edit it", sheet.tab),
        format!(
            "in the sheet: Data, Protect sheets and ranges, the tab's entry, Change permissions, add {account}: https://docs.google.com/spreadsheets/d/{}/edit",
            sheet.spreadsheet
        ),
    )
}

/// The failure for a spreadsheet without this tab.
pub fn no_such_tab(title: &str, titles: &[String]) -> Failure {
    let listed = titles.iter().map(|title| format!("{title:?}")).collect::<Vec<_>>().join(", ");
    Failure::new(
        Kind::Config,
        format!("the spreadsheet has no tab {title:?}; its tabs are {listed}"),
        "was the tab renamed? rename it back in the sheet, or set tab = in the configuration",
    )
}

/// The URL of a resource of a Google API that returns only some fields, as compact JSON. `real` is the API's own root; the
/// configuration may set another for all APIs.
///
/// # Errors
/// [`Kind::Bug`] for a root that cannot have a path: the configuration was checked.
pub fn api_url(google: &Google, real: &str, path: &[&str], fields: &str) -> Result<Url> {
    let root = google.sheets_url.as_ref().map_or(real, Url::as_str);
    let mut url = Url::parse(root).map_err(|error| unusable().caused_by(Cause::new(error)))?;
    url.path_segments_mut().map_err(|()| unusable())?.pop_if_empty().extend(path);
    url.query_pairs_mut().append_pair("fields", fields).append_pair("prettyPrint", "false");
    Ok(url)
}

fn unusable() -> Failure {
    Failure::bug("the address of a Google API cannot be extended")
}

/// Parses the response of a Google API.
///
/// # Errors
/// The refusal, or why there is no complete JSON response.
pub fn parse_reply<T: DeserializeOwned>(reply: Result<Reply, NoReply>) -> Result<T, ApiError> {
    let reply = reply?;
    if reply.status != 200 {
        let body = serde_json::from_slice(&reply.body);
        return Err(
            body.map_or_else(|_| ApiError::from_status(reply.status), |body| ApiError::from_body(&body))
        );
    }
    serde_json::from_slice(&reply.body).map_err(|error| ApiError::cut_off().caused_by(error))
}

/// A check does not wait for the budget, and a database that cannot be used does not fail it; jobs that write a sheet take
/// its requests into account.
fn count_request(database: &Path, credential: &str) {
    let counted = Store::open(database)
        .and_then(|mut store| store.count_request(credential, RequestKind::Read, Utc::now()));
    counted.unwrap_or_else(|failure| info!("this request is not counted: {failure}"));
}

async fn fetch_tabs(
    http: &Http,
    url: &str,
    token: &Secret,
) -> Result<(Vec<TabAccess>, Option<DateTime<Utc>>), ApiError> {
    let reply = http.get_as(token, url).await;
    let date = reply.as_ref().ok().and_then(|reply| reply.date);
    let spreadsheet: SpreadsheetReply = parse_reply(reply)?;
    Ok((spreadsheet.sheets, date))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::google::access_check::*;

    #[test]
    fn only_a_tab_that_is_closed_whole_is_known_not_to_be_writable() {
        let writable = |ranges: &str| {
            let tab = format!(r#"{{"properties": {{"title": "T"}}, "protectedRanges": {ranges}}}"#);
            serde_json::from_str::<TabAccess>(&tab).unwrap().writable()
        };
        for (ranges, told) in [
            ("[]", Some(true)),
            (r#"[{"range": {"sheetId": 7}}]"#, Some(false)),
            (r#"[{"range": {}}]"#, Some(false)),
            (r#"[{"range": {"sheetId": 7}, "requestingUserCanEdit": true}]"#, Some(true)),
            (r#"[{"range": {"sheetId": 7}, "warningOnly": true}]"#, Some(true)),
            (r#"[{"range": {"sheetId": 7}, "unprotectedRanges": [{"startRowIndex": 1}]}]"#, None),
            (r#"[{"range": {"endRowIndex": 1}}]"#, None),
            (r#"[{"namedRangeId": "n"}]"#, None),
            (r#"[{"range": {"endRowIndex": 1}}, {"range": {"sheetId": 7}}]"#, Some(false)),
        ] {
            assert_eq!(writable(ranges), told, "{ranges}");
        }
    }

    #[test]
    fn the_address_is_the_real_one_or_below_the_configured_one() {
        let mut google = Google {
            sheets_url: None,
            token_hosts: Vec::new(),
            timeout: Duration::from_secs(1),
            first_pause: Duration::from_secs(1),
        };
        let address = |google: &Google, id: &str| {
            api_url(google, SHEETS_URL, &["v4", "spreadsheets", id], FIELDS).unwrap()
        };
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        let query = query.append_pair("fields", FIELDS).append_pair("prettyPrint", "false").finish();
        let real = format!("https://sheets.googleapis.com/v4/spreadsheets/1Ab?{query}");
        assert_eq!(address(&google, "1Ab").as_str(), real);
        google.sheets_url = Some("https://proxy.example/google/".parse().unwrap());
        let odd = format!("https://proxy.example/google/v4/spreadsheets/a%2Fb?{query}");
        assert_eq!(address(&google, "a/b").as_str(), odd, "an id is one part of the path");
    }
}
