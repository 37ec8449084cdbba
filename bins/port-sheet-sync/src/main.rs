//! `port-sheet-sync`.
fn main() {}
