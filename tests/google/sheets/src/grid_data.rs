//! `GridData`: the cells of a rectangle with their values and formats, and the sizes of rows and columns.
//!
//! Builds only what the mask asks for, for a tab may be large.

use serde_json::{Map, Value, json};

use crate::cell::{Cell, Entered};
use crate::formula::Computed;
use crate::mask::Mask;
use crate::range::{Dimension, Rect};
use crate::render;
use crate::{Spreadsheet, schema};

const ROW_PIXELS: u32 = 21;
const COLUMN_PIXELS: u32 = 100;

/// The `GridData` message of a rectangle.
pub fn message(book: &Spreadsheet, sheet: usize, rect: &Rect, mask: &Mask) -> Value {
    let mut message = Map::new();
    if rect.top > 0 {
        message.insert("startRow".to_owned(), Value::from(rect.top));
    }
    if rect.left > 0 {
        message.insert("startColumn".to_owned(), Value::from(rect.left));
    }
    if let Some(mask) = mask.field("rowData") {
        let rows = row_data(book, sheet, rect, mask.field("values"));
        if !rows.is_empty() {
            message.insert("rowData".to_owned(), Value::Array(rows));
        }
    }
    for (name, dimension) in [("rowMetadata", Dimension::Rows), ("columnMetadata", Dimension::Columns)] {
        if mask.field(name).is_some() {
            message.insert(name.to_owned(), dimension_metadata(book, sheet, rect, dimension));
        }
    }
    Value::Object(message)
}

fn row_data(book: &Spreadsheet, sheet: usize, rect: &Rect, mask: Option<&Mask>) -> Vec<Value> {
    let mut rows = Vec::new();
    for (index, cells) in book.sheets[sheet].cells.filled(rect.rows()) {
        let cells = cells.get(rect.left as usize..cells.len().min(rect.right as usize)).unwrap_or_default();
        let Some(last) = cells.iter().rposition(|cell| !cell.is_blank()) else { continue };
        rows.resize((index - rect.top) as usize, json!({}));
        let Some(mask) = mask else {
            rows.push(json!({}));
            continue;
        };
        let values: Vec<Value> =
            cells[..=last].iter().map(|cell| cell_message(book, sheet, cell, mask)).collect();
        rows.push(json!({ "values": values }));
    }
    rows
}

/// The `CellData` message, as far as the mask names it: the value's fields, the attributes, and in between, in Google's
/// order, what is computed from both.
fn cell_message(book: &Spreadsheet, sheet: usize, cell: &Cell, mask: &Mask) -> Value {
    let mut message = Map::new();
    if cell.is_blank() {
        return Value::Object(message);
    }
    let computed = book.computed(sheet, cell);
    let mut add = |name: &str, make: &dyn Fn() -> Option<Value>| {
        if mask.field(name).is_some() {
            message.extend(make().map(|value| (name.to_owned(), value)));
        }
    };
    let attribute =
        |name: &str| cell.attribute(name).and_then(|value| Some(mask.field(name)?.selected_of(value)));
    add("userEnteredValue", &|| cell.value.extended());
    add("effectiveValue", &|| effective_value(&computed));
    add("formattedValue", &|| cell.has_value().then(|| Value::from(render::formatted(cell, &computed))));
    add("userEnteredFormat", &|| attribute("userEnteredFormat"));
    add("effectiveFormat", &|| Some(effective_format(book, cell, &computed)));
    add("hyperlink", &|| hyperlink(cell));
    for (name, _) in cell
        .attributes()
        .into_iter()
        .flat_map(|attributes| attributes.iter())
        .filter(|(name, _)| *name != "userEnteredFormat")
    {
        add(name, &|| attribute(name));
    }
    Value::Object(message)
}

fn effective_value(computed: &Computed) -> Option<Value> {
    match computed {
        Computed::Empty => None,
        Computed::Number(number) => Some(json!({"numberValue": schema::number(*number)})),
        Computed::Bool(flag) => Some(json!({ "boolValue": flag })),
        Computed::Text(text) => Some(json!({ "stringValue": text })),
        Computed::Error(failure) => Some(json!({"errorValue": {"type": failure.kind()}})),
    }
}

/// The spreadsheet's default format with the cell's own laid over it.
fn effective_format(book: &Spreadsheet, cell: &Cell, computed: &Computed) -> Value {
    let mut format = book.properties["defaultFormat"].clone();
    let side = match computed {
        Computed::Number(_) => "RIGHT",
        Computed::Bool(_) | Computed::Error(_) => "CENTER",
        Computed::Empty | Computed::Text(_) => "LEFT",
    };
    lay_over(&mut format, &json!({"horizontalAlignment": side, "hyperlinkDisplayType": "PLAIN_TEXT"}));
    lay_over(&mut format, cell.attribute("userEnteredFormat").unwrap_or(&Value::Null));
    schema::print("CellFormat", format)
}

fn lay_over(under: &mut Value, over: &Value) {
    for (name, value) in over.as_object().into_iter().flatten() {
        // A colour is one thing: a channel that the upper one leaves out is zero, not the lower one's.
        if value.is_object() && under[name].is_object() && !name.to_lowercase().contains("color") {
            lay_over(&mut under[name], value);
        } else {
            under[name] = value.clone();
        }
    }
}

/// The target of a `=HYPERLINK("…")` or of a link on the whole cell.
fn hyperlink(cell: &Cell) -> Option<Value> {
    if let Entered::Formula(source) = &cell.value {
        let target = source.strip_prefix("=HYPERLINK(\"")?.split('"').next()?;
        return Some(Value::from(target));
    }
    cell.attribute("userEnteredFormat")?.get("textFormat")?.get("link")?.get("uri").cloned()
}

fn dimension_metadata(book: &Spreadsheet, sheet: usize, rect: &Rect, dimension: Dimension) -> Value {
    let sheet = &book.sheets[sheet];
    let known = sheet.dimension_properties(dimension);
    let size = match dimension {
        Dimension::Rows => ROW_PIXELS,
        Dimension::Columns => COLUMN_PIXELS,
    };
    let one = |index: u32| {
        let mut properties = Value::Object(known.get(&index).cloned().unwrap_or_default());
        if properties.get("pixelSize").is_none() {
            properties["pixelSize"] = Value::from(size);
        }
        let attached = book.metadata_at(|location| {
            let range = &location["dimensionRange"];
            let at = crate::range::DimensionRange::read(range);
            range.is_object() && at.sheet == sheet.id && at.dimension == dimension && at.start == index
        });
        if !attached.is_empty() {
            properties["developerMetadata"] = Value::Array(attached);
        }
        schema::print("DimensionProperties", properties)
    };
    Value::Array(rect.span(dimension).map(one).collect())
}
