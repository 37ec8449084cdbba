//! Where a range lies: the tab it means and its rectangle in that tab's grid, or Google's refusal.
//!
//! Reads the spreadsheet, changes nothing.

use std::ops::Range;

use serde_json::Value;

use crate::a1::{self, Bounds};
use crate::range::{DimensionRange, GridRange, Rect};
use crate::sheet::Sheet;
use crate::{ApiError, Spreadsheet};

/// A range on one tab, as asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The tab's position.
    pub sheet: usize,
    /// The bounds, not yet cut to the grid.
    pub bounds: Bounds,
}

impl Spreadsheet {
    /// What a range in A1 notation means.
    pub(crate) fn locate(&self, text: &str) -> Result<Place, ApiError> {
        let unparsable = || ApiError::invalid(format!("Unable to parse range: {text}"));
        let (title, rest) = a1::split_title(text);
        let Some(title) = title else { return self.locate_bare(rest).ok_or_else(unparsable) };
        let sheet = self.sheet_titled(&title).ok_or_else(unparsable)?;
        if rest.is_empty() {
            return if text.ends_with('!') {
                Err(unparsable())
            } else {
                Ok(Place { sheet, bounds: Bounds::default() })
            };
        }
        let named = || self.named_place(rest).filter(|place| place.sheet == sheet);
        let bounds = a1::parse(rest).or_else(|| named().map(|place| place.bounds)).ok_or_else(unparsable)?;
        Ok(Place { sheet, bounds })
    }

    /// Without a title a text is a cell first, then a named range, and only then a tab.
    fn locate_bare(&self, text: &str) -> Option<Place> {
        if let Some(bounds) = a1::parse(text) {
            return Some(Place { sheet: 0, bounds });
        }
        let whole = || Some(Place { sheet: self.sheet_titled(text)?, bounds: Bounds::default() });
        self.named_place(text).or_else(whole)
    }

    fn sheet_titled(&self, title: &str) -> Option<usize> {
        let folded = title.to_lowercase();
        let exact = self.sheets.iter().position(|sheet| sheet.title == title);
        exact.or_else(|| self.sheets.iter().position(|sheet| sheet.title.to_lowercase() == folded))
    }

    fn named_place(&self, name: &str) -> Option<Place> {
        let named = self.named_ranges.iter().find(|named| named["name"].as_str() == Some(name))?;
        let range = GridRange::read(&named["range"]);
        Some(Place { sheet: self.position(range.sheet)?, bounds: range.bounds })
    }

    /// The position of the tab with this id.
    pub(crate) fn position(&self, id: i32) -> Option<usize> {
        self.sheets.iter().position(|sheet| sheet.id == id)
    }

    /// The position of the tab with this id, for requests about a grid.
    pub(crate) fn grid_position(&self, id: i32) -> Result<usize, ApiError> {
        self.position(id).ok_or_else(|| ApiError::invalid(format!("No grid with id: {id}")))
    }

    /// The tab and rectangle of a `GridRange` message.
    pub(crate) fn grid_place(&self, range: Option<&Value>) -> Result<(usize, Rect), ApiError> {
        let message = range.unwrap_or(&Value::Null);
        let indices = ["startRowIndex", "endRowIndex", "startColumnIndex", "endColumnIndex"];
        if let Some(name) =
            indices.iter().find(|name| message[**name].as_i64().is_some_and(|index| index < 0))
        {
            return Err(ApiError::invalid(format!("GridRange.{name} must be >= 0.")));
        }
        let range = GridRange::read(message);
        let sheet = self.grid_position(range.sheet)?;
        Ok((sheet, fit(&self.sheets[sheet], &range.bounds)?))
    }

    /// The tab and span of a `DimensionRange` message, the span not cut to the grid.
    pub(crate) fn span_place(
        &self,
        range: Option<&Value>,
    ) -> Result<(usize, DimensionRange, Range<u32>), ApiError> {
        let message = range.unwrap_or(&Value::Null);
        if message.get("dimension").is_none() {
            return Err(ApiError::invalid("No dimension specified."));
        }
        let negative = |name: &str| message.get(name).and_then(Value::as_i64).is_some_and(|index| index < 0);
        if negative("startIndex") || negative("endIndex") {
            return Err(ApiError::invalid("DimensionRange indexes must be >= 0"));
        }
        let range = DimensionRange::read(message);
        let sheet = self.grid_position(range.sheet)?;
        let end = range.end.unwrap_or_else(|| self.sheets[sheet].extent(range.dimension));
        if range.start >= end {
            return Err(ApiError::invalid("The end index must be greater than the start index."));
        }
        Ok((sheet, range, range.start..end))
    }
}

/// The part of the bounds inside the grid; a start beyond it is refused.
pub fn fit(sheet: &Sheet, bounds: &Bounds) -> Result<Rect, ApiError> {
    let rect = Rect {
        top: bounds.start_row.unwrap_or(0),
        bottom: bounds.end_row.unwrap_or(sheet.rows).min(sheet.rows),
        left: bounds.start_column.unwrap_or(0),
        right: bounds.end_column.unwrap_or(sheet.columns).min(sheet.columns),
    };
    if rect.top >= sheet.rows || rect.left >= sheet.columns {
        return Err(beyond(sheet, &bounds.text()));
    }
    if rect.top >= rect.bottom || rect.left >= rect.right {
        return Err(ApiError::invalid("The end of a range must be greater than its start."));
    }
    Ok(rect)
}

/// The refusal of a range that leaves the grid.
pub fn beyond(sheet: &Sheet, range: &str) -> ApiError {
    ApiError::invalid(format!(
        "Range ({}!{range}) exceeds grid limits. Max rows: {}, max columns: {}",
        a1::quote(&sheet.title),
        sheet.rows,
        sheet.columns
    ))
}
