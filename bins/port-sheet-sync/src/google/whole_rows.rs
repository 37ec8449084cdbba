//! Whole rows with everything that users put into them.
//!
//! It asks; what the rows mean is its caller's.

use google_sheets4::api::CellData;
use serde_json::Value;
use shared::{Failure, Result};

use crate::google::{Client, url_length};
use crate::model::a1;
use crate::model::operation::WholeCell;
use crate::model::span::Span;

/// What makes up a human cell, as a field mask.
pub(super) const WHOLE_CELL: &str = "userEnteredValue,userEnteredFormat,textFormatRuns,note,dataValidation";

impl Client {
    /// Whole rows of some spans, one after the other; of each cell what users entered, and its value as
    /// `effectiveValue`.
    ///
    /// # Errors
    /// As every request.
    pub async fn whole_rows(&mut self, title: &str, spans: &[Span]) -> Result<Vec<Vec<WholeCell>>> {
        let fields = format!("sheets(data(rowData(values(effectiveValue,{WHOLE_CELL}))))");
        let ranges: Vec<String> = spans.iter().map(|span| a1::rows(title, *span)).collect();
        let mut data = Vec::new();
        for ranges in url_length::parts(&ranges) {
            let sheets = self.metadata(&fields, ranges).await?.sheets;
            data.extend(sheets.into_iter().flatten().flat_map(|sheet| sheet.data.into_iter().flatten()));
        }
        let mut found = Vec::new();
        for (span, grid) in spans.iter().zip(data) {
            let mut rows = grid.row_data.unwrap_or_default().into_iter();
            for _ in span.iter() {
                let cells = rows.next().and_then(|row| row.values).unwrap_or_default();
                found.push(cells.iter().map(whole).collect::<Result<_>>()?);
            }
        }
        Ok(found)
    }
}

fn whole(cell: &CellData) -> Result<WholeCell> {
    let mut value = serde_json::to_value(cell).map_err(Failure::defect)?;
    drop_nulls(&mut value);
    Ok(value)
}

/// The crate's types print every field that is not there as null.
fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, field| !field.is_null());
            fields.values_mut().for_each(drop_nulls);
        }
        Value::Array(values) => values.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}
