//! The state of a job, from its records and its lock. Pure.
//!
//! Two clocks are judged: when it last ran, and when it last did its work.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use shared::store::{RunRecord, RunSummary};
use shared::time::{duration_text, timestamp};
use shared::{Failure, Kind};

/// A record of a run that has no lock yet is at most so old.
const BEGINNING: TimeDelta = TimeDelta::seconds(30);

/// The state of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It ran and did its work in time.
    Fresh,
    /// It did not run, or did not do its work, for too long.
    Late,
    /// Its last run failed.
    Failing,
    /// Its last run started and never ended.
    Died,
    /// It runs past its deadline and holds its lock.
    Hung,
    /// It never ran.
    NeverRan,
    /// The records cannot be read.
    Unknown,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Fresh, Self::Late, Self::Failing, Self::Died, Self::Hung, Self::NeverRan, Self::Unknown];

    /// Its word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fresh => "fresh",
            Self::Late => "late",
            Self::Failing => "failing",
            Self::Died => "died",
            Self::Hung => "hung",
            Self::NeverRan => "never-ran",
            Self::Unknown => "unknown",
        }
    }
}

/// What is known of a job.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// The executable.
    pub job: &'a str,
    /// Its runs, oldest first.
    pub records: &'a [RunRecord],
    /// Its clocks.
    pub past: RunSummary,
    /// Whether a process holds its lock.
    pub is_locked: bool,
    /// Whether it takes a lock. Without a lock it cannot be seen whether it still runs.
    pub is_alone: bool,
    /// How often it is to run.
    pub every: Duration,
    /// How long a run may take.
    pub deadline: Duration,
    /// What to type to have it started again.
    pub start: &'a str,
}

/// Its state, and what is wrong.
pub fn judge(seen: &Seen<'_>, now: DateTime<Utc>) -> (State, Option<Failure>) {
    let found = seen
        .never_ran()
        .or_else(|| seen.hung(now))
        .or_else(|| seen.died(now))
        .or_else(|| seen.failing())
        .or_else(|| seen.late(now))
        .or_else(|| seen.idle(now));
    found.map_or((State::Fresh, None), |(state, failure)| (state, Some(failure)))
}

/// A state that is not well.
type Found = Option<(State, Failure)>;

