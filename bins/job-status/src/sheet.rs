//! One sheet: when it was last seen to be in step, and since when it is not.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use shared::event::{shown, stamp};
use shared::store::Store;
use shared::{Failure, Kind, Result};

use crate::result::SheetResult;

/// Looks at one sheet in the records. That it was never synced is its job's to say.
pub fn look(store: &mut Store, name: &str, every: Duration, now: DateTime<Utc>) -> Result<SheetResult> {
    let course = store.course(&format!("sheet.{name}"))?.unwrap_or_default();
    let every = TimeDelta::from_std(every).unwrap_or(TimeDelta::MAX);
    let late = course.last_good.filter(|at| now - *at > every * 5 / 2);
    let (text, hint) = match (course.first_failure, late) {
        (Some(since), _) => (
            format!("sheet {name:?} fails since {}", stamp(since)),
            format!("see why: port-sheet-sync --sheet {name} --dry-run"),
        ),
        (None, Some(at)) => (
            format!("sheet {name:?} was last in step {} ago, at {}", shown(now - at), stamp(at)),
            format!("sync it: port-sheet-sync --sheet {name} -v"),
        ),
        (None, None) => {
            return Ok(SheetResult { sheet: name.to_owned(), last_good: course.last_good, error: None });
        }
    };
    let error = Some(Failure::new(Kind::Unavailable, text, hint));
    Ok(SheetResult { sheet: name.to_owned(), last_good: course.last_good, error })
}
