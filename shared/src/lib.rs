//! What every port-jobs executable shares, from the words that all use up to the life of a run.
//!
//! Each module knows only those above it in this list. No module knows what a job does with a sheet; [`sessions`] alone is
//! for particular jobs. Only [`config::executables`] names an executable.

pub mod cause; //       the error below a failure
pub mod failure; //     one failure: its kind, one line, the next command
pub mod outcome; //     how a run ended
pub mod secret; //      a value that no output shows
pub mod spelling; //    spellings that a reader cannot tell apart
pub mod time; //        times and lengths of time as people read them
pub mod sys; //         this machine: files, directories, locks, processes, HTTP
pub mod config; //      config.toml, one file a table
pub mod alert; //       which events follow from a finding. Pure
pub mod credential; //  a credential file and its health
pub mod quota; //       which day it is, and what is reported of quotas; the ledger is in store. Pure
pub mod store; //       state.db, one file a table
pub mod google; //      Google's API: what a refusal means, access checks, rate limits
pub mod oauth; //       access tokens
pub mod notify; //      alerts and pings on their way
pub mod metrics; //     numbers for Prometheus
pub mod run; //         the life of a run
pub mod sessions; //    for quota-reset and session-run alone: the day, dead runners, the dashboard

pub use failure::{Failure, Kind, Result};
pub use secret::Secret;
