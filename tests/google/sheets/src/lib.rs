//! A model of one Google spreadsheet: what the Sheets API v4 does to it and answers about it.
//!
//! Pure: it opens no socket, reads no clock and knows no account beyond the caller's e-mail address. The
//! HTTP server around it is `google-standin`.

mod error;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use error::ApiError;

/// One spreadsheet: its properties, tabs and cells.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Spreadsheet {
    id: String,
    title: String,
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
    /// The query, decoded, in order; a key may stand more than once.
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
        Self { id: id.to_owned(), title: title.to_owned() }
    }

    /// A new spreadsheet with these tabs; the first has the sheet id 0.
    pub fn with_tabs(id: &str, title: &str, _tabs: &[Tab]) -> Self {
        Self::new(id, title)
    }

    /// `spreadsheets.create`: a new spreadsheet as the request's body describes it.
    ///
    /// # Errors
    /// As Google refuses it: unknown fields, two tabs of one name.
    pub fn create(id: &str, _body: &Value) -> Result<Self, ApiError> {
        Ok(Self::new(id, ""))
    }

    /// The id in its address.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The file's name.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Renames the file, as `drive.files.update` does.
    pub fn set_title(&mut self, title: &str) {
        title.clone_into(&mut self.title);
    }

    /// Answers one request; a refused request changes nothing.
    ///
    /// # Errors
    /// Google's own error for the request.
    pub fn handle(&mut self, _call: &Call<'_>) -> Result<Answer, ApiError> {
        Err(ApiError::not_found())
    }

    /// A plain page of the spreadsheet's tabs and formatted values for a browser.
    pub fn html(&self) -> String {
        String::new()
    }
}
