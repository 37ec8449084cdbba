//! moveDimension: rows or columns to another place of the same tab.

use std::ops::Range;

use serde_json::{Map, Value};

use crate::range::{Dimension, index};
use crate::sheet::Sheet;
use crate::{ApiError, Spreadsheet};

use super::Reply;

/// `moveDimension`: the destination counts with the rows or columns still in their old place.
pub fn request(book: &mut Spreadsheet, body: &Value, caller: &str) -> Reply {
    let (at, range, span) = book.span_place(body.get("source"))?;
    let (dimension, sheet) = (range.dimension, &book.sheets[at]);
    let extent = sheet.extent(dimension);
    let to = index(body, "destinationIndex").unwrap_or(0);
    if span.end > extent || to > extent {
        return Err(ApiError::invalid(format!("Cannot move a {} that doesn't exist.", dimension.noun())));
    }
    let touched = sheet.grid().with_span(dimension, span.start.min(to)..span.end.max(to));
    book.may_edit(at, &touched, caller)?;
    if span.contains(&to) || to == span.end {
        return Ok(None);
    }
    let order = order(&span, to);
    move_cells(&mut book.sheets[at], dimension, &order);
    move_properties(&mut book.sheets[at], dimension, &order);
    Ok(None)
}

/// Where each place between the two ends of the move takes its content from.
fn order(span: &Range<u32>, to: u32) -> Vec<(u32, u32)> {
    let (places, sources): (Range<u32>, Vec<u32>) = if to > span.end {
        (span.start..to, (span.end..to).chain(span.clone()).collect())
    } else {
        (to..span.end, span.clone().chain(to..span.start).collect())
    };
    places.zip(sources).collect()
}

fn move_cells(sheet: &mut Sheet, dimension: Dimension, order: &[(u32, u32)]) {
    match dimension {
        Dimension::Rows => {
            let rows: Vec<_> =
                order.iter().map(|(to, from)| (*to, sheet.cells.row(*from).to_vec())).collect();
            for (to, cells) in rows {
                sheet.cells.replace(to, cells);
            }
        }
        Dimension::Columns => {
            let filled: Vec<u32> = sheet.cells.filled(0..sheet.rows).map(|(row, _)| row).collect();
            for row in filled {
                let before = sheet.cells.row(row).to_vec();
                sheet.cells.edit(row, |cells| {
                    for (to, from) in order {
                        *crate::rows::cell_mut(cells, *to) =
                            before.get(*from as usize).cloned().unwrap_or_default();
                    }
                });
            }
        }
    }
}

fn move_properties(sheet: &mut Sheet, dimension: Dimension, order: &[(u32, u32)]) {
    let properties = sheet.dimension_properties_mut(dimension);
    let moved: Vec<(u32, Option<Map<String, Value>>)> =
        order.iter().map(|(to, from)| (*to, properties.get(from).cloned())).collect();
    for (to, one) in moved {
        match one {
            Some(one) => drop(properties.insert(to, one)),
            None => drop(properties.remove(&to)),
        }
    }
}
