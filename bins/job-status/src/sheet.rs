//! One sheet: when it was last seen to be in step, and since when it is not.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use shared::store::Store;
use shared::time::{duration_text, timestamp};
use shared::{Failure, Kind, Result};

use crate::result::SheetSummary;

/// Looks at one sheet in the records. That it was never synced is its job's to say.
pub fn look(store: &mut Store, name: &str, every: Duration, now: DateTime<Utc>) -> Result<SheetSummary> {
    let course = store.course(&format!("sheet.{name}"))?.unwrap_or_default();
    let every = TimeDelta::from_std(every).unwrap_or(TimeDelta::MAX);
    let late = course.last_good.filter(|at| now - *at > every * 5 / 2);
    let (text, hint) = match (course.first_failure, late) {
        (Some(since), _) => (
            format!("sheet {name:?} fails since {}", timestamp(since)),
            format!("see why: port-sheet-sync --sheet {name} --dry-run"),
        ),
        (None, Some(at)) => (
            format!("sheet {name:?} was last in step {} ago, at {}", duration_text(now - at), timestamp(at)),
            format!("sync it: port-sheet-sync --sheet {name} -v"),
        ),
        (None, None) => {
            return Ok(SheetSummary { sheet: name.to_owned(), last_good: course.last_good, error: None });
        }
    };
    let error = Some(Failure::new(Kind::Unavailable, text, hint));
    Ok(SheetSummary { sheet: name.to_owned(), last_good: course.last_good, error })
}
