//! Whether a sheet can be reached with an access token, and whether it could be written as far as one cheap read of the
//! spreadsheet's tabs tells; nothing is changed.

use std::path::Path;

use chrono::{DateTime, Utc};
use log::info;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use tokio::time::sleep;
use url::Url;

use crate::config::{Google, Sheet};
use crate::http::{Http, NoReply, Reply};
use crate::refusal::{Class, Refusal, Subject};
use crate::store::{Quota, Store};
use crate::{Failure, Kind, Result, Secret, retry};

/// The Sheets API, unless the configuration names another.
pub(crate) const SHEETS_URL: &str = "https://sheets.googleapis.com/";

/// What is read: no cell, and of a protected range what tells whether it is closed to the one who asks.
const FIELDS: &str = "sheets(properties.title,protectedRanges(range,unprotectedRanges,namedRangeId,warningOnly,requestingUserCanEdit))";

/// Whose reach is tried.
#[derive(Clone, Copy, Debug)]
pub struct Reacher<'a> {
    /// Its access token.
    pub token: &'a Secret,
    /// Its address, or what else a person knows it by.
    pub account: &'a str,
    /// The scopes that it needs.
    pub scopes: &'a [String],
    /// The records, where its requests are counted.
    pub database: &'a Path,
}

/// A sheet whose spreadsheet was opened and has the tab.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reached {
    /// Whether the account may write the tab as far as protection goes: not at all when the whole tab is kept from it;
    /// none when a part is, since nobody knows then whether it is the part that matters. That a sheet is shared for
    /// reading only is not told by Google before something is written.
    pub writable: Option<bool>,
    /// The server's clock.
    pub date: Option<DateTime<Utc>>,
}

#[derive(Deserialize)]
struct Spreadsheet {
    #[serde(default)]
    sheets: Vec<Tab>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Tab {
    properties: Properties,
    #[serde(default)]
    protected_ranges: Vec<ProtectedRange>,
}

/// What is false is not in Google's answers, and a range that ends nowhere has no bounds.
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

    /// Whether it covers its tab with nothing left open.
    fn is_whole(&self) -> bool {
        let is_bounded = self.range.keys().any(|key| key != "sheetId");
        !is_bounded && self.named_range_id.is_none() && self.unprotected_ranges.is_empty()
    }
}

