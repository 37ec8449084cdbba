//! The events of quotas and their tasks, each told once for what it is about. Pure.

use chrono::NaiveDate;

use crate::event::{Event, Kind};

fn event(subject: String, kind: Kind, text: String, hint: String, once: &str) -> Event {
    let once = Some(format!("{subject} {once}"));
    Event { subject, kind, text, hint, once }
}

/// A day's sessions are spent, and tasks wait.
pub fn spent(quota: &str, day: NaiveDate, per_day: u32, waiting: u64) -> Event {
    event(
        format!("quota.{quota}"),
        Kind::Notice,
        format!(
            "quota {quota:?}: all {per_day} sessions of {day} are spent, {waiting} tasks wait for the next UTC day"
        ),
        "nothing to do: they go on by themselves after midnight UTC; see them: session-run --list".to_owned(),
        &format!("spent {day}"),
    )
}

/// A day closed, and tasks were held.
pub fn closed_with_held(quota: &str, day: NaiveDate, held: u64) -> Event {
    event(
        format!("quota.{quota}"),
        Kind::Warning,
        format!("quota {quota:?}: {day} closed with {held} tasks held"),
        format!("if this repeats, the quota is too small for the work: raise per-day under [quota.{quota}]"),
        &format!("held {day}"),
    )
}

/// A task waits for a person.
pub fn needs_you(task: &str, attempt: u32, why: &str) -> Event {
    event(
        format!("task.{task}"),
        Kind::NeedsYou,
        format!("task {task:?} needs you: {why}"),
        format!("when it is settled: session-run --retry {task}"),
        &format!("needs-you {attempt}"),
    )
}

/// A task failed again and again.
pub fn failed_repeatedly(task: &str, failures: u32, why: &str) -> Event {
    event(
        format!("task.{task}"),
        Kind::Escalated,
        format!("task {task:?} failed {failures} times: {why}"),
        format!(
            "read what it said in sessions/ of the state directory, then: session-run --retry {task}, or --cancel {task}"
        ),
        &format!("failures {failures}"),
    )
}

/// The clock shows an earlier day than the ledger has seen.
pub fn clock_back(today: NaiveDate, high_water: NaiveDate) -> Event {
    event(
        "clock".to_owned(),
        Kind::Warning,
        format!(
            "the clock shows {today}, but {high_water} has begun already: sessions go on counting for {high_water}"
        ),
        repair_hint(),
        &format!("back {today} {high_water}"),
    )
}

/// The clock jumped ahead, and nothing explains it.
pub fn clock_ahead(today: NaiveDate, high_water: NaiveDate) -> Event {
    event(
        "clock".to_owned(),
        Kind::Warning,
        format!(
            "the clock shows {today}, more than a day after {high_water}, and nothing explains it: no session begins"
        ),
        repair_hint(),
        &format!("ahead {today} {high_water}"),
    )
}

/// A person set the ledger's day.
pub fn day_repaired(from: NaiveDate, to: NaiveDate, run: &str) -> Event {
    event(
        "clock".to_owned(),
        Kind::Warning,
        format!("the ledger's day was set from {from} to {to} with --repair-day"),
        "if that was not you: SELECT * FROM quota_step in state.db says who".to_owned(),
        &format!("repair {run}"),
    )
}

/// What to do about a clock that is not believed.
pub fn repair_hint() -> String {
    "look at the clock: date -u; timedatectl status; once it is right: quota-reset --repair-day \"$(date -u +%F)\"".to_owned()
}
