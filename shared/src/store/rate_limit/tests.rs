use proptest::prelude::*;

use super::*;

const SIZE: u32 = 3;

fn bucket(credential: &str, kind: RequestKind) -> Bucket<'_> {
    Bucket { credential, kind, size: SIZE }
}

fn store() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("state.db")).unwrap();
    (dir, store)
}

fn at(seconds: i64) -> DateTime<Utc> {
    "2026-05-13T12:00:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::seconds(seconds)
}

#[test]
fn a_token_is_free_a_minute_after_it_was_taken_and_not_before() {
    let (_dir, mut store) = store();
    let reads = bucket("port-sheet", RequestKind::Read);
    for second in [0, 10, 20] {
        assert_eq!(store.take(&reads, at(second)).unwrap(), None);
    }
    assert_eq!(store.take(&reads, at(30)).unwrap(), Some(at(61)));
    assert_eq!(store.take(&reads, at(60)).unwrap(), Some(at(61)));
    assert_eq!(store.take(&reads, at(61)).unwrap(), None);
    assert_eq!(store.take(&reads, at(61)).unwrap(), Some(at(71)));
}

#[test]
fn reads_and_writes_and_credentials_have_buckets_of_their_own() {
    let (_dir, mut store) = store();
    for _ in 0..SIZE {
        store.take(&bucket("a", RequestKind::Read), at(0)).unwrap();
    }
    assert!(store.take(&bucket("a", RequestKind::Read), at(0)).unwrap().is_some());
    assert_eq!(store.take(&bucket("a", RequestKind::Write), at(0)).unwrap(), None);
    assert_eq!(store.take(&bucket("b", RequestKind::Read), at(0)).unwrap(), None);
}

#[test]
fn several_tokens_are_due_when_the_last_of_them_is_free() {
    let (_dir, mut store) = store();
    let writes = bucket("a", RequestKind::Write);
    for second in [0, 10] {
        store.take(&writes, at(second)).unwrap();
    }
    assert_eq!(store.due(&writes, 1, at(20)).unwrap(), None);
    assert_eq!(store.due(&writes, 2, at(20)).unwrap(), Some(at(61)));
    assert_eq!(store.due(&writes, 3, at(20)).unwrap(), Some(at(71)));
    assert_eq!(store.due(&writes, 99, at(20)).unwrap(), Some(at(71)), "more than it ever holds");
}

#[test]
fn a_request_that_did_not_wait_delays_those_that_do() {
    let (_dir, mut store) = store();
    let reads = bucket("a", RequestKind::Read);
    for second in [0, 10, 20, 30] {
        store.count_request("a", RequestKind::Read, at(second)).unwrap();
    }
    assert_eq!(store.take(&reads, at(40)).unwrap(), Some(at(71)), "one more than the bucket holds");
    assert_eq!(store.take(&reads, at(71)).unwrap(), None);
}

#[test]
fn an_emptied_bucket_gives_no_token_before_its_time_to_any_process() {
    let (dir, mut store) = store();
    let reads = bucket("a", RequestKind::Read);
    store.empty(&reads, at(16)).unwrap();
    store.empty(&reads, at(8)).unwrap();
    let mut other = Store::open(&dir.path().join("state.db")).unwrap();
    assert_eq!(other.take(&reads, at(9)).unwrap(), Some(at(16)));
    assert_eq!(other.take(&bucket("a", RequestKind::Write), at(9)).unwrap(), None);
    assert_eq!(other.take(&reads, at(16)).unwrap(), None);
}

#[test]
fn a_clock_that_is_set_back_delays_a_request_by_a_minute_at_most() {
    let (_dir, mut store) = store();
    let reads = bucket("a", RequestKind::Read);
    for _ in 0..SIZE {
        store.take(&reads, at(86_400)).unwrap();
    }
    store.empty(&reads, at(86_400 * 365)).unwrap();
    assert_eq!(store.take(&reads, at(0)).unwrap(), Some(at(61)));
    assert_eq!(store.take(&reads, at(30)).unwrap(), Some(at(61)));
    assert_eq!(store.take(&reads, at(61)).unwrap(), None);
}

#[test]
fn processes_that_ask_at_once_get_one_bucketful_between_them() {
    let (dir, _store) = store();
    let path = dir.path().join("state.db");
    let greedy = || {
        let mut store = Store::open(&path).unwrap();
        let ask = |_: &i32| store.take(&bucket("a", RequestKind::Read), at(0)).unwrap().is_none();
        (0..4).filter(ask).count()
    };
    let taken: usize = std::thread::scope(|scope| {
        let asking: Vec<_> = (0..4).map(|_| scope.spawn(greedy)).collect();
        asking.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(taken, SIZE as usize);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// A job that takes a token whenever one is due never takes more than a bucketful in any minute.
    #[test]
    fn no_minute_sees_more_than_a_bucketful(pauses in proptest::collection::vec(0i64..40, 1..30)) {
        let (_dir, mut store) = store();
        let reads = bucket("a", RequestKind::Read);
        let (mut now, mut taken) = (at(0), Vec::new());
        for pause in pauses {
            now += TimeDelta::seconds(pause);
            if let Some(due) = store.take(&reads, now).unwrap() {
                prop_assert!(due > now && due <= now + IN_USE);
                now = due;
                prop_assert_eq!(store.take(&reads, now).unwrap(), None);
            }
            taken.push(now);
        }
        let crowded = taken.windows(SIZE as usize + 1).any(|few| few[SIZE as usize] - few[0] < TimeDelta::minutes(1));
        prop_assert!(!crowded, "{:?}", taken);
    }
}
