//! The machine: room on the disk, memory, load, and whether its clock has gone back.

use std::fs;
use std::path::Path;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use shared::alert::Finding;
use shared::time::timestamp;
use shared::{Failure, Kind};

/// Below this share of free room, in percent, a disk is as good as full.
const DISK_PERCENT: u64 = 2;

/// Below this many bytes it is, whatever the share. 100 MiB.
const DISK_BYTES: u64 = 100 * 1024 * 1024;

/// A record so far ahead was written by another clock.
const CLOCK_TOLERANCE: TimeDelta = TimeDelta::minutes(5);

/// The machine. What cannot be seen is none.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Host {
    /// Room on the disk of the state directory, in bytes.
    pub disk_free_bytes: Option<u64>,
    /// Its size, in bytes.
    pub disk_bytes: Option<u64>,
    /// Memory that programs can still have, in KiB.
    pub memory_available_kib: Option<u64>,
    /// All memory, in KiB.
    pub memory_kib: Option<u64>,
    /// The load of the last five minutes: programs that want to run.
    pub load: Option<f64>,
    /// The clock of this machine.
    pub clock: DateTime<Utc>,
}

impl Host {
    /// Looks at the machine; `dir` is on the disk that matters.
    pub fn look(dir: &Path, now: DateTime<Utc>) -> Self {
        // What is not there yet will be on the disk of what is.
        let disk = dir.ancestors().find_map(|dir| rustix::fs::statvfs(dir).ok());
        let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
        let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
        Self {
            disk_free_bytes: disk.as_ref().map(|disk| disk.f_bavail * disk.f_frsize),
            disk_bytes: disk.as_ref().map(|disk| disk.f_blocks * disk.f_frsize),
            memory_available_kib: kib(&memory, "MemAvailable:"),
            memory_kib: kib(&memory, "MemTotal:"),
            load: load.split_whitespace().nth(1).and_then(|word| word.parse().ok()),
            clock: now,
        }
    }

    /// A finding for each part of the machine, good or bad. `newest` is the latest time in the records.
    pub fn findings(&self, dir: &Path, newest: Option<DateTime<Utc>>) -> Vec<Finding> {
        let behind = newest.filter(|newest| *newest > self.clock + CLOCK_TOLERANCE);
        vec![
            finding("disk", self.full_disk(dir)),
            finding("clock", behind.map(|newest| wrong_clock(self.clock, newest))),
        ]
    }

    fn full_disk(&self, dir: &Path) -> Option<Failure> {
        let (free, all) = (self.disk_free_bytes?, self.disk_bytes?);
        let is_full = free < DISK_BYTES || free.saturating_mul(100) < all.saturating_mul(DISK_PERCENT);
        is_full.then(|| {
            let (shown, mib) = (dir.display(), free / (1024 * 1024));
            let text = format!("the disk of {shown} is nearly full: {mib} MiB are left");
            Failure::new(
                Kind::Io,
                text,
                format!("make room: df -h {shown}; du -xh --max-depth=1 / | sort -h | tail"),
            )
        })
    }
}

fn finding(part: &str, failure: Option<Failure>) -> Finding {
    Finding {
        subject: format!("machine.{part}"),
        shown: format!("this machine's {part}"),
        failure,
        failure_key: None,
        credential: None,
    }
}

fn wrong_clock(now: DateTime<Utc>, newest: DateTime<Utc>) -> Failure {
    let text = format!(
        "this machine's clock says {}, but there is a record of {}: one of them is wrong",
        timestamp(now),
        timestamp(newest)
    );
    Failure::new(Kind::Config, text, "set the clock: timedatectl set-ntp true; timedatectl status")
}

fn kib(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIR: &str = "/var/lib/port-jobs";

    fn host(free: u64, all: u64) -> Host {
        let clock = "2026-05-13T12:00:00Z".parse().unwrap();
        Host { disk_free_bytes: Some(free), disk_bytes: Some(all), clock, ..Host::default() }
    }

    fn failing(host: &Host, newest: &str) -> Vec<String> {
        let findings = host.findings(Path::new(DIR), newest.parse().ok());
        findings
            .into_iter()
            .filter(|finding| finding.failure.is_some())
            .map(|finding| finding.subject)
            .collect()
    }

    #[test]
    fn a_full_disk_and_a_clock_that_went_back_are_found() {
        const GIB: u64 = 1024 * 1024 * 1024;
        let on_time = "2026-05-13T11:59:00Z";
        assert_eq!(failing(&host(10 * GIB, 100 * GIB), on_time), [""; 0]);
        assert_eq!(failing(&host(GIB, 100 * GIB), on_time), ["machine.disk"]);
        assert_eq!(failing(&host(DISK_BYTES - 1, GIB), on_time), ["machine.disk"]);
        assert_eq!(failing(&host(10 * GIB, 100 * GIB), "2026-05-13T12:06:00Z"), ["machine.clock"]);
    }

    #[test]
    fn memory_is_read_as_the_kernel_writes_it() {
        assert_eq!(kib("MemTotal:       1004512 kB\nMemAvailable:    52 kB\n", "MemAvailable:"), Some(52));
    }
}
