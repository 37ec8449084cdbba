//! Which events follow from what was found: decided here, stored by [`crate::store`], delivered by [`crate::notify`]. Pure.

pub mod event;
pub mod incident;
pub mod message;
pub mod notified;
pub mod subject;

pub use subject::{Finding, Findings};
