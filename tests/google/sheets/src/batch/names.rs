//! Named ranges.

use serde_json::{Value, json};

use crate::{ApiError, Spreadsheet, schema};

use super::{Reply, fields};

/// addNamedRange, updateNamedRange, deleteNamedRange.
pub fn request(book: &mut Spreadsheet, kind: &str, body: &Value) -> Reply {
    match kind {
        "addNamedRange" => Ok(Some(json!({"namedRange": add(book, &body["namedRange"])?}))),
        "updateNamedRange" => update(book, body),
        _ => {
            let at = position(book, &body["namedRangeId"])?;
            book.named_ranges.remove(at);
            Ok(None)
        }
    }
}

/// Adds a named range and returns it as it is.
pub fn add(book: &mut Spreadsheet, message: &Value) -> Result<Value, ApiError> {
    let mut named = message.clone();
    check(book, &named, None)?;
    if named["namedRangeId"].as_str().is_none_or(str::is_empty) {
        named["namedRangeId"] = Value::from(book.mint_id().to_string());
    }
    let named = schema::print("NamedRange", named);
    book.named_ranges.push(named.clone());
    Ok(named)
}

fn update(book: &mut Spreadsheet, body: &Value) -> Reply {
    let mask = fields(body, "NamedRange")?;
    let given = &body["namedRange"];
    let at = position(book, &given["namedRangeId"])?;
    let mut named = book.named_ranges[at].as_object().cloned().unwrap_or_default();
    mask.copy(&mut named, given.as_object().unwrap_or(&serde_json::Map::new()));
    let named = schema::print("NamedRange", Value::Object(named));
    check(book, &named, Some(at))?;
    book.named_ranges[at] = named;
    Ok(None)
}

fn position(book: &Spreadsheet, id: &Value) -> Result<usize, ApiError> {
    let at = book.named_ranges.iter().position(|named| named["namedRangeId"] == *id);
    at.ok_or_else(|| {
        ApiError::invalid(format!("No named range with id: {}", id.as_str().unwrap_or_default()))
    })
}

/// A name is a word that is no cell, used once, and its range lies in a grid.
fn check(book: &Spreadsheet, named: &Value, except: Option<usize>) -> Result<(), ApiError> {
    let name = named["name"].as_str().unwrap_or_default();
    let plain = name.starts_with(|first: char| first.is_alphabetic() || first == '_')
        && name.chars().all(|other| other.is_alphanumeric() || matches!(other, '_' | '.'));
    if !plain || crate::a1::parse(name).is_some() {
        return Err(ApiError::invalid(format!("The name of the named range is invalid: {name}")));
    }
    let taken = |(at, other): (usize, &Value)| {
        Some(at) != except && other["name"].as_str().is_some_and(|other| other.eq_ignore_ascii_case(name))
    };
    if book.named_ranges.iter().enumerate().any(taken) {
        return Err(ApiError::invalid(format!(
            "Cannot add named range with name: {name}, a named range with that name already exists."
        )));
    }
    let id = named["namedRangeId"].as_str().filter(|id| !id.is_empty());
    let mut others = book.named_ranges.iter().enumerate().filter(|(at, _)| Some(*at) != except);
    if let Some(id) = id
        && others.any(|(_, other)| other["namedRangeId"] == id)
    {
        return Err(ApiError::invalid(format!(
            "Cannot add named range with id: {id}, a named range with that id already exists."
        )));
    }
    book.grid_place(named.get("range")).map(drop)
}
