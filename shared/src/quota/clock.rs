//! Which day the ledger is in, when the machine's clock may have been stepped.
//!
//! Pure but for [`Moment::read`]. The wall clock alone explains nothing: one that jumped looks as if the last run were
//! long ago. So a jump needs a witness that nobody steps: the clock that counts since boot, or a server's `Date`.

use std::path::Path;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use rustix::time::{ClockId, clock_gettime};

use crate::{Failure, Result};

/// How far a server's clock may be from this one and still vouch for it.
const TOLERANCE: TimeDelta = TimeDelta::minutes(5);

/// How far apart the two clocks of this machine may drift between two looks, months apart.
const DRIFT: TimeDelta = TimeDelta::hours(1);

/// Where the kernel tells one boot from another.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// A moment by both clocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The wall clock.
    pub now: DateTime<Utc>,
    /// Which boot of the machine this is.
    pub boot: String,
    /// Seconds since that boot, suspended ones included.
    pub uptime_s: i64,
}

impl Moment {
    /// Reads the clocks.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when the kernel does not tell its boot.
    pub fn read() -> Result<Self> {
        let path = Path::new(BOOT_ID);
        let boot = std::fs::read_to_string(path).map_err(|error| Failure::io("cannot read", path, error))?;
        let uptime_s = clock_gettime(ClockId::Boottime).tv_sec;
        Ok(Self { now: Utc::now(), boot: boot.trim().to_owned(), uptime_s })
    }

    /// Its UTC day.
    pub fn day(&self) -> NaiveDate {
        self.now.date_naive()
    }
}

/// The clocks as the ledger saw them last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The latest day that was ever accepted.
    pub high_water: NaiveDate,
    /// The moment of the last look.
    pub moment: Moment,
}

/// What the clock is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It shows the ledger's day.
    Same,
    /// It shows a later day, which is taken over.
    Forward,
    /// It shows a day far ahead, and the time since boot says that so long has passed.
    ForwardByAge,
    /// It shows a day far ahead, and a server's clock agrees.
    ForwardByDate,
    /// It shows an earlier day. The ledger's stands.
    Back,
    /// It shows a day far ahead, and nothing explains it. The ledger's stands, and nothing may be done on it.
    Refused,
}

/// Judges the clock. `trusted` is what a server said that the time is, asked at `moment`.
pub fn judge(seen: &Seen, moment: &Moment, trusted: Option<DateTime<Utc>>) -> Verdict {
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

    fn seen() -> Seen {
        Seen {
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
