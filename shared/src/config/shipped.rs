//! The executables as they are shipped: their names, their schedules, their limits. Tests hold this against the timers, the
//! crontab and the executables themselves.

use std::time::Duration;

/// An executable as it is shipped.
#[derive(Clone, Copy, Debug)]
pub struct Shipped {
    /// Its name, which a `[job.NAME]` table may have: a misspelt one would be a setting that nobody obeys.
    pub name: &'static str,
    /// How often the shipped schedules start it; none for one that people start.
    pub every: Option<Duration>,
    /// How long a run may take.
    pub deadline: Duration,
    /// Whether one run at a time may be under way, which its lock sees to.
    pub is_alone: bool,
}

/// Every executable, by name.
pub const SHIPPED: [Shipped; 6] = [
    Shipped { name: "job-status", every: Some(minutes(10)), deadline: minutes(2), is_alone: true },
    Shipped { name: "port-sheet-sync", every: Some(minutes(30)), deadline: minutes(25), is_alone: true },
    Shipped { name: "quota-reset", every: Some(minutes(15)), deadline: minutes(10), is_alone: true },
    Shipped { name: "session-run", every: Some(minutes(1)), deadline: minutes(65), is_alone: false },
    Shipped { name: "token-check", every: Some(minutes(5)), deadline: minutes(30), is_alone: true },
    Shipped { name: "token-login", every: None, deadline: minutes(10), is_alone: true },
];

const fn minutes(number: u64) -> Duration {
    Duration::from_secs(number * 60)
}
