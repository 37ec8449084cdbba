//! Settles which UTC day it is, before anything is counted: by the ledger, and by a server's `Date` where the ledger
//! needs a witness.

use chrono::{DateTime, Utc};
use log::{info, warn};

use super::{Moment, Verdict, alerts};
use crate::http::Http;
use crate::job::Context;
use crate::reach::SHEETS_URL;
use crate::store::{Store, Turn};
use crate::{Failure, Kind, Result};

/// Enters the configuration's quotas and the day in the ledger.
///
/// # Errors
/// [`Kind::Busy`] when the clock jumped ahead and nothing explains it; [`Kind::Io`] when the ledger cannot be used.
pub async fn settle(context: &Context, store: &mut Store) -> Result<Turn> {
    let turn = store.turn_day(&context.config.quotas, &Moment::read()?, None, &context.run)?;
    if turn.verdict != Verdict::Refused {
        return Ok(turn);
    }
    let trusted = date_of_google(context).await;
    let turn = store.turn_day(&context.config.quotas, &Moment::read()?, trusted, &context.run)?;
    if turn.verdict != Verdict::Refused {
        return Ok(turn);
    }
    let event = alerts::clock_ahead(turn.today, turn.day);
    store.tell(std::slice::from_ref(&event), Utc::now())?;
    Err(Failure::new(Kind::Busy, event.text, event.hint))
}

/// What is to be said of the clock, though the day is settled.
pub fn warning(turn: &Turn) -> Option<String> {
    let text = (turn.verdict == Verdict::Back).then(|| alerts::clock_back(turn.today, turn.day).text);
    text.inspect(|text| warn!("{text}"))
}

/// The time by Google's clock, over TLS unless the configuration names a loopback. Any answer has it.
async fn date_of_google(context: &Context) -> Option<DateTime<Utc>> {
    let google = &context.config.google;
    let url = google.sheets_url.as_ref().map_or(SHEETS_URL, |url| url.as_str());
    let asked = match Http::new(google.timeout) {
        Ok(http) => http.get(url).await.map_err(|why| why.to_string()),
        Err(failure) => Err(failure.message),
    };
    match asked {
        Ok(reply) => reply.date,
        Err(why) => {
            info!("no trusted time from {url}: {why}");
            None
        }
    }
}
