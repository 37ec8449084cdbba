//! The freshness cell: it shows when the sheet was last synced.
//!
//! It is written last, after everything was verified, and read back. Text of a user stays.

use chrono::{DateTime, Utc};
use serde_json::Value;
use shared::config::CellAddress;
use shared::{Failure, Kind, Result};

use crate::google::Client;
use crate::google::Lines;
use crate::model::a1;
use crate::model::span::Span;
use crate::sheet::freshness::{FORMAT, is_ours};
use crate::sheet::owned_row::is_blank;

/// How its failures begin.
const IN_STEP: &str = "the bookings are in step, but freshness-cell";

/// Writes the time into the cell and reads it back.
///
/// # Errors
/// [`Kind::Data`] when something else is there, before or afterwards; [`Kind::Config`] when there is no such cell; and
/// as every request.
pub async fn write(client: &mut Client, cell: &CellAddress, now: DateTime<Utc>) -> Result<()> {
    let range = a1::range(&cell.tab, Span::one(cell.column), Span::one(cell.row));
    let found = read(client, cell, &range).await?;
    if !is_blank(found.as_ref()) && !found.as_ref().and_then(Value::as_str).is_some_and(is_ours) {
        return Err(taken(cell, found.as_ref()));
    }
    let text = now.format(FORMAT).to_string();
    let written = client.write(&[Lines::row(range.clone(), &[Value::from(text.as_str())])]).await;
    written.map_err(|failure| failure.within(format_args!("{IN_STEP} {}", shown(cell))))?;
    let found = read(client, cell, &range).await?;
    if found.as_ref().and_then(Value::as_str) == Some(text.as_str()) {
        Ok(())
    } else {
        Err(taken(cell, found.as_ref()))
    }
}

async fn read(client: &mut Client, cell: &CellAddress, range: &str) -> Result<Option<Value>> {
    let answer = client.read(&[range.to_owned()]).await.map_err(|failure| match failure.kind {
        Kind::Data => Failure::new(
            Kind::Config,
            format!("{IN_STEP} {} is not there: {failure}", shown(cell)),
            "name a cell that the spreadsheet has: freshness-cell = \"Tab!B1\" in the configuration",
        ),
        _ => failure,
    })?;
    Ok(answer.into_iter().flatten().flatten().next())
}

fn taken(cell: &CellAddress, found: Option<&Value>) -> Failure {
    let found = found.map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    Failure::new(
        Kind::Data,
        format!(
            "{IN_STEP} {} holds {:?}, which the sync did not write",
            shown(cell),
            found.unwrap_or_default()
        ),
        "clear that cell in the sheet, or name another: freshness-cell = \"Tab!B1\" in the configuration",
    )
}

fn shown(cell: &CellAddress) -> String {
    format!("{}{} of tab {:?}", a1::letters(cell.column), cell.row, cell.tab)
}
