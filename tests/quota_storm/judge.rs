//! What must be true after the storm.

use std::collections::BTreeSet;
use std::path::Path;

use chrono::TimeDelta;
use rusqlite::Connection;

use crate::worker::{self, PER_DAY};

/// Judges the ledger, against itself and against what the processes noted. Returns what happened, in words.
pub fn judge(dir: &Path) -> String {
    end(dir);
    let ledger = Connection::open(dir.join("state.db")).unwrap();
    let check: String = ledger.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(check, "ok");
    let number = |query: &str| -> i64 { ledger.query_row(query, [], |row| row.get(0)).unwrap() };
    let none = |query: &str, what: &str| assert_eq!(number(query), 0, "{what}");
    let most = number("SELECT max(n) FROM (SELECT count(*) AS n FROM quota_session GROUP BY day)");
    assert_eq!(most, i64::from(PER_DAY), "the cap is reached and never passed");
    none(
        "SELECT count(*) FROM quota_session WHERE (task, attempt) NOT IN (SELECT task, attempt FROM quota_release)",
        "a session without a release",
    );
    none(
        "SELECT count(*) FROM (SELECT 1 FROM quota_session GROUP BY task, attempt HAVING count(*) > 1)",
        "a release that was run twice",
    );
    none(
        "SELECT count(*) FROM quota_task WHERE attempt <> (SELECT count(*) FROM quota_release WHERE task = id)",
        "an attempt that is not logged once",
    );
    none("SELECT count(*) FROM quota_task WHERE state = 'claimed'", "a stuck lease");
    none(
        "SELECT count(*) FROM quota_day WHERE sealed IS NULL OR sessions <> (SELECT count(*) FROM quota_session AS s WHERE s.day = quota_day.day)
            OR turns <> (SELECT coalesce(sum(turns), 0) FROM quota_session AS s WHERE s.day = quota_day.day)",
        "an archive that is not its sessions",
    );
    none(
        "SELECT count(*) FROM quota_session WHERE day < (SELECT high_water FROM quota_clock) AND day NOT IN (SELECT day FROM quota_day)",
        "a past day that is open",
    );
    none(
        "SELECT CAST(count(*) - 1 - (julianday(max(day)) - julianday(min(day))) AS INTEGER) FROM quota_day",
        "a day that was missed",
    );
    archive(dir, &ledger);
    let given = distinct(dir, "released", 2);
    let ran = distinct(dir, "ran", 2);
    assert!(ran.len() > 100 && given.len() >= ran.len() / 2, "{} released, {} run", given.len(), ran.len());
    distinct_places(dir);
    let steps = number("SELECT count(*) FROM quota_step");
    assert!(steps > 0, "the gap was crossed with an explanation");
    format!(
        "{} sessions on {} days, {steps} explained steps",
        number("SELECT count(*) FROM quota_session"),
        number("SELECT count(*) FROM quota_day")
    )
}

/// What `quota-reset` exports of the ledger: a line for each sealed day, equal to its sessions.
fn archive(dir: &Path, ledger: &Connection) {
    let tables = format!("[quota.storm]\nper-day = {PER_DAY}\nconcurrency = 3");
    let world = support::World::of(env!("CARGO_BIN_EXE_quota-reset")).tables(&tables).build();
    std::fs::create_dir_all(world.state()).unwrap();
    std::fs::copy(dir.join("state.db"), world.state().join("state.db")).unwrap();
    let query = |text: &str| {
        let mut query = ledger.prepare(text).unwrap();
        query.query_map([], |row| row.get::<_, String>(0)).unwrap().map(Result::unwrap).collect::<Vec<_>>()
    };
    let today = query("SELECT high_water FROM quota_clock");
    world.process(&[]).at(&format!("{} 23:00:00", today[0])).run().exit(0);
    let text = world.read_text(&world.state().join("archive/storm-2026.jsonl"));
    let lines = text.lines().map(|line| {
        let day: serde_json::Value = serde_json::from_str(line).unwrap();
        format!("{} {} {}", day["day"].as_str().unwrap(), day["sessions"], day["turns"])
    });
    let sessions =
        "SELECT day || ' ' || count(*) || ' ' || sum(coalesce(turns, 0)) FROM quota_session GROUP BY day";
    let (exported, idle): (Vec<String>, Vec<String>) = lines.partition(|line| !line.ends_with(" 0 0"));
    assert_eq!(exported, query(sessions), "exported days are not the sessions");
    assert_eq!(
        (exported.len() + idle.len()).to_string(),
        query("SELECT CAST(count(*) AS TEXT) FROM quota_day")[0]
    );
}

/// Lets the leases of the killed run out, and closes the last day.
fn end(dir: &Path) {
    let mut store = worker::open(dir);
    let mut moment = worker::moment(dir, TimeDelta::zero());
    for _ in 0..2 {
        moment.now += TimeDelta::days(1);
        moment.uptime_s += 24 * 60 * 60;
        store.turn_day(&worker::quotas(), &moment, Some(moment.now), "judge").unwrap();
        store.reclaim(&moment).unwrap();
        store.close_days("storm", &moment, "judge").unwrap();
    }
}

/// The lines of a note by their first words, each of which must be there once.
fn distinct(dir: &Path, name: &str, words: usize) -> BTreeSet<String> {
    let text = std::fs::read_to_string(dir.join(name)).unwrap();
    let mut seen = BTreeSet::new();
    for line in text.lines() {
        let key = line.split(' ').take(words).collect::<Vec<_>>().join(" ");
        assert!(seen.insert(key), "{name} twice: {line}");
    }
    seen
}

/// No two processes were given the same session of a day.
fn distinct_places(dir: &Path) {
    let text = std::fs::read_to_string(dir.join("ran")).unwrap();
    let mut seen = BTreeSet::new();
    for line in text.lines() {
        let place: Vec<&str> = line.split(' ').skip(2).collect();
        assert!(seen.insert(place), "one session for two: {line}");
    }
}
