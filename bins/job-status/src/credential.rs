//! One credential: whether its token works, what else token-check found, and what it will die of.

use chrono::{DateTime, Utc};
use shared::alert::event;
use shared::credential::health::Health;
use shared::store::Store;
use shared::time;
use shared::{Failure, Kind, Result};

use crate::result::{CredentialSummary, ForecastSummary};

/// Looks at one credential in the records.
pub fn look(store: &mut Store, name: &str) -> Result<CredentialSummary> {
    let history = store.history(name)?;
    let standing = store.standing(name)?.map(|failure| failure.within(format_args!("credential {name:?}")));
    let course = store.course(&event::credential_subject(name))?;
    let forecasts = store.forecasts("token-check", name)?;
    let found = course.and_then(|course| course.first_failure).map(|since| found(name, since));
    Ok(CredentialSummary {
        credential: name.to_owned(),
        obtained: history.as_ref().map(|history| history.obtained),
        last_good: history.as_ref().and_then(|history| history.last_good),
        error: history.and_then(|history| failing(name, &history)).or(standing).or(found),
        forecasts: forecasts
            .into_iter()
            .map(|(text, remedy)| ForecastSummary { text: format!("credential {name:?}: {text}"), remedy })
            .collect(),
    })
}

fn failing(name: &str, history: &Health) -> Option<Failure> {
    let (class, since) = (history.class?, history.first_failure?);
    let words = history.words.as_deref().unwrap_or("it does not work");
    let text = format!("credential {name:?} fails since {}: {words}", time::timestamp(since));
    let hint = if class.needs_a_person() {
        format!(
            "log in again: token-login {name}, or for a service account put a new key in place; then token-check --now -v"
        )
    } else {
        "nothing if it passes: it is probed again; to probe it now: token-check --now -v".to_owned()
    };
    Some(Failure::new(class.kind(), text, hint))
}

/// A failure of something other than its token, such as the mode of its file; the job that met it has recorded it.
fn found(name: &str, since: DateTime<Utc>) -> Failure {
    let text = format!("credential {name:?} cannot be used since {}", time::timestamp(since));
    Failure::new(Kind::Credential, text, "see why: token-check --now -v")
}
