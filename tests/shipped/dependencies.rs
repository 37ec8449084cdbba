//! docs/dependencies.md and Cargo.toml name the same crates.

use std::collections::BTreeSet;

use crate::text;

/// The crates of `[workspace.dependencies]` that are not of this workspace.
fn named() -> BTreeSet<String> {
    let manifest = text("Cargo.toml");
    let (_, table) = manifest.split_once("[workspace.dependencies]\n").unwrap();
    let table = table.split("\n[").next().unwrap_or_default();
    let lines = table.lines().filter(|line| !line.starts_with('#') && !line.contains("path = "));
    lines.filter_map(|line| Some(line.split_once(" = ")?.0.to_owned())).collect()
}

/// The crates in the first column of the two tables of direct dependencies.
fn explained() -> Vec<String> {
    let document = text("docs/dependencies.md");
    let direct = document.split("\n## Two versions").next().unwrap_or_default();
    let rows = direct.lines().filter(|line| line.starts_with("| `"));
    let cells = rows.filter_map(|row| row.split(" |").next());
    cells.flat_map(|cell| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>()).collect()
}

#[test]
fn each_direct_dependency_has_its_reason_and_each_reason_its_dependency() {
    let (named, explained) = (named(), explained());
    assert!(named.len() > 40, "{named:?}");
    let once: BTreeSet<String> = explained.iter().cloned().collect();
    assert_eq!(once.len(), explained.len(), "a crate is explained twice");
    assert_eq!(once, named);
}
