//! From a path and a method to the code that answers.
//!
//! A request that writes works on a copy, which shares all cells it does not touch; the copy replaces the
//! spreadsheet only when the whole request succeeded.

use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::{Answer, ApiError, Call, Spreadsheet, batch, get, metadata, values};

/// Answers one request.
pub fn answer(book: &mut Spreadsheet, call: &Call<'_>) -> Result<Answer, ApiError> {
    let rest = call
        .rest
        .strip_prefix('/')
        .filter(|rest| rest.is_empty() || rest.starts_with(':'))
        .unwrap_or(call.rest);
    if let Some(body) = read(book, call, rest)? {
        return Ok(Answer { body, changed: false });
    }
    let mut draft = book.clone();
    let body = write(&mut draft, call, rest)?;
    *book = draft;
    Ok(Answer { body, changed: true })
}

/// What only reads; nothing when the path is for something that writes.
fn read(book: &Spreadsheet, call: &Call<'_>, rest: &str) -> Result<Option<Value>, ApiError> {
    let body = match (call.method, rest) {
        ("GET", "") => get::get(book, call)?,
        ("GET", "/values:batchGet") => values::get::batch_get(book, call)?,
        ("POST", "/developerMetadata:search") => metadata::search(book, call)?,
        ("GET", _) => match (rest.strip_prefix("/values/"), rest.strip_prefix("/developerMetadata/")) {
            (Some(range), _) => values::get::get(book, call, &decoded(range)?)?,
            (None, Some(id)) => metadata::get(book, id)?,
            (None, None) => return Err(ApiError::not_found()),
        },
        _ => return Ok(None),
    };
    Ok(Some(body))
}

fn write(book: &mut Spreadsheet, call: &Call<'_>, rest: &str) -> Result<Value, ApiError> {
    match (call.method, rest) {
        ("POST", ":batchUpdate") => batch::batch_update(book, call),
        ("POST", "/values:batchUpdate") => values::update::batch_update(book, call),
        ("POST", "/values:batchClear") => values::clear::batch_clear(book, call),
        ("PUT", _) => {
            let range = rest.strip_prefix("/values/").ok_or_else(ApiError::not_found)?;
            values::update::update(book, call, &decoded(range)?)
        }
        ("POST", _) => {
            let range = rest.strip_prefix("/values/").ok_or_else(ApiError::not_found)?;
            let append = range.strip_suffix(":append").map(|range| (true, range));
            match append.or_else(|| range.strip_suffix(":clear").map(|range| (false, range))) {
                Some((true, range)) => values::append::append(book, call, &decoded(range)?),
                Some((false, range)) => values::clear::clear(book, call, &decoded(range)?),
                None => Err(ApiError::not_found()),
            }
        }
        _ => Err(ApiError::not_found()),
    }
}

/// One path segment, decoded. A slash that is not encoded begins another segment, which no method has.
fn decoded(segment: &str) -> Result<String, ApiError> {
    if segment.contains('/') {
        return Err(ApiError::not_found());
    }
    percent_decode_str(segment).decode_utf8().map(Into::into).map_err(|_| ApiError::not_found())
}
