//! Rows to be written, as text until the client needs them.

use google_sheets4::api::ValueRange;
use serde_json::Value;

/// Rows for a range as lines of JSON arrays, an eighth of what the client's values of them take. Those are made anew for
/// each try and are dropped after the response.
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

    pub(super) fn value_range(&self) -> serde_json::Result<ValueRange> {
        let values = self.json.lines().map(row).collect::<serde_json::Result<_>>()?;
        Ok(ValueRange { range: Some(self.range.clone()), values: Some(values), ..Default::default() })
    }
}

fn row(line: &str) -> serde_json::Result<Vec<Value>> {
    let mut row: Vec<Value> = serde_json::from_str(line)?;
    row.shrink_to_fit();
    Ok(row)
}
