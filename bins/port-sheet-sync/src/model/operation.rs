//! Operations: what a sync does to a tab, in its own words; [`crate::google`] says them in Google's.
//!
//! Pure. Rows are counted from 1 and columns from 0; [`crate::google`] converts them.

use serde_json::Value;

use crate::model::cell::Cell;
use crate::model::span::Span;

/// A cell with everything that users put into it, as Google describes it, so that it can be put back as it was.
pub type WholeCell = Value;

/// The size of a tab.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    pub rows: u32,
    pub columns: u32,
}

/// A cell of some tab: its row counted from 1, its column from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CellPlace {
    pub tab: i32,
    pub row: u32,
    pub column: u32,
}

/// What of a cell is copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Copied {
    Everything,
    Format,
}

/// One operation. Those of one request are applied in order, all or none.
#[derive(Clone, Debug, PartialEq)]
pub enum Operation {
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
    /// Values of rows below each other; formats stay.
    WriteBlock {
        /// The first row.
        row: u32,
        /// The first cell's column.
        column: u32,
        /// The rows, of one length.
        rows: Vec<Vec<Cell>>,
    },
    /// Rows after the last one with data, from column A. The server finds the place, so that a row that a user adds at the
    /// same moment is not overwritten. Not to be repeated blindly.
    Append(Vec<Vec<Cell>>),
    /// The number format of whole columns of cells.
    NumberFormat {
        /// The column.
        column: u32,
        /// From this row to the end of the grid.
        from_row: u32,
        /// Google's type and pattern; `None` for the spreadsheet's own choice.
        format: Option<(&'static str, &'static str)>,
    },
    /// Strikes a row's cells through, or no longer.
    Strike {
        /// The row.
        row: u32,
        /// The columns.
        columns: Span,
        /// Whether the text is struck through afterwards.
        struck: bool,
    },
    /// A new tab. The id must be one that no tab has, so that later operations of the same request can name it.
    AddTab {
        /// Its id.
        id: i32,
        /// Its title.
        title: String,
        /// The size of its grid.
        grid: Grid,
        /// Whether it is hidden.
        hidden: bool,
    },
    /// The tab itself goes.
    DeleteTab,
    /// Blank rows between others. They overwrite nothing, whatever users do at that moment.
    InsertRows {
        /// Their numbers after the insertion.
        rows: Span,
    },
    /// Rows are removed, with their human cells.
    DeleteRows {
        /// Their numbers.
        rows: Span,
    },
    /// Cells are copied, also to another tab: formats, notes and formulas too, or the formats alone.
    CopyRows {
        /// Their numbers.
        rows: Span,
        /// The columns.
        columns: Span,
        /// Where the first copied cell lands.
        to: CellPlace,
        /// What of the cells.
        what: Copied,
    },
    /// Rows are copied to another tab, with all the columns that there are then. Refused where those are more than fit there.
    CopyAllColumns {
        /// Their numbers.
        rows: Span,
        /// Where the first copied cell lands.
        to: CellPlace,
    },
    /// Whole cells from column A on, as users had made them.
    Restore {
        /// The row.
        row: u32,
        /// The cells.
        cells: Vec<WholeCell>,
    },
    /// A named range of the tab's first cell. Refused where the id or the name is taken.
    AddName {
        /// Its id.
        id: String,
        /// Its name.
        name: String,
    },
    /// A named range goes, by its id. Refused where it is not there.
    DeleteName(String),
    /// An operation on another tab.
    On(i32, Box<Self>),
}

impl Operation {
    /// Whether applying it twice is the same as applying it once.
    pub fn is_repeatable(&self) -> bool {
        match self {
            Self::Write { .. }
            | Self::WriteBlock { .. }
            | Self::NumberFormat { .. }
            | Self::Strike { .. }
            | Self::Restore { .. } => true,
            Self::On(_, operation) => operation.is_repeatable(),
            Self::GrowColumns(_)
            | Self::GrowRows(_)
            | Self::Append(_)
            | Self::AddTab { .. }
            | Self::DeleteTab
            | Self::AddName { .. }
            | Self::DeleteName(_)
            | Self::InsertRows { .. }
            | Self::DeleteRows { .. }
            | Self::CopyAllColumns { .. }
            | Self::CopyRows { .. } => false,
        }
    }
}
