//! How the freshness cell is known to be ours.

use chrono::NaiveDateTime;

/// What the cell says, also by which it is known to be ours.
pub const FORMAT: &str = "Synced %Y-%m-%d %H:%M UTC";

/// Whether a cell's text is the time that a run wrote there.
pub fn is_ours(text: &str) -> bool {
    NaiveDateTime::parse_from_str(text, FORMAT).is_ok()
}
