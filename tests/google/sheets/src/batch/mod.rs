//! `spreadsheets.batchUpdate`: reads the requests, applies them in order, collects the replies.
//!
//! Each kind of request is in the module of what it changes. None of them needs to undo anything: the batch works on
//! a copy that is thrown away when one of them is refused.

pub mod cells;
mod colors;
pub mod dimensions;
mod filters;
mod find;
mod groups;
mod merges;
mod move_span;
pub mod names;
mod paste;
mod properties;
mod protection;
pub mod reflow;
pub mod sheets;
mod shift_cells;
mod sort;

use serde_json::{Map, Value, json};

use crate::get::{self, Wanted};
use crate::mask::Mask;
use crate::query::Query;
use crate::{ApiError, Call, Spreadsheet, limits, metadata, schema};

/// What a request answers: the message under its own name, or nothing.
type Reply = Result<Option<Value>, ApiError>;

/// `POST :batchUpdate`.
pub fn batch_update(book: &mut Spreadsheet, call: &Call<'_>) -> Result<Value, ApiError> {
    let query = Query::of(call.query, &[])?;
    let mask = query.mask("any")?;
    let batch = schema::read("BatchUpdateSpreadsheetRequest", call.body.unwrap_or(&json!({})), "")?;
    let requests = batch["requests"].as_array().map_or(&[][..], Vec::as_slice);
    if requests.is_empty() {
        return Err(ApiError::invalid("Must specify at least one request."));
    }
    if requests.len() > limits::REQUESTS {
        return Err(ApiError::invalid(format!(
            "Cannot exceed {} requests in a single batch.",
            limits::REQUESTS
        )));
    }
    let mut replies = Vec::with_capacity(requests.len());
    for (index, request) in requests.iter().enumerate() {
        replies.push(apply(book, index, request, call.caller)?);
    }
    let mut answer = json!({"spreadsheetId": book.id, "replies": replies});
    if batch["includeSpreadsheetInResponse"] == true {
        answer["updatedSpreadsheet"] = updated_spreadsheet(book, &batch, call.caller)?;
    }
    Ok(mask.select(answer))
}

fn updated_spreadsheet(book: &Spreadsheet, batch: &Value, caller: &str) -> Result<Value, ApiError> {
    let ranges = batch["responseRanges"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let wanted = Wanted {
        mask: &Mask::All,
        places: ranges.map(|range| book.locate(range)).collect::<Result<_, _>>()?,
        grid_data: batch["responseIncludeGridData"] == true,
        caller,
    };
    get::message(book, &wanted)
}

fn apply(book: &mut Spreadsheet, index: usize, request: &Value, caller: &str) -> Result<Value, ApiError> {
    let fields = request.as_object().into_iter().flatten().collect::<Vec<_>>();
    let (kind, body) = match fields.as_slice() {
        [] => return Err(ApiError::invalid("No request set.").within(&format!("requests[{index}]"))),
        [(kind, body)] => (kind.as_str(), *body),
        [_, (second, _), ..] => {
            let message = format!("oneof field 'kind' is already set. Cannot set '{second}'");
            return Err(ApiError::invalid(format!(
                "Invalid value at 'requests[{index}]' (oneof), {message}"
            )));
        }
    };
    let reply = dispatch(book, kind, body, caller)
        .map_err(|error| error.within(&format!("requests[{index}].{kind}")))?;
    Ok(reply.map_or_else(|| json!({}), |reply| Value::Object(Map::from_iter([(kind.to_owned(), reply)]))))
}

fn dispatch(book: &mut Spreadsheet, kind: &str, body: &Value, caller: &str) -> Reply {
    match kind {
        "addSheet" => sheets::add(book, body),
        "deleteSheet" => sheets::delete(book, body, caller),
        "duplicateSheet" => sheets::duplicate(book, body),
        "updateSheetProperties" => properties::update_sheet(book, body, caller),
        "updateSpreadsheetProperties" => properties::update_spreadsheet(book, body),
        "updateCells" => cells::update(book, body, caller),
        "appendCells" => cells::append(book, body, caller),
        "repeatCell" => cells::repeat(book, body, caller),
        "setDataValidation" => cells::set_validation(book, body, caller),
        "insertDimension" => dimensions::insert_request(book, body, caller),
        "appendDimension" => dimensions::append_request(book, body),
        "deleteDimension" => dimensions::delete_request(book, body, caller),
        "moveDimension" => move_span::request(book, body, caller),
        "updateDimensionProperties" => dimensions::update_properties(book, body),
        "autoResizeDimensions" => dimensions::auto_resize(book, body),
        "insertRange" | "deleteRange" => shift_cells::request(book, kind, body, caller),
        "sortRange" => sort::request(book, body, caller),
        "findReplace" => find::request(book, body, caller),
        "copyPaste" => paste::copy(book, body, caller),
        "cutPaste" => paste::cut(book, body, caller),
        "mergeCells" => merges::merge(book, body, caller),
        "unmergeCells" => merges::unmerge(book, body, caller),
        "addNamedRange" | "updateNamedRange" | "deleteNamedRange" => names::request(book, kind, body),
        "addProtectedRange" | "updateProtectedRange" | "deleteProtectedRange" => {
            protection::request(book, kind, body, caller)
        }
        "addDimensionGroup" | "deleteDimensionGroup" | "updateDimensionGroup" => {
            groups::request(book, kind, body)
        }
        "addFilterView" | "deleteFilterView" | "setBasicFilter" | "clearBasicFilter" => {
            filters::request(book, kind, body)
        }
        "createDeveloperMetadata" | "updateDeveloperMetadata" | "deleteDeveloperMetadata" => {
            metadata::request(book, kind, body)
        }
        _ => Err(ApiError::invalid("This request is not part of the model.")),
    }
}

/// The mask of an update; Google wants one.
fn fields(body: &Value, message: &str) -> Result<Mask, ApiError> {
    let text = body["fields"].as_str().unwrap_or_default();
    let none = || {
        ApiError::invalid("At least one field must be listed in 'fields'. (Use '*' to indicate all fields.)")
    };
    let mask = Mask::parse(text).ok_or_else(none)?;
    match mask.unknown_path(message) {
        Some(path) => Err(ApiError::invalid(format!("Invalid field: {path}"))),
        None => Ok(mask),
    }
}
