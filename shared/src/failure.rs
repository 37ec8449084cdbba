//! How a run fails: a kind that decides the exit code, one line that names what is wrong, and the next command to type.
//!
//! It decides nothing else: printing and recording a failure belong to [`crate::job`].

use std::fmt;
use std::path::Path;

use serde::Serialize;

/// The result of everything that can fail for a reason an operator can act on.
pub type Result<T> = std::result::Result<T, Failure>;

/// What kind of failure it is. The order of the variants is their seriousness, the most serious first, as the
/// contract orders them: of several failures in one run, the first in this order gives the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A panic or a broken invariant of ours.
    Bug,
    /// The configuration is invalid, the OAuth client is broken, or a spreadsheet or tab is not there.
    Config,
    /// A person must act on a credential: revoked, wrong mode or owner, scope missing, sheet not shared.
    Credential,
    /// The local disk: state, spool, config or lock files cannot be read or written.
    Io,
    /// The source's or the sheet's content is refused.
    Data,
    /// Google, the source or the dashboard is unreachable or keeps failing.
    Unavailable,
    /// Another run holds the lock, the own deadline passed, or the quota of requests is spent.
    Busy,
    /// The command line is wrong. Never mixed with the others: nothing ran.
    Usage,
}

impl Kind {
    /// The kind that an exit code stands for; a code that is none of ours is taken as the most serious.
    pub fn of_exit_code(code: u8) -> Self {
        let kinds = [
            Self::Usage,
            Self::Data,
            Self::Unavailable,
            Self::Io,
            Self::Busy,
            Self::Credential,
            Self::Config,
        ];
        kinds.into_iter().find(|kind| kind.exit_code() == code).unwrap_or(Self::Bug)
    }

    /// Its word in records and results.
    pub fn word(self) -> &'static str {
        match self {
            Self::Bug => "bug",
            Self::Config => "config",
            Self::Credential => "credential",
            Self::Io => "io",
            Self::Data => "data",
            Self::Unavailable => "unavailable",
            Self::Busy => "busy",
            Self::Usage => "usage",
        }
    }

    /// The exit code of the contract, after `sysexits.h`.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Usage => 64,
            Self::Data => 65,
            Self::Unavailable => 69,
            Self::Bug => 70,
            Self::Io => 74,
            Self::Busy => 75,
            Self::Credential => 77,
            Self::Config => 78,
        }
    }
}

/// One failure, ready to be shown: `error: {message}`, then `hint: {hint}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// What kind it is.
    pub kind: Kind,
    /// One line that names the thing and what is wrong with it.
    pub message: String,
    /// The next command to type, or the next thing to do.
    pub hint: String,
}

impl Failure {
    /// A failure of this kind. Line breaks in the texts become spaces: a failure is one line in a log or a mail.
    pub fn new(kind: Kind, message: impl AsRef<str>, hint: impl AsRef<str>) -> Self {
        Self { kind, message: one_line(message.as_ref()), hint: one_line(hint.as_ref()) }
    }

    /// A local file or directory that cannot be used.
    pub fn io(doing: &str, path: &Path, error: impl fmt::Display) -> Self {
        let hint = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => {
                format!("look at it: ls -la {}; df -h {}", path.display(), parent.display())
            }
            _ => format!("look at it: ls -la {}", path.display()),
        };
        Self::new(Kind::Io, format!("{doing} {}: {error}", path.display()), hint)
    }

    /// A panic or a broken invariant.
    pub fn bug(message: impl AsRef<str>) -> Self {
        Self::new(
            Kind::Bug,
            message,
            "this is a defect of port-jobs: report it with the output of the same command and -vv",
        )
    }

    /// The same failure with what it concerns in front: `sheet "port-sheet": …`.
    #[must_use]
    pub fn within(self, subject: impl fmt::Display) -> Self {
        Self { message: format!("{subject}: {}", self.message), ..self }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

fn one_line(text: &str) -> String {
    text.split(['\n', '\r']).map(str::trim).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_serious_kind_is_the_smallest_as_the_contract_orders_them() {
        let order = [70, 78, 77, 74, 65, 69, 75];
        let kinds =
            [Kind::Busy, Kind::Unavailable, Kind::Data, Kind::Io, Kind::Credential, Kind::Config, Kind::Bug];
        let mut sorted = kinds;
        sorted.sort();
        assert_eq!(sorted.map(Kind::exit_code).map(u16::from), order);
    }

    #[test]
    fn a_failure_is_one_line_whatever_it_was_made_of() {
        let failure = Failure::new(Kind::Data, "first\n  second\r\nthird\n", "do\nthis");
        assert_eq!((failure.message.as_str(), failure.hint.as_str()), ("first second third", "do this"));
    }
}
