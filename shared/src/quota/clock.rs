//! Decides which day it is although the machine's clock may have jumped.
//!
//! After a jump the wall clock looks as if the last run were long ago. So a jump must be confirmed by a clock that no one
//! on this machine sets: the clock since boot, or the `Date` of a server.

use std::path::Path;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use rustix::time::{ClockId, clock_gettime};

use crate::{Failure, Result};

/// The largest difference from a server's clock that still confirms this one.
const TOLERANCE: TimeDelta = TimeDelta::minutes(5);

/// The largest drift between the two clocks of this machine, over months.
const DRIFT: TimeDelta = TimeDelta::hours(1);

/// The kernel's id of the present boot.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// One moment, by both clocks of this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The wall clock.
    pub now: DateTime<Utc>,
    /// The id of the present boot.
    pub boot: String,
    /// Seconds since that boot, including those in suspend.
    pub uptime_s: i64,
}

impl Moment {
    /// Reads the clocks.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when the id of the boot cannot be read.
    pub fn read() -> Result<Self> {
        let path = Path::new(BOOT_ID);
        let boot = std::fs::read_to_string(path).map_err(|error| Failure::io("cannot read", path, error))?;
        let uptime_s = clock_gettime(ClockId::Boottime).tv_sec;
        Ok(Self { now: Utc::now(), boot: boot.trim().to_owned(), uptime_s })
    }

    /// The UTC day of the wall clock.
    pub fn day(&self) -> NaiveDate {
        self.now.date_naive()
    }
}

/// The clocks as the ledger last recorded them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClockReading {
    /// The latest day that was ever accepted.
    pub high_water: NaiveDate,
    /// When the clocks were last read.
    pub moment: Moment,
}

/// Whether the wall clock is trusted, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It shows the ledger's day.
    Same,
    /// It shows the next day, which becomes the ledger's.
    Forward,
    /// It shows a day far ahead, and as much time has passed since boot.
    ForwardByAge,
    /// It shows a day far ahead, and a server's clock agrees.
    ForwardByDate,
    /// It shows an earlier day. The ledger keeps its own.
    Back,
    /// It shows a day far ahead without confirmation. The ledger keeps its own, and no session may begin.
    Refused,
}

/// Judges the wall clock. `trusted` is the time of a server at `moment`.
pub fn judge(seen: &ClockReading, moment: &Moment, trusted: Option<DateTime<Utc>>) -> Verdict {
    let (today, known) = (moment.day(), seen.high_water);
    if today == known {
        return Verdict::Same;
    }
    if today < known {
        return Verdict::Back;
    }
    if known.succ_opt() == Some(today) {
        return Verdict::Forward;
    }
    let last = &seen.moment;
    let elapsed = TimeDelta::try_seconds(moment.uptime_s.saturating_sub(last.uptime_s));
    let expected = elapsed.and_then(|elapsed| last.now.checked_add_signed(elapsed + DRIFT));
    if last.boot == moment.boot && expected.is_some_and(|expected| today <= expected.date_naive()) {
        return Verdict::ForwardByAge;
    }
    match trusted {
        Some(trusted) if (trusted - moment.now).abs() <= TOLERANCE => Verdict::ForwardByDate,
        _ => Verdict::Refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(now: &str, boot: &str, uptime_s: i64) -> Moment {
        Moment { now: now.parse().unwrap(), boot: boot.into(), uptime_s }
    }

    fn seen() -> ClockReading {
        ClockReading {
            high_water: "2026-05-13".parse().unwrap(),
            moment: moment("2026-05-13T23:50:00Z", "one", 1_000),
        }
    }

    #[test]
    fn the_next_day_needs_no_explanation_and_an_earlier_one_never_counts() {
        for (now, verdict) in [
            ("2026-05-13T00:00:00Z", Verdict::Same),
            ("2026-05-14T23:59:59Z", Verdict::Forward),
            ("2026-05-11T12:00:00Z", Verdict::Back),
            ("2026-05-15T00:00:00Z", Verdict::Refused),
            ("2098-01-01T00:00:00Z", Verdict::Refused),
        ] {
            assert_eq!(judge(&seen(), &moment(now, "one", 1_900), None), verdict, "{now}");
        }
    }

    #[test]
    fn the_time_since_boot_explains_as_much_as_has_passed() {
        let days = |days: i64| 1_000 + days * 24 * 60 * 60;
        let later = |uptime_s| judge(&seen(), &moment("2026-06-08T12:00:00Z", "one", uptime_s), None);
        assert_eq!(later(days(26)), Verdict::ForwardByAge);
        assert_eq!(later(days(23)), Verdict::Refused, "three days more than have passed");
        let after_boot = moment("2026-06-08T12:00:00Z", "two", days(26));
        assert_eq!(judge(&seen(), &after_boot, None), Verdict::Refused, "another boot tells nothing");
    }

    #[test]
    fn a_servers_date_explains_a_jump_only_if_it_agrees_to_five_minutes() {
        let later = moment("2026-06-08T12:00:00Z", "two", 60);
        let with = |date: &str| judge(&seen(), &later, Some(date.parse().unwrap()));
        assert_eq!(with("2026-06-08T12:05:00Z"), Verdict::ForwardByDate);
        assert_eq!(with("2026-06-08T11:54:59Z"), Verdict::Refused);
        assert_eq!(with("2026-05-13T23:51:00Z"), Verdict::Refused);
    }
}
