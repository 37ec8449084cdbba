//! What is reported of a credential, decided from its health. Pure.

use chrono::{DateTime, Utc};

use crate::alert::event::{Event, credential_subject};
use crate::alert::incident::{FirstNotice, Outage, Policy};
use crate::alert::subject::SubjectState;
use crate::config::TokenCheckEntry;
use crate::credential::health::Health;

/// The key of a token's failure among the failures of its credential. The others, such as the mode of the file, are findings.
pub const TOKEN_KEY: &str = "token";

/// A credential whose health an outcome has changed, or confirmed.
#[derive(Clone, Copy, Debug)]
pub struct HealthChange<'a> {
    /// The credential.
    pub credential: &'a str,
    /// What to do about a failure.
    pub hint: &'a str,
    /// The health before the outcome.
    pub before: &'a Health,
    /// The health after it.
    pub after: &'a Health,
}

/// The events that follow, and the state of the credential's subject after them.
///
/// A failure that may be temporary is reported only when it has lasted: with the escalation. An outage that is over while
/// the subject still fails for another reason is reported at the end of that, with the length of the whole.
pub fn advance(
    subject: &SubjectState,
    change: &HealthChange<'_>,
    settings: &TokenCheckEntry,
    now: DateTime<Utc>,
) -> (Vec<Event>, SubjectState) {
    let HealthChange { credential, hint, before, after } = *change;
    let mut state = subject.clone();
    match (before.first_failure, after.first_failure) {
        (None, None) => return (Vec::new(), state),
        (Some(since), None) => {
            state.failure_keys.retain(|key| key != TOKEN_KEY);
            if let Some(first_failure) = state.first_failure {
                state.first_failure = Some(first_failure.min(since));
                return (Vec::new(), state);
            }
        }
        (_, Some(_)) => {}
    }
    let is_reported =
        settings.alert_on_first_failure && after.class.is_some_and(|class| class.needs_a_person());
    let outage = after.first_failure.map(|since| Outage {
        since,
        failures: after.failures,
        words: after.words.as_deref().unwrap_or("failed"),
        hint,
        notice: if is_reported { subject.notice(TOKEN_KEY) } else { FirstNotice::None },
    });
    let policy = Policy {
        on_recovery: settings.alert_on_recovery,
        escalate_after: settings.escalate_after,
        remind_every: settings.remind_every,
        is_probed: true,
        afterwards: "nothing to do: the jobs that waited are started",
    };
    let (name, shown) = (credential_subject(credential), format!("credential {credential:?}"));
    let (events, mut state) = state.report(&name, &shown, before.first_failure, outage, &policy, now);
    if outage.is_some() && !events.is_empty() && subject.notice(TOKEN_KEY) != FirstNotice::None {
        state.failure_keys.push(TOKEN_KEY.to_owned());
    }
    (events, state)
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use crate::credential::alerts::*;
    use crate::credential::health::{Fingerprint, GrantInfo, TokenOutcome};
    use crate::credential::token_error::{TokenError, TokenErrorClass};

    fn start() -> DateTime<Utc> {
        "2026-05-13T12:00:00Z".parse().unwrap()
    }

    /// Failures (a class), checks without a request (`None`) and successes, each at a minute; returns what is reported.
    fn story(settings: &TokenCheckEntry, steps: &[(i64, Step)]) -> Vec<(i64, &'static str)> {
        let seen = Fingerprint { hash: "a".into(), kind: "authorized_user" };
        let mut history = Health::new(&seen, start());
        let mut subject = SubjectState::default();
        let mut told = Vec::new();
        for (minutes, step) in steps {
            let now = start() + TimeDelta::minutes(*minutes);
            let refusal = |class| TokenError::new(class, "no");
            let after = match step {
                Fails(class) => history.clone().after(&TokenOutcome::Failed(&refusal(*class)), now),
                Looks => history.clone().after(&TokenOutcome::NotAsked, now),
                Works => history.clone().after(&TokenOutcome::Granted(GrantInfo::default()), now),
            };
            let change =
                HealthChange { credential: "port-sheet", hint: "hint", before: &history, after: &after };
            let events;
            (events, subject) = advance(&subject, &change, settings, now);
            told.extend(events.iter().map(|event| (*minutes, event.kind.as_str())));
            history = after;
        }
        told
    }

    #[derive(Clone, Copy)]
    enum Step {
        Fails(TokenErrorClass),
        Looks,
        Works,
    }
    use Step::{Fails, Looks, Works};

    #[test]
    fn a_dead_token_is_told_at_once_escalated_once_reminded_of_and_cleared() {
        let mut steps: Vec<_> = (0..150)
            .map(|n| (n * 5, if n % 12 == 0 { Fails(TokenErrorClass::Dead) } else { Looks }))
            .collect();
        steps.push((750, Works));
        steps.push((780, Works));
        let told = story(&TokenCheckEntry::default(), &steps);
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
        let fails = Fails(TokenErrorClass::Transient);
        assert_eq!(story(&TokenCheckEntry::default(), &[(0, fails), (5, fails), (10, Works)]), []);
        assert_eq!(
            story(
                &TokenCheckEntry::default(),
                &[(0, fails), (5, fails), (10, fails), (15, fails), (20, Works)]
            ),
            [(10, "escalated"), (10, "active-recovery"), (20, "recovered")]
        );
    }

    #[test]
    fn trouble_that_turns_into_death_is_told_then() {
        let told = story(
            &TokenCheckEntry::default(),
            &[(0, Fails(TokenErrorClass::Transient)), (5, Fails(TokenErrorClass::Dead))],
        );
        assert_eq!(told, [(5, "first-failure"), (5, "active-recovery")]);
    }

    #[test]
    fn reminders_go_on_after_a_clock_that_was_a_year_ahead() {
        const YEAR: i64 = 365 * 24 * 60;
        let dead = Fails(TokenErrorClass::Dead);
        let steps = [(YEAR, dead), (YEAR + 361, Looks), (0, Looks), (359, Looks), (361, Looks), (722, Looks)];
        let told = story(&TokenCheckEntry::default(), &steps);
        let (first, recovery) = ((YEAR, "first-failure"), (YEAR, "active-recovery"));
        let again = [(361, "reminder"), (722, "reminder")];
        assert_eq!(told, [&[first, recovery, (YEAR + 361, "reminder")][..], &again].concat());
    }

    #[test]
    fn each_setting_silences_its_own_event() {
        let dead = Fails(TokenErrorClass::Dead);
        let steps = [(0, dead), (60, dead), (120, dead), (180, Works)];
        let late = TokenCheckEntry { alert_on_first_failure: false, ..TokenCheckEntry::default() };
        assert_eq!(story(&late, &steps), [(120, "escalated"), (120, "active-recovery"), (180, "recovered")]);
        let quiet =
            TokenCheckEntry { alert_on_recovery: false, escalate_after: 4, ..TokenCheckEntry::default() };
        assert_eq!(story(&quiet, &steps), [(0, "first-failure"), (0, "active-recovery")]);
    }
}
