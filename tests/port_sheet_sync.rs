//! `port-sheet-sync`, run as a process against a local stand-in for Google. Read this as a table of contents.
//!
//! Every run in here is searched for every secret of its world: nothing it says at trace level, and nothing it leaves on
//! disk outside the credential files, may hold a token, a client secret, a key or an assertion.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where and stops")]

/// An answer that breaks off, or that is not Google's.
#[path = "port_sheet_sync/broken_answers.rs"]
mod broken_answers;

/// A write that breaks off before, in the middle or after, and its rows exactly once anyway.
#[path = "port_sheet_sync/broken_writes.rs"]
mod broken_writes;

/// Mistakes in the configuration and on the command line, and where both are looked for.
#[path = "port_sheet_sync/config.rs"]
mod config;

/// A credential file is used only if no one else can read or replace it.
#[path = "port_sheet_sync/credential_file.rs"]
mod credential_file;

/// The Sheets API refuses, fails or breaks off.
#[path = "port_sheet_sync/google_refuses.rs"]
mod google_refuses;

/// What people do between a run that was cut short and the next, and rows of their own that a flag hits.
#[path = "port_sheet_sync/upheaval.rs"]
mod upheaval;

/// An undo of a run that people came into, and one that was stopped.
#[path = "port_sheet_sync/undo_disturbed.rs"]
mod undo_disturbed;

/// One run a job, and one refresh of a credential.
#[path = "port_sheet_sync/lock.rs"]
mod lock;

/// What every outage has in common: nothing is lost, and the first run after it catches up.
#[path = "port_sheet_sync/outage.rs"]
mod outage;

/// The file's version proves that nothing changed, and in any doubt the sheet is read.
#[path = "port_sheet_sync/fast_path.rs"]
mod fast_path;

/// Several sheets in one configuration, also in one spreadsheet.
#[path = "port_sheet_sync/several_sheets.rs"]
mod several_sheets;

/// The same vessel at the same time.
#[path = "port_sheet_sync/overlap.rs"]
mod overlap;

/// The cell that says when the sheet was last synced.
#[path = "port_sheet_sync/freshness.rs"]
mod freshness;

/// A cell that identifies a booking is edited: the row stays that booking's.
#[path = "port_sheet_sync/key_edits.rs"]
mod key_edits;

/// Two runs at once, which no lock keeps apart.
#[path = "port_sheet_sync/two_writers.rs"]
mod two_writers;

/// The file in which people find the rows while the sheet is out of reach.
#[path = "port_sheet_sync/mirror.rs"]
mod mirror;

/// A source that is missing, damaged or as a whole of no use.
#[path = "port_sheet_sync/source.rs"]
mod source;

/// Bad rows of a source that is otherwise good.
#[path = "port_sheet_sync/source_rows.rs"]
mod source_rows;

/// Requests a minute: shared by all who use a credential, waited for within the deadline, never exceeded.
#[path = "port_sheet_sync/budget.rs"]
mod budget;

/// What a person at a terminal sees meanwhile.
#[path = "port_sheet_sync/progress.rs"]
mod progress;

/// Bookings from real database servers and from SQLite.
#[path = "port_sheet_sync/source_database.rs"]
mod source_database;

/// Bookings as JSON.
#[path = "port_sheet_sync/source_json.rs"]
mod source_json;

/// Bookings from a web server.
#[path = "port_sheet_sync/source_web.rs"]
mod source_web;

/// The token endpoint refuses, fails or hangs.
#[path = "port_sheet_sync/token.rs"]
mod token;

/// What is said and what is recorded: silence, errors with hints, journal prefixes, run records, signals, deadlines.
#[path = "port_sheet_sync/output.rs"]
mod output;

/// Real port calls, dirt included, and a hundred thousand hotel bookings.
#[path = "port_sheet_sync/real_data.rs"]
mod real_data;

/// Text and typed values survive the round trip.
#[path = "port_sheet_sync/values.rs"]
mod values;

/// People work in the same sheet: their columns, rows and edits.
#[path = "port_sheet_sync/people.rs"]
mod people;

/// Rows whose booking left the source: flagged, archived or deleted, and always the right ones.
#[path = "port_sheet_sync/removals.rs"]
mod removals;

/// What lies in the archive tab, what comes back from it, and what is people's there.
#[path = "port_sheet_sync/archive.rs"]
mod archive;

/// What is in the way in a sheet: protected, merged, filtered, full, deleted.
#[path = "port_sheet_sync/obstacles.rs"]
mod obstacles;

/// What runs did, and putting it back.
#[path = "port_sheet_sync/undo.rs"]
mod undo;

/// People change the sheet in the very moment in which it is read or written.
#[path = "port_sheet_sync/interference.rs"]
mod interference;

/// Killed at any request and at any write to the disk.
#[path = "port_sheet_sync/crash.rs"]
mod crash;

/// A world for this executable.
fn world() -> support::Builder {
    support::World::of(env!("CARGO_BIN_EXE_port-sheet-sync"))
}
