//! Errors of the past, repeated ones condensed. Pure.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;
use shared::Failure;
use shared::Kind;
use shared::store::RunRecord;

/// One error with all its repetitions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Repeated {
    /// The job.
    pub job: String,
    /// How often it happened.
    pub times: u32,
    /// When first.
    pub first: DateTime<Utc>,
    /// When last.
    pub last: DateTime<Utc>,
    /// What it said, and the remedy, the last time.
    pub error: Failure,
}

/// The errors in a job's runs, the latest first. Numbers in a text, such as times, make no other error of it.
pub fn of(job: &str, records: &[RunRecord]) -> Vec<Repeated> {
    let mut repeated: BTreeMap<(Option<u8>, String), Repeated> = BTreeMap::new();
    for record in records {
        let Some(message) = &record.message else { continue };
        let key: String = message.chars().filter(|c| !c.is_ascii_digit()).collect();
        let kind = record.exit.map_or(Kind::Bug, Kind::from_exit_code);
        let error = Failure::new(kind, message, record.hint.as_deref().unwrap_or_default());
        let entry = repeated.entry((record.exit, key)).or_insert_with(|| Repeated {
            job: job.to_owned(),
            times: 0,
            first: record.started,
            last: record.started,
            error: error.clone(),
        });
        (entry.times, entry.last, entry.error) = (entry.times + 1, record.started, error);
    }
    let mut repeated: Vec<Repeated> = repeated.into_values().collect();
    repeated.sort_by_key(|error| std::cmp::Reverse(error.last));
    repeated
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_only_in_its_numbers_is_one_error_with_a_count_and_both_ends() {
        let record = |minute: u32, message: &str| RunRecord {
            started: format!("2026-05-13T12:{minute:02}:00Z").parse().unwrap(),
            finished: None,
            outcome: "failed".into(),
            exit: Some(77),
            message: Some(message.into()),
            hint: Some(format!("hint {minute}")),
            rows: 0,
        };
        let records = [record(0, "dead until 12:10"), record(5, "other"), record(10, "dead until 12:20")];
        let errors = of("j", &records);
        let shown: Vec<_> = errors
            .iter()
            .map(|error| (error.times, error.error.message.as_str(), error.error.hint.as_str()))
            .collect();
        assert_eq!(shown, [(2, "dead until 12:20", "hint 10"), (1, "other", "hint 5")]);
        assert_eq!((errors[0].last - errors[0].first).num_minutes(), 10);
    }
}
