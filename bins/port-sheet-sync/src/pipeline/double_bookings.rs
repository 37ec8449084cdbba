//! Reports double bookings, each pair once, and refuses to write the sheet where the policy says so.

use chrono::Utc;
use log::warn;
use shared::alert::event::{Event, EventKind};
use shared::config::{OnOverlap, Sheet};
use shared::run::Context;
use shared::store::Store;
use shared::{Failure, Kind, Result};

use crate::args::Args;
use crate::double_booking;
use crate::double_booking::DoubleBooking;
use crate::ingest::Ingested;
use crate::model::list::first_few;
use crate::spool::Spool;

/// What the check gave.
#[derive(Default)]
pub struct CheckResult {
    pub overlaps: Vec<DoubleBooking>,
    /// Bookings that could not be checked.
    pub note: Option<String>,
    /// Why nothing may be written.
    pub refusal: Option<Failure>,
}

/// Looks for double bookings in the source. Each pair is an event when it is new. With `overlap = "fail"`, any pair refuses
/// the run.
///
/// # Errors
/// [`Kind::Io`] when the spool cannot be read.
pub fn check(context: &Context, sheet: &Sheet, args: &Args, ingested: &Ingested) -> Result<CheckResult> {
    let Some(check) = &sheet.overlap else { return Ok(CheckResult::default()) };
    let found = double_booking::find(check, &ingested.columns, &ingested.spool)?;
    let note = (found.unclear_total > 0).then(|| {
        format!(
            "{} bookings could not be checked for double booking: {} or {} is blank, or the end is before the start: {}",
            found.unclear_total,
            check.start,
            check.end,
            first_few(&found.unclear, found.unclear_total as u64)
        )
    });
    if !args.dry_run
        && let Err(failure) = record(context, sheet, &ingested.spool, &found.double)
    {
        warn!("the double bookings could not be recorded: {failure}");
    }
    let refusal = match check.policy {
        OnOverlap::Warn => None,
        OnOverlap::Fail => refusal(&found.double),
    };
    Ok(CheckResult { overlaps: found.double, note, refusal })
}

fn refusal(double: &[DoubleBooking]) -> Option<Failure> {
    let pairs: Vec<String> = double.iter().map(ToString::to_string).collect();
    let failure = Failure::new(
        Kind::Data,
        format!(
            "nothing was written, because overlap is \"fail\": {}",
            first_few(&pairs, pairs.len() as u64)
        ),
        "change one booking of each pair where they come from, or set overlap = \"warn\"",
    );
    (!pairs.is_empty()).then_some(failure)
}

/// Stores an event for each new pair. A pair that is gone is forgotten, unless it may only be hidden by a bad row.
fn record(context: &Context, sheet: &Sheet, spool: &Spool, double: &[DoubleBooking]) -> Result<()> {
    let mark = format!("double-booking {} ", sheet.name);
    let events: Vec<Event> = double.iter().map(|pair| event(sheet, &mark, pair)).collect();
    let mut store = Store::open(&context.state.database())?;
    if spool.rejected == 0 {
        store.release_dedup_keys(&mark, &events)?;
    }
    store.record_events(&events, Utc::now())
}

fn event(sheet: &Sheet, mark: &str, pair: &DoubleBooking) -> Event {
    Event {
        subject: format!("sheet.{}", sheet.name),
        kind: EventKind::DoubleBooking,
        text: format!("sheet {:?}: {pair}", sheet.name),
        hint: "change one of the two where they come from".to_owned(),
        dedup_key: Some(format!("{mark}{:?} {:?}", pair.first, pair.second)),
    }
}
