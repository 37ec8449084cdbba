//! `spreadsheets.values`: cells as plain lists of lists.

pub mod append;
pub mod clear;
pub mod get;
mod table;
pub mod update;
mod write;

use serde_json::Value;

use crate::ApiError;
use crate::query::Query;

/// The part of an answer that the query's `fields` selects.
fn selected(query: Query<'_>, body: Value) -> Result<Value, ApiError> {
    Ok(query.mask("any")?.select(body))
}
