//! The Sheets API v4, through google-sheets4: the only module that names that crate.
//!
//! It sends, bounds and retries requests and explains refusals; it decides nothing about rows. Two traps of the crate
//! shape it: nulls are dropped from rows, which would shift every later cell, so none is ever sent; and ranges in a
//! path are not encoded, so ranges go in the query or in the body.

mod connection;
mod drive;
mod edits;
mod lines;
mod obstacle;
mod refusal;
mod structure;
mod tabs;
mod whole;

use google_sheets4::api::{BatchUpdateSpreadsheetRequest, BatchUpdateValuesRequest, Scope, Spreadsheet};
use google_sheets4::common::{self, FieldMask};
use serde_json::Value;
use shared::budget::Budget;
use shared::config::Google;
use shared::oauth::TokenSource;
use shared::{Failure, Result};
use tokio::time::Instant;

use crate::edit::Edit;
use crate::progress::Progress;
use connection::{Connection, Hub, Intent, Listener};

pub use connection::Trouble;
pub use lines::Lines;
pub use tabs::Tab;

/// One spreadsheet, as one credential sees it.
pub struct Client {
    connection: Connection,
    google: Google,
    spreadsheet: String,
}

impl Client {
    /// A client for one spreadsheet. Nothing is sent yet.
    ///
    /// # Errors
    /// As [`shared::http::connector`].
    pub fn new(google: &Google, tokens: TokenSource, spreadsheet: &str, budget: Budget) -> Result<Self> {
        let connection = Connection::new(google, tokens, spreadsheet, budget)?;
        Ok(Self { connection, google: google.clone(), spreadsheet: spreadsheet.to_owned() })
    }

    /// From now on the requests are for work that must be done by `deadline`, and a person sees how far it is.
    pub fn begin(&mut self, deadline: Instant, progress: Progress) {
        self.connection.budget.set_deadline(deadline);
        self.connection.progress = progress;
        self.connection.answered = false;
    }

    /// Whether Google has answered any request since that work began.
    pub fn was_answered(&self) -> bool {
        self.connection.answered
    }

    /// How many read and write requests were sent, tries included.
    pub fn requests(&self) -> (u64, u64) {
        self.connection.sent
    }

    /// How many writes were applied, or may have been.
    pub fn applied(&self) -> u64 {
        self.connection.applied
    }

    /// Whether so many requests can be sent before the deadline, for work that is not to be begun otherwise.
    ///
    /// # Errors
    /// As [`Budget::afford`].
    pub fn afford(&mut self, reads: u32, writes: u32) -> Result<()> {
        self.connection.budget.afford(reads, writes)
    }

    /// What a person who waits is shown.
    pub fn progress(&self) -> &Progress {
        &self.connection.progress
    }

    /// How many cells all tabs of the spreadsheet have.
    ///
    /// # Errors
    /// As every request.
    pub async fn cells(&mut self) -> Result<u64> {
        let spreadsheet =
            self.metadata("sheets(properties(gridProperties(rowCount,columnCount)))", &[]).await?;
        Ok(obstacle::cells_of(&spreadsheet))
    }

    async fn metadata(&mut self, fields: &str, ranges: &[String]) -> Result<Spreadsheet> {
        let id = self.spreadsheet.clone();
        let fields: FieldMask = fields.parse().map_err(|_| Failure::bug("a field mask of ours is wrong"))?;
        let request = async |hub: &Hub, listener: &mut Listener| {
            let methods = hub.spreadsheets();
            let mut call =
                methods.get(&id).param("prettyPrint", "false").param("fields", &fields.to_string());
            for range in ranges {
                call = call.add_ranges(range);
            }
            call.add_scope(Scope::Spreadsheet).delegate(listener).doit().await
        };
        self.connection.call("spreadsheets.get", Intent::Read, request).await.map_err(Trouble::into_failure)
    }

    /// The values of some ranges, columns of cells each, trailing empties left out. By columns, since the client then holds
    /// a few long lists; of many short ones it would leave up to half of each unused.
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
                .major_dimension("COLUMNS")
                .param("fields", "valueRanges(values)")
                .param("prettyPrint", "false")
                .add_scope(Scope::Spreadsheet)
                .delegate(listener)
                .doit()
                .await
        };
        let answer = self
            .connection
            .call("values.batchGet", Intent::Read, request)
            .await
            .map_err(Trouble::into_failure)?;
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
        self.connection.call("spreadsheets.batchUpdate", intent, request).await.map(drop)
    }

    /// Writes values into ranges, raw, in one request. Doing so twice is the same as once.
    ///
    /// # Errors
    /// As every request.
    pub async fn write(&mut self, ranges: &[Lines]) -> Result<()> {
        let id = self.spreadsheet.clone();
        let request = async |hub: &Hub, listener: &mut Listener| {
            let data = ranges.iter().map(Lines::value_range).collect::<serde_json::Result<_>>();
            let body = BatchUpdateValuesRequest {
                data: Some(data.map_err(|error| common::Error::JsonDecodeError(String::new(), error))?),
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
        self.connection
            .call("values.batchUpdate", Intent::WriteRepeatable, request)
            .await
            .map(drop)
            .map_err(Trouble::into_failure)
    }
}
