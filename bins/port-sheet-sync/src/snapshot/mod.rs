//! Reads what the sheet holds now, chunk by chunk. The plain data that it finds is in [`crate::sheet`].

pub mod chunk;
pub mod chunks;
pub mod holding_tab;
pub mod human;
pub mod reader;
pub mod spreadsheet;
