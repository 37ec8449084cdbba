//! Sinks, and which of them has taken which event.
//!
//! An event waits for each sink on its own, so that one that fails keeps no other waiting, and none gets it twice.

use chrono::{DateTime, Utc};
use rusqlite::{Row, Transaction, params};

use super::{Store, stamp, time};
use crate::Result;
use crate::alert::message::Notification;

/// How a sink, or the monitor, has taken what it was sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct SinkState {
    /// Its name.
    pub name: String,
    /// When it last took something.
    pub last_ok: Option<DateTime<Utc>>,
    /// Since when it takes nothing.
    pub failing_since: Option<DateTime<Utc>>,
    /// Failures in a row.
    pub failures: u32,
    /// The last failure.
    pub error: Option<String>,
}

impl Store {
    /// Makes sinks known. One that is new is sent what happens from now on.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when the database cannot be written.
    pub fn register_sinks<'a>(&mut self, names: impl Iterator<Item = &'a str>) -> Result<()> {
        self.transaction(|transaction| {
            for name in names {
                transaction.execute(
                    "INSERT OR IGNORE INTO sink (name, after) SELECT ?1, coalesce(max(id), 0) FROM event",
                    params![name],
                )?;
            }
            Ok(())
        })
    }

    /// What a sink has not taken yet, oldest first.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when the database cannot be read.
    pub fn pending(&mut self, sink: &str) -> Result<Vec<Notification>> {
        self.transaction(|transaction| {
            let mut query = transaction.prepare(
                "SELECT id, at, subject, kind, text, hint FROM event
                 WHERE id > (SELECT after FROM sink WHERE name = ?1)
                   AND NOT EXISTS (SELECT 1 FROM delivery WHERE event = event.id AND sink = ?1)
                 ORDER BY id",
            )?;
            query.query_map(params![sink], notification)?.collect()
        })
    }

    /// Notes that a sink took events at once, and of each whether it was the last of `sinks` to do so.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when the database cannot be written.
    pub fn delivered(
        &mut self,
        events: &[i64],
        sink: &str,
        sinks: &[&str],
        now: DateTime<Utc>,
    ) -> Result<()> {
        self.transaction(|transaction| {
            events.iter().try_for_each(|event| took(transaction, *event, sink, sinks, now))
        })?;
        self.record_delivery(sink, Ok(()), now)
    }

    /// Notes whether a sink, or the monitor, took what it was sent.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when the database cannot be written.
    pub fn record_delivery(&mut self, name: &str, taken: Result<(), &str>, now: DateTime<Utc>) -> Result<()> {
        self.register_sinks(std::iter::once(name))?;
        let (set, error) = match taken {
            Ok(()) => ("last_ok = ?2, failing_since = NULL, failures = 0, error = ?3", None),
            Err(error) => {
                let set = "failing_since = coalesce(failing_since, ?2), failures = failures + 1, error = ?3";
                (set, Some(error))
            }
        };
        self.transaction(|transaction| {
            let update = format!("UPDATE sink SET {set} WHERE name = ?1");
            transaction.execute(&update, params![name, stamp(now), error]).map(drop)
        })
    }

    /// The state of each sink that was ever used.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when the database cannot be read.
    pub fn sinks(&mut self) -> Result<Vec<SinkState>> {
        self.transaction(|transaction| {
            let mut query = transaction
                .prepare("SELECT name, last_ok, failing_since, failures, error FROM sink ORDER BY name")?;
            query.query_map([], sink_state)?.collect()
        })
    }
}

