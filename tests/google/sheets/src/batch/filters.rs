//! Filters, kept as they are sent: they hide rows from people's eyes, not from the API.

use serde_json::{Value, json};

use crate::range::sheet_id;
use crate::{ApiError, Spreadsheet};

use super::Reply;

/// addFilterView, deleteFilterView, setBasicFilter, clearBasicFilter.
pub fn request(book: &mut Spreadsheet, kind: &str, body: &Value) -> Reply {
    match kind {
        "addFilterView" => add_view(book, &body["filter"]),
        "deleteFilterView" => delete_view(book, &body["filterId"]),
        "setBasicFilter" => {
            let (at, _) = book.grid_place(body["filter"].get("range"))?;
            book.sheets[at].basic_filter = body.get("filter").cloned();
            Ok(None)
        }
        _ => {
            let at = book.grid_position(sheet_id(body))?;
            book.sheets[at].basic_filter = None;
            Ok(None)
        }
    }
}

fn add_view(book: &mut Spreadsheet, filter: &Value) -> Reply {
    let (at, _) = book.grid_place(filter.get("range"))?;
    let id = filter["filterViewId"].as_i64().unwrap_or_else(|| book.mint_id().into());
    let mut view = json!({ "filterViewId": id });
    for (name, value) in filter.as_object().into_iter().flatten() {
        view[name] = value.clone();
    }
    book.sheets[at].filter_views.push(view.clone());
    Ok(Some(json!({ "filter": view })))
}

fn delete_view(book: &mut Spreadsheet, id: &Value) -> Reply {
    let holder = book.sheets.iter_mut().find_map(|sheet| {
        let at = sheet.filter_views.iter().position(|view| view["filterViewId"] == *id)?;
        Some((sheet, at))
    });
    let (sheet, at) = holder.ok_or_else(|| ApiError::invalid(format!("No filter view with id: {id}")))?;
    sheet.filter_views.remove(at);
    Ok(None)
}
