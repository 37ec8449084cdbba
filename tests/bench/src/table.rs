//! The table that the bench prints, and whether its targets are met.

use std::fmt;
use std::time::Duration;

use crate::MIB;
use crate::trial::Run;

/// What a run may take at most.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limit {
    pub(crate) requests: u64,
    pub(crate) writes: u64,
    pub(crate) mib: u64,
}

impl Limit {
    /// Only to be looked at.
    pub(crate) const NONE: Self = Self { requests: u64::MAX, writes: u64::MAX, mib: u64::MAX };
}

/// The rows so far.
#[derive(Debug, Default)]
pub(crate) struct Table {
    rows: Vec<[String; 7]>,
    missed: bool,
}

impl Table {
    /// A run of ours.
    pub(crate) fn ours(&mut self, what: &str, run: &Run, limit: Limit) {
        let asked = run.asked;
        let is_met = asked.reads + asked.writes <= limit.requests
            && asked.writes <= limit.writes
            && run.cost.peak <= limit.mib * MIB;
        let verdict = match limit.mib {
            u64::MAX => String::new(),
            mib => format!(
                "{}: at most {} requests, {mib} MiB",
                if is_met { "met" } else { "MISSED" },
                limit.requests
            ),
        };
        self.missed |= limit.mib != u64::MAX && !is_met;
        self.row(&format!("ours: {what}"), run, verdict);
    }

    /// A run of a peer's.
    pub(crate) fn peer(&mut self, what: &str, run: &Run) {
        self.row(what, run, String::new());
    }

    /// The floor, and a run that is held against it.
    pub(crate) fn floor(&mut self, floor: &Run, run: &Run) {
        let times = run.cost.cpu.as_secs_f64() / floor.cost.cpu.as_secs_f64();
        let told = format!("the full read took {times:.2} times its CPU; the goal is 1.5");
        self.row("floor of a full-read no-op: parse and digest, nothing else", floor, told);
    }

    /// A line without numbers.
    pub(crate) fn note(&mut self, text: &str) {
        self.rows.push([text, "", "", "", "", "", ""].map(str::to_owned));
    }

    /// Whether no target was missed.
    pub(crate) fn is_met(&self) -> bool {
        !self.missed
    }

    fn row(&mut self, what: &str, run: &Run, verdict: String) {
        let seconds = |time: Duration| format!("{:.3}", time.as_secs_f64());
        self.rows.push([
            what.to_owned(),
            format!("{} + {}", run.asked.reads, run.asked.writes),
            mib(run.asked.sent),
            mib(run.cost.peak),
            seconds(run.cost.cpu),
            seconds(run.cost.wall),
            verdict,
        ]);
    }
}

#[expect(clippy::cast_precision_loss, reason = "a tenth of a mebibyte is shown")]
fn mib(bytes: u64) -> String {
    format!("{:.1}", bytes as f64 / MIB as f64)
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| work | reads + writes | MiB sent | peak MiB | CPU s | wall s | target |")?;
        writeln!(f, "|---|---|---|---|---|---|---|")?;
        self.rows.iter().try_for_each(|row| writeln!(f, "| {} |", row.join(" | ")))
    }
}
