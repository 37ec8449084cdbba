use super::*;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn seen(fingerprint: &str) -> Fingerprint {
    Fingerprint { hash: fingerprint.into(), kind: "authorized_user" }
}

fn refusal(class: TokenErrorClass) -> TokenError {
    TokenError::new(class, "words")
}

fn fresh() -> Health {
    Health::new(&seen("a"), at("2026-05-13T12:00:00Z"))
}

fn due(history: &Health, fingerprint: &str, now: &str) -> Due {
    history.probe_due(&seen(fingerprint), TimeDelta::minutes(30), at(now))
}

#[test]
fn each_class_has_its_interval_and_a_new_file_is_probed_at_once() {
    let now = at("2026-05-13T12:00:00Z");
    for (class, wait) in [
        (TokenErrorClass::Dead, TimeDelta::hours(1)),
        (TokenErrorClass::Transient, TimeDelta::minutes(5) - SLACK),
        (TokenErrorClass::Unknown, TimeDelta::minutes(5) - SLACK),
        (TokenErrorClass::Broken, TimeDelta::minutes(30) - SLACK),
        (TokenErrorClass::Clock, TimeDelta::minutes(30) - SLACK),
    ] {
        let failed = fresh().after(&TokenOutcome::Failed(&refusal(class)), now);
        let late = |wait| failed.probe_due(&seen("a"), TimeDelta::minutes(30), now + wait);
        assert_eq!(late(TimeDelta::zero()), Due::At(now + wait), "{class:?}");
        assert_eq!(late(wait - TimeDelta::milliseconds(1)), Due::At(now + wait), "{class:?}");
        assert_eq!(late(wait), Due::Now, "{class:?}");
        assert_eq!(due(&failed, "b", "2026-05-13T12:00:01Z"), Due::Now, "{class:?}");
        let refused = failed.refused_until(&seen("a"), now).is_some();
        assert_eq!(refused, class == TokenErrorClass::Dead, "jobs are held back from a dead one only");
    }
}

#[test]
fn a_working_credential_is_probed_half_an_hour_after_its_last_probe_whoever_used_it() {
    let mut history = fresh();
    assert_eq!(due(&history, "a", "2026-05-13T12:00:00Z"), Due::Now, "never probed");
    history.probed = Some(at("2026-05-13T12:00:00Z"));
    history = history.after(&TokenOutcome::Granted(GrantInfo::default()), at("2026-05-13T12:10:00Z"));
    assert_eq!(due(&history, "a", "2026-05-13T12:20:00Z"), Due::At(at("2026-05-13T12:29:30Z")));
    assert_eq!(due(&history, "a", "2026-05-13T12:30:00Z"), Due::Now);
}

#[test]
fn a_try_in_the_future_holds_nobody_back() {
    let failed =
        fresh().after(&TokenOutcome::Failed(&refusal(TokenErrorClass::Dead)), at("2036-01-01T00:00:00Z"));
    assert_eq!(due(&failed, "a", "2026-05-13T12:00:00Z"), Due::Now);
}

#[test]
fn a_beginning_in_the_future_is_mended_by_the_next_good_token() {
    let early = Health::new(&seen("a"), at("2036-01-01T00:00:00Z"));
    let now = at("2026-05-13T12:00:00Z");
    let good = early.after(&TokenOutcome::Granted(GrantInfo::default()), now);
    assert_eq!(good.obtained, now);
    let later = good.after(&TokenOutcome::Granted(GrantInfo::default()), at("2026-05-14T12:00:00Z"));
    assert_eq!(later.obtained, now);
}

#[test]
fn a_new_file_does_not_end_the_outage_and_a_token_does() {
    let died = at("2026-05-13T12:00:00Z");
    let failed = fresh().after(&TokenOutcome::Failed(&refusal(TokenErrorClass::Dead)), died);
    let renewed = failed.renewed(&seen("b"), at("2026-05-13T20:00:00Z"));
    assert_eq!((renewed.first_failure, renewed.class, renewed.last_try), (Some(died), None, None));
    let now = at("2026-05-13T20:00:01Z");
    let good = renewed.after(&TokenOutcome::Granted(GrantInfo::default()), now);
    assert_eq!((good.first_failure, good.failures, good.recovered), (None, 0, Some(now)));
}

#[test]
fn a_rotation_is_no_new_authorization() {
    let good = GrantInfo { rotated: Some("b".into()), ..GrantInfo::default() };
    let rotated = fresh().after(&TokenOutcome::Granted(good), at("2026-05-20T12:00:00Z"));
    assert_eq!((rotated.fingerprint.as_str(), rotated.obtained), ("b", at("2026-05-13T12:00:00Z")));
}

#[test]
fn a_death_after_a_week_is_remembered_until_a_token_outlives_one() {
    for (died, is_week) in [("2026-05-20T12:20:00Z", true), ("2026-05-18T12:00:00Z", false)] {
        let dead = fresh().after(&TokenOutcome::Failed(&refusal(TokenErrorClass::Dead)), at(died));
        assert_eq!(dead.week_death.is_some(), is_week, "{died}");
        let renewed = dead.renewed(&seen("b"), at("2026-05-20T13:00:00Z"));
        let good =
            |history: Health, now| history.after(&TokenOutcome::Granted(GrantInfo::default()), at(now));
        let young = good(renewed.clone(), "2026-05-21T00:00:00Z");
        assert_eq!(young.week_death.is_some(), is_week);
        assert_eq!(good(renewed, "2026-05-29T00:00:00Z").week_death, None);
    }
}

#[test]
fn an_end_told_in_seconds_left_does_not_wander() {
    let good = |ends| TokenOutcome::Granted(GrantInfo { ends: Some(at(ends)), ..GrantInfo::default() });
    let now = at("2026-05-13T12:00:00Z");
    let first = fresh().after(&good("2026-06-01T00:00:00Z"), now).after(&good("2026-06-01T00:00:02Z"), now);
    assert_eq!(first.ends, Some(at("2026-06-01T00:00:00Z")));
    assert_eq!(first.after(&good("2026-07-01T00:00:00Z"), now).ends, Some(at("2026-07-01T00:00:00Z")));
}
