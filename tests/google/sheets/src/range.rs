//! Rectangles of cells and spans of rows or columns, as numbers and as `GridRange` and `DimensionRange` messages.
//!
//! Arithmetic only: whether a rectangle lies inside a grid is `place`'s business.

use std::ops::Range;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::a1::{self, Bounds};

/// Rows or columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Dimension {
    /// `ROWS`.
    Rows,
    /// `COLUMNS`.
    Columns,
}

impl Dimension {
    /// The enum value of the API; what is not `COLUMNS` counts as rows.
    pub fn read(value: Option<&Value>) -> Self {
        if value.and_then(Value::as_str) == Some("COLUMNS") { Self::Columns } else { Self::Rows }
    }

    /// Its name in the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rows => "ROWS",
            Self::Columns => "COLUMNS",
        }
    }

    /// One of them, as Google's sentences say it.
    pub fn noun(self) -> &'static str {
        match self {
            Self::Rows => "row",
            Self::Columns => "column",
        }
    }
}

/// Cells from `top`/`left` up to, not including, `bottom`/`right`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rect {
    /// First row.
    pub top: u32,
    /// Row after the last.
    pub bottom: u32,
    /// First column.
    pub left: u32,
    /// Column after the last.
    pub right: u32,
}

impl Rect {
    /// The rectangle of these rows and columns.
    pub fn new(rows: Range<u32>, columns: Range<u32>) -> Self {
        Self { top: rows.start, bottom: rows.end, left: columns.start, right: columns.end }
    }

    /// Its rows.
    pub fn rows(&self) -> Range<u32> {
        self.top..self.bottom
    }

    /// Its columns.
    pub fn columns(&self) -> Range<u32> {
        self.left..self.right
    }

    /// Its extent along a dimension.
    pub fn span(&self, dimension: Dimension) -> Range<u32> {
        match dimension {
            Dimension::Rows => self.rows(),
            Dimension::Columns => self.columns(),
        }
    }

    /// The same rectangle with another extent along a dimension.
    pub fn with_span(self, dimension: Dimension, span: Range<u32>) -> Self {
        match dimension {
            Dimension::Rows => Self::new(span, self.columns()),
            Dimension::Columns => Self::new(self.rows(), span),
        }
    }

    /// Whether they share a cell.
    pub fn meets(&self, other: &Self) -> bool {
        self.top < other.bottom
            && other.top < self.bottom
            && self.left < other.right
            && other.left < self.right
    }

    /// Whether the other lies in it whole.
    pub fn contains(&self, other: &Self) -> bool {
        self.top <= other.top
            && other.bottom <= self.bottom
            && self.left <= other.left
            && other.right <= self.right
    }

    /// `A1:B2`, or `A1` for a single cell.
    pub fn text(&self) -> String {
        Bounds {
            start_row: Some(self.top),
            end_row: Some(self.bottom),
            start_column: Some(self.left),
            end_column: Some(self.right),
        }
        .text()
    }

    /// The `GridRange` message.
    pub fn message(&self, sheet: i32) -> Value {
        let bounds = Bounds {
            start_row: Some(self.top),
            end_row: Some(self.bottom),
            start_column: Some(self.left),
            end_column: Some(self.right),
        };
        GridRange { sheet, bounds }.message()
    }
}

/// A `GridRange`: bounds on one tab, open where a side is not given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GridRange {
    /// The tab's id.
    pub sheet: i32,
    /// What was given.
    pub bounds: Bounds,
}

impl GridRange {
    /// Reads a `GridRange` message.
    pub fn read(message: &Value) -> Self {
        let bounds = Bounds {
            start_row: index(message, "startRowIndex"),
            end_row: index(message, "endRowIndex"),
            start_column: index(message, "startColumnIndex"),
            end_column: index(message, "endColumnIndex"),
        };
        Self { sheet: sheet_id(message), bounds }
    }

    /// The message, in Google's order, without zeros.
    pub fn message(&self) -> Value {
        let fields = [
            ("sheetId", (self.sheet != 0).then(|| Value::from(self.sheet))),
            ("startRowIndex", self.bounds.start_row.map(Value::from)),
            ("endRowIndex", self.bounds.end_row.map(Value::from)),
            ("startColumnIndex", self.bounds.start_column.map(Value::from)),
            ("endColumnIndex", self.bounds.end_column.map(Value::from)),
        ];
        let given = fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        Value::Object(given.collect::<Map<_, _>>())
    }
}

/// A `DimensionRange`: a span of rows or columns of one tab, perhaps open at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DimensionRange {
    /// The tab's id.
    pub sheet: i32,
    /// Rows or columns.
    pub dimension: Dimension,
    /// The first.
    pub start: u32,
    /// The one after the last.
    pub end: Option<u32>,
}

impl DimensionRange {
    /// Reads a `DimensionRange` message.
    pub fn read(message: &Value) -> Self {
        Self {
            sheet: sheet_id(message),
            dimension: Dimension::read(message.get("dimension")),
            start: index(message, "startIndex").unwrap_or(0),
            end: index(message, "endIndex"),
        }
    }

    /// The message for a span.
    pub fn message(sheet: i32, dimension: Dimension, span: &Range<u32>) -> Value {
        serde_json::json!({
            "sheetId": sheet, "dimension": dimension.name(), "startIndex": span.start, "endIndex": span.end
        })
    }
}

/// A non-negative index field.
pub fn index(message: &Value, name: &str) -> Option<u32> {
    message.get(name)?.as_u64().and_then(|index| u32::try_from(index).ok())
}

/// The field `sheetId`, 0 when it is not given.
pub fn sheet_id(message: &Value) -> i32 {
    message.get("sheetId").and_then(Value::as_i64).and_then(|id| i32::try_from(id).ok()).unwrap_or(0)
}

/// `Title!A1:B2` as Google echoes a range.
pub fn echo(title: &str, rect: &Rect) -> String {
    format!("{}!{}", a1::quote(title), rect.text())
}
