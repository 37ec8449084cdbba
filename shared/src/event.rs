//! What people are to hear: of a credential it is decided here from its history; stored once, delivered elsewhere.
//!
//! Pure: whoever records an outcome stores the events in the same transaction, so that of several jobs at once only
//! one tells.

use std::time::Duration;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

use crate::alert::incident::{self, Habits, Incident, News, Outage};
use crate::config::TokenCheck;
use crate::history::{History, Told};

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Something that worked failed, and a person must act.
    FirstFailure,
    /// It failed again and again.
    Escalated,
    /// From now on it is probed until it works again.
    ActiveRecovery,
    /// It still fails.
    Reminder,
    /// It works again.
    Recovered,
    /// It works, and will not for long.
    Forecast,
    /// Two bookings have the same thing at the same time.
    DoubleBooking,
    /// Nothing is wrong; it is worth knowing.
    Notice,
    /// Something is not as it should be, and nothing has failed.
    Warning,
    /// Work waits for a person.
    NeedsYou,
}

impl Kind {
    /// The word that records hold.
    pub fn word(self) -> &'static str {
        match self {
            Self::FirstFailure => "first-failure",
            Self::Escalated => "escalated",
            Self::ActiveRecovery => "active-recovery",
            Self::Reminder => "reminder",
            Self::Recovered => "recovered",
            Self::Forecast => "forecast",
            Self::DoubleBooking => "double-booking",
            Self::Notice => "notice",
            Self::Warning => "warning",
            Self::NeedsYou => "needs-you",
        }
    }
}

/// One thing to tell people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// What it is about, as the configuration names it: `credential.port-sheet`.
    pub subject: String,
    /// What happened.
    pub kind: Kind,
    /// One line for people.
    pub text: String,
    /// What to do about it.
    pub hint: String,
    /// Of events with the same mark only the first is kept.
    pub once: Option<String>,
}

/// The subject of a credential's events.
pub fn subject(credential: &str) -> String {
    format!("credential.{credential}")
}

/// What to tell of a credential whose history was `before` and is `after` now, and what people know then.
///
/// A failure that may pass is told only once it has lasted: with the escalation.
pub fn decide(
    credential: &str,
    hint: &str,
    before: &History,
    after: &History,
    settings: &TokenCheck,
    now: DateTime<Utc>,
) -> (Vec<Event>, Told) {
    let tells_first = settings.alert_on_first_failure;
    let is_told = tells_first && after.class.is_some_and(|class| class.needs_a_person());
    let outage = after.first_failure.map(|since| Outage {
        since,
        failures: after.failures,
        words: after.words.as_deref().unwrap_or("failed"),
        hint,
        news: if is_told { News::Failure } else { News::Nothing },
    });
    let incident = Incident {
        subject: &subject(credential),
        shown: &format!("credential {credential:?}"),
        before: before.first_failure,
        after: outage,
        told: &before.told,
    };
    let habits = Habits {
        on_recovery: settings.alert_on_recovery,
        escalate_after: settings.escalate_after,
        remind_every: settings.remind_every,
        is_probed: true,
        afterwards: "nothing to do: the jobs that waited are started",
    };
    incident::decide(&incident, &habits, now)
}

/// A length of time for people, to the nearest minute once it is longer than one.
pub fn shown(length: TimeDelta) -> String {
    let seconds = length.to_std().unwrap_or_default().as_secs();
    let exact = if seconds >= 60 { (seconds + 30) / 60 * 60 } else { seconds };
    humantime::format_duration(Duration::from_secs(exact)).to_string()
}

