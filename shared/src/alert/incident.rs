//! One subject's outage, told once: first failure, escalation, active recovery, reminders, recovery. Pure.
//!
//! A subject is a job, a sheet, a credential or a part of the machine. What happened to it is found elsewhere; here is
//! decided which of it people are to hear.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::event::{Event, Kind, shown, stamp};
use crate::history::Told;

/// A subject whose state an outcome has changed, or confirmed.
#[derive(Clone, Copy, Debug)]
pub struct Incident<'a> {
    /// The subject as the configuration names it: `sheet.port-sheet`.
    pub subject: &'a str,
    /// The same for people: `sheet "port-sheet"`.
    pub shown: &'a str,
    /// Since when it failed before this outcome.
    pub before: Option<DateTime<Utc>>,
    /// The outage after it; none when it works.
    pub after: Option<Outage<'a>>,
    /// What people were told of the outage so far.
    pub told: &'a Told,
}

/// An outage that goes on.
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
    /// What this failure is told as.
    pub news: News,
}

/// Whether a failure is to be told before it has lasted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// It is not, or has been told.
    Nothing,
    /// It is, unless the outage has been told already.
    Failure,
    /// It is in any case: the outage is of another kind than people were told.
    OtherFailure,
}

/// What people want to hear.
#[derive(Clone, Copy, Debug)]
pub struct Habits {
    /// Whether they hear that it is over.
    pub on_recovery: bool,
    /// The failure in a row with which the alert is escalated.
    pub escalate_after: u32,
    /// How often they are reminded.
    pub remind_every: Duration,
    /// Whether the subject is probed between runs once it has failed, as credentials are: active recovery.
    pub is_probed: bool,
    /// What is left to do after a recovery.
    pub afterwards: &'static str,
}

/// What to tell, and what people know then.
pub fn decide(incident: &Incident<'_>, habits: &Habits, now: DateTime<Utc>) -> (Vec<Event>, Told) {
    let Some(outage) = &incident.after else {
        return (recovered(incident, habits, now).into_iter().collect(), Told::default());
    };
    let told = next_told(incident.told, outage, habits, now);
    let is_first = incident.told.first.is_none() && told.first.is_some();
    let is_escalated = incident.told.escalated != told.escalated;
    let is_reminder = told.reminded.is_some() && incident.told.reminded != told.reminded;
    let is_failure = (is_first || outage.news == News::OtherFailure) && !is_escalated;
    let event = |kind, text: String| incident.event(kind, &text, outage.hint);
    let (words, failures, since) = (outage.words, outage.failures, stamp(outage.since));
    let events = [
        (is_failure && failures == 1).then(|| event(Kind::FirstFailure, format!("failed: {words}"))),
        (is_failure && failures > 1)
            .then(|| event(Kind::FirstFailure, format!("failed {failures} times since {since}: {words}"))),
        is_escalated
            .then(|| event(Kind::Escalated, format!("failed {failures} times since {since}: {words}"))),
        (is_first && habits.is_probed).then(|| {
            event(Kind::ActiveRecovery, "is in active recovery: it is probed until it works again".to_owned())
        }),
        is_reminder.then(|| {
            let lasted = shown(now - outage.since);
            event(Kind::Reminder, format!("has failed for {lasted}, since {since}: {words}"))
        }),
    ];
    (events.into_iter().flatten().collect(), told)
}

fn recovered(incident: &Incident<'_>, habits: &Habits, now: DateTime<Utc>) -> Option<Event> {
    let since = incident.before?;
    let tells = incident.told.first.is_some() && habits.on_recovery;
    tells.then(|| {
        let text = format!("works again; it failed for {}, since {}", shown(now - since), stamp(since));
        incident.event(Kind::Recovered, &text, habits.afterwards)
    })
}

fn next_told(before: &Told, outage: &Outage<'_>, habits: &Habits, now: DateTime<Utc>) -> Told {
    // What was told in the future was told by a clock that was wrong.
    let mut told = Told {
        first: before.first.map(|first| first.min(now)),
        reminded: before.reminded.filter(|reminded| *reminded <= now),
        ..before.clone()
    };
    if outage.news != News::Nothing {
        told.first.get_or_insert(now);
    }
    if outage.failures >= habits.escalate_after {
        told.first.get_or_insert(now);
        told.escalated.get_or_insert(now);
    }
    if let Some(first) = told.first {
        let every = TimeDelta::from_std(habits.remind_every).unwrap_or(TimeDelta::MAX);
        let rounds = (now - first).num_seconds() / every.num_seconds().max(1);
        let latest = i32::try_from(rounds).map_or(first, |rounds| first + every * rounds);
        // Counted from the first word, so that reminders do not wander with the schedule.
        if rounds > 0 && told.reminded.is_none_or(|reminded| reminded < latest) {
            told.reminded = Some(latest);
        }
    }
    told
}

impl Incident<'_> {
    fn event(&self, kind: Kind, text: &str, hint: &str) -> Event {
        let (subject, text) = (self.subject.to_owned(), format!("{} {text}", self.shown));
        Event { subject, kind, text, hint: hint.to_owned(), once: None }
    }
}
