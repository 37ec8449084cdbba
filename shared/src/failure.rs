//! A failure of a run: a kind that decides the exit code, one line that names the problem, the next command to type, and
//! the error below it.
//!
//! [`crate::run`] prints and records failures.

use std::fmt;
use std::path::Path;

use serde::Serialize;

use crate::cause::{Cause, one_line};

/// The result of everything that can fail for a reason on which an operator can act.
pub type Result<T, E = Failure> = std::result::Result<T, E>;

/// The kind of a failure. The most serious kind is first: of several failures in one run, the first in this order gives
/// the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A panic or a broken invariant.
    Bug,
    /// The configuration is invalid, the OAuth client is broken, or a spreadsheet or tab does not exist.
    Config,
    /// Someone must act on a credential: revoked, wrong mode or owner, scope missing, sheet not shared.
    Credential,
    /// The local disk: state, spool, config or lock files cannot be read or written.
    Io,
    /// The content of the source or the sheet is refused.
    Data,
    /// Google, the source or the dashboard is unreachable or keeps failing.
    Unavailable,
    /// Another run holds the lock, the deadline passed, or the quota of requests is spent.
    Busy,
    /// The command line is wrong. It never occurs with another kind, because no work was done.
    Usage,
}

impl Kind {
    /// The kind of an exit code. An unknown code counts as the most serious kind.
    pub fn from_exit_code(code: u8) -> Self {
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

    /// The name in records and results.
    pub fn as_str(self) -> &'static str {
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

/// One failure, ready to be printed: `error: {message}`, then `hint: {hint}`.
#[derive(Clone, Debug, Serialize)]
pub struct Failure {
    /// It alone decides the exit code.
    pub kind: Kind,
    /// One line that names the thing and what is wrong with it.
    pub message: String,
    /// The next command to type, or the next thing to do.
    pub hint: String,
    /// The error below it. It is logged with `-vv`, and neither recorded nor compared.
    #[serde(skip)]
    pub cause: Option<Cause>,
}

impl PartialEq for Failure {
    fn eq(&self, other: &Self) -> bool {
        (self.kind, &self.message, &self.hint) == (other.kind, &other.message, &other.hint)
    }
}

impl Eq for Failure {}

impl Failure {
    /// Line breaks in the texts become spaces: a failure is one line in a log or a mail.
    pub fn new(kind: Kind, message: impl AsRef<str>, hint: impl AsRef<str>) -> Self {
        Self { kind, message: one_line(message.as_ref()), hint: one_line(hint.as_ref()), cause: None }
    }

    /// A failure to use a local file or directory.
    pub fn io(doing: &str, path: &Path, error: impl fmt::Display + Into<Cause>) -> Self {
        let hint = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => {
                format!("look at it: ls -la {}; df -h {}", path.display(), parent.display())
            }
            _ => format!("look at it: ls -la {}", path.display()),
        };
        Self::new(Kind::Io, format!("{doing} {}: {error}", path.display()), hint).caused_by(error)
    }

    /// A failure that only a defect of this program can cause.
    pub fn bug(message: impl AsRef<str>) -> Self {
        Self::new(
            Kind::Bug,
            message,
            "this is a defect of port-jobs: report it with the output of the same command and -vv",
        )
    }

    /// The same for an error of a library.
    pub fn defect(error: impl fmt::Display + Into<Cause>) -> Self {
        Self::bug(error.to_string()).caused_by(error)
    }

    /// The same failure with the error below it.
    #[must_use]
    pub fn caused_by(self, cause: impl Into<Cause>) -> Self {
        Self { cause: Some(cause.into()), ..self }
    }

    /// The errors below it, outermost first.
    pub fn causes(&self) -> impl Iterator<Item = String> {
        self.cause.iter().flat_map(Cause::chain)
    }

    /// The same failure with its subject in front: `sheet "port-sheet": …`.
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

impl std::error::Error for Failure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause.as_ref().map(Cause::as_error)
    }
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
    fn a_cause_is_neither_serialized_nor_compared() {
        let path = Path::new("/srv/state.db");
        let failure = Failure::io("cannot open", path, std::io::Error::from_raw_os_error(13));
        assert_eq!(failure.causes().collect::<Vec<_>>(), ["Permission denied (os error 13)"]);
        let without = Failure { cause: None, ..failure.clone() };
        assert_eq!(failure, without);
        assert_eq!(serde_json::to_string(&failure).unwrap(), serde_json::to_string(&without).unwrap());
    }

    #[test]
    fn a_failure_is_one_line_whatever_it_was_made_of() {
        let failure = Failure::new(Kind::Data, "first\n  second\r\nthird\n", "do\nthis");
        assert_eq!((failure.message.as_str(), failure.hint.as_str()), ("first second third", "do this"));
    }
}
