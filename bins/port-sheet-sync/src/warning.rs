//! What is done about double bookings: they are told, once each, and may keep the sheet from being written.

use chrono::Utc;
use log::warn;
use shared::config::{OnOverlap, Sheet};
use shared::event::{Event, Kind as EventKind};
use shared::job::Context;
use shared::store::Store;
use shared::{Failure, Kind, Result};

use crate::Args;
use crate::column::Columns;
use crate::overlap::{self, DoubleBooking};
use crate::plan::several;
use crate::result::SheetResult;
use crate::spool::Spool;

/// Looks for double bookings in the source and puts them into the result. Each pair is an event when it is new.
///
/// # Errors
/// [`Kind::Data`] with `overlap = "fail"` when there are any; nothing may be written then.
pub fn about_double_bookings(
    context: &Context,
    sheet: &Sheet,
    args: &Args,
    (columns, spool): (&Columns, &Spool),
    result: &mut SheetResult,
) -> Result<()> {
    let Some(check) = &sheet.overlap else { return Ok(()) };
    let found = overlap::find(check, columns, spool)?;
    if found.unclear_total > 0 {
        result.notes.push(format!(
            "{} bookings could not be checked for double booking: {} or {} is blank, or the end is before the start: {}",
            found.unclear_total,
            check.start,
            check.end,
            several(&found.unclear, found.unclear_total as u64)
        ));
    }
    result.overlaps = found.double;
    if !args.dry_run
        && let Err(failure) = tell(context, sheet, spool, &result.overlaps)
    {
        warn!("the double bookings could not be recorded: {failure}");
    }
    if check.policy == OnOverlap::Warn || result.overlaps.is_empty() {
        return Ok(());
    }
    let told: Vec<String> = result.overlaps.iter().map(ToString::to_string).collect();
    Err(Failure::new(
        Kind::Data,
        format!("nothing was written, because overlap is \"fail\": {}", several(&told, told.len() as u64)),
        "change one booking of each pair where they come from, or set overlap = \"warn\"",
    ))
}

/// Stores an event for each new pair. A pair that is gone is forgotten, unless it may only be hidden by a bad row.
fn tell(context: &Context, sheet: &Sheet, spool: &Spool, double: &[DoubleBooking]) -> Result<()> {
    let marked = format!("double-booking {} ", sheet.name);
    let event = |pair: &DoubleBooking| Event {
        subject: format!("sheet.{}", sheet.name),
        kind: EventKind::DoubleBooking,
        text: format!("sheet {:?}: {pair}", sheet.name),
        hint: "change one of the two where they come from".to_owned(),
        once: Some(format!("{marked}{:?} {:?}", pair.first, pair.second)),
    };
    let events: Vec<Event> = double.iter().map(event).collect();
    let mut store = Store::open(&context.state.database())?;
    if spool.rejected == 0 {
        store.release_marks(&marked, &events)?;
    }
    store.tell(&events, Utc::now())
}
