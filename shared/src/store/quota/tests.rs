use std::collections::BTreeMap;
use std::time::Duration;

use chrono::TimeDelta;
use serde_json::json;

use super::*;
use crate::config::Quota;
use crate::quota::{Moment, Verdict};
use crate::store::Store;

const LEASE: Duration = Duration::from_secs(120);

/// A ledger with one quota of five sessions a day, two at once, and a clock that tests move.
struct Ledger {
    _dir: tempfile::TempDir,
    store: Store,
    moment: Moment,
}

impl Ledger {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("state.db")).unwrap();
        let moment =
            Moment { now: "2026-05-13T20:00:00Z".parse().unwrap(), boot: "one".into(), uptime_s: 1_000 };
        let mut ledger = Self { _dir: dir, store, moment };
        assert_eq!(ledger.turn().verdict, Verdict::Forward);
        ledger
    }

    fn turn(&mut self) -> Turn {
        let quota = Quota { per_day: 5, turns: 30, concurrency: 2 };
        let quotas = BTreeMap::from([("agents".to_owned(), quota)]);
        self.store.turn_day(&quotas, &self.moment, None, "run").unwrap()
    }

    /// Lets time pass on both clocks.
    fn pass(&mut self, time: TimeDelta) {
        self.moment.now += time;
        self.moment.uptime_s += time.num_seconds();
    }

    fn add(&mut self, ids: &[&str]) {
        for id in ids {
            assert!(self.store.add_task("agents", id, &json!({"id": id}), self.moment.now).unwrap());
        }
    }

    fn release(&mut self) -> Vec<(String, u32)> {
        let released = self.store.release("agents", &self.moment, "run").unwrap();
        released.into_iter().map(|release| (release.task, release.attempt)).collect()
    }

    fn claim(&mut self, task: &str, attempt: u32) -> ClaimOutcome {
        self.store.claim(&Claim { task, attempt, runner: "runner", lease: LEASE }, &self.moment).unwrap()
    }

    fn grant(&mut self, task: &str, attempt: u32) -> Grant {
        match self.claim(task, attempt) {
            ClaimOutcome::Granted(grant) => grant,
            refused => panic!("{task}: {refused:?}"),
        }
    }

    fn finish(&mut self, task: &str, attempt: u32, outcome: SessionOutcome) -> Finished {
        let ending = SessionEnding { outcome, turns: Some(7), summary: "said", max_resumes: 1 };
        let claim = Claim { task, attempt, runner: "runner", lease: LEASE };
        self.store.finish(&claim, &ending, self.moment.now).unwrap()
    }

    fn run(&mut self, task: &str, attempt: u32, outcome: SessionOutcome) -> Finished {
        self.grant(task, attempt);
        self.finish(task, attempt, outcome)
    }

    fn state(&mut self, id: &str) -> String {
        let tasks = self.store.tasks("agents").unwrap();
        tasks.into_iter().find(|task| task.id == id).unwrap().state
    }

    fn events(&mut self) -> Vec<String> {
        let mut query =
            self.store.connection.prepare("SELECT kind || ' ' || subject FROM event ORDER BY id").unwrap();
        query.query_map([], |row| row.get(0)).unwrap().map(|row| row.unwrap()).collect()
    }

    /// What the database says to a program that breaks a rule.
    fn refused(&self, sql: &str) -> String {
        self.store.connection.execute_batch(sql).unwrap_err().to_string()
    }
}

#[test]
fn five_sessions_begin_and_what_waits_is_held_and_released_once_after_midnight() {
    let mut ledger = Ledger::new();
    ledger.add(&["a", "b", "c", "d", "e", "f", "g", "h"]);
    let released = ledger.release();
    assert_eq!(released.len(), 5, "no more than the day allows");
    assert_eq!(ledger.release(), [], "once");
    for (task, attempt) in released {
        assert_eq!(ledger.run(&task, attempt, SessionOutcome::Done), Finished::Task("done"));
    }
    assert_eq!(ledger.release(), []);
    assert_eq!(["f", "g", "h"].map(|task| ledger.state(task)), ["held"; 3]);
    assert_eq!(ledger.events(), ["notice quota.agents"]);
    ledger.pass(TimeDelta::hours(5));
    assert_eq!(ledger.release(), [("f".into(), 1), ("g".into(), 1), ("h".into(), 1)]);
    assert_eq!(ledger.release(), []);
    for task in ["f", "g", "h"] {
        ledger.run(task, 1, SessionOutcome::Done);
    }
    let standing = ledger.store.quota_status("agents").unwrap().unwrap();
    assert_eq!(
        (standing.day.to_string().as_str(), standing.used, standing.left, standing.held),
        ("2026-05-14", 3, 2, 0)
    );
}

