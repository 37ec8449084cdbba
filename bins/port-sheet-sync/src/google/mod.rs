//! The Sheets API v4, through google-sheets4: the only module that names that crate.
//!
//! It sends, bounds and retries requests and explains refusals; it decides nothing about rows. Two traps of the crate
//! shape it: nulls are dropped from rows, which would shift every later cell, so none is ever sent; and ranges in a
//! path are not encoded, so ranges go in the query or in the body.

mod edits;
mod refusal;

use std::error::Error;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use google_sheets4::api::{
    BatchUpdateSpreadsheetRequest, BatchUpdateValuesRequest, Scope, Spreadsheet, ValueRange,
};
use google_sheets4::common::{self, FieldMask, GetToken};
use google_sheets4::{Sheets, hyper_rustls, hyper_util};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::connect::HttpConnector;
use log::{debug, info};
use serde_json::Value;
use shared::config::Google;
use shared::oauth::TokenSource;
use shared::{Failure, Kind, Result, http, retry};
use tokio::time::{sleep, timeout};

use crate::a1;
use crate::edit::Edit;
use refusal::{Class, Refusal};

type Hub = Sheets<HttpsConnector<HttpConnector>>;

/// One spreadsheet, as one credential sees it.
pub struct Client {
    hub: Hub,
    bearer: Bearer,
    tokens: TokenSource,
    spreadsheet: String,
    timeout: Duration,
    first_pause: Duration,
    reads: u64,
    writes: u64,
}

/// A tab's grid and the text of its first row.
#[derive(Clone, Debug)]
pub struct Tab {
    /// The sheet's id.
    pub id: i32,
    /// The rows of the grid.
    pub rows: u32,
    /// The columns of the grid.
    pub columns: u32,
    /// What the cells of the first row show.
    pub header: Vec<String>,
}

/// Why a request brought nothing.
#[derive(Debug)]
pub enum Trouble {
    /// It was refused: nothing was changed.
    Refused(Failure),
    /// It may have been applied: look before trying again.
    Unknown(Failure),
}

/// What a request does to Google's quotas, and whether it may be sent twice.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Intent {
    Read,
    WriteRepeatable,
    WriteOnce,
}

impl Client {
    /// A client for one spreadsheet. Nothing is sent yet.
    ///
    /// # Errors
    /// As [`http::connector`].
    pub fn new(google: &Google, tokens: TokenSource, spreadsheet: &str) -> Result<Self> {
        let client = hyper_util::client::legacy::Client::builder(hyper_util::rt::TokioExecutor::new())
            .build(http::connector()?);
        let bearer = Bearer::default();
        let mut hub = Sheets::new(client, bearer.clone());
        hub.user_agent(format!("port-jobs/{}", env!("CARGO_PKG_VERSION")));
        if let Some(url) = &google.sheets_url {
            hub.base_url(url.to_string());
            hub.root_url(url.to_string());
        }
        let (timeout, first_pause) = (google.timeout, google.first_pause);
        Ok(Self {
            hub,
            bearer,
            tokens,
            spreadsheet: spreadsheet.to_owned(),
            timeout,
            first_pause,
            reads: 0,
            writes: 0,
        })
    }

    /// How many read and write requests were sent, tries included.
    pub fn requests(&self) -> (u64, u64) {
        (self.reads, self.writes)
    }

    /// A tab's grid and header, in one request.
    ///
    /// # Errors
    /// [`Kind::Config`] when there is no such spreadsheet or tab, and as every request.
    pub async fn tab(&mut self, title: &str) -> Result<Tab> {
        const FIELDS: &str = "sheets(properties(sheetId,title,gridProperties(rowCount,columnCount)),data(rowData(values(formattedValue))))";
        let range = a1::row(title, 1);
        match self.metadata(FIELDS, Some(&range)).await {
            Ok(spreadsheet) => {
                tab_of(spreadsheet, title).ok_or_else(|| Failure::bug("Google answered no grid for the tab"))
            }
            Err(failure) if failure.kind == Kind::Data => {
                Err(self.explain_missing_tab(title, failure).await?)
            }
            Err(failure) => Err(failure),
        }
    }

    /// A range that cannot be parsed means a tab that is not there, if the list of tabs confirms it.
    async fn explain_missing_tab(&mut self, title: &str, failure: Failure) -> Result<Failure> {
        let spreadsheet = self.metadata("sheets(properties(title))", None).await?;
        let titles: Vec<String> =
            spreadsheet.sheets.into_iter().flatten().filter_map(|sheet| sheet.properties?.title).collect();
        if titles.iter().any(|known| known == title) {
            return Ok(failure);
        }
        let listed = titles.iter().map(|title| format!("{title:?}")).collect::<Vec<_>>().join(", ");
        Ok(Failure::new(
            Kind::Config,
            format!("the spreadsheet has no tab {title:?}; its tabs are {listed}"),
            "was the tab renamed? rename it back in the sheet, or set tab = in the configuration",
        ))
    }

