//! What a run found about one subject, and the events that follow. Pure.
//!
//! A subject is named as in the configuration: `job.token-check`, `sheet.port-sheet`, `credential.port-sheet`. What
//! must not leave the machine, such as booking data, is left out here.

use chrono::{DateTime, Utc};

use crate::alert::event::Event;
use crate::alert::incident::{self, FirstNotice, Incident, Outage, Policy};
use crate::alert::notified::Notified;
use crate::config::{Alert, executables};
use crate::{Failure, Kind};

/// One subject after a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The subject.
    pub subject: String,
    /// The same as text: `sheet "port-sheet"`.
    pub shown: String,
    /// What failed; none when it works.
    pub failure: Option<Failure>,
    /// The key of the failure: one with another key is reported again. `None` for the kind of the failure.
    pub failure_key: Option<&'static str>,
    /// The credential it cannot work without. While its own outage lasts, only that is reported.
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
    pub fn new(table: &str, name: &str, failure: Option<Failure>) -> Self {
        let (subject, shown) = (format!("{table}.{name}"), format!("{table} {name:?}"));
        Self { subject, shown, failure, failure_key: None, credential: None }
    }

    fn failure_key(&self) -> &str {
        let kind = self.failure.as_ref().map(|failure| failure.kind.as_str());
        self.failure_key.or(kind).unwrap_or_default()
    }
}

/// What is remembered of a subject between runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SubjectState {
    /// Since when it fails.
    pub first_failure: Option<DateTime<Utc>>,
    /// Failures in a row.
    pub failures: u32,
    /// When it was last well.
    pub last_good: Option<DateTime<Utc>>,
    /// The keys of the failures of this outage that were reported.
    pub failure_keys: Vec<String>,
    /// What was reported of it.
    pub told: Notified,
}

impl SubjectState {
    /// The state after an outcome that the policy judges, with the events that follow. `before` is the begin of the outage
    /// that the outcome continues or ends.
    pub fn report(
        self,
        subject: &str,
        shown: &str,
        before: Option<DateTime<Utc>>,
        outage: Option<Outage<'_>>,
        policy: &Policy,
        now: DateTime<Utc>,
    ) -> (Vec<Event>, Self) {
        let incident = Incident { subject, shown, before, after: outage, told: &self.told };
        let (events, told) = incident::decide(&incident, policy, now);
        (events, Self { told, ..self })
    }

    /// How a failure is reported that has lasted long enough to be: once for each key of an outage.
    pub fn notice(&self, failure_key: &str) -> FirstNotice {
        let is_known = self.failure_keys.iter().any(|known| known == failure_key);
        match (is_known, self.told.first) {
            (true, _) => FirstNotice::None,
            (false, None) => FirstNotice::Failure,
            (false, Some(_)) => FirstNotice::OtherFailure,
        }
    }
}

/// The events that follow from a finding, and the state after it.
pub fn advance(
    before: &SubjectState,
    finding: &Finding,
    settings: &Alert,
    now: DateTime<Utc>,
) -> (Vec<Event>, SubjectState) {
    let (subject, shown, begin) = (&finding.subject, &finding.shown, before.first_failure);
    let Some(failure) = &finding.failure else {
        let (events, after) = before.clone().report(subject, shown, begin, None, &policy(settings), now);
        return (events, SubjectState { last_good: Some(now), told: after.told, ..SubjectState::default() });
    };
    let mut after = before.clone();
    let since = *after.first_failure.get_or_insert(now);
    after.failures = before.failures.saturating_add(1);
    // What was found from outside, such as a job that is late, has lasted already.
    let lasted = finding.failure_key.is_some() || after.failures >= settings.after.for_kind(failure.kind);
    let is_reported = settings.on_first_failure && lasted;
    let notice = if is_reported { before.notice(finding.failure_key()) } else { FirstNotice::None };
    if notice != FirstNotice::None {
        after.failure_keys.push(finding.failure_key().to_owned());
    }
    let (words, hint) = public(failure, shown, settings);
    let outage = Outage { since, failures: after.failures, words: &words, hint: &hint, notice };
    after.report(subject, shown, begin, Some(outage), &policy(settings), now)
}

fn policy(settings: &Alert) -> Policy {
    Policy {
        on_recovery: settings.on_recovery,
        escalate_after: settings.escalate_after,
        remind_every: settings.remind_every,
        is_probed: false,
        afterwards: "nothing to do",
    }
}

/// What may be said outside: a failure of content quotes bookings, unless the configuration lets it.
pub fn public(failure: &Failure, shown: &str, settings: &Alert) -> (String, String) {
    if failure.kind != Kind::Data || settings.booking_data {
        let message = failure.message.strip_prefix(&format!("{shown}: ")).unwrap_or(&failure.message);
        return (message.to_owned(), failure.hint.clone());
    }
    let words = "the content of the source or of the sheet was refused (exit code 65)".to_owned();
    (words, format!("see what and where: {}, on the machine itself", executables::job_status()))
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use crate::alert::subject::*;

    fn start() -> DateTime<Utc> {
        "2026-05-13T12:00:00Z".parse().unwrap()
    }

    /// A subject with these outcomes every half hour; answers the number of the run and what is told with it.
    fn story(settings: &Alert, outcomes: &[Option<Kind>]) -> Vec<(usize, &'static str)> {
        let mut course = SubjectState::default();
        let mut told = Vec::new();
        for (run, outcome) in outcomes.iter().enumerate() {
            let failure = outcome.map(|kind| Failure::new(kind, "words", "hint"));
            let finding = Finding::new("sheet", "a", failure);
            let minutes = i64::try_from(run).unwrap() * 30;
            let (events, after) = advance(&course, &finding, settings, start() + TimeDelta::minutes(minutes));
            told.extend(events.iter().map(|event| (run, event.kind.as_str())));
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
