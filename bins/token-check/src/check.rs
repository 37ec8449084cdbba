//! One credential: its file, a probe when one is due, what was granted, what it reaches, its forecasts.

use chrono::{DateTime, TimeDelta, Utc};
use log::info;
use shared::config::Sheet;
use shared::credential::CredentialFile;
use shared::credential::health::{Due, Fingerprint, Health, TokenOutcome};
use shared::credential::scope;
use shared::credential::token_error::TokenErrorClass;
use shared::google::access_check::{self, Access, Caller};
use shared::oauth::{ProbePolicy, TokenSource};
use shared::run::Context;
use shared::store::{Purpose, Store};
use shared::sys::http::Http;
use shared::time::{duration_text, timestamp};
use shared::{Failure, Kind, Result, Secret};

use crate::Args;
use crate::forecast::{self, Facts};
use crate::result::CredentialResult;

/// Google refuses what comes from a clock that is further off.
const CLOCK_TOLERANCE: TimeDelta = TimeDelta::minutes(5);

/// Checks one credential; every failure ends up in the result.
pub async fn check(context: &Context, name: &str, needed: &[String], args: Args) -> CredentialResult {
    let mut result = CredentialResult::new(name);
    if let Err(failure) = try_check(context, name, needed, args, &mut result).await {
        result.fail(failure);
    }
    result
}

async fn try_check(
    context: &Context,
    name: &str,
    needed: &[String],
    args: Args,
    result: &mut CredentialResult,
) -> Result<()> {
    let granted = context.environment.credentials_directory.as_deref();
    let place = CredentialFile::from_config(&context.config, name, granted, &context.state.credentials())?;
    let mut store = Store::open(&context.state.database())?;
    let known = store.history(name)?;
    known.iter().for_each(|history| result.tell(history));
    let seen = place.read()?.fingerprint();
    result.kind = Some(seen.kind.to_owned());
    if known.as_ref().is_some_and(|history| history.fingerprint != seen.hash) {
        result.forget_tries();
    }
    let due = due(context, known.as_ref(), &seen, Utc::now());
    let standing = store.standing(name)?;
    if args.offline {
        standing.into_iter().for_each(|failure| result.fail(failure));
    } else {
        // A failure is checked again each time: the schedule is for what worked.
        let is_due = args.now || due == Due::Now || standing.is_some();
        let asking = if args.now { ProbePolicy::Now } else { ProbePolicy::WhenDue };
        let tokens = context.tokens(name)?.with_gate(context.refresh_gate(Purpose::Probe, asking));
        if is_due {
            if probe(context, tokens, result).await == Token::Good {
                store.set_standing(name, result.error.as_ref())?;
            }
        } else {
            // A reminder may be due anyway.
            let class = result.class.unwrap_or(TokenErrorClass::Dead);
            let hint = tokens.hint_for(class);
            context.refresh_gate(Purpose::Probe, asking).record(&place, &seen, TokenOutcome::NotAsked, &hint);
        }
    }
    let history = store.history(name)?.filter(|history| result.probed || history.fingerprint == seen.hash);
    let Some(history) = history else { return Ok(()) };
    result.tell(&history);
    // A rotation changed what the file is known by.
    let seen = if result.probed { place.read()?.fingerprint() } else { seen };
    if let Due::At(at) = self::due(context, Some(&history), &seen, Utc::now()) {
        result.next_probe = Some(at);
    }
    if !result.probed {
        remember(&place, &history, result, &context.tokens(name)?);
    }
    judge(context, &mut store, &history, needed, args, result)
}

fn due(context: &Context, history: Option<&Health>, seen: &Fingerprint, now: DateTime<Utc>) -> Due {
    let interval = context.config.token_check.recovery_interval;
    let interval = TimeDelta::from_std(interval).unwrap_or(TimeDelta::MAX);
    history.map_or(Due::Now, |history| history.probe_due(seen, interval, now))
}

/// What a probe found of the token itself.
#[derive(PartialEq, Eq)]
enum Token {
    Good,
    Refused,
}