#[test]
fn the_database_itself_refuses_a_sixth_session_a_second_run_and_a_forgotten_one() {
    let mut ledger = Ledger::new();
    ledger.add(&["a", "b", "c", "d", "e", "f"]);
    for (task, attempt) in ledger.release() {
        ledger.run(&task, attempt, SessionOutcome::Done);
    }
    let insert = |values: &str| {
        format!(
            "INSERT INTO quota_session (quota, day, seq, cap, task, attempt, runner, turn_cap, started) VALUES ({values})"
        )
    };
    let force = "UPDATE quota_task SET state = 'ready' WHERE id = 'f';";
    let sixth = |day: &str, seq: u32, cap: u32, task: &str| {
        insert(&format!("'agents', '{day}', {seq}, {cap}, '{task}', 1, 'python', 30, 'now'"))
    };
    let noted = "INSERT INTO quota_step (at, from_day, to_day, why, run) VALUES ('', '2026-05-01', '2026-05-01', 'repair', '');";
    for (sql, said) in [
        (format!("{force}{}", sixth("2026-05-13", 6, 5, "f")), "quota_spent"),
        (sixth("2026-05-13", 6, 6, "f"), "cap and turn_cap are those of the quota"),
        (sixth("2026-05-14", 1, 5, "f"), "a session counts for the day of the ledger"),
        (sixth("2026-05-13", 5, 5, "f"), "UNIQUE"),
        (sixth("2026-05-13", 6, 5, "g"), "a session runs what was released"),
        ("DELETE FROM quota_session".into(), "a session stays counted"),
        ("DELETE FROM quota_release".into(), "a release stays logged"),
        ("UPDATE quota_session SET turns = 1".into(), "a session that has ended"),
        ("UPDATE quota_task SET state = 'ready' WHERE id = 'a'".into(), "only a waiting task is released"),
        ("UPDATE quota_clock SET high_water = '2026-05-12'".into(), "the day steps only to the next one"),
        ("UPDATE quota_clock SET high_water = '2026-05-15'".into(), "the day steps only to the next one"),
        ("UPDATE quota SET since = '2026-05-32'".into(), "CHECK"),
        ("UPDATE quota_release SET day = '2026-05-12'".into(), "a release stays as it was"),
        (format!("{noted} DELETE FROM quota_step"), "a step of the day stays recorded"),
        ("UPDATE quota_step SET person = 'another'".into(), "a step of the day stays as it was"),
    ] {
        let refused = ledger.refused(&sql);
        assert!(refused.contains(said), "{sql}: {refused}");
    }
}

#[test]
fn no_more_sessions_run_at_once_than_may_and_nobody_claims_what_is_claimed() {
    let mut ledger = Ledger::new();
    ledger.add(&["a", "b", "c"]);
    ledger.release();
    assert_eq!(ledger.grant("a", 1).seq, 1);
    assert_eq!(ledger.claim("a", 1), ClaimOutcome::NotReady);
    assert_eq!(ledger.grant("b", 1).seq, 2);
    assert_eq!(ledger.claim("c", 1), ClaimOutcome::Concurrency);
    ledger.finish("a", 1, SessionOutcome::Done);
    assert_eq!(ledger.grant("c", 1).seq, 3);
}

#[test]
fn a_turn_limit_is_resumed_before_others_and_then_needs_a_person() {
    let mut ledger = Ledger::new();
    ledger.add(&["a", "b"]);
    ledger.release();
    assert_eq!(ledger.run("a", 1, SessionOutcome::TurnLimit), Finished::Task("turn-limit"));
    assert_eq!(ledger.release(), [("a".into(), 2)]);
    assert_eq!(ledger.store.next_ready("agents").unwrap().unwrap().0, "a", "before b, which has waited");
    assert_eq!(ledger.run("a", 2, SessionOutcome::TurnLimit), Finished::Task("needs-you"));
    assert_eq!(ledger.events(), ["needs-you task.a"]);
    assert_eq!(ledger.store.retry("a", ledger.moment.now).unwrap(), TaskState::Changed);
    assert_eq!(ledger.release(), [("a".into(), 3)]);
}

#[test]
fn a_dead_runners_claim_is_taken_back_after_its_lease_and_its_session_stays_counted() {
    let mut ledger = Ledger::new();
    ledger.add(&["a"]);
    for attempt in 1..=3 {
        ledger.release();
        ledger.grant("a", attempt);
        // A step of the wall clock ends no lease.
        ledger.moment.now += TimeDelta::minutes(60);
        assert_eq!(ledger.store.reclaim(&ledger.moment).unwrap(), []);
        ledger.pass(TimeDelta::seconds(121));
        assert_eq!(ledger.store.reclaim(&ledger.moment).unwrap().len(), 1);
        assert_eq!(ledger.finish("a", attempt, SessionOutcome::Done), Finished::TakenBack);
    }
    assert_eq!(ledger.state("a"), "failed", "a task that kills three runners is not tried for ever");
    assert_eq!(ledger.events(), ["escalated task.a"]);
    assert_eq!(ledger.store.quota_status("agents").unwrap().unwrap().used, 3);
}

