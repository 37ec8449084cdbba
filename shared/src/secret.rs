//! A value that no output may show: it has no `Display`, and its `Debug` hides it.
//!
//! `expose` is the only way to the value, so a search for that word finds every use: a secret is sent, written to the
//! credential file, read in parts, compared, digested, or removed from a text that is about to be shown.

use std::fmt;

use serde::Deserialize;

/// A token, client secret or key.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Hides this value from every output.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value. It may be sent or written to the credential file, and appears in no output.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_does_not_contain_the_secret() {
        assert_eq!(format!("{:?}", Secret::new("1//refresh")), "Secret(…)");
    }
}
