//! Where bookings come from: records of text, one after the other, each with the line it stands on.
//!
//! A source is read once, as a stream. It knows nothing of columns, types or keys.

mod csv;

use shared::{Result, config};

pub use csv::Csv;

/// One record of a source.
#[derive(Debug)]
pub struct Record<'a> {
    /// The line it begins on, counted from 1.
    pub line: u64,
    /// Its fields, or why it cannot be used.
    pub fields: std::result::Result<Vec<&'a str>, String>,
}

/// Opens a sheet's source.
///
/// # Errors
/// When it is missing, empty or not of its kind.
pub fn open(source: &config::Source) -> Result<Csv> {
    match source {
        config::Source::Csv { path } => Csv::open(path),
    }
}
