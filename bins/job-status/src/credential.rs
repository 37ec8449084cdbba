//! One credential: whether its token works, what else token-check found, and what it will die of.

use chrono::{DateTime, Utc};
use shared::event;
use shared::history::History;
use shared::store::Store;
use shared::{Failure, Kind, Result};

use crate::result::{CredentialResult, Forecast};

/// Looks at one credential in the records.
pub fn look(store: &mut Store, name: &str) -> Result<CredentialResult> {
    let history = store.history(name)?;
    let standing = store.standing(name)?.map(|failure| failure.within(format_args!("credential {name:?}")));
    let course = store.course(&event::subject(name))?;
    let forecasts = store.forecasts("token-check", name)?;
    let forecast = |(text, remedy)| Forecast { text: format!("credential {name:?}: {text}"), remedy };
    let found = course.and_then(|course| course.first_failure).map(|since| found(name, since));
    Ok(CredentialResult {
        credential: name.to_owned(),
        obtained: history.as_ref().map(|history| history.obtained),
        last_good: history.as_ref().and_then(|history| history.last_good),
        error: history.and_then(|history| failing(name, &history)).or(standing).or(found),
        forecasts: forecasts.into_iter().map(forecast).collect(),
    })
}

fn failing(name: &str, history: &History) -> Option<Failure> {
    let (class, since) = (history.class?, history.first_failure?);
    let words = history.words.as_deref().unwrap_or("it does not work");
    let text = format!("credential {name:?} fails since {}: {words}", event::stamp(since));
    let hint = if class.needs_a_person() {
        format!(
            "log in again: token-login {name}, or for a service account put a new key in place; then token-check --now -v"
        )
    } else {
        "nothing if it passes: it is probed again; to probe it now: token-check --now -v".to_owned()
    };
    Some(Failure::new(class.kind(), text, hint))
}

/// Something else than its token, such as the mode of its file; whoever met it has recorded what.
fn found(name: &str, since: DateTime<Utc>) -> Failure {
    let text = format!("credential {name:?} cannot be used since {}", event::stamp(since));
    Failure::new(Kind::Credential, text, "see why: token-check --now -v")
}