/// A time for people, to the second.
pub fn stamp(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{Good, Outcome, Seen};
    use crate::oauth::{Class, Refusal};

    fn start() -> DateTime<Utc> {
        "2026-05-13T12:00:00Z".parse().unwrap()
    }

    /// Failures (a class), looks without asking (`None`) and successes, at so many minutes; answers what is told.
    fn story(settings: &TokenCheck, steps: &[(i64, Step)]) -> Vec<(i64, &'static str)> {
        let seen = Seen { fingerprint: "a".into(), kind: "authorized_user" };
        let mut history = History::new(&seen, start());
        let mut told = Vec::new();
        for (minutes, step) in steps {
            let now = start() + TimeDelta::minutes(*minutes);
            let refusal = |class| Refusal { class, words: "no".into(), retry_after: None, is_reauth: false };
            let after = match step {
                Fails(class) => history.clone().after(&Outcome::Failed(&refusal(*class)), now),
                Looks => history.clone().after(&Outcome::NotAsked, now),
                Works => history.clone().after(&Outcome::Good(Good::default()), now),
            };
            let (events, now_told) = decide("port-sheet", "hint", &history, &after, settings, now);
            told.extend(events.iter().map(|event| (*minutes, event.kind.word())));
            history = History { told: now_told, ..after };
        }
        told
    }

    #[derive(Clone, Copy)]
    enum Step {
        Fails(Class),
        Looks,
        Works,
    }
    use Step::{Fails, Looks, Works};

    #[test]
    fn a_dead_token_is_told_at_once_escalated_once_reminded_of_and_cleared() {
        let mut steps: Vec<_> =
            (0..150).map(|n| (n * 5, if n % 12 == 0 { Fails(Class::Dead) } else { Looks })).collect();
        steps.push((750, Works));
        steps.push((780, Works));
        let told = story(&TokenCheck::default(), &steps);
        assert_eq!(
            told,
            [
                (0, "first-failure"),
                (0, "active-recovery"),
                (120, "escalated"),
                (360, "reminder"),
                (720, "reminder"),
                (750, "recovered"),
            ]
        );
    }

    #[test]
    fn what_may_pass_is_told_once_it_has_lasted_and_a_short_one_never() {
        let fails = Fails(Class::Transient);
        assert_eq!(story(&TokenCheck::default(), &[(0, fails), (5, fails), (10, Works)]), []);
        assert_eq!(
            story(&TokenCheck::default(), &[(0, fails), (5, fails), (10, fails), (15, fails), (20, Works)]),
            [(10, "escalated"), (10, "active-recovery"), (20, "recovered")]
        );
    }

    #[test]
    fn trouble_that_turns_into_death_is_told_then() {
        let told = story(&TokenCheck::default(), &[(0, Fails(Class::Transient)), (5, Fails(Class::Dead))]);
        assert_eq!(told, [(5, "first-failure"), (5, "active-recovery")]);
    }

    #[test]
    fn reminders_go_on_after_a_clock_that_was_a_year_ahead() {
        const YEAR: i64 = 365 * 24 * 60;
        let dead = Fails(Class::Dead);
        let steps = [(YEAR, dead), (YEAR + 361, Looks), (0, Looks), (359, Looks), (361, Looks), (722, Looks)];
        let told = story(&TokenCheck::default(), &steps);
        let (first, recovery) = ((YEAR, "first-failure"), (YEAR, "active-recovery"));
        let again = [(361, "reminder"), (722, "reminder")];
        assert_eq!(told, [&[first, recovery, (YEAR + 361, "reminder")][..], &again].concat());
    }

    #[test]
    fn each_setting_silences_its_own_event() {
        let dead = Fails(Class::Dead);
        let steps = [(0, dead), (60, dead), (120, dead), (180, Works)];
        let late = TokenCheck { alert_on_first_failure: false, ..TokenCheck::default() };
        assert_eq!(story(&late, &steps), [(120, "escalated"), (120, "active-recovery"), (180, "recovered")]);
        let quiet = TokenCheck { alert_on_recovery: false, escalate_after: 4, ..TokenCheck::default() };
        assert_eq!(story(&quiet, &steps), [(0, "first-failure"), (0, "active-recovery")]);
    }

    #[test]
    fn a_length_is_told_to_the_minute() {
        assert_eq!(shown(TimeDelta::seconds(45_029)), "12h 30m");
        assert_eq!(shown(TimeDelta::seconds(45_030)), "12h 31m");
        assert_eq!(shown(TimeDelta::seconds(59)), "59s");
    }
}
