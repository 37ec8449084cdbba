//! What the model promises, one claim a test. The traps of the real API come first in every file.
//!
//! - `ranges`: A1 notation, titles, clamping, named ranges
//! - `values`: reading and writing lists of lists
//! - `append`: where `values.append` writes
//! - `typed`: `USER_ENTERED`
//! - `cells`: updateCells, appendCells, repeatCell
//! - `dimensions`: rows and columns
//! - `rearrange`: sorting, pasting, finding, shifting, merging
//! - `tabs`: sheets and their properties
//! - `atomic`: all or nothing
//! - `protection`: who may edit
//! - `limits`: how big it may become
//! - `refusals`: Google's error texts
//! - `grid_data`: spreadsheets.get with cells, and masks
//! - `metadata`: developer metadata
//! - `page`: the HTML page
//! - `robust`: any request whatever
//! - `state`: saving, loading, size

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod append;
mod atomic;
mod book;
mod cells;
mod dimensions;
mod grid_data;
mod limits;
mod metadata;
mod page;
mod protection;
mod ranges;
mod rearrange;
mod refusals;
mod robust;
mod state;
mod tabs;
mod typed;
mod values;