fn took(
    transaction: &Transaction<'_>,
    event: i64,
    sink: &str,
    sinks: &[&str],
    now: DateTime<Utc>,
) -> rusqlite::Result<()> {
    let insert = "INSERT OR IGNORE INTO delivery (event, sink, at) VALUES (?1, ?2, ?3)";
    transaction.execute(insert, params![event, sink, stamp(now)])?;
    let mut query = transaction.prepare("SELECT sink FROM delivery WHERE event = ?1")?;
    let took: Vec<String> =
        query.query_map(params![event], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    if sinks.iter().all(|sink| took.iter().any(|took| took == sink)) {
        let update = "UPDATE event SET delivered = ?2 WHERE id = ?1";
        transaction.execute(update, params![event, stamp(now)])?;
    }
    Ok(())
}

fn sink_state(row: &Row<'_>) -> rusqlite::Result<SinkState> {
    Ok(SinkState {
        name: row.get(0)?,
        last_ok: time(row, 1)?,
        failing_since: time(row, 2)?,
        failures: row.get(3)?,
        error: row.get(4)?,
    })
}

fn notification(row: &Row<'_>) -> rusqlite::Result<Notification> {
    Ok(Notification {
        id: row.get(0)?,
        at: time(row, 1)?.unwrap_or_default(),
        subject: row.get(2)?,
        kind: row.get(3)?,
        text: row.get(4)?,
        hint: row.get(5)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::Finding;
    use crate::config::Alert;
    use crate::{Failure, Kind};

    fn now() -> DateTime<Utc> {
        "2026-05-13T12:00:00Z".parse().unwrap()
    }

    fn store() -> (tempfile::TempDir, Store) {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("state.db")).unwrap();
        (dir, store)
    }

    fn failing(name: &str) -> Finding {
        Finding::new("sheet", name, Some(Failure::new(Kind::Config, "words", "hint")))
    }

    fn ids(store: &mut Store, sink: &str) -> Vec<i64> {
        store.pending(sink).unwrap().iter().map(|notification| notification.id).collect()
    }

    #[test]
    fn an_event_waits_for_each_sink_until_that_one_has_taken_it() {
        let (_dir, mut store) = store();
        store.register_sinks(["a", "b"].into_iter()).unwrap();
        store.record_findings(&[failing("x"), failing("y")], &Alert::default(), now()).unwrap();
        assert_eq!(ids(&mut store, "a"), [1, 2]);
        store.delivered(&[1], "a", &["a", "b"], now()).unwrap();
        store.record_delivery("b", Err("refused"), now()).unwrap();
        assert_eq!((ids(&mut store, "a"), ids(&mut store, "b")), (vec![2], vec![1, 2]));
        let states = store.sinks().unwrap();
        assert_eq!((states[0].failures, states[1].failures), (0, 1));
        let delivered = "SELECT count(delivered) FROM event";
        let count =
            |store: &Store| -> i64 { store.connection.query_row(delivered, [], |row| row.get(0)).unwrap() };
        assert_eq!(count(&store), 0);
        store.delivered(&[1], "b", &["a", "b"], now()).unwrap();
        assert_eq!(count(&store), 1);
    }

    #[test]
    fn an_old_event_goes_only_when_every_sink_has_taken_it() {
        let (_dir, mut store) = store();
        store.register_sinks(["a", "b"].into_iter()).unwrap();
        store.record_findings(&[failing("x"), failing("y")], &Alert::default(), now()).unwrap();
        store.delivered(&[1, 2], "a", &["a", "b"], now()).unwrap();
        store.delivered(&[1], "b", &["a", "b"], now()).unwrap();
        store.forget_old_events(now() + chrono::TimeDelta::days(100)).unwrap();
        assert_eq!(ids(&mut store, "b"), [2]);
        let count: i64 =
            store.connection.query_row("SELECT count(*) FROM event", [], |row| row.get(0)).unwrap();
        assert_eq!(count, 1);
    }

    #[test]
    fn a_new_sink_is_spared_the_past() {
        let (_dir, mut store) = store();
        store.record_findings(&[failing("x")], &Alert::default(), now()).unwrap();
        store.register_sinks(["a"].into_iter()).unwrap();
        store.record_findings(&[failing("y")], &Alert::default(), now()).unwrap();
        assert_eq!(ids(&mut store, "a"), [2]);
    }
}
