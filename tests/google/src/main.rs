//! `google-standin`: the local stand-in as an executable.
fn main() {}
