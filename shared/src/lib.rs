//! What every port-jobs executable shares: the spine of a run, failures and exit codes, configuration,
//! directories, locks, private files, credentials, OAuth, run records and the ledger of sessions.
//!
//! It names no executable and knows nothing of what a job does with a sheet.

pub mod command;
pub mod config;
pub mod credential;
pub mod dashboard;
pub mod dirs;
pub mod event;
pub mod failure;
pub mod file;
pub mod history;
pub mod http;
pub mod job;
pub mod lock;
pub mod logging;
pub mod oauth;
pub mod private;
pub mod quota;
pub mod reach;
pub mod refusal;
pub mod retry;
pub mod secret;
pub mod store;

pub use failure::{Failure, Kind, Result};
pub use secret::Secret;
