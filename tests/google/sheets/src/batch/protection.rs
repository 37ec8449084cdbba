//! Protected ranges: addProtectedRange, updateProtectedRange, deleteProtectedRange.

use serde_json::{Map, Value, json};

use crate::range::sheet_id;
use crate::{ApiError, Spreadsheet, protect, schema};

use super::{Reply, fields};

/// Any of the three.
pub fn request(book: &mut Spreadsheet, kind: &str, body: &Value, caller: &str) -> Reply {
    match kind {
        "addProtectedRange" => add(book, &body["protectedRange"], caller),
        "updateProtectedRange" => update(book, body, caller),
        _ => {
            let (sheet, at) = position(book, &body["protectedRangeId"])?;
            check_editor(&book.sheets[sheet].protected[at], caller)?;
            book.sheets[sheet].protected.remove(at);
            Ok(None)
        }
    }
}

/// The answer shows the editors as they were sent; from then on the account that made the range is one of them.
fn add(book: &mut Spreadsheet, message: &Value, caller: &str) -> Reply {
    let sheet = sheet_of(book, message)?;
    let mut range = message.clone();
    if range["protectedRangeId"].as_i64().unwrap_or(0) == 0 {
        range["protectedRangeId"] = Value::from(book.mint_id());
    }
    range["requestingUserCanEdit"] = Value::Bool(true);
    if range["editors"].is_null() {
        range["editors"] = json!({});
    }
    let reply = schema::print("ProtectedRange", range.clone());
    include_editor(&mut range, caller);
    book.sheets[sheet].protected.push(schema::print("ProtectedRange", range));
    Ok(Some(json!({ "protectedRange": reply })))
}

fn sheet_of(book: &Spreadsheet, message: &Value) -> Result<usize, ApiError> {
    if let Some(id) = message.get("namedRangeId") {
        let named = book.named_ranges.iter().find(|named| named.get("namedRangeId") == Some(id));
        let named = named.ok_or_else(|| ApiError::invalid("No named range with the given id."))?;
        return book.grid_position(sheet_id(&named["range"]));
    }
    book.grid_place(message.get("range")).map(|(sheet, _)| sheet)
}

fn include_editor(range: &mut Value, caller: &str) {
    let mut users = range["editors"]["users"].as_array().cloned().unwrap_or_default();
    if !users.iter().any(|user| user == caller) {
        users.insert(0, Value::from(caller));
    }
    range["editors"]["users"] = Value::Array(users);
}

fn update(book: &mut Spreadsheet, body: &Value, caller: &str) -> Reply {
    let mask = fields(body, "ProtectedRange")?;
    let given = &body["protectedRange"];
    let (sheet, at) = position(book, &given["protectedRangeId"])?;
    check_editor(&book.sheets[sheet].protected[at], caller)?;
    let mut range = book.sheets[sheet].protected[at].as_object().cloned().unwrap_or_default();
    mask.copy(&mut range, given.as_object().unwrap_or(&Map::new()));
    let mut range = Value::Object(range);
    range["protectedRangeId"] = given["protectedRangeId"].clone();
    include_editor(&mut range, caller);
    let target = sheet_of(book, &range)?;
    let range = schema::print("ProtectedRange", range);
    book.sheets[sheet].protected.remove(at);
    book.sheets[target].protected.push(range);
    Ok(None)
}

fn check_editor(range: &Value, caller: &str) -> Result<(), ApiError> {
    if protect::allows(range, caller) { Ok(()) } else { Err(protect::refusal()) }
}

fn position(book: &Spreadsheet, id: &Value) -> Result<(usize, usize), ApiError> {
    let found = book.sheets.iter().enumerate().find_map(|(sheet, tab)| {
        Some((sheet, tab.protected.iter().position(|range| range["protectedRangeId"] == *id)?))
    });
    found
        .ok_or_else(|| ApiError::invalid(format!("No protected range with id: {}", id.as_i64().unwrap_or(0))))
}
