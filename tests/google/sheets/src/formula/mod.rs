//! Formulas: enough of them that a test can hold what people keep beside a synced table.
//!
//! Arithmetic, comparisons, cell references and a few functions. Anything else is `#NAME?` or `#ERROR!`, as an
//! unknown function is in Google Sheets. Nothing volatile: no clock, no chance, no network.

mod eval;
mod parse;
pub mod shift;

use crate::Spreadsheet;

/// What a cell amounts to.
#[derive(Clone, Debug, PartialEq)]
pub enum Computed {
    /// Nothing.
    Empty,
    /// A number.
    Number(f64),
    /// A truth value.
    Bool(bool),
    /// Text.
    Text(String),
    /// An error.
    Error(Failure),
}

/// The errors a formula can end in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// It cannot be read.
    Error,
    /// Division by zero.
    DivideByZero,
    /// A value of the wrong kind.
    Value,
    /// A reference to nothing, or to itself.
    Reference,
    /// An unknown function.
    Name,
    /// A number out of bounds.
    Number,
}

impl Failure {
    /// What the cell shows.
    pub fn text(self) -> &'static str {
        match self {
            Self::Error => "#ERROR!",
            Self::DivideByZero => "#DIV/0!",
            Self::Value => "#VALUE!",
            Self::Reference => "#REF!",
            Self::Name => "#NAME?",
            Self::Number => "#NUM!",
        }
    }

    /// `ErrorValue.type`.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Error => "ERROR",
            Self::DivideByZero => "DIVIDE_BY_ZERO",
            Self::Value => "VALUE",
            Self::Reference => "REF",
            Self::Name => "NAME",
            Self::Number => "NUM",
        }
    }
}

/// Computes a formula that is on a tab.
pub fn compute(book: &Spreadsheet, sheet: usize, source: &str) -> Computed {
    eval::compute(book, sheet, source, 0)
}
