//! The stand-in's clock: the machine's, moved by as much as a test asked for. Nothing else here reads the time.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

/// A clock that runs on from wherever it was set.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Clock {
    offset_ms: i64,
}

impl Clock {
    pub(crate) fn now(&self) -> DateTime<Utc> {
        let real = Utc::now();
        real.checked_add_signed(TimeDelta::milliseconds(self.offset_ms)).unwrap_or(real)
    }

    /// Seconds since 1970, which is what tokens and quotas count in.
    pub(crate) fn seconds(&self) -> i64 {
        self.now().timestamp()
    }

    pub(crate) fn set(&mut self, now: DateTime<Utc>) {
        self.offset_ms = (now - Utc::now()).num_milliseconds();
    }

    pub(crate) fn advance(&mut self, seconds: i64) {
        self.offset_ms = self.offset_ms.saturating_add(seconds.saturating_mul(1000));
    }
}

/// A time as Drive writes it.
pub(crate) fn rfc3339_ms(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// A time as the `Date` header writes it.
pub(crate) fn http_date(time: DateTime<Utc>) -> String {
    time.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}