impl Tab {
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

/// Reads the tabs of the sheet's spreadsheet and looks for its own. What may pass is tried five times. It is counted in
/// the credential's budget of requests, but never waits for it.
///
/// # Errors
/// As the refusal says: [`Kind::Credential`] when the sheet is not shared or a scope is missing, [`Kind::Config`] when
/// there is no such spreadsheet or tab or the API is switched off, [`Kind::Unavailable`] or [`Kind::Busy`] when Google
/// did not answer.
pub async fn sheet(http: &Http, google: &Google, sheet: &Sheet, reacher: Reacher<'_>) -> Result<Reached> {
    let url = address(google, SHEETS_URL, &["v4", "spreadsheets", &sheet.spreadsheet], FIELDS)?;
    let mut pauses = retry::pauses(google.first_pause).take(4);
    let (tabs, date) = loop {
        count(reacher.database, &sheet.credential);
        let refusal = match ask(http, url.as_str(), reacher.token).await {
            Ok(answer) => break answer,
            Err(refusal) => refusal,
        };
        let pause = pauses.next().filter(|_| matches!(refusal.class, Class::Quota | Class::Passing));
        let Some(pause) = pause else {
            let Reacher { account, scopes, .. } = reacher;
            return Err(refusal.failure(&Subject { spreadsheet: &sheet.spreadsheet, account, scopes }));
        };
        info!("sheet {:?}: {refusal}; trying again", sheet.name);
        sleep(pause).await;
    };
    match tabs.iter().find(|tab| tab.properties.title == sheet.tab) {
        Some(tab) => Ok(Reached { writable: tab.writable(), date }),
        None => {
            let titles: Vec<String> = tabs.into_iter().map(|tab| tab.properties.title).collect();
            Err(no_such_tab(&sheet.tab, &titles))
        }
    }
}

/// A tab that is kept from the account as a whole.
pub fn protected(sheet: &Sheet, account: &str) -> Failure {
    Failure::new(
        Kind::Credential,
        format!("the tab {:?} is protected, and {account} may not edit it", sheet.tab),
        format!(
            "in the sheet: Data, Protect sheets and ranges, the tab's entry, Change permissions, add {account}: https://docs.google.com/spreadsheets/d/{}/edit",
            sheet.spreadsheet
        ),
    )
}

/// A spreadsheet that has other tabs.
pub fn no_such_tab(title: &str, titles: &[String]) -> Failure {
    let listed = titles.iter().map(|title| format!("{title:?}")).collect::<Vec<_>>().join(", ");
    Failure::new(
        Kind::Config,
        format!("the spreadsheet has no tab {title:?}; its tabs are {listed}"),
        "was the tab renamed? rename it back in the sheet, or set tab = in the configuration",
    )
}

/// The address of a resource of one of Google's APIs, of which only some fields are wanted, as compact JSON. `real` is the
/// API's own root; the configuration may name another for all of them.
///
/// # Errors
/// [`Kind::Bug`] for a root that no path can follow: the configuration was checked.
pub fn address(google: &Google, real: &str, path: &[&str], fields: &str) -> Result<Url> {
    let unusable = || Failure::bug("the address of a Google API cannot be extended");
    let root = google.sheets_url.as_ref().map_or(real, Url::as_str);
    let mut url = Url::parse(root).map_err(|_| unusable())?;
    url.path_segments_mut().map_err(|()| unusable())?.pop_if_empty().extend(path);
    url.query_pairs_mut().append_pair("fields", fields).append_pair("prettyPrint", "false");
    Ok(url)
}

/// What one of Google's APIs answered.
///
/// # Errors
/// The refusal, when it did not answer or answered with anything else.
pub fn answer<T: DeserializeOwned>(
    reply: std::result::Result<Reply, NoReply>,
) -> std::result::Result<T, Refusal> {
    let reply = reply.map_err(|error| Refusal::passing(error.to_string()))?;
    if reply.status != 200 {
        let body = serde_json::from_slice(&reply.body);
        return Err(
            body.map_or_else(|_| Refusal::from_status(reply.status), |body| Refusal::from_body(&body))
        );
    }
    let cut_off = |_| Refusal::passing("its answer was cut off or is not JSON".to_owned());
    serde_json::from_slice(&reply.body).map_err(cut_off)
}

/// A look is not worth waiting for the minute's requests, and does not fail for want of records; those who write a sheet
/// are to know of it.
fn count(database: &Path, credential: &str) {
    let counted =
        Store::open(database).and_then(|mut store| store.take_unasked(credential, Quota::Read, Utc::now()));
    counted.unwrap_or_else(|failure| info!("this request is not counted: {failure}"));
}

async fn ask(
    http: &Http,
    url: &str,
    token: &Secret,
) -> std::result::Result<(Vec<Tab>, Option<DateTime<Utc>>), Refusal> {
    let reply = http.get_as(token, url).await;
    let date = reply.as_ref().ok().and_then(|reply| reply.date);
    let spreadsheet: Spreadsheet = answer(reply)?;
    Ok((spreadsheet.sheets, date))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn only_a_tab_that_is_closed_whole_is_known_not_to_be_writable() {
        let writable = |ranges: &str| {
            let tab = format!(r#"{{"properties": {{"title": "T"}}, "protectedRanges": {ranges}}}"#);
            serde_json::from_str::<Tab>(&tab).unwrap().writable()
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
            address(google, SHEETS_URL, &["v4", "spreadsheets", id], FIELDS).unwrap()
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