    /// How many cells all tabs of the spreadsheet have.
    ///
    /// # Errors
    /// As every request.
    pub async fn cells(&mut self) -> Result<u64> {
        let spreadsheet =
            self.metadata("sheets(properties(gridProperties(rowCount,columnCount)))", None).await?;
        let grids =
            spreadsheet.sheets.into_iter().flatten().filter_map(|sheet| sheet.properties?.grid_properties);
        Ok(grids.map(|grid| u64::from(count(grid.row_count)) * u64::from(count(grid.column_count))).sum())
    }

    async fn metadata(&mut self, fields: &str, range: Option<&str>) -> Result<Spreadsheet> {
        let id = self.spreadsheet.clone();
        let fields: FieldMask = fields.parse().map_err(|_| Failure::bug("a field mask of ours is wrong"))?;
        let request = async |hub: &Hub, listener: &mut Listener| {
            let methods = hub.spreadsheets();
            let mut call =
                methods.get(&id).param("prettyPrint", "false").param("fields", &fields.to_string());
            if let Some(range) = range {
                call = call.add_ranges(range);
            }
            call.add_scope(Scope::Spreadsheet).delegate(listener).doit().await
        };
        self.call("spreadsheets.get", Intent::Read, request).await.map_err(Trouble::into_failure)
    }

    /// The values of some ranges, rows of cells each, trailing empties left out.
    ///
    /// # Errors
    /// As every request.
    pub async fn read(&mut self, ranges: &[String]) -> Result<Vec<Vec<Vec<Value>>>> {
        let id = self.spreadsheet.clone();
        let request = async |hub: &Hub, listener: &mut Listener| {
            let methods = hub.spreadsheets();
            let mut call = methods.values_batch_get(&id);
            for range in ranges {
                call = call.add_ranges(range);
            }
            call.value_render_option("UNFORMATTED_VALUE")
                .date_time_render_option("SERIAL_NUMBER")
                .param("fields", "valueRanges(values)")
                .param("prettyPrint", "false")
                .add_scope(Scope::Spreadsheet)
                .delegate(listener)
                .doit()
                .await
        };
        let answer =
            self.call("values.batchGet", Intent::Read, request).await.map_err(Trouble::into_failure)?;
        let found: Vec<_> = answer
            .value_ranges
            .unwrap_or_default()
            .into_iter()
            .map(|range| range.values.unwrap_or_default())
            .collect();
        if found.len() == ranges.len() {
            Ok(found)
        } else {
            Err(Failure::bug("Google answered another number of ranges"))
        }
    }

    /// Makes all of these changes or none, in one request.
    ///
    /// # Errors
    /// [`Trouble::Unknown`] when changes that must not be made twice may have been made.
    pub async fn edit(&mut self, tab: i32, edits: &[Edit]) -> std::result::Result<(), Trouble> {
        let id = self.spreadsheet.clone();
        let intent =
            if edits.iter().all(Edit::is_repeatable) { Intent::WriteRepeatable } else { Intent::WriteOnce };
        let request = async |hub: &Hub, listener: &mut Listener| {
            let requests = Some(edits.iter().map(|edit| edits::request(tab, edit)).collect());
            let body = BatchUpdateSpreadsheetRequest { requests, ..Default::default() };
            let methods = hub.spreadsheets();
            methods
                .batch_update(body, &id)
                .param("prettyPrint", "false")
                .param("fields", "spreadsheetId")
                .add_scope(Scope::Spreadsheet)
                .delegate(listener)
                .doit()
                .await
        };
        self.call("spreadsheets.batchUpdate", intent, request).await.map(drop)
    }

    /// Writes values into ranges, raw, in one request. Doing so twice is the same as once.
    ///
    /// # Errors
    /// As every request.
    pub async fn write(&mut self, ranges: &[(String, Vec<Vec<Value>>)]) -> Result<()> {
        let id = self.spreadsheet.clone();
        let request = async |hub: &Hub, listener: &mut Listener| {
            let value_range = |(range, values): &(String, Vec<Vec<Value>>)| ValueRange {
                range: Some(range.clone()),
                values: Some(values.clone()),
                ..Default::default()
            };
            let body = BatchUpdateValuesRequest {
                data: Some(ranges.iter().map(value_range).collect()),
                value_input_option: Some("RAW".to_owned()),
                ..Default::default()
            };
            let methods = hub.spreadsheets();
            methods
                .values_batch_update(body, &id)
                .param("prettyPrint", "false")
                .param("fields", "spreadsheetId")
                .add_scope(Scope::Spreadsheet)
                .delegate(listener)
                .doit()
                .await
        };
        self.call("values.batchUpdate", Intent::WriteRepeatable, request)
            .await
            .map(drop)
            .map_err(Trouble::into_failure)
    }

