//! The Sheets API v4, through google-sheets4: the only module that names that crate.
//!
//! It sends, bounds and retries requests and explains refusals; it decides nothing about rows. Two traps of the crate
//! shape it: nulls are dropped from rows, which would shift every later cell, so they are never sent; and ranges in a
//! path are not encoded, so ranges go in the query or in the body.

pub mod connection;
pub mod error;
mod fence;
pub mod file_version;
pub mod operations;
pub mod range_data;
pub mod tab_operations;
pub mod tabs;
mod url_length;
pub mod whole_rows;
pub mod write_denied;
pub mod write_error;

use std::time::SystemTime;

use google_sheets4::api::{
    BatchGetValuesResponse, BatchUpdateSpreadsheetRequest, BatchUpdateSpreadsheetResponse,
    BatchUpdateValuesRequest, BatchUpdateValuesResponse, CellData, Scope, Spreadsheet,
};
use google_sheets4::common::{self, FieldMask};
use serde_json::Value;
use shared::config::Google;
use shared::google::rate_limit::RateLimiter;
use shared::oauth::TokenSource;
use shared::{Failure, Result};
use tokio::time::Instant;

use crate::google::connection::Connection;
use crate::google::connection::Hub;
use crate::google::connection::Intent;
use crate::google::connection::Listener;
use crate::google::fence::{Fences, Swap, SwapOutcome};
use crate::model::a1;
use crate::model::operation::Operation;
use crate::model::span::Span;
use crate::progress::Progress;
use crate::sheet::tab::Tab;

pub use crate::google::range_data::Lines;
pub use crate::google::write_error::WriteError;

/// What is asked of the sheet after a write.
const LOOK_FIELDS: &str = "spreadsheetId,updatedSpreadsheet(sheets(data(rowData(values(formattedValue)))))";

/// A row below every grid: Google takes a range to the end of the grid.
const LAST_ROW: u32 = 10_000_000;

/// What the sheet showed right after a write.
#[derive(Debug, Default)]
pub struct Look {
    /// Row 1.
    pub header: Vec<String>,
    /// The columns that were asked for, from row 1 down.
    pub columns: Vec<Vec<Value>>,
}

impl Look {
    fn of(answer: BatchUpdateSpreadsheetResponse) -> Self {
        let sheets =
            answer.updated_spreadsheet.and_then(|spreadsheet| spreadsheet.sheets).unwrap_or_default();
        let mut ranges = sheets.into_iter().flat_map(|sheet| sheet.data.unwrap_or_default()).map(|data| {
            let rows = data.row_data.unwrap_or_default().into_iter();
            rows.map(|row| row.values.unwrap_or_default()).collect::<Vec<_>>()
        });
        let first = ranges.next().and_then(|rows| rows.into_iter().next()).unwrap_or_default();
        let shown = |cell: &CellData| cell.formatted_value.clone().unwrap_or_default();
        Self {
            header: first.iter().map(shown).collect(),
            columns: ranges
                .map(|rows| {
                    rows.iter().map(|row| Value::from(row.first().map(shown).unwrap_or_default())).collect()
                })
                .collect(),
        }
    }
}

/// One spreadsheet, as one credential sees it.
pub struct Client {
    connection: Connection,
    fences: Fences,
    google: Google,
    spreadsheet: String,
}

impl Client {
    /// A client for one spreadsheet, in this run. It sends no request.
    ///
    /// # Errors
    /// As [`shared::sys::http::connector`].
    pub fn new(
        google: &Google,
        tokens: TokenSource,
        spreadsheet: &str,
        run: &str,
        budget: RateLimiter,
    ) -> Result<Self> {
        let connection = Connection::new(google, tokens, spreadsheet, budget)?;
        let (google, spreadsheet) = (google.clone(), spreadsheet.to_owned());
        Ok(Self { connection, fences: Fences::new(run), google, spreadsheet })
    }

    /// From now on the requests are for work that must be done by `deadline`, and the terminal shows its progress.
    pub fn begin(&mut self, deadline: Instant, progress: Progress) {
        self.connection.budget.set_deadline(deadline);
        self.connection.progress = progress;
        self.connection.answered = false;
    }

    /// Whether Google has answered any request since that work began.
    pub fn was_answered(&self) -> bool {
        self.connection.answered
    }

    /// The time as far as Google's clock agrees, for what is removed because of its age; `None` before any response.
    pub fn confirmed_now(&self) -> Option<SystemTime> {
        self.connection.date.map(|date| date.min(SystemTime::now()))
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
    /// As [`RateLimiter::afford`].
    pub fn afford(&mut self, reads: u32, writes: u32) -> Result<()> {
        self.connection.budget.afford(reads, writes)
    }

    /// What the terminal shows.
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
        Ok(write_denied::cells_of(&spreadsheet))
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
        self.connection
            .call("spreadsheets.get", Intent::Read, request, |answer| {
                tabs::is_plausible(answer, &fields.to_string(), ranges.len())
            })
            .await
            .map_err(WriteError::into_failure)
    }

