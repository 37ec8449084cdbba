//! A tab of the spreadsheet: its grid and what its first rows look like.

use shared::config::Type;

use crate::model::span::Span;

/// A tab's grid and what its first rows look like.
#[derive(Clone, Debug)]
pub struct Tab {
    /// The sheet's id.
    pub id: i32,
    /// The rows of the grid.
    pub rows: u32,
    /// The columns of the grid.
    pub columns: u32,
    /// How many of its rows are frozen.
    pub frozen: u32,
    /// What the cells of the first row show.
    pub header: Vec<String>,
    /// What the cells of the second row are shown as, where that is a date or a time.
    pub shown_as: Vec<Option<Type>>,
    /// Cells of the first row that are merged: their columns.
    pub merged: Vec<Span>,
}
