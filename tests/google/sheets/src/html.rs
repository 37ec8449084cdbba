//! The spreadsheet as a plain page for a browser.

use crate::Spreadsheet;

/// The page.
pub fn page(book: &Spreadsheet) -> String {
    format!("<!doctype html><title>{}</title>", book.title())
}
