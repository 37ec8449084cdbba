//! What every port-jobs executable shares: the spine of a run, failures and exit codes, configuration,
//! directories, locks, private files, credentials, OAuth, run records and the ledger of sessions.
//!
//! It names executables only in the list of what is shipped, and knows nothing of what a job does with a sheet.

pub mod address;
pub mod alert;
pub mod budget;
pub mod command;
pub mod config;
pub mod credential;
pub mod dashboard;
pub mod dirs;
pub mod event;
pub mod failure;
pub mod family;
pub mod file;
pub mod history;
pub mod http;
pub mod job;
pub mod lock;
pub mod logging;
pub mod metrics;
pub mod monitor;
pub mod nagios;
pub mod oauth;
pub mod private;
pub mod quota;
pub mod reach;
pub mod refusal;
pub mod retry;
pub mod scope;
pub mod secret;
pub mod store;
pub mod tally;

pub use failure::{Failure, Kind, Result};
pub use secret::Secret;
