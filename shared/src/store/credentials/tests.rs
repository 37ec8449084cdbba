use super::*;
use crate::credential::health::GrantInfo;
use crate::credential::token_error::TokenError;
use crate::credential::token_error::TokenErrorClass;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn seen(fingerprint: &str) -> Fingerprint {
    Fingerprint { hash: fingerprint.into(), kind: "authorized_user" }
}

fn attempt<'a>(fingerprint: &str, outcome: TokenOutcome<'a>) -> Attempt<'a> {
    let (credential, job) = ("port-sheet", "a-job");
    Attempt { credential, job, purpose: Purpose::Work, seen: seen(fingerprint), outcome, hint: "hint" }
}

fn dead() -> TokenError {
    TokenError { is_reauth: true, ..TokenError::new(TokenErrorClass::Dead, "invalid_grant") }
}

struct World {
    dir: tempfile::TempDir,
    store: Store,
}

fn world() -> World {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("state.db")).unwrap();
    World { dir, store }
}

impl World {
    fn record(&mut self, attempt: &Attempt<'_>, now: &str) -> Health {
        self.store.record(attempt, &TokenCheckEntry::default(), at(now)).unwrap()
    }

    fn kinds(&self) -> Vec<String> {
        let mut query = self.store.connection.prepare("SELECT kind FROM event ORDER BY id").unwrap();
        query.query_map([], |row| row.get(0)).unwrap().map(|kind| kind.unwrap()).collect()
    }
}

#[test]
fn what_is_recorded_is_read_back_whole() {
    let mut world = world();
    let good = GrantInfo {
        rotated: Some("b".into()),
        scopes: Some(vec!["x".into(), "y".into()]),
        ends: Some(at("2026-08-01T00:00:00Z")),
    };
    let history = world.record(&attempt("a", TokenOutcome::Granted(good)), "2026-05-13T12:00:00.123Z");
    assert_eq!(world.store.history("port-sheet").unwrap(), Some(history));
    let failed = world.record(&attempt("b", TokenOutcome::Failed(&dead())), "2026-05-13T12:30:00Z");
    assert_eq!(world.store.history("port-sheet").unwrap().as_ref(), Some(&failed));
    assert_eq!((failed.failures, failed.reauths, failed.obtained), (1, 1, at("2026-05-13T12:00:00.123Z")));
    assert_eq!(world.store.history("another").unwrap(), None);
}

#[test]
fn an_outage_blocks_the_job_and_its_end_gives_the_waiting_jobs_out_once() {
    let mut world = world();
    world.record(&attempt("a", TokenOutcome::Failed(&dead())), "2026-05-13T12:00:00Z");
    world.record(&attempt("a", TokenOutcome::NotAsked), "2026-05-13T12:30:00Z");
    let waiting = [Blocked { job: "a-job".into(), since: at("2026-05-13T12:00:00Z") }];
    assert_eq!(world.store.blocked("port-sheet").unwrap(), waiting);
    assert_eq!(world.store.recovery("port-sheet").unwrap(), None, "not before it works");
    let probe = Attempt {
        purpose: Purpose::Probe,
        job: "another",
        ..attempt("b", TokenOutcome::Granted(GrantInfo::default()))
    };
    world.record(&probe, "2026-05-13T13:00:00Z");
    for _ in 0..2 {
        let recovery = world.store.recovery("port-sheet").unwrap().unwrap();
        assert_eq!(recovery.waiting, waiting, "until it is ended");
    }
    let recovery = world.store.recovery("port-sheet").unwrap().unwrap();
    world.store.end_recovery("port-sheet", &recovery).unwrap();
    assert_eq!(world.store.recovery("port-sheet").unwrap(), None);
    assert_eq!(world.store.blocked("port-sheet").unwrap(), []);
    assert_eq!(world.kinds(), ["first-failure", "active-recovery", "recovered"]);
}

#[test]
fn a_job_that_is_given_a_token_itself_no_longer_waits() {
    let mut world = world();
    world.record(&attempt("a", TokenOutcome::Failed(&dead())), "2026-05-13T12:00:00Z");
    world.record(&attempt("b", TokenOutcome::Granted(GrantInfo::default())), "2026-05-13T13:00:00Z");
    assert_eq!(world.store.recovery("port-sheet").unwrap().unwrap().waiting, []);
}

