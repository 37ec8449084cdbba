//! One process of the storm: random operations on the ledger, until it is killed.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::json;
use shared::config::Quota;
use shared::quota::{Moment, Verdict};
use shared::store::{Claim, ClaimOutcome, SessionEnding, SessionOutcome, Store};

/// The most sessions of a day.
pub const PER_DAY: u32 = 5;

/// The length of a lease, in simulated time.
const LEASE: Duration = Duration::from_secs(4 * 60 * 60);

/// The gap in which nothing runs, and the simulated hours before it.
const GAP: TimeDelta = TimeDelta::days(26);
const BEFORE_GAP: u64 = 20 * 48;

const OUTCOMES: [SessionOutcome; 4] =
    [SessionOutcome::Done, SessionOutcome::Failed, SessionOutcome::TurnLimit, SessionOutcome::NeedsYou];

/// The quota of the storm.
pub fn quotas() -> BTreeMap<String, Quota> {
    BTreeMap::from([("storm".to_owned(), Quota { per_day: PER_DAY, turns: 30, concurrency: 3 })])
}

pub fn open(dir: &Path) -> Store {
    Store::open(&dir.join("state.db")).unwrap()
}

/// Makes the ledger.
pub fn prepare(dir: &Path) {
    open(dir).turn_day(&quotas(), &moment(dir, TimeDelta::zero()), None, "storm").unwrap();
}

/// How many operations were done.
pub fn operations(dir: &Path) -> u64 {
    dir.join("operations").metadata().map_or(0, |metadata| metadata.len())
}

/// A moment whose wall clock is off by so much. The clock since boot is right.
pub fn moment(dir: &Path, off: TimeDelta) -> Moment {
    let ticks = dir.join("clock").metadata().map_or(0, |metadata| metadata.len());
    let passed = TimeDelta::minutes(30 * i64::try_from(ticks).unwrap());
    let gap = if ticks >= BEFORE_GAP { GAP } else { TimeDelta::zero() };
    let start: DateTime<Utc> = "2026-05-13T12:00:00Z".parse().unwrap();
    Moment { now: start + passed + gap + off, boot: "storm".into(), uptime_s: (passed + gap).num_seconds() }
}

struct Worker<'a> {
    dir: &'a Path,
    name: String,
    random: StdRng,
    store: Store,
    /// What this process has claimed and not ended.
    claimed: Vec<(String, u32)>,
}

/// Works until it is killed.
pub fn run(dir: &Path, seed: u64) {
    let random = StdRng::seed_from_u64(seed);
    let mut worker =
        Worker { dir, name: format!("worker-{seed}"), random, store: open(dir), claimed: Vec::new() };
    let mut done = append(dir, "operations");
    let mut clock = append(dir, "clock");
    loop {
        worker.operate();
        done.write_all(b".").unwrap();
        if worker.random.random_ratio(1, 8) {
            clock.write_all(b".").unwrap();
        }
    }
}

fn append(dir: &Path, name: &str) -> File {
    OpenOptions::new().append(true).create(true).open(dir.join(name)).unwrap()
}

impl Worker<'_> {
    fn operate(&mut self) {
        // Most clocks are right; some are two days back, some one ahead.
        let off = match self.random.random_range(0..20) {
            0 => TimeDelta::days(-2),
            1 => TimeDelta::days(1),
            _ => TimeDelta::zero(),
        };
        let moment = moment(self.dir, off);
        match self.random.random_range(0..100) {
            0..15 => self.add(&moment),
            15..30 => self.reset(&moment),
            30..45 => self.release(&moment),
            45..75 => self.grant(&moment),
            75..95 => self.finish(&moment),
            _ => drop(self.store.reclaim(&moment).unwrap()),
        }
    }

    fn add(&mut self, moment: &Moment) {
        let id = format!("T-{}", self.random.random_range(0..100_000_u32));
        self.store.add_task("storm", &id, &json!({}), moment.now).unwrap();
    }

    /// As `quota-reset` does: the day, with a trusted time where the ledger asks for one; then closing and releasing.
    fn reset(&mut self, moment: &Moment) {
        let turn = self.store.turn_day(&quotas(), moment, None, &self.name).unwrap();
        if turn.verdict == Verdict::Refused {
            let trusted = self::moment(self.dir, TimeDelta::zero()).now;
            self.store.turn_day(&quotas(), moment, Some(trusted), &self.name).unwrap();
        }
        self.store.close_days("storm", moment, &self.name).unwrap();
        self.release(moment);
    }

    fn release(&mut self, moment: &Moment) {
        for release in self.store.release("storm", moment, &self.name).unwrap() {
            self.note("released", &format!("{} {}", release.task, release.attempt));
        }
        if self.random.random_ratio(1, 4) {
            self.retry(moment);
        }
    }

    /// People take up again what failed.
    fn retry(&mut self, moment: &Moment) {
        let tasks = self.store.tasks("storm").unwrap();
        let ended = tasks.iter().find(|task| matches!(task.state.as_str(), "failed" | "needs-you"));
        if let Some(task) = ended {
            self.store.retry(&task.id, moment.now).unwrap();
        }
    }

    fn grant(&mut self, moment: &Moment) {
        let Some((task, attempt, _)) = self.store.next_ready("storm").unwrap() else { return };
        let claim = Claim { task: &task, attempt, runner: &self.name, lease: LEASE };
        if let ClaimOutcome::Granted(grant) = self.store.claim(&claim, moment).unwrap() {
            self.note("ran", &format!("{task} {attempt} {} {}", grant.day, grant.seq));
            self.claimed.push((task, attempt));
        }
    }

    fn finish(&mut self, moment: &Moment) {
        if self.claimed.is_empty() {
            return;
        }
        let (task, attempt) = self.claimed.swap_remove(self.random.random_range(0..self.claimed.len()));
        let claim = Claim { task: &task, attempt, runner: &self.name, lease: LEASE };
        if self.random.random_ratio(1, 4) {
            self.store.heartbeat(&claim, moment).unwrap();
        }
        let outcome = OUTCOMES[self.random.random_range(0..OUTCOMES.len())];
        let turns = Some(self.random.random_range(0..=30));
        let ending = SessionEnding { outcome, turns, summary: "storm", max_resumes: 2 };
        self.store.finish(&claim, &ending, moment.now).unwrap();
    }

    /// What was given, outside of the ledger, a line at a time.
    fn note(&self, name: &str, line: &str) {
        append(self.dir, name).write_all(format!("{line}\n").as_bytes()).unwrap();
    }
}
