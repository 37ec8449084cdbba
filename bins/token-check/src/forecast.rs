//! What a credential will die of, when, and what helps: from its history alone. Pure.
//!
//! The rows are those of <https://developers.google.com/identity/protocols/oauth2#expiration>.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde::Serialize;
use shared::alert::event::{self, Event};
use shared::config::TokenCheckEntry;
use shared::credential::health::Health;

/// How long a token lives whose consent screen is in *Testing*.
const WEEK: TimeDelta = TimeDelta::days(7);

/// How far from a week an end still looks like that.
const WEEK_TOLERANCE: TimeDelta = TimeDelta::hours(12);

/// After so long without use Google ends a token; six months, taken short.
const IDLE_END: TimeDelta = TimeDelta::days(180);

/// From here on it is warned of.
const IDLE_WARN: TimeDelta = TimeDelta::days(150);

/// Google keeps a hundred tokens of an account and client; so many logins are close to that.
const MANY_LOGINS: usize = 80;

/// Why it will die.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// The consent screen is in *Testing*: seven days.
    Testing,
    /// Access was allowed for a limited time.
    TimeBased,
    /// Not used for six months.
    Idle,
    /// The key is old.
    KeyAge,
    /// The user allowed less than the jobs need.
    Scopes,
    /// Google ends the oldest of a hundred tokens.
    ManyLogins,
    /// The organisation's session policy.
    SessionPolicy,
    /// Something refreshes it far too often.
    RefreshRate,
}

/// One thing that will end it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Forecast {
    /// Why.
    pub reason: Reason,
    /// The day on which it ends, where that is known.
    pub date: Option<NaiveDate>,
    /// The same in a sentence.
    pub text: String,
    /// What helps.
    pub remedy: String,
}

/// What a forecast is made from.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The credential's name.
    pub name: &'a str,
    /// What is known of it.
    pub history: &'a Health,
    /// How often a user logged in.
    pub logins: usize,
    /// The needed scopes that are not granted.
    pub missing_scopes: &'a [String],
    /// Refreshes within the last hour.
    pub refreshes: u32,
    /// The limits.
    pub settings: &'a TokenCheckEntry,
}

/// A forecast.
pub fn of(facts: &Facts<'_>, now: DateTime<Utc>) -> Vec<Forecast> {
    let forecasts = [
        end(facts, now),
        idle(facts, now),
        key_age(facts, now),
        scopes(facts),
        many_logins(facts),
        session_policy(facts),
        refresh_rate(facts, now),
    ];
    forecasts.into_iter().flatten().collect()
}

/// As an event that is reported once: for its date or, without one, for this authorization.
pub fn event(facts: &Facts<'_>, forecast: &Forecast) -> Event {
    let subject = event::credential_subject(facts.name);
    let date = forecast.date.unwrap_or(facts.history.obtained.date_naive());
    Event {
        dedup_key: Some(format!("{subject} {:?} {date}", forecast.reason)),
        subject,
        kind: event::EventKind::Forecast,
        text: format!("credential {:?}: {}", facts.name, forecast.text),
        hint: forecast.remedy.clone(),
    }
}

fn is_person(facts: &Facts<'_>) -> bool {
    facts.history.kind == "authorized_user"
}

fn login(facts: &Facts<'_>) -> String {
    format!("log in again: token-login {}", facts.name)
}

/// Testing mode, known from an earlier death or from the end that Google tells; or access for a limited time.
fn end(facts: &Facts<'_>, now: DateTime<Utc>) -> Option<Forecast> {
    let Health { obtained, ends, week_death, class, .. } = facts.history;
    if !is_person(facts) || class.is_some() {
        return None;
    }
    let life = ends.map(|ends| ends - *obtained);
    if week_death.is_some() || life.is_some_and(|life| (life - WEEK).abs() <= WEEK_TOLERANCE) {
        let date = (*obtained + WEEK).date_naive();
        return Some(Forecast {
            reason: Reason::Testing,
            date: Some(date),
            text: format!("it dies seven days after its login, on {date}: its consent screen is in Testing"),
            remedy: format!(
                "publish the OAuth app at https://console.cloud.google.com/auth/audience, then {}",
                login(facts)
            ),
        });
    }
    let (ends, life) = ends.zip(life)?;
    (now >= *obtained + life / 3 * 2).then(|| Forecast {
        reason: Reason::TimeBased,
        date: Some(ends.date_naive()),
        text: format!("access was allowed for a limited time, until {}", ends.date_naive()),
        remedy: login(facts),
    })
}

fn idle(facts: &Facts<'_>, now: DateTime<Utc>) -> Option<Forecast> {
    let used = facts.history.last_good.unwrap_or(facts.history.obtained);
    (is_person(facts) && now - used >= IDLE_WARN).then(|| Forecast {
        reason: Reason::Idle,
        date: Some((used + IDLE_END).date_naive()),
        text: format!(
            "it was last used on {}; Google ends it after six months without use",
            used.date_naive()
        ),
        remedy: "use it: token-check --now".to_owned(),
    })
}

fn key_age(facts: &Facts<'_>, now: DateTime<Utc>) -> Option<Forecast> {
    let (warn, fail) = (facts.settings.key_age_warn, facts.settings.key_age_fail);
    let [warn, fail] = [warn, fail].map(|age| TimeDelta::from_std(age).unwrap_or(TimeDelta::MAX));
    let seen = facts.history.obtained;
    let fails = seen.checked_add_signed(fail);
    (!is_person(facts) && now - seen >= warn).then(|| Forecast {
        reason: Reason::KeyAge,
        date: fails.map(|fails| fails.date_naive()),
        text: format!("its key has been in use for {} days, since {}", (now - seen).num_days(), seen.date_naive()),
        remedy: "make a new key at https://console.cloud.google.com/iam-admin/serviceaccounts, install it, then delete the old one".to_owned(),
    })
}

fn scopes(facts: &Facts<'_>) -> Option<Forecast> {
    let missing = facts.missing_scopes.join(" ");
    (!missing.is_empty()).then(|| Forecast {
        reason: Reason::Scopes,
        date: None,
        text: format!("it was not granted {missing}"),
        remedy: format!("{} and allow all of it", login(facts)),
    })
}

fn many_logins(facts: &Facts<'_>) -> Option<Forecast> {
    (is_person(facts) && facts.logins >= MANY_LOGINS).then(|| Forecast {
        reason: Reason::ManyLogins,
        date: None,
        text: format!(
            "{} logins: Google ends the oldest of 100 tokens of an account and client",
            facts.logins
        ),
        remedy: "give each service an OAuth client of its own, or use a service account".to_owned(),
    })
}

fn session_policy(facts: &Facts<'_>) -> Option<Forecast> {
    (is_person(facts) && facts.history.reauths >= 2).then(|| Forecast {
        reason: Reason::SessionPolicy,
        date: None,
        text: format!(
            "the organisation's session policy ended it {} times and will again",
            facts.history.reauths
        ),
        remedy: "use a service account, which is not asked to sign in".to_owned(),
    })
}

fn refresh_rate(facts: &Facts<'_>, now: DateTime<Utc>) -> Option<Forecast> {
    let limit = facts.settings.refreshes_per_hour;
    (facts.refreshes > limit / 2).then(|| Forecast {
        reason: Reason::RefreshRate,
        date: Some(now.date_naive()),
        text: format!("{} refreshes within an hour; {limit} are allowed", facts.refreshes),
        remedy:
            "find the job that is started too often: token-check --json, and the refresh table of state.db"
                .to_owned(),
    })
}

#[cfg(test)]
mod tests;
