//! The events of quotas and their tasks. Each is reported once for its cause. Pure.

use chrono::NaiveDate;

use crate::alert::event::{Event, EventKind};
use crate::config::executables;

fn event(subject: String, kind: EventKind, text: String, hint: String, dedup_key: &str) -> Event {
    let dedup_key = Some(format!("{subject} {dedup_key}"));
    Event { subject, kind, text, hint, dedup_key }
}

/// The sessions of a day are spent, and tasks wait.
pub fn spent(quota: &str, day: NaiveDate, per_day: u32, waiting: u64) -> Event {
    event(
        format!("quota.{quota}"),
        EventKind::Notice,
        format!(
            "quota {quota:?}: all {per_day} sessions of {day} are spent, {waiting} tasks wait for the next UTC day"
        ),
        format!(
            "nothing to do: they continue by themselves after midnight UTC; see them: {}",
            executables::session_list()
        ),
        &format!("spent {day}"),
    )
}

/// A day was closed while tasks were held.
pub fn closed_with_held(quota: &str, day: NaiveDate, held: u64) -> Event {
    event(
        format!("quota.{quota}"),
        EventKind::Warning,
        format!("quota {quota:?}: {day} closed with {held} tasks held"),
        format!("if this repeats, the quota is too small for the work: raise per-day under [quota.{quota}]"),
        &format!("held {day}"),
    )
}

/// A task waits for a user.
pub fn needs_you(task: &str, attempt: u32, why: &str) -> Event {
    event(
        format!("task.{task}"),
        EventKind::NeedsYou,
        format!("task {task:?} needs you: {why}"),
        format!("when it is settled: {}", executables::session_retry(task)),
        &format!("needs-you {attempt}"),
    )
}

/// A task failed several times in a row.
pub fn failed_repeatedly(task: &str, failures: u32, why: &str) -> Event {
    event(
        format!("task.{task}"),
        EventKind::Escalated,
        format!("task {task:?} failed {failures} times: {why}"),
        format!(
            "read what it said in sessions/ of the state directory, then: {}, or --cancel {task}",
            executables::session_retry(task)
        ),
        &format!("failures {failures}"),
    )
}

/// The clock shows an earlier day than the ledger has seen.
pub fn clock_back(today: NaiveDate, high_water: NaiveDate) -> Event {
    event(
        "clock".to_owned(),
        EventKind::Warning,
        format!(
            "the clock shows {today}, but {high_water} has begun already: sessions continue to count for {high_water}"
        ),
        repair_hint(),
        &format!("back {today} {high_water}"),
    )
}

/// The clock jumped ahead, and nothing explains it.
pub fn clock_ahead(today: NaiveDate, high_water: NaiveDate) -> Event {
    event(
        "clock".to_owned(),
        EventKind::Warning,
        format!(
            "the clock shows {today}, more than a day after {high_water}, and nothing explains it: no session begins"
        ),
        repair_hint(),
        &format!("ahead {today} {high_water}"),
    )
}

/// Someone set the ledger's day with `--repair-day`.
pub fn day_repaired(from: NaiveDate, to: NaiveDate, run: &str) -> Event {
    event(
        "clock".to_owned(),
        EventKind::Warning,
        format!("the ledger's day was set from {from} to {to} with --repair-day"),
        "if that was not you: SELECT * FROM quota_step in state.db says who".to_owned(),
        &format!("repair {run}"),
    )
}

/// What to do about a clock that is not trusted.
pub fn repair_hint() -> String {
    format!("look at the clock: date -u; timedatectl status; once it is right: {}", executables::repair_day())
}