/// A real refresh, then everything that can be seen with its token.
async fn probe(context: &Context, mut tokens: TokenSource, result: &mut CredentialResult) -> Token {
    result.probed = true;
    let token = match tokens.token().await {
        Ok(token) => token,
        Err(failure) => {
            result.fail(failure);
            return Token::Refused;
        }
    };
    let name = result.credential.clone();
    let mut skew = tokens.clock_skew();
    for sheet in context.config.sheets.values().filter(|sheet| sheet.credential == name) {
        let reached = reach(context, sheet, &tokens, &token).await;
        // A service account's exchange does not give the server's clock.
        let date = reached.as_ref().ok().and_then(|reached| reached.date);
        skew = skew.or(date.map(|date| Utc::now() - date));
        result.reached(&sheet.name, reached, || access_check::protected_tab(sheet, &tokens.account()));
    }
    if let Some(failure) = skew.and_then(|skew| wrong_clock(skew, &name)) {
        result.fail(failure);
    }
    Token::Good
}

async fn reach(context: &Context, sheet: &Sheet, tokens: &TokenSource, token: &Secret) -> Result<Access> {
    let google = &context.config.google;
    let account = tokens.account();
    let (scopes, database) = (tokens.scopes(), &context.state.database());
    let caller = Caller { token, account: &account, scopes, database };
    access_check::check_sheet(&Http::new(google.timeout)?, google, sheet, caller).await
}

fn wrong_clock(skew: TimeDelta, name: &str) -> Option<Failure> {
    let direction = if skew > TimeDelta::zero() { "ahead of" } else { "behind" };
    (skew.abs() > CLOCK_TOLERANCE).then(|| {
        Failure::new(
            Kind::Config,
            format!(
                "credential {name:?}: this machine's clock is {} {direction} Google's",
                duration_text(skew.abs())
            ),
            "set the clock: timedatectl set-ntp true; timedatectl status",
        )
    })
}

/// What failed last time, when it is not tried again yet.
fn remember(place: &CredentialFile, history: &Health, result: &mut CredentialResult, tokens: &TokenSource) {
    let Some(class) = history.class else { return };
    let words = history.words.as_deref().unwrap_or("it does not work");
    let next = match result.next_probe {
        Some(at) => format!("the next probe is due at {}", timestamp(at)),
        None => "a probe is due".to_owned(),
    };
    let hint = format!("{}; {next}, or at once: token-check --now", tokens.hint_for(class));
    result.fail(Failure::new(class.kind(), format!("{place}: {words}"), hint));
}

/// What follows from the history: scopes, key age, forecasts.
fn judge(
    context: &Context,
    store: &mut Store,
    history: &Health,
    needed: &[String],
    args: Args,
    result: &mut CredentialResult,
) -> Result<()> {
    let (name, now, settings) = (result.credential.clone(), Utc::now(), &context.config.token_check);
    let missing_scopes = scope::missing(needed, &history.scopes);
    let logins = store.logins(&name)?.len();
    let (refreshes, _) = store.refreshes_in_hour(&name, now)?;
    let facts = Facts { name: &name, history, logins, missing_scopes: &missing_scopes, refreshes, settings };
    result.forecasts = forecast::of(&facts, now);
    if !args.offline {
        let events: Vec<_> =
            result.forecasts.iter().map(|forecast| forecast::event(&facts, forecast)).collect();
        store
            .record_events(&events, now)
            .unwrap_or_else(|failure| info!("forecasts are not stored: {failure}"));
    }
    result.blocked = store.blocked(&name)?;
    if !missing_scopes.is_empty() {
        result.fail(Failure::new(
            Kind::Credential,
            format!("credential {name:?} was not granted {}", missing_scopes.join(" ")),
            format!("log in again and allow all of it: token-login {name}"),
        ));
    }
    let is_old = TimeDelta::from_std(settings.key_age_fail).is_ok_and(|age| now - history.obtained >= age);
    if history.kind == "service_account" && is_old {
        let days = (now - history.obtained).num_days();
        result.fail(Failure::new(
            Kind::Credential,
            format!("credential {name:?}: its key has been in use for {days} days, longer than key-age-fail allows"),
            "make a new key at https://console.cloud.google.com/iam-admin/serviceaccounts, install it, then delete the old one",
        ));
    }
    result.missing_scopes = missing_scopes;
    Ok(())
}
