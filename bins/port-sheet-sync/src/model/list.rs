//! A few of many, for one line.

/// A few of many, for one line.
pub fn first_few(told: &[String], total: u64) -> String {
    let shown = told.iter().take(5).cloned().collect::<Vec<_>>().join("; ");
    match total.saturating_sub(told.len().min(5) as u64) {
        0 => shown,
        more => format!("{shown}; and {more} more"),
    }
}