#[test]
fn all_missed_days_are_closed_once_and_sealed_when_their_last_session_ends() {
    let mut ledger = Ledger::new();
    ledger.add(&["a"]);
    ledger.release();
    ledger.grant("a", 1);
    ledger.pass(TimeDelta::days(26));
    assert_eq!(ledger.turn().verdict, Verdict::ForwardByAge);
    let closed = ledger.store.close_days("agents", &ledger.moment, "run").unwrap();
    assert_eq!(closed.len(), 26);
    assert_eq!((closed[0].sessions, closed[0].sealed), (1, None), "its session still runs");
    assert!(closed[1..].iter().all(|day| day.sessions == 0 && day.sealed.is_some()));
    assert_eq!(ledger.store.close_days("agents", &ledger.moment, "run").unwrap(), []);
    ledger.finish("a", 1, SessionOutcome::Done);
    let sealed = ledger.store.close_days("agents", &ledger.moment, "run").unwrap();
    assert_eq!((sealed.len(), sealed[0].day.to_string().as_str(), sealed[0].turns), (1, "2026-05-13", 7));
}

#[test]
fn a_poisoned_day_stops_everything_until_a_person_repairs_it() {
    let mut ledger = Ledger::new();
    ledger.add(&["a"]);
    let right = ledger.moment.clone();
    ledger.moment.now = "2098-01-01T00:00:00Z".parse().unwrap();
    assert_eq!(ledger.turn().verdict, Verdict::Refused);
    assert_eq!(ledger.release(), []);
    // Somebody vouches for it, wrongly.
    let to = ledger.moment.day();
    assert_eq!(ledger.store.repair_day(to, &ledger.moment, "wrong", Some("me")).unwrap(), right.day());
    ledger.store.close_days("agents", &ledger.moment, "run").unwrap();
    ledger.moment = right.clone();
    assert_eq!(ledger.turn().verdict, Verdict::Back);
    ledger.store.repair_day(right.day(), &right, "right", Some("me")).unwrap();
    assert_eq!((ledger.turn().verdict, ledger.release()), (Verdict::Same, vec![("a".into(), 1)]));
    ledger.run("a", 1, SessionOutcome::Done);
    ledger.pass(TimeDelta::days(1));
    let closed = ledger.store.close_days("agents", &ledger.moment, "run").unwrap();
    assert_eq!(
        (closed.len(), closed[0].sessions),
        (1, 1),
        "the days that were closed too early are open again"
    );
}

#[test]
fn the_dashboards_list_never_undoes_what_is_known_here() {
    let mut ledger = Ledger::new();
    let listed = |generation| Listed { id: "a".into(), generation, body: json!({}) };
    let now = ledger.moment.now;
    let offer =
        |store: &mut Store, list: &[Listed]| store.offer("agents", list, "url", Some("mark"), now).unwrap();
    assert_eq!(offer(&mut ledger.store, &[listed(0)]), 1);
    assert_eq!(ledger.release().len(), 1);
    assert_eq!(offer(&mut ledger.store, &[]), 0);
    assert_eq!(ledger.store.next_ready("agents").unwrap(), None, "not listed, so not run");
    offer(&mut ledger.store, &[listed(0)]);
    assert!(ledger.store.next_ready("agents").unwrap().is_some());
    ledger.run("a", 1, SessionOutcome::Done);
    offer(&mut ledger.store, &[listed(0)]);
    assert_eq!(ledger.state("a"), "done", "a list from before the report does not run it again");
    offer(&mut ledger.store, &[listed(1)]);
    assert_eq!(ledger.release(), [("a".into(), 2)], "a greater generation does");
    assert_eq!(ledger.store.etag("url").unwrap().as_deref(), Some("mark"));
    offer(&mut ledger.store, &[]);
    assert_eq!(ledger.store.etag("another").unwrap(), None, "a mark is that of one list");
    ledger.store.withdraw("a").unwrap();
    assert_eq!(ledger.store.etag("url").unwrap(), None);
    let keys: Vec<String> = ledger.store.unsent(0, 9).unwrap().into_iter().map(|post| post.key).collect();
    assert_eq!(keys, ["release:a:1", "report:a:1:runner", "release:a:2"]);
}