#[test]
fn who_waits_for_the_next_outage_is_not_forgotten_with_the_last() {
    let mut world = world();
    world.record(&attempt("a", TokenOutcome::Failed(&dead())), "2026-05-13T12:00:00Z");
    let probe = Attempt {
        purpose: Purpose::Probe,
        job: "another",
        ..attempt("b", TokenOutcome::Granted(GrantInfo::default()))
    };
    world.record(&probe, "2026-05-13T13:00:00Z");
    let recovery = world.store.recovery("port-sheet").unwrap().unwrap();
    world.record(&attempt("b", TokenOutcome::Failed(&dead())), "2026-05-13T13:00:01Z");
    world.store.end_recovery("port-sheet", &recovery).unwrap();
    assert_eq!(world.store.blocked("port-sheet").unwrap().len(), 1);
    assert_eq!(world.store.recovery("port-sheet").unwrap(), None, "not before it works again");
}

#[test]
fn a_new_file_is_a_login_and_an_old_one_put_back_is_as_old_as_it_is() {
    let mut world = world();
    for (fingerprint, now, obtained) in [
        ("a", "2026-05-13T12:00:00Z", "2026-05-13T12:00:00Z"),
        ("b", "2026-05-14T12:00:00Z", "2026-05-14T12:00:00Z"),
        ("a", "2026-05-15T12:00:00Z", "2026-05-13T12:00:00Z"),
    ] {
        let history = world.record(&attempt(fingerprint, TokenOutcome::Granted(GrantInfo::default())), now);
        assert_eq!(history.obtained, at(obtained), "{now}");
    }
    assert_eq!(world.store.logins("port-sheet").unwrap().len(), 2);
}

#[test]
fn refreshes_are_counted_and_old_ones_dropped() {
    let mut world = world();
    for now in
        ["2026-01-01T12:00:00Z", "2026-05-13T11:00:00Z", "2026-05-13T11:30:00Z", "2026-05-13T12:00:00Z"]
    {
        world.record(&attempt("a", TokenOutcome::Granted(GrantInfo::default())), now);
    }
    world.record(&attempt("a", TokenOutcome::NotAsked), "2026-05-13T12:01:00Z");
    let mut count = |now| world.store.refreshes_in_hour("port-sheet", at(now)).unwrap();
    assert_eq!(count("2026-05-13T12:00:00Z"), (2, Some(at("2026-05-13T11:30:00Z"))));
    assert_eq!(count("2026-05-13T11:10:00Z").0, 1, "what a clock that was ahead recorded does not count");
}

#[test]
fn several_processes_at_once_tell_an_outage_once() {
    let world = world();
    let path = world.dir.path().join("state.db");
    let threads: Vec<_> = (0..8)
        .map(|_| {
            let path = path.clone();
            std::thread::spawn(move || {
                let mut store = Store::open(&path).unwrap();
                let now = at("2026-05-13T12:00:00Z");
                store
                    .record(&attempt("a", TokenOutcome::Failed(&dead())), &TokenCheckEntry::default(), now)
                    .unwrap();
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(world.kinds(), ["first-failure", "active-recovery", "escalated"]);
}

#[test]
fn a_database_of_the_first_version_is_brought_up_to_date_with_its_runs() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state.db");
    crate::sys::atomic_file::open_private(&path).unwrap();
    let old = rusqlite::Connection::open(&path).unwrap();
    old.execute_batch(super::super::runs::SCHEMA).unwrap();
    old.execute_batch(
        "INSERT INTO run (run, job, pid, started, outcome) VALUES ('1', 'j', 1, 't', 'ok'); PRAGMA user_version = 1",
    )
    .unwrap();
    drop(old);
    let mut store = Store::open(&path).unwrap();
    assert_eq!(store.version().unwrap(), super::super::SCHEMA_VERSION);
    assert_eq!(store.history("port-sheet").unwrap(), None);
    let runs: i64 = store.connection.query_row("SELECT count(*) FROM run", [], |row| row.get(0)).unwrap();
    assert_eq!(runs, 1);
}

#[test]
fn a_look_at_a_file_that_was_rotated_meanwhile_is_no_login() {
    let mut world = world();
    let good = |rotated: &str| {
        TokenOutcome::Granted(GrantInfo { rotated: Some(rotated.into()), ..GrantInfo::default() })
    };
    world.record(&attempt("a", good("b")), "2026-05-13T12:00:00Z");
    let history = world.record(&attempt("b", good("c")), "2026-05-14T12:00:00Z");
    let late = world.record(&attempt("b", TokenOutcome::NotAsked), "2026-05-14T12:00:00.005Z");
    assert_eq!(late, history);
    assert_eq!(world.store.logins("port-sheet").unwrap().len(), 1);
}
