//! `[quota.NAME]`: how many sessions a UTC day may have, how long each may be, how many at once.

use super::{Reader, reader::count};

/// The settings of one quota.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// The most sessions that begin within one UTC day.
    pub per_day: u32,
    /// The most turns of one session.
    pub turns: u32,
    /// The most sessions at the same time.
    pub concurrency: u32,
}

impl Quota {
    pub(super) fn read(_name: &str, mut reader: Reader<'_>) -> Self {
        let quota = Self {
            per_day: count(&mut reader, "per-day", 1..=10_000).unwrap_or(5),
            turns: count(&mut reader, "turns", 1..=100_000).unwrap_or(30),
            concurrency: count(&mut reader, "concurrency", 1..=100).unwrap_or(1),
        };
        if quota.concurrency > quota.per_day {
            reader.problem("concurrency", "must not be more than per-day");
        }
        reader.finish();
        quota
    }
}
