//! What to tell of a credential, decided from its history. Pure.

use chrono::{DateTime, Utc};

use super::incident::{self, Habits, Incident, News, Outage};
use crate::config::TokenCheck;
use crate::event::{Event, subject};
use crate::history::{History, Told};

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

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

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
}
