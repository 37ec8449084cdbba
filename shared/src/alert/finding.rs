//! What a run found of one subject, and what people hear of it. Pure.
//!
//! A subject is named as in the configuration: `job.token-check`, `sheet.port-sheet`, `credential.port-sheet`. What
//! must not leave the machine, such as booking data, is left out here.

use chrono::{DateTime, Utc};

use super::incident::{self, Habits, Incident, News, Outage};
use crate::config::Alert;
use crate::event::Event;
use crate::history::Told;
use crate::{Failure, Kind};

/// One subject after a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The subject.
    pub subject: String,
    /// The same for people: `sheet "port-sheet"`.
    pub shown: String,
    /// What failed; none when it works.
    pub failure: Option<Failure>,
    /// What kind of failure it is: another one is told again. None for that of the failure.
    pub mark: Option<&'static str>,
    /// The credential it cannot work without. While that one's own outage lasts, people hear of it alone.
    pub credential: Option<String>,
}

/// What a run found, subject by subject.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// What failed of the job itself.
    pub own: Option<Failure>,
    /// Everything else it dealt with.
    pub parts: Vec<Finding>,
}

impl Finding {
    /// A finding about something that has a table in the configuration: `[sheet.NAME]`.
    pub fn of(table: &str, name: &str, failure: Option<Failure>) -> Self {
        let (subject, shown) = (format!("{table}.{name}"), format!("{table} {name:?}"));
        Self { subject, shown, failure, mark: None, credential: None }
    }

    fn mark(&self) -> &str {
        let kind = self.failure.as_ref().map(|failure| failure.kind.word());
        self.mark.or(kind).unwrap_or_default()
    }
}

/// What is remembered of a subject between runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Course {
    /// Since when it fails.
    pub first_failure: Option<DateTime<Utc>>,
    /// Failures in a row.
    pub failures: u32,
    /// When it was last well.
    pub last_good: Option<DateTime<Utc>>,
    /// The marks of the failures of this outage that people were told.
    pub marks: Vec<String>,
    /// What they were told of it.
    pub told: Told,
}

/// What people hear of a finding, and what is remembered then.
pub fn follow(
    before: &Course,
    finding: &Finding,
    settings: &Alert,
    now: DateTime<Utc>,
) -> (Vec<Event>, Course) {
    let mut after = before.clone();
    let incident = |after, told| Incident {
        subject: &finding.subject,
        shown: &finding.shown,
        before: before.first_failure,
        after,
        told,
    };
    let Some(failure) = &finding.failure else {
        let (events, told) = incident::decide(&incident(None, &before.told), &habits(settings), now);
        return (events, Course { last_good: Some(now), told, ..Course::default() });
    };
    let since = *after.first_failure.get_or_insert(now);
    after.failures = before.failures.saturating_add(1);
    let news = news(before, finding, failure.kind, settings);
    if news != News::Nothing {
        after.marks.push(finding.mark().to_owned());
    }
    let (words, hint) = public(failure, &finding.shown, settings);
    let outage = Outage { since, failures: after.failures, words: &words, hint: &hint, news };
    let (events, told) = incident::decide(&incident(Some(outage), &before.told), &habits(settings), now);
    (events, Course { told, ..after })
}

fn habits(settings: &Alert) -> Habits {
    Habits {
        on_recovery: settings.on_recovery,
        escalate_after: settings.escalate_after,
        remind_every: settings.remind_every,
        is_probed: false,
        afterwards: "nothing to do",
    }
}

fn news(before: &Course, finding: &Finding, kind: Kind, settings: &Alert) -> News {
    // What was found from outside, such as a job that is late, has lasted already.
    let lasted = finding.mark.is_some() || before.failures.saturating_add(1) >= settings.after.of(kind);
    let is_known = before.marks.iter().any(|mark| mark == finding.mark());
    match (settings.on_first_failure && lasted && !is_known, before.told.first) {
        (false, _) => News::Nothing,
        (true, None) => News::Failure,
        (true, Some(_)) => News::OtherFailure,
    }
}

