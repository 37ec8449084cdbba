//! The sheet as people see and change it, and what the job asked of Google.

use google_standin::{LoggedRequest, OWNER};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::world::World;

/// The tab that the job writes.
pub const TAB: &str = "Port sheet";

/// A colleague with whom the sheet is shared.
pub const PERSON: &str = "crew@example.com";

/// How many requests of each kind were sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Reads of the Sheets API.
    pub reads: usize,
    /// Writes of the Sheets API.
    pub writes: usize,
    /// Calls of the token endpoint.
    pub tokens: usize,
}

impl World {
    /// The whole tab, its header first: numbers as numbers, dates as serial numbers, trailing blanks left out.
    ///
    /// # Panics
    /// When the tab cannot be read.
    pub fn rows(&self) -> Vec<Vec<Value>> {
        self.rows_of(TAB)
    }

    /// The same of any tab.
    ///
    /// # Panics
    /// When the tab cannot be read.
    pub fn rows_of(&self, tab: &str) -> Vec<Vec<Value>> {
        self.rows_as(tab, "UNFORMATTED_VALUE")
    }

    /// The same; `FORMULA` shows formulas in place of their values.
    ///
    /// # Panics
    /// When the tab cannot be read.
    pub fn rows_as(&self, tab: &str, render: &str) -> Vec<Vec<Value>> {
        self.find_rows_as(tab, render).unwrap_or_else(|| panic!("there is no tab {tab:?}"))
    }

    /// The same of a tab that may not be there.
    pub fn find_rows_as(&self, tab: &str, render: &str) -> Option<Vec<Vec<Value>>> {
        let all = utf8_percent_encode(&format!("'{tab}'"), NON_ALPHANUMERIC).to_string();
        let query = format!("valueRenderOption={render}&dateTimeRenderOption=SERIAL_NUMBER");
        let path = format!("/v4/spreadsheets/{}/values/{all}?{query}", self.spreadsheet);
        let (status, answer) = self.server.call_as(OWNER, "GET", &path, None);
        let rows = answer["values"].as_array().cloned().unwrap_or_default();
        let rows = rows.into_iter().map(|row| row.as_array().cloned().unwrap_or_default());
        (status == 200).then(|| rows.collect())
    }

    /// The titles of all tabs, hidden ones too.
    ///
    /// # Panics
    /// When the spreadsheet cannot be read.
    pub fn tabs(&self) -> Vec<String> {
        let titles = self.sheets("sheets.properties.title");
        titles.iter().filter_map(|sheet| sheet["properties"]["title"].as_str()).map(str::to_owned).collect()
    }

    /// What `spreadsheets.get` says of the tabs, under a field mask.
    ///
    /// # Panics
    /// When the spreadsheet cannot be read.
    pub fn sheets(&self, fields: &str) -> Vec<Value> {
        let path = format!("/v4/spreadsheets/{}?fields={fields}", self.spreadsheet);
        let answer = self.call_as(OWNER, "GET", &path, None);
        answer["sheets"].as_array().cloned().unwrap_or_default()
    }

    /// A person writes into a cell such as `F2`, as if typed.
    ///
    /// # Panics
    /// When the sheet does not take it.
    pub fn person_writes(&self, cell: &str, value: impl Into<Value>) {
        let range = utf8_percent_encode(&format!("'{TAB}'!{cell}"), NON_ALPHANUMERIC).to_string();
        let path =
            format!("/v4/spreadsheets/{}/values/{range}?valueInputOption=USER_ENTERED", self.spreadsheet);
        self.call_as(PERSON, "PUT", &path, Some(&json!({"values": [[value.into()]]})));
    }

    /// A person changes the sheet in some other way: requests of `spreadsheets.batchUpdate`.
    ///
    /// # Panics
    /// When the sheet does not take them.
    pub fn person_edits(&self, requests: &Value) {
        self.edits_as(PERSON, requests);
    }

    /// The sheet's owner changes it: requests of `spreadsheets.batchUpdate`.
    ///
    /// # Panics
    /// When the sheet does not take them.
    pub fn owner_edits(&self, requests: &Value) {
        self.edits_as(OWNER, requests);
    }

    fn edits_as(&self, email: &str, requests: &Value) {
        let path = format!("/v4/spreadsheets/{}:batchUpdate", self.spreadsheet);
        self.call_as(email, "POST", &path, Some(&json!({"requests": requests})));
    }

    /// The tab's id, for edits.
    ///
    /// # Panics
    /// When there is no such tab.
    pub fn tab_id(&self) -> i64 {
        let sheets = self.sheets("sheets.properties");
        let tab = sheets.iter().find(|sheet| sheet["properties"]["title"] == TAB);
        tab.and_then(|tab| tab["properties"]["sheetId"].as_i64()).expect("the tab has an id")
    }

    fn call_as(&self, email: &str, method: &str, path: &str, body: Option<&Value>) -> Value {
        let (status, answer) = self.server.call_as(email, method, path, body);
        assert_eq!(status, 200, "{email}: {method} {path}: {answer}");
        answer
    }

    /// The requests that the job sent since the last clear, oldest first.
    pub fn requests(&self) -> Vec<LoggedRequest> {
        self.server.requests()
    }

    /// Forgets them.
    pub fn clear_requests(&self) {
        self.server.clear_requests();
    }

    /// How many there are of each kind.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for request in self.requests() {
            match (request.method.as_str(), request.path.starts_with("/v4/")) {
                ("GET", true) => counts.reads += 1,
                (_, true) => counts.writes += 1,
                (_, false) => counts.tokens += usize::from(request.path == "/token"),
            }
        }
        counts
    }
}
