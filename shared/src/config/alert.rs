//! `[alert]`: what people hear of jobs and sheets, when, and through which sinks.

use std::time::Duration;

use super::Reader;
use super::reader::count;
use super::sink::{Sink, read_sinks};
use crate::Kind;

/// `[alert]`.
#[derive(Clone, Debug)]
pub struct Alert {
    /// Whether people hear of a failure before it has lasted for `escalate_after` runs.
    pub on_first_failure: bool,
    /// Whether they hear that it is over.
    pub on_recovery: bool,
    /// The failure in a row with which the alert is escalated.
    pub escalate_after: u32,
    /// How often people are reminded of an outage that goes on.
    pub remind_every: Duration,
    /// Whether alerts may quote what is in a source or a sheet.
    pub booking_data: bool,
    /// With which failure in a row the first alert of each kind is sent.
    pub after: Thresholds,
    /// Where alerts go.
    pub sinks: Vec<Sink>,
}

/// `[alert.after]`: the failure in a row, counted from the first, with which a kind is told.
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
    /// What may pass by itself is told with the second failure in a row.
    fn default() -> Self {
        Self { bug: 1, config: 1, credential: 1, io: 1, data: 1, unavailable: 2, busy: 2 }
    }
}

impl Thresholds {
    /// The failure in a row with which this kind is told.
    pub fn of(&self, kind: Kind) -> u32 {
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
        let mut threshold = |key, usual| count(&mut reader, key, 1..=1000).unwrap_or(usual);
        let after = Self {
            bug: threshold("bug", usual.bug),
            config: threshold("config", usual.config),
            credential: threshold("credential", usual.credential),
            io: threshold("io", usual.io),
            data: threshold("data", usual.data),
            unavailable: threshold("unavailable", usual.unavailable),
            busy: threshold("busy", usual.busy),
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
            escalate_after: count(&mut reader, "escalate-after", 1..=1000).unwrap_or(usual.escalate_after),
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
