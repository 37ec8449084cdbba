//! Groups of rows and columns: addDimensionGroup, deleteDimensionGroup, updateDimensionGroup.

use serde_json::{Value, json};

use crate::range::Dimension;
use crate::sheet::{Group, Sheet};
use crate::{ApiError, Spreadsheet};

use super::{Reply, fields};

/// Any of the three.
pub fn request(book: &mut Spreadsheet, kind: &str, body: &Value) -> Reply {
    if kind == "updateDimensionGroup" {
        return update(book, body);
    }
    let (at, range, span) = book.span_place(body.get("range"))?;
    let (sheet, dimension) = (&mut book.sheets[at], range.dimension);
    if kind == "addDimensionGroup" {
        sheet.groups.push(Group { dimension, span, collapsed: false });
        let control = match dimension {
            Dimension::Rows => "rowGroupControlAfter",
            Dimension::Columns => "columnGroupControlAfter",
        };
        sheet.properties.entry("gridProperties").or_insert_with(|| json!({}))[control] = Value::Bool(true);
    } else {
        let index = find(sheet, dimension, &span)?;
        sheet.groups.remove(index);
    }
    let groups = sheet.group_messages(dimension);
    Ok(Some(if groups.is_empty() { json!({}) } else { json!({ "dimensionGroups": groups }) }))
}

fn update(book: &mut Spreadsheet, body: &Value) -> Reply {
    let mask = fields(body, "DimensionGroup")?;
    let (at, range, span) = book.span_place(body["dimensionGroup"].get("range"))?;
    let sheet = &mut book.sheets[at];
    let index = find(sheet, range.dimension, &span)?;
    if mask.field("collapsed").is_some() {
        sheet.groups[index].collapsed = body["dimensionGroup"]["collapsed"] == true;
    }
    Ok(None)
}

fn find(sheet: &Sheet, dimension: Dimension, span: &std::ops::Range<u32>) -> Result<usize, ApiError> {
    let found = sheet.groups.iter().rposition(|group| group.dimension == dimension && group.span == *span);
    found.ok_or_else(|| ApiError::invalid("No dimension group exists at the given range."))
}