impl Seen<'_> {
    fn every(&self) -> TimeDelta {
        TimeDelta::from_std(self.every).unwrap_or(TimeDelta::MAX)
    }

    fn wrong(&self, state: State, kind: Kind, text: &str, hint: &str) -> Found {
        Some((state, Failure::new(kind, text, hint).within(format_args!("job {:?}", self.job))))
    }

    /// Until when its clocks are judged: a run that is under way has its deadline's time to do its work, during which no
    /// other may begin.
    fn until(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        let under_way = self.records.last().filter(|record| record.outcome == "running");
        under_way.map_or(now, |record| record.started)
    }

    fn never_ran(&self) -> Found {
        if !self.records.is_empty() || self.past.last_success.is_some() {
            return None;
        }
        let text = format!("it never ran; it is expected every {}", duration_text(self.every()));
        self.wrong(State::NeverRan, Kind::Unavailable, &text, self.start)
    }

    /// A run is past its deadline and holds the lock. Later runs may have found the lock taken.
    fn hung(&self, now: DateTime<Utc>) -> Found {
        let last = self.records.iter().rev().find(|record| record.outcome != "skipped")?;
        let begun = Some(last).filter(|record| record.outcome == "running")?.started;
        let deadline = TimeDelta::from_std(self.deadline).unwrap_or(TimeDelta::MAX);
        if !self.is_locked || now - begun <= deadline + BEGINNING {
            return None;
        }
        let text = format!("it runs since {}, past its deadline, and still holds its lock", timestamp(begun));
        let unit = format!("{}.service", self.job);
        let hint = format!("see what it does: journalctl -u {unit} -n 20; end it: systemctl kill {unit}");
        self.wrong(State::Hung, Kind::Busy, &text, &hint)
    }

    fn died(&self, now: DateTime<Utc>) -> Found {
        let last = self.records.last().filter(|record| record.outcome == "running")?;
        let deadline = TimeDelta::from_std(self.deadline).unwrap_or(TimeDelta::MAX);
        let time = if self.is_alone { BEGINNING } else { deadline + BEGINNING };
        if self.is_locked || now - last.started <= time {
            return None;
        }
        let text = format!(
            "its run of {} never ended: it was killed, or the machine went down",
            timestamp(last.started)
        );
        let since = last.started.format("%F %T UTC");
        let hint = format!(
            "nothing if the next run is well; see: journalctl -u {}.service --since '{since}'",
            self.job
        );
        self.wrong(State::Died, Kind::Unavailable, &text, &hint)
    }

    fn failing(&self) -> Found {
        let failed = self.records.iter().rev().find(|record| record.outcome != "running")?;
        let times = self.past.failures;
        // One run that met another is no failure yet.
        if times == 0 || (times == 1 && failed.outcome != "failed") {
            return None;
        }
        let kind = failed.exit.map_or(Kind::Bug, Kind::from_exit_code);
        let message = failed.message.as_deref().unwrap_or("it failed");
        let before =
            if times > 1 { format!("{times} runs in a row failed, the last one: ") } else { String::new() };
        let fallback = format!("see why: {} -v", self.job);
        let hint = failed.hint.as_deref().unwrap_or(&fallback);
        self.wrong(State::Failing, kind, &format!("{before}{message}"), hint)
    }

    fn late(&self, now: DateTime<Utc>) -> Found {
        let last = self.records.last()?.started;
        if self.until(now) - last <= self.every() * 3 / 2 {
            return None;
        }
        let (ago, every) = (duration_text(now - last), duration_text(self.every()));
        let text = format!("it last ran {ago} ago, at {}; it is expected every {every}", timestamp(last));
        self.wrong(State::Late, Kind::Unavailable, &text, self.start)
    }

    /// It runs, and does not do its work; or has not run for longer than is looked back.
    fn idle(&self, now: DateTime<Utc>) -> Found {
        let success = self.past.last_success.filter(|at| self.until(now) - *at > self.every() * 5 / 2)?;
        let text =
            format!("it last did its work {} ago, at {}", duration_text(now - success), timestamp(success));
        let see = format!("see why: {} -v", self.job);
        let hint = if self.records.is_empty() { self.start } else { &see };
        self.wrong(State::Late, Kind::Unavailable, &text, hint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HALF_HOUR: Duration = Duration::from_secs(30 * 60);

    fn now() -> DateTime<Utc> {
        "2026-05-13T12:00:00Z".parse().unwrap()
    }

    fn record(minutes_ago: i64, outcome: &str, exit: Option<u8>) -> RunRecord {
        let started = now() - TimeDelta::minutes(minutes_ago);
        let finished = exit.map(|_| started + TimeDelta::seconds(2));
        let message = exit.filter(|exit| *exit > 0).map(|_| "words".to_owned());
        RunRecord { started, finished, outcome: outcome.into(), exit, message, hint: None, rows: 0 }
    }

    /// A job with these runs, whose clocks follow from them.
    fn seen(records: &[RunRecord], is_locked: bool) -> Seen<'_> {
        let success = records.iter().rposition(|record| record.outcome == "ok");
        let later = &records[success.map_or(0, |index| index + 1)..];
        let failures = later.iter().filter(|record| record.outcome != "running").count();
        let last_success = success.and_then(|index| records[index].finished);
        let past = RunSummary { last_success, last_change: None, failures: u32::try_from(failures).unwrap() };
        Seen {
            job: "j",
            records,
            past,
            is_locked,
            is_alone: true,
            every: HALF_HOUR,
            deadline: HALF_HOUR,
            start: "start it",
        }
    }

    fn state(records: &[RunRecord], is_locked: bool) -> (State, Option<u8>) {
        let (state, failure) = judge(&seen(records, is_locked), now());
        assert_eq!(state == State::Fresh, failure.is_none());
        (state, failure.map(|failure| failure.kind.exit_code()))
    }

    #[test]
    fn each_way_to_stand_is_told_apart() {
        let ok = |ago| record(ago, "ok", Some(0));
        let failed = |ago, exit| record(ago, "failed", Some(exit));
        let skipped = |ago| record(ago, "skipped", Some(75));
        let running = |ago| record(ago, "running", None);
        let cases = [
            (vec![], false, State::NeverRan, Some(69)),
            (vec![ok(44)], false, State::Fresh, None),
            (vec![ok(46)], false, State::Late, Some(69)),
            (vec![ok(31), running(1)], true, State::Fresh, None),
            (vec![ok(60), running(29)], true, State::Fresh, None),
            (vec![ok(86), running(10)], true, State::Late, Some(69)),
            (vec![ok(40), failed(10, 77)], false, State::Failing, Some(77)),
            (vec![ok(100), failed(40, 65), ok(10)], false, State::Fresh, None),
            (vec![ok(31), running(1)], false, State::Died, Some(69)),
            (vec![ok(60), running(30), ok(1)], false, State::Fresh, None),
            (vec![ok(90), running(61), skipped(31), skipped(1)], true, State::Hung, Some(75)),
            // A dry run holds the lock, and has no record here.
            (vec![ok(90), running(60), ok(1)], true, State::Fresh, None),
            (vec![ok(31), skipped(1)], true, State::Fresh, None),
            (vec![ok(61), skipped(31), skipped(1)], true, State::Failing, Some(75)),
        ];
        for (records, is_locked, expected, exit) in cases {
            assert_eq!(state(&records, is_locked), (expected, exit), "{records:#?}");
        }
    }

    #[test]
    fn a_job_that_has_not_run_for_longer_than_is_looked_back_is_late_and_did_run_once() {
        let mut seen = seen(&[], false);
        seen.past.last_success = Some(now() - TimeDelta::days(40));
        let (state, failure) = judge(&seen, now());
        let failure = failure.unwrap();
        assert_eq!((state, failure.hint.as_str()), (State::Late, "start it"));
        assert!(failure.message.contains("it last did its work 40 days ago"), "{failure}");
    }

    #[test]
    fn a_job_of_many_runs_at_once_is_fresh_while_one_is_under_way_and_dead_past_its_deadline() {
        for (minutes, expected) in [(29, State::Fresh), (31, State::Died)] {
            let records = [record(minutes + 1, "ok", Some(0)), record(minutes, "running", None)];
            let every = Duration::from_secs(60);
            let seen = Seen { every, is_alone: false, ..seen(&records, false) };
            assert_eq!(judge(&seen, now()).0, expected, "{minutes}");
        }
    }

    #[test]
    fn a_run_that_has_just_begun_and_has_no_lock_yet_is_not_dead() {
        let mut beginning = record(0, "running", None);
        beginning.started = now() - TimeDelta::seconds(5);
        assert_eq!(state(&[record(30, "ok", Some(0)), beginning], false).0, State::Fresh);
    }
}