#[test]
fn a_waiting_task_of_a_newer_generation_is_run_once_for_it() {
    let mut ledger = Ledger::new();
    let now = ledger.moment.now;
    let listed = |generation| [Listed { id: "a".into(), generation, body: json!({"g": generation}) }];
    let offer = |ledger: &mut Ledger, generation| {
        ledger.store.offer("agents", &listed(generation), "list", None, now).unwrap();
    };
    offer(&mut ledger, 0);
    ledger.release();
    offer(&mut ledger, 1);
    assert_eq!(ledger.grant("a", 1).body, r#"{"g":1}"#);
    ledger.finish("a", 1, SessionOutcome::Done);
    offer(&mut ledger, 1);
    assert_eq!(ledger.release(), [], "it is the generation that has run");
    offer(&mut ledger, 2);
    assert_eq!(ledger.release(), [("a".into(), 2)]);
}

#[test]
fn a_task_of_the_dashboards_that_is_retried_or_taken_back_waits_until_it_is_listed() {
    let mut ledger = Ledger::new();
    let now = ledger.moment.now;
    let listed = [Listed { id: "a".into(), generation: 0, body: json!({}) }];
    let list = |ledger: &mut Ledger| {
        ledger.store.offer("agents", &listed, "list", Some("mark"), now).unwrap();
    };
    list(&mut ledger);
    ledger.release();
    ledger.run("a", 1, SessionOutcome::Failed);
    assert_eq!(ledger.store.retry("a", now).unwrap(), TaskState::Unlisted);
    assert_eq!(ledger.release(), []);
    assert_eq!(
        ledger.store.etag("list").unwrap(),
        None,
        "the next list is taken over whatever it looks like"
    );
    list(&mut ledger);
    assert_eq!(ledger.release(), [("a".into(), 2)]);
    assert_eq!(ledger.run("a", 2, SessionOutcome::Lost), Finished::Task("pending"));
    assert_eq!(ledger.release(), []);
    list(&mut ledger);
    assert_eq!(ledger.release(), [("a".into(), 3)]);
    let keys: Vec<String> = ledger.store.unsent(0, 9).unwrap().into_iter().map(|post| post.key).collect();
    let told = ["release:a:1", "report:a:1:runner", "release:a:2", "release:a:3"];
    assert_eq!(keys, told, "what is somebody else's now is not reported");
}

#[test]
fn people_hear_of_a_day_that_closed_with_tasks_held_whoever_releases_them_first() {
    let mut ledger = Ledger::new();
    ledger.add(&["a", "b", "c", "d", "e", "f"]);
    for (task, attempt) in ledger.release() {
        ledger.run(&task, attempt, SessionOutcome::Done);
    }
    ledger.release();
    ledger.pass(TimeDelta::hours(5));
    assert_eq!(ledger.release(), [("f".into(), 1)]);
    ledger.store.close_days("agents", &ledger.moment, "run").unwrap();
    assert_eq!(ledger.events(), ["notice quota.agents", "warning quota.agents"]);
    ledger.pass(TimeDelta::days(1));
    ledger.turn();
    ledger.store.close_days("agents", &ledger.moment, "run").unwrap();
    assert_eq!(ledger.events().len(), 2, "nothing was held on the next");
}

#[test]
fn many_tasks_are_held_a_part_at_a_time_and_none_is_forgotten() {
    let mut ledger = Ledger::new();
    ledger.add(&["a", "b", "c", "d", "e"]);
    for (task, attempt) in ledger.release() {
        ledger.run(&task, attempt, SessionOutcome::Done);
    }
    let many = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 12000)
        INSERT INTO quota_task (id, quota, source, body, state, created, changed)
        SELECT 'T-' || i, 'agents', 'local', '{}', 'pending', 'now', 'now' FROM n";
    ledger.store.connection.execute_batch(many).unwrap();
    for (held, pending) in [(5_000, 7_000), (10_000, 2_000), (12_000, 0)] {
        ledger.release();
        let standing = ledger.store.quota_status("agents").unwrap().unwrap();
        assert_eq!((standing.held, standing.pending), (held, pending));
    }
    let told = "SELECT text FROM event WHERE kind = 'notice'";
    let told: String = ledger.store.connection.query_row(told, [], |row| row.get(0)).unwrap();
    assert!(told.contains("12000 tasks wait"), "{told}");
}

#[test]
fn a_day_is_archived_with_the_cap_that_its_sessions_had() {
    let mut ledger = Ledger::new();
    ledger.add(&["a"]);
    ledger.release();
    ledger.run("a", 1, SessionOutcome::Done);
    ledger.pass(TimeDelta::days(1));
    ledger.turn();
    ledger.pass(TimeDelta::days(1));
    ledger.turn();
    ledger.store.connection.execute("UPDATE quota SET per_day = 1", []).unwrap();
    let closed = ledger.store.close_days("agents", &ledger.moment, "run").unwrap();
    assert_eq!(closed.iter().map(|day| day.per_day).collect::<Vec<_>>(), [5, 1]);
}
