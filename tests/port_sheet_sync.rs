//! `port-sheet-sync`, run as a process against a local stand-in for Google. Read this as a table of contents.
//!
//! Every run in here is searched for every secret of its world: nothing it says at trace level, and nothing it leaves on
//! disk outside the credential files, may hold a token, a client secret, a key or an assertion.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where and stops")]

/// A write that breaks off before, in the middle or after, and its rows exactly once all the same.
#[path = "port_sheet_sync/broken_writes.rs"]
mod broken_writes;

/// A credential file is used only if nobody else can read or replace it.
#[path = "port_sheet_sync/credential_file.rs"]
mod credential_file;

/// The Sheets API refuses, fails or breaks off.
#[path = "port_sheet_sync/google_refuses.rs"]
mod google_refuses;

/// What every outage has in common: nothing is lost, and the first run after it catches up.
#[path = "port_sheet_sync/outage.rs"]
mod outage;

/// The token endpoint refuses, fails or hangs.
#[path = "port_sheet_sync/token.rs"]
mod token;

/// What is said and what is recorded: silence, errors with hints, journal prefixes, run records, signals, deadlines.
#[path = "port_sheet_sync/output.rs"]
mod output;

/// A world for this executable.
fn world() -> support::Builder {
    support::World::of(env!("CARGO_BIN_EXE_port-sheet-sync"))
}
