//! Not yet.
use super::Reply;
use crate::{ApiError, Spreadsheet};
use serde_json::Value;
pub fn copy(_book: &mut Spreadsheet, _body: &Value, _caller: &str) -> Reply {
    Err(ApiError::invalid("This request is not part of the model."))
}
pub fn cut(_book: &mut Spreadsheet, _body: &Value, _caller: &str) -> Reply {
    Err(ApiError::invalid("This request is not part of the model."))
}
