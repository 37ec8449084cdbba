//! Everything that a run says: its result, findings for alerts, a dry run's plan, the list of past runs.

pub mod dry_run;
pub mod findings;
pub mod history;
pub mod result;