    /// The values of some ranges, columns of cells each, trailing empties left out. By columns, since the client then holds
    /// a few long lists; of many short ones it would leave up to half of each unused.
    ///
    /// # Errors
    /// As every request.
    pub async fn read(&mut self, ranges: &[String]) -> Result<Vec<Vec<Vec<Value>>>> {
        let mut found = Vec::new();
        for ranges in url_length::parts(ranges) {
            found.extend(self.read_part(ranges).await?);
        }
        Ok(found)
    }

    async fn read_part(&mut self, ranges: &[String]) -> Result<Vec<Vec<Vec<Value>>>> {
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
            .call("values.batchGet", Intent::Read, request, |answer: &BatchGetValuesResponse| {
                answer.value_ranges.as_ref().map_or(0, Vec::len) == ranges.len()
            })
            .await
            .map_err(WriteError::into_failure)?;
        let found = answer.value_ranges.unwrap_or_default().into_iter();
        Ok(found.map(|range| range.values.unwrap_or_default()).collect())
    }

    /// Whether Google keeps the fence of a tab, so that a write of another run is noticed.
    pub fn is_fenced(&self, tab: i32) -> bool {
        self.fences.is_available(tab)
    }

    /// Carries out all of these operations or none, in one request.
    ///
    /// # Errors
    /// [`WriteError::OutcomeUnknown`] when operations that must not be repeated may have been applied; [`WriteError::Outdated`]
    /// when another run has written to the tab since it was read.
    pub async fn edit(&mut self, tab: i32, operations: &[Operation]) -> Result<(), WriteError> {
        let swap = self.fences.swap(tab);
        self.send(tab, swap, operations, None).await.map(drop)
    }

    /// The same; returns row 1 of the tab after the operations, and the values of some whole columns.
    ///
    /// # Errors
    /// As [`Client::edit`].
    pub async fn edit_and_look(
        &mut self,
        tab: &Tab,
        title: &str,
        operations: &[Operation],
        columns: &[u32],
    ) -> Result<Look, WriteError> {
        let row_1 = a1::rows(title, Span::one(1));
        let columns =
            columns.iter().map(|column| a1::range(title, Span::one(*column), Span::new(1, LAST_ROW)));
        let ranges: Vec<String> = std::iter::once(row_1).chain(columns).collect();
        let swap = self.fences.swap(tab.id);
        let answer = self.send(tab.id, swap, operations, Some(ranges)).await?;
        Ok(Look::of(answer))
    }

    /// Removes a tab of this program's own. It needs no fence: nobody else writes there.
    ///
    /// # Errors
    /// As [`Client::edit`].
    pub async fn delete_tab(&mut self, tab: i32) -> Result<(), WriteError> {
        self.send(tab, None, &[Operation::DeleteTab], None).await.map(drop)
    }

    /// Sends a batch; `look` are the ranges that its response shows.
    async fn send(
        &mut self,
        tab: i32,
        swap: Option<Swap>,
        operations: &[Operation],
        look: Option<Vec<String>>,
    ) -> Result<BatchUpdateSpreadsheetResponse, WriteError> {
        let id = self.spreadsheet.clone();
        let intent = match &swap {
            Some(_) => Intent::WriteFenced,
            None if operations.iter().all(Operation::is_repeatable) => Intent::WriteRepeatable,
            None => Intent::WriteOnce,
        };
        let fence: Vec<Operation> = swap.iter().flat_map(Swap::operations).collect();
        let fields = look.as_ref().map_or("spreadsheetId", |_| LOOK_FIELDS);
        let request = async |hub: &Hub, listener: &mut Listener| {
            let all = fence.iter().chain(operations);
            let body = BatchUpdateSpreadsheetRequest {
                requests: Some(all.map(|operation| operations::request(tab, operation)).collect()),
                include_spreadsheet_in_response: look.as_ref().map(|_| true),
                response_include_grid_data: look.as_ref().map(|_| true),
                response_ranges: look.clone(),
            };
            let methods = hub.spreadsheets();
            methods
                .batch_update(body, &id)
                .param("prettyPrint", "false")
                .param("fields", fields)
                .add_scope(Scope::Spreadsheet)
                .delegate(listener)
                .doit()
                .await
        };
        let sent = self
            .connection
            .call("spreadsheets.batchUpdate", intent, request, |answer: &BatchUpdateSpreadsheetResponse| {
                answer.spreadsheet_id.is_some() && (look.is_none() || answer.updated_spreadsheet.is_some())
            })
            .await;
        if let Some(swap) = swap {
            self.fences.note_outcome(swap, SwapOutcome::of(&sent));
        }
        sent
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
            .call(
                "values.batchUpdate",
                Intent::WriteRepeatable,
                request,
                |answer: &BatchUpdateValuesResponse| answer.spreadsheet_id.is_some(),
            )
            .await
            .map(drop)
            .map_err(WriteError::into_failure)
    }
}
