//! The `q` parameter of a file list, read loosely: clauses on name, type and trash; any other clause holds.

use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::store::File;

static CLAUSE: LazyLock<Regex> = LazyLock::new(|| {
    let text =
        r#"(name|mimeType|trashed)\s*(!=|=|contains)\s*(?:'((?:[^'\\]|\\.)*)'|"([^"]*)"|(true|false))"#;
    Regex::new(text).expect("the expression is fixed")
});

/// Whether a file fits all clauses that are understood.
pub(super) fn fits(query: &str, file: &File) -> bool {
    CLAUSE.captures_iter(query).all(|clause| holds(&clause, file))
}

fn holds(clause: &Captures<'_>, file: &File) -> bool {
    let group = |index: usize| clause.get(index).map(|found| found.as_str());
    let wanted = group(3).or_else(|| group(4)).or_else(|| group(5)).unwrap_or_default();
    let wanted = wanted.replace("\\'", "'").replace("\\\\", "\\");
    let actual = match &clause[1] {
        "name" => file.name(),
        "mimeType" => &file.mime_type,
        _ if file.is_trashed => "true",
        _ => "false",
    };
    match &clause[2] {
        "=" => actual == wanted,
        "!=" => actual != wanted,
        _ => actual.to_lowercase().contains(&wanted.to_lowercase()),
    }
}
