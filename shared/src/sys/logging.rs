//! Log messages on standard error, with priorities for systemd's journal.
//!
//! Some libraries log whole requests with tokens at debug level; yup-oauth2 does. Messages of libraries below `info` are
//! therefore dropped before any filter: no `RUST_LOG` brings them back.

use std::io::Write;

use env_logger::{Builder, Logger, Target};
use log::{Level, LevelFilter, Log, Metadata, Record};

use crate::sys::dirs::Environment;

/// The crates of this workspace. Their messages have no secret at any level.
const OURS: [&str; 4] = ["job_", "port_", "shared", "token_"];

/// Starts logging: warnings and errors, more with `-v`, only errors with `-q`; `RUST_LOG` overrides both.
pub fn start(environment: &Environment, verbose: u8, quiet: bool) {
    let level = match (quiet, verbose) {
        (true, _) => LevelFilter::Error,
        (false, 0) => LevelFilter::Warn,
        (false, 1) => LevelFilter::Info,
        (false, _) => LevelFilter::Debug,
    };
    let mut builder = Builder::new();
    builder.filter_level(level).target(Target::Stderr);
    if let Some(filter) = &environment.log_filter {
        builder.parse_filters(filter);
    }
    if environment.journal {
        builder.format(|out, record| writeln!(out, "<{}>{}", priority(record.level()), record.args()));
    } else {
        builder.format(|out, record| {
            writeln!(out, "{}: {}", record.level().as_str().to_lowercase(), record.args())
        });
    }
    let logger = builder.build();
    let most = logger.filter();
    // A second start in one process, as in a test, keeps the first logger.
    if log::set_boxed_logger(Box::new(SafeLogger(logger))).is_ok() {
        log::set_max_level(most);
    }
}

/// The priority prefix of `sd-daemon(3)`.
pub fn priority(level: Level) -> u8 {
    match level {
        Level::Error => 3,
        Level::Warn => 4,
        Level::Info => 6,
        Level::Debug | Level::Trace => 7,
    }
}

/// A logger without the debug messages of libraries.
struct SafeLogger(Logger);

impl SafeLogger {
    fn allows(metadata: &Metadata<'_>) -> bool {
        metadata.level() <= Level::Info || OURS.iter().any(|ours| metadata.target().starts_with(ours))
    }
}

impl Log for SafeLogger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        Self::allows(metadata) && self.0.enabled(metadata)
    }

    fn log(&self, record: &Record<'_>) {
        if Self::allows(record.metadata()) {
            self.0.log(record);
        }
    }

    fn flush(&self) {
        self.0.flush();
    }
}

#[cfg(test)]
mod tests {
    use crate::sys::logging::*;

    fn allowed(target: &str, level: Level) -> bool {
        SafeLogger::allows(&Metadata::builder().target(target).level(level).build())
    }

    #[test]
    fn libraries_are_silent_below_info_whatever_the_filter() {
        assert!(!allowed("yup_oauth2::refresh", Level::Debug));
        assert!(!allowed("hyper_util::client", Level::Trace));
        assert!(allowed("yup_oauth2::refresh", Level::Warn));
        assert!(allowed("port_sheet_sync::apply", Level::Trace));
    }
}
