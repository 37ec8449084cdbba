//! The files that are shipped beside the executables: the example configuration, schedules and documents. Each is
//! checked by the program that will read it, or against what the executable itself says.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where and stops")]

/// The example configuration is valid, and it and its documentation name every key.
#[path = "shipped/config.rs"]
mod config;

/// The crontab follows the rules of /etc/cron.d.
#[path = "shipped/cron.rs"]
mod cron;

/// Each direct dependency has its reason.
#[path = "shipped/dependencies.rs"]
mod dependencies;

/// The documents agree with the executable, and link to what is there.
#[path = "shipped/docs.rs"]
mod docs;

/// The modules of each crate keep their order, and what decides opens no socket.
#[path = "shipped/house.rs"]
mod house;

/// Every executable is quiet when all is well, and says once what is not.
#[path = "shipped/output.rs"]
mod output;

/// The JSON schemas fit what the executable prints and reads.
#[path = "shipped/schema.rs"]
mod schema;

/// The units are understood by systemd, hardened, and fit the executable's deadline.
#[path = "shipped/systemd.rs"]
mod systemd;

/// The troubleshooting page quotes what the programs print, and explains every failure.
#[path = "shipped/troubleshooting.rs"]
mod troubleshooting;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The executable.
const SYNC: &str = env!("CARGO_BIN_EXE_port-sheet-sync");

/// A shipped file.
fn shipped(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path).canonicalize().unwrap()
}

fn text(path: &str) -> String {
    std::fs::read_to_string(shipped(path)).unwrap()
}

/// Runs the executable with nothing in its environment that would steer it.
fn sync(arguments: &[&str]) -> Output {
    Command::new(SYNC).args(arguments).env_clear().output().unwrap()
}
