//! The changes that a sync makes to a tab, in its own words; [`crate::google`] says them in Google's.
//!
//! Pure. Rows and columns are counted from 0, as the API counts them.

use serde_json::Value;

use crate::value::Cell;

/// A cell with everything that people put into it, as Google describes it, so that it can be put back as it was.
pub type WholeCell = Value;

/// One change. Those of one request are applied in order, all or none.
#[derive(Clone, Debug, PartialEq)]
pub enum Edit {
    /// Columns at the right end of the grid.
    GrowColumns(u32),
    /// Rows at the lower end of the grid.
    GrowRows(u32),
    /// Values from one cell to the right; formats stay.
    Write {
        /// The row.
        row: u32,
        /// The first cell's column.
        column: u32,
        /// The values; an empty one clears its cell.
        cells: Vec<Cell>,
    },
    /// Rows behind the last one with data, from column A. The server finds the place, so that a person who adds a row
    /// at the same moment is not overwritten. Not to be repeated blindly.
    Append(Vec<Vec<Cell>>),
    /// The number format of whole columns of cells.
    NumberFormat {
        /// The column.
        column: u32,
        /// From this row to the end of the grid.
        from_row: u32,
        /// Google's type and pattern.
        format: (&'static str, &'static str),
    },
    /// Strikes a row's cells through, or no longer.
    Strike {
        /// The row.
        row: u32,
        /// First column and the one behind the last.
        columns: (u32, u32),
        /// Whether the text is struck through afterwards.
        struck: bool,
    },
    /// A new tab. The id must be one that no tab has, so that later edits of the same request can name it.
    AddTab {
        /// Its id.
        id: i32,
        /// Its title.
        title: String,
        /// The size of its grid: rows and columns.
        grid: (u32, u32),
        /// Whether people see it.
        hidden: bool,
    },
    /// The tab itself goes.
    DeleteTab,
    /// Blank rows between others. Nothing can be overwritten in them, whatever people do at that moment.
    InsertRows {
        /// The first of them; never the tab's very first.
        row: u32,
        /// How many.
        rows: u32,
    },
    /// Rows go, people's cells and all.
    DeleteRows {
        /// The first of them.
        row: u32,
        /// How many.
        rows: u32,
    },
    /// Rows are copied to another tab, formats, notes and formulas too.
    CopyRows {
        /// The first of them.
        row: u32,
        /// How many.
        rows: u32,
        /// First column and the one behind the last.
        columns: (u32, u32),
        /// Tab, row and column of the first copied cell.
        to: (i32, u32, u32),
    },
    /// Whole cells from column A on, as people had made them.
    Restore {
        /// The row.
        row: u32,
        /// The cells.
        cells: Vec<WholeCell>,
    },
    /// An edit of another tab.
    On(i32, Box<Self>),
}

impl Edit {
    /// Whether applying it twice is the same as applying it once.
    pub fn is_repeatable(&self) -> bool {
        match self {
            Self::Write { .. } | Self::NumberFormat { .. } | Self::Strike { .. } | Self::Restore { .. } => {
                true
            }
            Self::On(_, edit) => edit.is_repeatable(),
            Self::GrowColumns(_)
            | Self::GrowRows(_)
            | Self::Append(_)
            | Self::AddTab { .. }
            | Self::DeleteTab
            | Self::InsertRows { .. }
            | Self::DeleteRows { .. }
            | Self::CopyRows { .. } => false,
        }
    }
}
