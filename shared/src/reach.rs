//! Whether a sheet can be reached with an access token: one cheap read of the spreadsheet's tabs; nothing is changed.

use log::info;
use serde::Deserialize;
use tokio::time::sleep;
use url::Url;

use crate::config::{Google, Sheet};
use crate::http::Http;
use crate::refusal::{Class, Refusal, Subject};
use crate::{Failure, Kind, Result, Secret, retry};

/// The Sheets API, unless the configuration names another.
pub(crate) const SHEETS_URL: &str = "https://sheets.googleapis.com/";

/// Whose reach is tried.
#[derive(Clone, Copy, Debug)]
pub struct Reacher<'a> {
    /// Its access token.
    pub token: &'a Secret,
    /// Its address, or what else a person knows it by.
    pub account: &'a str,
    /// The scopes that it needs.
    pub scopes: &'a [String],
}

#[derive(Deserialize)]
struct Spreadsheet {
    #[serde(default)]
    sheets: Vec<Tab>,
}

#[derive(Deserialize)]
struct Tab {
    properties: Properties,
}

#[derive(Deserialize)]
struct Properties {
    title: String,
}

/// Reads the titles of the sheet's spreadsheet and looks for its tab. What may pass is tried five times.
///
/// # Errors
/// As the refusal says: [`Kind::Credential`] when the sheet is not shared or a scope is missing, [`Kind::Config`] when
/// there is no such spreadsheet or tab or the API is switched off, [`Kind::Unavailable`] or [`Kind::Busy`] when Google
/// did not answer.
pub async fn sheet(http: &Http, google: &Google, sheet: &Sheet, reacher: Reacher<'_>) -> Result<()> {
    let url = address(google, &sheet.spreadsheet)?;
    let mut pauses = retry::pauses(google.first_pause).take(4);
    let titles = loop {
        let refusal = match ask(http, url.as_str(), reacher.token).await {
            Ok(titles) => break titles,
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
    if titles.contains(&sheet.tab) { Ok(()) } else { Err(no_such_tab(&sheet.tab, &titles)) }
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

fn address(google: &Google, spreadsheet: &str) -> Result<Url> {
    let unusable = || Failure::bug("the address of the Sheets API cannot be extended");
    let root = google.sheets_url.as_ref().map_or(SHEETS_URL, Url::as_str);
    let mut url = Url::parse(root).map_err(|_| unusable())?;
    let mut path = url.path_segments_mut().map_err(|()| unusable())?;
    path.pop_if_empty().extend(["v4", "spreadsheets", spreadsheet]);
    drop(path);
    url.query_pairs_mut()
        .append_pair("fields", "spreadsheetId,sheets.properties.title")
        .append_pair("prettyPrint", "false");
    Ok(url)
}

async fn ask(http: &Http, url: &str, token: &Secret) -> std::result::Result<Vec<String>, Refusal> {
    let reply = http.get_as(token, url).await.map_err(|error| Refusal::passing(error.to_string()))?;
    if reply.status != 200 {
        let body = serde_json::from_slice(&reply.body);
        return Err(
            body.map_or_else(|_| Refusal::from_status(reply.status), |body| Refusal::from_body(&body))
        );
    }
    let spreadsheet: Spreadsheet = serde_json::from_slice(&reply.body)
        .map_err(|_| Refusal::passing("its answer was cut off or is not JSON".to_owned()))?;
    Ok(spreadsheet.sheets.into_iter().map(|tab| tab.properties.title).collect())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_address_is_the_real_one_or_below_the_configured_one() {
        let mut google = Google {
            sheets_url: None,
            token_hosts: Vec::new(),
            timeout: Duration::from_secs(1),
            first_pause: Duration::from_secs(1),
        };
        let query = "?fields=spreadsheetId%2Csheets.properties.title&prettyPrint=false";
        let real = format!("https://sheets.googleapis.com/v4/spreadsheets/1Ab{query}");
        assert_eq!(address(&google, "1Ab").unwrap().as_str(), real);
        google.sheets_url = Some("https://proxy.example/google/".parse().unwrap());
        let odd = format!("https://proxy.example/google/v4/spreadsheets/a%2Fb{query}");
        assert_eq!(address(&google, "a/b").unwrap().as_str(), odd, "an id is one part of the path");
    }
}
