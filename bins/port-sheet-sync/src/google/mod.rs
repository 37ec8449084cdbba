//! The Sheets API v4, through google-sheets4: the only module that names that crate.
//!
//! It sends, bounds and retries requests and explains refusals; it decides nothing about rows. Two traps of the crate
//! shape it: nulls are dropped from rows, which would shift every later cell, so none is ever sent; and ranges in a
//! path are not encoded, so ranges go in the query or in the body.

mod connection;
mod drive;
mod edits;
mod obstacle;
mod refusal;
mod structure;
mod tabs;

use std::collections::HashMap;

use google_sheets4::api::{
    BatchUpdateSpreadsheetRequest, BatchUpdateValuesRequest, CellData, Scope, Sheet, Spreadsheet, ValueRange,
};
use google_sheets4::common::{self, FieldMask};
use serde_json::Value;
use shared::budget::Budget;
use shared::config::{Google, Type};
use shared::oauth::TokenSource;
use shared::{Failure, Kind, Result, reach};
use tokio::time::Instant;

use crate::a1;
use crate::edit::Edit;
use crate::progress::Progress;
use connection::{Connection, Hub, Intent, Listener};

pub use connection::Trouble;

/// What is asked of a tab: its grid, what the first row shows, and which of its cells are merged.
const TAB_FIELDS: &str = "sheets(properties(sheetId,title,gridProperties(rowCount,columnCount,frozenRowCount)),merges,data(rowData(values(formattedValue,effectiveFormat(numberFormat(type))))))";

/// One spreadsheet, as one credential sees it.
pub struct Client {
    connection: Connection,
    google: Google,
    spreadsheet: String,
}

/// A tab's grid and what its first rows look like.
#[derive(Clone, Debug)]
pub struct Tab {
    /// The sheet's id.
    pub id: i32,
    /// The rows of the grid.
    pub rows: u32,
    /// The columns of the grid.
    pub columns: u32,
    /// How many of its rows are frozen.
    pub frozen: u32,
    /// What the cells of the first row show.
    pub header: Vec<String>,
    /// What the cells of the second row are shown as, where that is a date or a time.
    pub shown_as: Vec<Option<Type>>,
    /// Cells of the first row that are merged: the first column and the last.
    pub merged: Vec<(u32, u32)>,
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

    /// A tab's grid and header, in one request.
    ///
    /// # Errors
    /// [`Kind::Config`] when there is no such spreadsheet or tab, and as every request.
    pub async fn tab(&mut self, title: &str) -> Result<Tab> {
        match self.tabs(&[title]).await {
            // Google also answers for a title that differs in case; the sync wants the very tab.
            Ok(mut tabs) => match tabs.remove(title) {
                Some(tab) => Ok(tab),
                None => {
                    Err(self.explain_missing_tab(title, Failure::bug("Google answered another tab")).await?)
                }
            },
            Err(failure) if failure.kind == Kind::Data => {
                Err(self.explain_missing_tab(title, failure).await?)
            }
            Err(failure) => Err(failure),
        }
    }

    /// The grids and headers of several tabs by title, in one request.
    ///
    /// # Errors
    /// [`Kind::Data`] when one of them is not there, and as every request.
    pub async fn tabs(&mut self, titles: &[&str]) -> Result<HashMap<String, Tab>> {
        let ranges: Vec<String> = titles.iter().map(|title| a1::rows(title, (1, 2))).collect();
        let spreadsheet = self.metadata(TAB_FIELDS, &ranges).await?;
        Ok(spreadsheet.sheets.into_iter().flatten().filter_map(titled_tab).collect())
    }

    /// A range that cannot be parsed means a tab that is not there, if the list of tabs confirms it.
    async fn explain_missing_tab(&mut self, title: &str, failure: Failure) -> Result<Failure> {
        let spreadsheet = self.metadata("sheets(properties(title))", &[]).await?;
        let titles: Vec<String> =
            spreadsheet.sheets.into_iter().flatten().filter_map(|sheet| sheet.properties?.title).collect();
        if titles.iter().any(|known| known == title) {
            return Ok(failure);
        }
        Ok(reach::no_such_tab(title, &titles))
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

/// Rows for a range as lines of JSON arrays, an eighth of what the client's values of them take. Those are made anew for
/// each try and are gone when it is answered.
#[derive(Debug)]
pub struct Lines {
    /// The range.
    pub range: String,
    /// The rows; none of their cells is null.
    pub json: String,
}

impl Lines {
    /// One row.
    pub fn row(range: String, cells: &[Value]) -> Self {
        Self { range, json: Value::from(cells).to_string() }
    }

    fn value_range(&self) -> serde_json::Result<ValueRange> {
        let row = |line: &str| {
            let mut row: Vec<Value> = serde_json::from_str(line)?;
            row.shrink_to_fit();
            Ok(row)
        };
        let values = self.json.lines().map(row).collect::<serde_json::Result<_>>()?;
        Ok(ValueRange { range: Some(self.range.clone()), values: Some(values), ..Default::default() })
    }
}

fn titled_tab(sheet: Sheet) -> Option<(String, Tab)> {
    let properties = sheet.properties?;
    let grid = properties.grid_properties?;
    let merges = sheet.merges.into_iter().flatten();
    let merged = merges
        .filter(|merge| merge.start_row_index.unwrap_or(0) == 0)
        .map(|merge| (count(merge.start_column_index), count(merge.end_column_index).saturating_sub(1)));
    let mut data = sheet.data.into_iter().flatten().flat_map(|data| data.row_data.into_iter().flatten());
    let mut cells = || data.next().and_then(|row| row.values).unwrap_or_default();
    let header = cells().into_iter().map(|cell| cell.formatted_value.unwrap_or_default()).collect();
    let tab = Tab {
        id: properties.sheet_id.unwrap_or(0),
        rows: count(grid.row_count),
        columns: count(grid.column_count),
        frozen: count(grid.frozen_row_count),
        header,
        shown_as: cells().iter().map(shown_as).collect(),
        merged: merged.collect(),
    };
    Some((properties.title?, tab))
}

fn shown_as(cell: &CellData) -> Option<Type> {
    match cell.effective_format.as_ref()?.number_format.as_ref()?.type_.as_deref()? {
        "DATE" => Some(Type::Date),
        "TIME" => Some(Type::Time),
        "DATE_TIME" => Some(Type::DateTime),
        _ => None,
    }
}

fn count(number: Option<i32>) -> u32 {
    number.and_then(|number| u32::try_from(number).ok()).unwrap_or(0)
}
