//! A spreadsheet to test with, and short ways to ask it.

use proptest::test_runner::{Config, RngSeed};
use serde_json::{Value, json};
use sheets_model::{Answer, ApiError, Call, Spreadsheet, Tab};

/// Who asks unless a test says otherwise.
pub const OWNER: &str = "owner@example.com";

/// A spreadsheet under test.
pub struct Book {
    pub model: Spreadsheet,
    pub caller: &'static str,
}

/// A new spreadsheet with one tab `Sheet1` of this size.
pub fn book(rows: u32, columns: u32) -> Book {
    let tab = Tab { title: "Sheet1".to_owned(), rows, columns };
    Book { model: Spreadsheet::with_tabs("book", "A book", &[tab]), caller: OWNER }
}

/// A new spreadsheet whose tab holds these values from A1 on.
pub fn filled(rows: u32, columns: u32, values: &Value) -> Book {
    let mut book = book(rows, columns);
    if values.as_array().is_some_and(|rows| !rows.is_empty()) {
        book.put("Sheet1!A1", values);
    }
    book
}

impl Book {
    /// Sends one request.
    pub fn call(
        &mut self,
        method: &str,
        rest: &str,
        query: &[(&str, &str)],
        body: &Value,
    ) -> Result<Answer, ApiError> {
        let query: Vec<_> =
            query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let body = Some(body).filter(|body| !body.is_null());
        self.model.handle(&Call { method, rest, query: &query, body, caller: self.caller })
    }

    /// The body of `GET` with this path and query.
    pub fn get(&mut self, rest: &str, query: &[(&str, &str)]) -> Value {
        self.call("GET", rest, query, &Value::Null).unwrap().body
    }

    /// `values.get`, unformatted.
    pub fn read(&mut self, range: &str) -> Value {
        self.get(&format!("/values/{range}"), &[("valueRenderOption", "UNFORMATTED_VALUE")])["values"].clone()
    }

    /// `values.get`, as people see it.
    pub fn seen(&mut self, range: &str) -> Value {
        self.get(&format!("/values/{range}"), &[])["values"].clone()
    }

    /// `values.update` in RAW.
    pub fn put(&mut self, range: &str, values: &Value) -> Value {
        self.try_put(range, values).unwrap()
    }

    /// `values.update` in RAW, perhaps refused.
    pub fn try_put(&mut self, range: &str, values: &Value) -> Result<Value, ApiError> {
        self.write("PUT", range, "RAW", values)
    }

    /// `values.update` as if typed.
    pub fn type_in(&mut self, range: &str, values: &Value) -> Value {
        self.write("PUT", range, "USER_ENTERED", values).unwrap()
    }

    /// `values.append` in RAW.
    pub fn append(&mut self, range: &str, values: &Value) -> Value {
        self.write("POST", &format!("{range}:append"), "RAW", values).unwrap()
    }

    fn write(&mut self, method: &str, range: &str, option: &str, values: &Value) -> Result<Value, ApiError> {
        let query = [("valueInputOption", option)];
        Ok(self.call(method, &format!("/values/{range}"), &query, &json!({ "values": values }))?.body)
    }

    /// `batchUpdate` with these requests: the replies.
    pub fn batch(&mut self, requests: &Value) -> Value {
        self.try_batch(requests).unwrap()
    }

    /// `batchUpdate`, perhaps refused.
    pub fn try_batch(&mut self, requests: &Value) -> Result<Value, ApiError> {
        let answer = self.call("POST", ":batchUpdate", &[], &json!({ "requests": requests }))?;
        Ok(answer.body["replies"].clone())
    }

    /// The sentence with which a batch of one request is refused.
    pub fn refusal(&mut self, request: &Value) -> String {
        self.try_batch(&json!([request])).unwrap_err().message
    }

    /// Everything there is to know about the spreadsheet, for comparing.
    pub fn all(&mut self) -> Value {
        self.get("", &[("fields", "*")])
    }
}

/// So many cases of a property, the same at every run.
pub fn cases(cases: u32) -> Config {
    Config { cases, rng_seed: RngSeed::Fixed(7), failure_persistence: None, ..Config::default() }
}

/// A `GridRange` message on the first tab.
pub fn grid(top: u32, bottom: u32, left: u32, right: u32) -> Value {
    json!({"sheetId": 0, "startRowIndex": top, "endRowIndex": bottom, "startColumnIndex": left, "endColumnIndex": right})
}

/// A `DimensionRange` message on the first tab.
pub fn span(dimension: &str, start: u32, end: u32) -> Value {
    json!({"sheetId": 0, "dimension": dimension, "startIndex": start, "endIndex": end})
}