/// What may be said outside: a failure of content quotes bookings, unless the configuration lets it.
pub fn public(failure: &Failure, shown: &str, settings: &Alert) -> (String, String) {
    if failure.kind != Kind::Data || settings.booking_data {
        let message = failure.message.strip_prefix(&format!("{shown}: ")).unwrap_or(&failure.message);
        return (message.to_owned(), failure.hint.clone());
    }
    let words = "the content of the source or of the sheet was refused (exit code 65)".to_owned();
    (words, "see what and where: job-status -v, on the machine itself".to_owned())
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    fn start() -> DateTime<Utc> {
        "2026-05-13T12:00:00Z".parse().unwrap()
    }

    /// A subject with these outcomes every half hour; answers the number of the run and what is told with it.
    fn story(settings: &Alert, outcomes: &[Option<Kind>]) -> Vec<(usize, &'static str)> {
        let mut course = Course::default();
        let mut told = Vec::new();
        for (run, outcome) in outcomes.iter().enumerate() {
            let failure = outcome.map(|kind| Failure::new(kind, "words", "hint"));
            let finding = Finding::of("sheet", "a", failure);
            let minutes = i64::try_from(run).unwrap() * 30;
            let (events, after) = follow(&course, &finding, settings, start() + TimeDelta::minutes(minutes));
            told.extend(events.iter().map(|event| (run, event.kind.word())));
            course = after;
        }
        told
    }

    const GOOD: Option<Kind> = None;

    fn fails(kind: Kind, times: usize) -> Vec<Option<Kind>> {
        vec![Some(kind); times]
    }

    #[test]
    fn a_failure_that_needs_a_person_is_told_at_once_and_again_by_the_rules_only() {
        let outcomes = [fails(Kind::Config, 26), vec![GOOD, GOOD]].concat();
        let told = story(&Alert::default(), &outcomes);
        let expected =
            [(0, "first-failure"), (2, "escalated"), (12, "reminder"), (24, "reminder"), (26, "recovered")];
        assert_eq!(told, expected);
    }

    #[test]
    fn what_may_pass_is_told_with_the_second_failure_and_a_single_one_never() {
        let outcomes =
            [vec![GOOD], fails(Kind::Unavailable, 1), vec![GOOD], fails(Kind::Busy, 2), vec![GOOD]];
        assert_eq!(story(&Alert::default(), &outcomes.concat()), [(4, "first-failure"), (5, "recovered")]);
    }

    #[test]
    fn each_kind_of_one_outage_is_told_once() {
        let (data, io) = (Some(Kind::Data), Some(Kind::Io));
        let told = story(&Alert::default(), &[data, io, data, io, data]);
        assert_eq!(told, [(0, "first-failure"), (1, "first-failure"), (2, "escalated")]);
    }

    #[test]
    fn each_setting_silences_its_own_event() {
        let outcomes = [fails(Kind::Config, 4), vec![GOOD]].concat();
        let late = Alert { on_first_failure: false, escalate_after: 4, ..Alert::default() };
        assert_eq!(story(&late, &outcomes), [(3, "escalated"), (4, "recovered")]);
        let quiet = Alert { on_recovery: false, ..Alert::default() };
        assert_eq!(story(&quiet, &outcomes), [(0, "first-failure"), (2, "escalated")]);
    }

    #[test]
    fn bookings_stay_on_the_machine_unless_the_configuration_lets_them_out() {
        let failure = Failure::new(Kind::Data, "sheet \"a\": line 2: \"B-101\" stands twice", "mend B-101");
        let (words, hint) = public(&failure, "sheet \"a\"", &Alert::default());
        assert!(!words.contains("B-101") && !hint.contains("B-101"), "{words} {hint}");
        let open = Alert { booking_data: true, ..Alert::default() };
        assert_eq!(public(&failure, "sheet \"a\"", &open).0, "line 2: \"B-101\" stands twice");
    }
}
