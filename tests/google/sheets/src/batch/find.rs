//! Not yet.
use super::Reply;
use crate::{ApiError, Spreadsheet};
use serde_json::Value;
pub fn request(_book: &mut Spreadsheet, _body: &Value, _caller: &str) -> Reply {
    Err(ApiError::invalid("This request is not part of the model."))
}
