//! The one line and the exit code of a Nagios plugin. Pure.
//!
//! The form is that of <https://nagios-plugins.org/doc/guidelines.html>: a text, a bar, and numbers.

use crate::job::Plugin;
use crate::{Failure, Kind};

/// How bad it is, in the order of the plugin's exit codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// All is well.
    Ok,
    /// It may pass, or will come.
    Warning,
    /// A person must act.
    Critical,
    /// Nothing is known.
    Unknown,
}

impl Level {
    /// How bad failures are. Trouble that may pass is a warning.
    pub fn of(failures: &[Failure]) -> Self {
        let passes = |failure: &Failure| matches!(failure.kind, Kind::Unavailable | Kind::Busy);
        match failures {
            [] => Self::Ok,
            _ if failures.iter().all(passes) => Self::Warning,
            _ => Self::Critical,
        }
    }

    fn word(self) -> &'static str {
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

/// The line: a bar in the text would end it, so there is none.
pub fn line(what: &str, level: Level, text: &str, numbers: &str) -> Plugin {
    let text = text.replace('|', "/");
    Plugin { line: format!("{what} {} - {text} | {numbers}", level.word()), code: level.code() }
}
