//! Why a failure happened: the error of the system or of a library, with that error's own causes.
//!
//! Causes are logged with `-vv`, so no cause may hold a secret. A cause is made from an error type that quotes neither
//! what was sent nor what was read. Of a type that may quote it, such as a JSON parser's, only the place is kept.

use std::error::Error;
use std::sync::Arc;
use std::{fmt, io};

/// The error below a failure. Copies share it.
#[derive(Clone)]
pub struct Cause(Arc<anyhow::Error>);

impl Cause {
    /// For an error that, like all its sources, quotes nothing of what was sent or read.
    pub fn new(error: impl Error + Send + Sync + 'static) -> Self {
        Self(Arc::new(anyhow::Error::new(error)))
    }

    /// As [`Cause::new`].
    pub fn from_boxed(error: Box<dyn Error + Send + Sync>) -> Self {
        Self(Arc::new(anyhow::Error::from_boxed(error)))
    }

    /// The outermost error.
    pub fn as_error(&self) -> &(dyn Error + 'static) {
        (*self.0).as_ref()
    }

    /// The error and its causes, outermost first, each on one line.
    pub fn chain(&self) -> impl Iterator<Item = String> {
        self.0.chain().map(|error| one_line(&error.to_string()))
    }
}

impl From<io::Error> for Cause {
    fn from(error: io::Error) -> Self {
        // An error of the JSON parser may travel as one of these.
        match error.downcast::<serde_json::Error>() {
            Ok(json) => json.into(),
            Err(error) => Self::new(error),
        }
    }
}

impl From<serde_json::Error> for Cause {
    /// The parser's own text may quote a value.
    fn from(error: serde_json::Error) -> Self {
        if error.is_io() {
            return Self::new(io::Error::from(error));
        }
        let (kind, line, column) = (error.classify(), error.line(), error.column());
        // A value that was already parsed has no place.
        let place = if line > 0 { format!(" at line {line}, column {column}") } else { String::new() };
        Self(Arc::new(anyhow::anyhow!("JSON error ({kind:?}){place}")))
    }
}

impl fmt::Debug for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.chain()).finish()
    }
}

/// Line breaks become spaces.
pub(crate) fn one_line(text: &str) -> String {
    text.split(['\n', '\r']).map(str::trim).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use crate::cause::*;

    #[derive(Debug)]
    struct Outer(io::Error);

    impl fmt::Display for Outer {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("cannot\n  connect")
        }
    }

    impl Error for Outer {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&self.0)
        }
    }

    #[test]
    fn a_chain_begins_with_the_outermost_error_and_each_is_one_line() {
        let cause = Cause::new(Outer(io::Error::from_raw_os_error(13)));
        assert_eq!(cause.chain().collect::<Vec<_>>(), ["cannot connect", "Permission denied (os error 13)"]);
    }

    #[test]
    fn a_parsed_value_of_the_wrong_kind_has_no_place() {
        let error = serde_json::from_value::<u32>("1//secret".into()).unwrap_err();
        assert_eq!(Cause::from(error).chain().collect::<Vec<_>>(), ["JSON error (Data)"]);
    }

    #[test]
    fn only_the_place_of_a_json_error_is_kept_even_inside_an_io_error() {
        let quoting = || serde_json::from_str::<Vec<u32>>("[\n\"1//secret\"]").unwrap_err();
        assert!(quoting().to_string().contains("1//secret"));
        for cause in [Cause::from(quoting()), Cause::from(io::Error::from(quoting()))] {
            assert_eq!(cause.chain().collect::<Vec<_>>(), ["JSON error (Data) at line 2, column 11"]);
        }
    }
}
