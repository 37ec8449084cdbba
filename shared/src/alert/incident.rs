//! One outage of a subject: first failure, escalation, active recovery, reminders, recovery. Pure.
//!
//! A subject is a job, a sheet, a credential or a part of the machine. This decides which of its findings become events.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::alert::event::{Event, EventKind};
use crate::alert::notified::Notified;
use crate::time::{duration_text, timestamp};

/// A subject whose state an outcome has changed, or confirmed.
#[derive(Clone, Copy, Debug)]
pub struct Incident<'a> {
    /// The subject as the configuration names it: `sheet.port-sheet`.
    pub subject: &'a str,
    /// The same as text: `sheet "port-sheet"`.
    pub shown: &'a str,
    /// Since when it failed before this outcome.
    pub before: Option<DateTime<Utc>>,
    /// The outage after it; none when it works.
    pub after: Option<Outage<'a>>,
    /// What was reported of the outage until now.
    pub told: &'a Notified,
}

/// An outage that continues.
#[derive(Clone, Copy, Debug)]
pub struct Outage<'a> {
    /// Since when.
    pub since: DateTime<Utc>,
    /// Failures in a row.
    pub failures: u32,
    /// What the failing party said.
    pub words: &'a str,
    /// The next command to type.
    pub hint: &'a str,
    /// How this failure is reported.
    pub notice: FirstNotice,
}

/// Whether a failure is reported before it has lasted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FirstNotice {
    /// It is not, or it is reported already.
    None,
    /// It is, unless the outage is reported already.
    Failure,
    /// It is in any case: the outage is of another kind than the one reported.
    OtherFailure,
}

/// When to report.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// Whether the end of an outage is reported.
    pub on_recovery: bool,
    /// The failure in a row with which the alert is escalated.
    pub escalate_after: u32,
    /// How often a reminder is sent.
    pub remind_every: Duration,
    /// Whether the subject is probed between runs once it has failed, as credentials are: active recovery.
    pub is_probed: bool,
    /// What is left to do after a recovery.
    pub afterwards: &'static str,
}

/// The events that follow, and what is reported then.
pub fn decide(incident: &Incident<'_>, policy: &Policy, now: DateTime<Utc>) -> (Vec<Event>, Notified) {
    let Some(outage) = &incident.after else {
        return (recovered(incident, policy, now).into_iter().collect(), Notified::default());
    };
    let told = next_told(incident.told, outage, policy, now);
    let is_first = incident.told.first.is_none() && told.first.is_some();
    let is_escalated = incident.told.escalated != told.escalated;
    let is_reminder = told.reminded.is_some() && incident.told.reminded != told.reminded;
    let is_new = is_first || outage.notice == FirstNotice::OtherFailure;
    let is_failure = is_new && !is_escalated;
    let (words, failures, since) = (outage.words, outage.failures, timestamp(outage.since));
    let again = format!("failed {failures} times since {since}: {words}");
    let first = if failures == 1 { format!("failed: {words}") } else { again.clone() };
    let lasted = duration_text(now - outage.since);
    let events = [
        is_failure.then(|| incident.event(EventKind::FirstFailure, outage.hint, &first)),
        is_escalated.then(|| incident.event(EventKind::Escalated, outage.hint, &again)),
        (is_new && policy.is_probed).then(|| {
            let text = "is in active recovery: it is probed until it works again";
            incident.event(EventKind::ActiveRecovery, outage.hint, text)
        }),
        is_reminder.then(|| {
            let text = format!("has failed for {lasted}, since {since}: {words}");
            incident.event(EventKind::Reminder, outage.hint, &text)
        }),
    ];
    (events.into_iter().flatten().collect(), told)
}

fn recovered(incident: &Incident<'_>, policy: &Policy, now: DateTime<Utc>) -> Option<Event> {
    let since = incident.before?;
    let is_reported = incident.told.first.is_some() && policy.on_recovery;
    is_reported.then(|| {
        let text =
            format!("works again; it failed for {}, since {}", duration_text(now - since), timestamp(since));
        incident.event(EventKind::Recovered, policy.afterwards, &text)
    })
}

fn next_told(before: &Notified, outage: &Outage<'_>, policy: &Policy, now: DateTime<Utc>) -> Notified {
    // A report in the future was made by a clock that was wrong.
    let mut told = Notified {
        first: before.first.map(|first| first.min(now)),
        reminded: before.reminded.filter(|reminded| *reminded <= now),
        ..before.clone()
    };
    if outage.notice != FirstNotice::None {
        told.first.get_or_insert(now);
    }
    if outage.failures >= policy.escalate_after {
        told.first.get_or_insert(now);
        told.escalated.get_or_insert(now);
    }
    if let Some(first) = told.first {
        let every = TimeDelta::from_std(policy.remind_every).unwrap_or(TimeDelta::MAX);
        let rounds = (now - first).num_seconds() / every.num_seconds().max(1);
        let latest = i32::try_from(rounds).map_or(first, |rounds| first + every * rounds);
        // Counted from the first report, so that reminders do not wander with the schedule.
        if rounds > 0 && told.reminded.is_none_or(|reminded| reminded < latest) {
            told.reminded = Some(latest);
        }
    }
    told
}

impl Incident<'_> {
    fn event(&self, kind: EventKind, hint: &str, text: &str) -> Event {
        let text = format!("{} {text}", self.shown);
        Event { subject: self.subject.to_owned(), kind, text, hint: hint.to_owned(), dedup_key: None }
    }
}
