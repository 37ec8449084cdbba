//! `[alert]`: when an alert about a job or a sheet is sent, and through which sinks.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::Reader;
use super::reader::count;
use super::sink::{Sink, read_sinks};
use crate::Kind;

/// How many failures in a row may be asked for.
const LIMITS: RangeInclusive<u32> = 1..=1000;

/// The settings of `[alert]`.
#[derive(Clone, Debug)]
pub struct Alert {
    /// Whether a failure is reported before it has lasted for `escalate_after` runs.
    pub on_first_failure: bool,
    /// Whether the end of an outage is reported.
    pub on_recovery: bool,
    /// The number of failures in a row after which the alert is escalated.
    pub escalate_after: u32,
    /// The time between two reminders of an outage that continues.
    pub remind_every: Duration,
    /// Whether alerts may quote values of a source or a sheet.
    pub booking_data: bool,
    /// After how many failures in a row the first alert is sent, by kind.
    pub after: Thresholds,
    /// Where alerts are sent.
    pub sinks: Vec<Sink>,
}

/// `[alert.after]`: after how many failures in a row the first alert is sent, by kind of failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thresholds {
    bug: u32,
    config: u32,
    credential: u32,
    io: u32,
    data: u32,
    unavailable: u32,
    busy: u32,
}

impl Default for Alert {
    fn default() -> Self {
        Self {
            on_first_failure: true,
            on_recovery: true,
            escalate_after: 3,
            remind_every: Duration::from_secs(6 * 60 * 60),
            booking_data: false,
            after: Thresholds::default(),
            sinks: Vec::new(),
        }
    }
}

impl Default for Thresholds {
    /// A failure that may pass by itself is reported only when it happens twice in a row.
    fn default() -> Self {
        Self { bug: 1, config: 1, credential: 1, io: 1, data: 1, unavailable: 2, busy: 2 }
    }
}

impl Thresholds {
    /// After how many failures of this kind in a row the first alert is sent.
    pub fn for_kind(&self, kind: Kind) -> u32 {
        match kind {
            Kind::Bug | Kind::Usage => self.bug,
            Kind::Config => self.config,
            Kind::Credential => self.credential,
            Kind::Io => self.io,
            Kind::Data => self.data,
            Kind::Unavailable => self.unavailable,
            Kind::Busy => self.busy,
        }
    }

    fn read(mut reader: Reader<'_>) -> Self {
        let usual = Self::default();
        let after = Self {
            bug: count(&mut reader, "bug", LIMITS).unwrap_or(usual.bug),
            config: count(&mut reader, "config", LIMITS).unwrap_or(usual.config),
            credential: count(&mut reader, "credential", LIMITS).unwrap_or(usual.credential),
            io: count(&mut reader, "io", LIMITS).unwrap_or(usual.io),
            data: count(&mut reader, "data", LIMITS).unwrap_or(usual.data),
            unavailable: count(&mut reader, "unavailable", LIMITS).unwrap_or(usual.unavailable),
            busy: count(&mut reader, "busy", LIMITS).unwrap_or(usual.busy),
        };
        reader.finish();
        after
    }
}

impl Alert {
    pub(super) fn read(mut reader: Reader<'_>) -> Self {
        let usual = Self::default();
        let after = reader.table("after").unwrap_or_default();
        let after = Thresholds::read(reader.nested("after", after));
        let alert = Self {
            on_first_failure: reader.flag("on-first-failure").unwrap_or(usual.on_first_failure),
            on_recovery: reader.flag("on-recovery").unwrap_or(usual.on_recovery),
            escalate_after: count(&mut reader, "escalate-after", LIMITS).unwrap_or(usual.escalate_after),
            remind_every: reader.duration("remind-every").unwrap_or(usual.remind_every),
            booking_data: reader.flag("booking-data").unwrap_or(usual.booking_data),
            after,
            sinks: read_sinks(&mut reader),
        };
        if alert.remind_every < Duration::from_secs(60) {
            reader.problem("remind-every", "must be at least 1m");
        }
        reader.finish();
        alert
    }
}
