//! Determines the UTC day before anything is counted: from the ledger and, if the clock needs confirmation, from the
//! `Date` header of a server.

use chrono::{DateTime, Utc};
use log::{info, warn};

use crate::google::access_check::SHEETS_URL;
use crate::quota::{Moment, Verdict, alerts};
use crate::run::Context;
use crate::store::{Store, Turn};
use crate::sys::http::Http;
use crate::{Failure, Kind, Result};

/// Stores the configured quotas and the day in the ledger.
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
    store.record_events(std::slice::from_ref(&event), Utc::now())?;
    Err(Failure::new(Kind::Busy, event.text, event.hint))
}

/// The warning about a clock that shows an earlier day than the ledger's.
pub fn warning(turn: &Turn) -> Option<String> {
    let text = (turn.verdict == Verdict::Back).then(|| alerts::clock_back(turn.today, turn.day).text);
    text.inspect(|text| warn!("{text}"))
}

/// The time of Google's clock, over TLS unless the configured address is on loopback. Every response has it, errors too.
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
