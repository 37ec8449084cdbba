//! Cells, columns, keys and positions: the words in which every step speaks. Pure.

pub mod a1;
pub mod cell;
pub mod column;
pub mod list;
pub mod operation;
pub mod span;