    /// Sends a request until it is answered, refused for good, or out of tries.
    async fn call<T>(
        &mut self,
        name: &str,
        intent: Intent,
        request: impl AsyncFn(&Hub, &mut Listener) -> common::Result<(common::Response, T)>,
    ) -> std::result::Result<T, Trouble> {
        let mut pauses = retry::pauses(self.first_pause);
        let mut renewed = false;
        loop {
            self.bearer.set(self.tokens.token().await.map_err(Trouble::Refused)?.expose());
            match intent {
                Intent::Read => self.reads += 1,
                Intent::WriteRepeatable | Intent::WriteOnce => self.writes += 1,
            }
            debug!("sending {name}");
            let mut listener = Listener::default();
            let refusal = match timeout(self.timeout, request(&self.hub, &mut listener)).await {
                Ok(Ok((_, answer))) => return Ok(answer),
                Ok(Err(error)) => Refusal::from_error(&error),
                Err(_) => Refusal::late(self.timeout),
            };
            let may_repeat = intent != Intent::WriteOnce || refusal.was_not_applied();
            match refusal.class {
                Class::Unauthenticated if !renewed => {
                    renewed = true;
                    self.tokens.invalidate();
                    info!("{name}: {refusal}; fetching a new access token");
                }
                Class::Quota | Class::Passing if may_repeat => match pauses.next() {
                    Some(pause) => {
                        let pause = retry::at_least(pause, listener.retry_after);
                        info!("{name}: {refusal}; trying again in {:.1} s", pause.as_secs_f64());
                        sleep(pause).await;
                    }
                    None => return Err(Trouble::Refused(self.explain(&refusal))),
                },
                Class::Passing => return Err(Trouble::Unknown(self.explain(&refusal))),
                _ => return Err(Trouble::Refused(self.explain(&refusal))),
            }
        }
    }

    fn explain(&self, refusal: &Refusal) -> Failure {
        refusal.failure(&self.spreadsheet, &self.tokens)
    }
}

impl Trouble {
    /// The failure, where nothing is left to be found out.
    pub fn into_failure(self) -> Failure {
        match self {
            Self::Refused(failure) | Self::Unknown(failure) => failure,
        }
    }
}

fn tab_of(spreadsheet: Spreadsheet, title: &str) -> Option<Tab> {
    let sheet = spreadsheet.sheets?.into_iter().find(|sheet| {
        sheet.properties.as_ref().and_then(|properties| properties.title.as_deref()) == Some(title)
    })?;
    let properties = sheet.properties?;
    let grid = properties.grid_properties?;
    let row = sheet.data.into_iter().flatten().flat_map(|data| data.row_data.into_iter().flatten()).next();
    let cells = row.and_then(|row| row.values).unwrap_or_default();
    let header = cells.into_iter().map(|cell| cell.formatted_value.unwrap_or_default()).collect();
    Some(Tab {
        id: properties.sheet_id.unwrap_or(0),
        rows: count(grid.row_count),
        columns: count(grid.column_count),
        header,
    })
}

fn count(number: Option<i32>) -> u32 {
    number.and_then(|number| u32::try_from(number).ok()).unwrap_or(0)
}

/// The crate keeps its own name for this type to itself.
type TokenOutput<'a> = Pin<
    Box<dyn Future<Output = std::result::Result<Option<String>, Box<dyn Error + Send + Sync>>> + Send + 'a>,
>;

/// Hands the token of the moment to the hub; fetching it is [`TokenSource`]'s.
#[derive(Clone, Default)]
struct Bearer(Arc<Mutex<String>>);

impl Bearer {
    fn set(&self, token: &str) {
        if let Ok(mut bearer) = self.0.lock() {
            token.clone_into(&mut bearer);
        }
    }
}

impl GetToken for Bearer {
    fn get_token<'a>(&'a self, _scopes: &'a [&str]) -> TokenOutput<'a> {
        Box::pin(async move { Ok(self.0.lock().ok().map(|token| token.clone())) })
    }
}

/// Notes what the crate does not hand on.
#[derive(Default)]
struct Listener {
    retry_after: Option<Duration>,
}

impl common::Delegate for Listener {
    fn http_failure(&mut self, response: &common::Response, _error: Option<&Value>) -> common::Retry {
        self.retry_after = http::retry_after(response.headers());
        common::Retry::Abort
    }
}
