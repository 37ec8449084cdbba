use shared::credential::health::Fingerprint;
use shared::credential::token_error::TokenErrorClass;

use super::*;

fn at(text: &str) -> DateTime<Utc> {
    format!("{text}T12:00:00Z").parse().unwrap()
}

fn history(kind: &'static str) -> Health {
    let seen = Fingerprint { hash: "a".into(), kind };
    Health { last_good: Some(at("2026-05-13")), ..Health::new(&seen, at("2026-05-13")) }
}

fn person() -> Health {
    history("authorized_user")
}

/// What is forecast on a day: reasons and dates.
fn told(history: &Health, logins: usize, refreshes: u32, now: &str) -> Vec<(Reason, Option<String>)> {
    let settings = &TokenCheckEntry::default();
    let facts = Facts { name: "port-sheet", history, logins, missing_scopes: &[], refreshes, settings };
    let forecasts = of(&facts, at(now));
    assert!(forecasts.iter().all(|forecast| !forecast.remedy.is_empty()));
    forecasts
        .into_iter()
        .map(|forecast| (forecast.reason, forecast.date.map(|date| date.to_string())))
        .collect()
}

fn on(reason: Reason, date: &str) -> Vec<(Reason, Option<String>)> {
    vec![(reason, Some(date.to_owned()))]
}

#[test]
fn a_healthy_credential_has_no_end() {
    assert_eq!(told(&person(), 3, 4, "2026-05-14"), []);
    assert_eq!(told(&history("service_account"), 1, 4, "2026-07-26"), []);
}

#[test]
fn testing_mode_is_known_from_an_earlier_death_or_from_the_end_that_google_tells() {
    let died = Health { week_death: Some(at("2026-05-12")), ..person() };
    let ends = Health { ends: Some(at("2026-05-20")), ..person() };
    for history in [died, ends] {
        assert_eq!(told(&history, 2, 0, "2026-05-14"), on(Reason::Testing, "2026-05-20"));
        let dead = Health { class: Some(TokenErrorClass::Dead), ..history };
        assert_eq!(told(&dead, 2, 0, "2026-05-21"), [], "what has happened is no forecast");
    }
}

#[test]
fn limited_access_is_told_at_two_thirds() {
    let limited = Health { ends: Some(at("2026-06-12")), ..person() };
    assert_eq!(told(&limited, 1, 0, "2026-06-01"), []);
    assert_eq!(told(&limited, 1, 0, "2026-06-02"), on(Reason::TimeBased, "2026-06-12"));
}

#[test]
fn an_idle_token_is_told_from_a_hundred_and_fifty_days() {
    assert_eq!(told(&person(), 1, 0, "2026-10-09"), []);
    assert_eq!(told(&person(), 1, 0, "2026-10-10"), on(Reason::Idle, "2026-11-09"));
}

#[test]
fn a_key_is_told_from_seventy_five_days() {
    let key = history("service_account");
    assert_eq!(told(&key, 1, 0, "2026-07-27"), on(Reason::KeyAge, "2026-08-11"));
}

#[test]
fn many_logins_a_session_policy_and_a_high_rate_are_told() {
    assert_eq!(told(&person(), 80, 0, "2026-05-14"), [(Reason::ManyLogins, None)]);
    let reauths = |reauths| Health { reauths, ..person() };
    assert_eq!(told(&reauths(1), 1, 0, "2026-05-14"), []);
    assert_eq!(told(&reauths(2), 1, 0, "2026-05-14"), [(Reason::SessionPolicy, None)]);
    assert_eq!(told(&person(), 1, 201, "2026-05-14"), on(Reason::RefreshRate, "2026-05-14"));
}

#[test]
fn a_forecast_is_told_once_for_its_date_or_its_authorization() {
    let (settings, missing_scopes) = (TokenCheckEntry::default(), ["x".to_owned()]);
    let history = person();
    let facts = Facts {
        name: "a",
        history: &history,
        logins: 1,
        missing_scopes: &missing_scopes,
        refreshes: 0,
        settings: &settings,
    };
    let [forecast] = &of(&facts, at("2026-05-14"))[..] else { panic!("one forecast") };
    assert_eq!(event(&facts, forecast).dedup_key.as_deref(), Some("credential.a Scopes 2026-05-13"));
}
