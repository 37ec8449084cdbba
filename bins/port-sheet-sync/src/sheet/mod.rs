//! What a sheet holds, as plain data: tabs, columns, rows. Pure; [`crate::snapshot`] reads it.

pub mod freshness;
pub mod holding_tab;
pub mod layout;
pub mod owned_row;
pub mod realign;
pub mod snapshot;
pub mod tab;
