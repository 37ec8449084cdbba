//! The one line and the exit code of a Nagios plugin. Pure.
//!
//! The form is that of <https://nagios-plugins.org/doc/guidelines.html>: a text, a bar, and numbers.

use super::Plugin;
use crate::{Failure, Kind};

/// The states of the plugin protocol, in the order of its exit codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Everything works.
    Ok,
    /// Something may pass by itself, or will fail later.
    Warning,
    /// Someone must act.
    Critical,
    /// The state could not be determined.
    Unknown,
}

impl Level {
    /// The level of these failures. Those that may pass by themselves are a warning.
    pub fn from_failures(failures: &[Failure]) -> Self {
        match failures {
            [] => Self::Ok,
            _ if failures.iter().all(may_pass) => Self::Warning,
            _ => Self::Critical,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Warning => "WARNING",
            Self::Critical => "CRITICAL",
            Self::Unknown => "UNKNOWN",
        }
    }

    fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Warning => 1,
            Self::Critical => 2,
            Self::Unknown => 3,
        }
    }
}

fn may_pass(failure: &Failure) -> bool {
    matches!(failure.kind, Kind::Unavailable | Kind::Busy)
}

/// Builds the line. A bar would end the text, so each one in it is replaced.
pub fn line(what: &str, level: Level, text: &str, numbers: &str) -> Plugin {
    let text = text.replace('|', "/");
    Plugin { line: format!("{what} {} - {text} | {numbers}", level.as_str()), code: level.code() }
}
