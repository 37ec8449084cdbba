//! A model of one Google spreadsheet: what the Sheets API v4 does to it and answers about it.
//!
//! Pure: it opens no socket, reads no clock and knows no account beyond the caller's e-mail address. The
//! HTTP server around it is `google-standin`.

mod a1;
mod batch;
mod cell;
mod create;
mod error;
mod formula;
mod get;
mod grid_data;
mod html;
mod ids;
mod input;
mod limits;
mod mask;
mod metadata;
mod place;
mod protect;
mod query;
mod range;
mod render;
mod route;
mod rows;
mod schema;
mod sheet;
mod values;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use error::ApiError;

/// One spreadsheet: its properties, tabs and cells.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Spreadsheet {
    id: String,
    /// The `SpreadsheetProperties` message.
    properties: Value,
    sheets: Vec<sheet::Sheet>,
    /// `NamedRange` messages.
    named_ranges: Vec<Value>,
    /// `DeveloperMetadata` messages, wherever they are attached.
    metadata: Vec<Value>,
    /// How many ids were made up so far.
    minted: u64,
}

/// One tab to create: its title and its grid.
#[derive(Clone, Debug, Deserialize)]
pub struct Tab {
    /// The text on the tab.
    pub title: String,
    /// Rows of the grid, 1000 when not said.
    #[serde(default = "default_rows")]
    pub rows: u32,
    /// Columns of the grid, 26 when not said.
    #[serde(default = "default_columns")]
    pub columns: u32,
}

fn default_rows() -> u32 {
    1000
}

fn default_columns() -> u32 {
    26
}

/// One request to the Sheets API, below `/v4/spreadsheets/{spreadsheetId}`.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// `GET`, `POST` or `PUT`.
    pub method: &'a str,
    /// What follows the id in the path, still percent-encoded: `""`, `":batchUpdate"`, `"/values/A1:append"`.
    pub rest: &'a str,
    /// The query, decoded, in order; a key may be there more than once.
    pub query: &'a [(String, String)],
    /// The JSON body, if there is one.
    pub body: Option<&'a Value>,
    /// The caller's e-mail address: who owns what is made, and who may edit what is protected.
    pub caller: &'a str,
}

/// What a request did.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The body to send, its fields in Google's order.
    pub body: Value,
    /// Whether the spreadsheet was changed, so that Drive's `version` and `modifiedTime` move.
    pub changed: bool,
}

impl Spreadsheet {
    /// A new spreadsheet as Drive makes it: one tab `Sheet1` with id 0 and 1000 × 26 cells.
    pub fn new(id: &str, title: &str) -> Self {
        let tab = Tab { title: "Sheet1".to_owned(), rows: default_rows(), columns: default_columns() };
        Self::with_tabs(id, title, &[tab])
    }

    /// A new spreadsheet with these tabs; the first has the sheet id 0.
    pub fn with_tabs(id: &str, title: &str, tabs: &[Tab]) -> Self {
        create::with_tabs(id, title, tabs)
    }

    /// `spreadsheets.create`: a new spreadsheet as the request's body describes it.
    ///
    /// # Errors
    /// As Google refuses it: unknown fields, two tabs of one name.
    pub fn create(id: &str, body: &Value) -> Result<Self, ApiError> {
        create::from_message(id, body)
    }

    /// The id in its address.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The file's name.
    pub fn title(&self) -> &str {
        self.properties["title"].as_str().unwrap_or_default()
    }

    /// Renames the file, as `drive.files.update` does.
    pub fn set_title(&mut self, title: &str) {
        self.properties["title"] = Value::from(title);
    }

    /// Answers one request; a refused request changes nothing.
    ///
    /// # Errors
    /// Google's own error for the request.
    pub fn handle(&mut self, call: &Call<'_>) -> Result<Answer, ApiError> {
        route::answer(self, call)
    }

    /// A plain page of the spreadsheet's tabs and formatted values for a browser.
    pub fn html(&self) -> String {
        html::page(self)
    }
}
