//! The table of events, in the order in which they happened, each once.
//!
//! `delivered` stays NULL until a sink has taken it.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use rusqlite::{Transaction, params};

use super::{Store, stamp};
use crate::Result;
use crate::alert::event::Event;

pub(super) const SCHEMA: &str = "
    CREATE TABLE event (
        id        INTEGER PRIMARY KEY AUTOINCREMENT,
        at        TEXT NOT NULL,
        subject   TEXT NOT NULL,
        kind      TEXT NOT NULL,
        text      TEXT NOT NULL,
        hint      TEXT NOT NULL,
        once      TEXT UNIQUE,
        delivered TEXT
    ) STRICT;
    CREATE INDEX event_pending ON event (id) WHERE delivered IS NULL;
";

/// Stores events within the transaction that made them true.
pub(super) fn insert(
    transaction: &Transaction<'_>,
    events: &[Event],
    now: DateTime<Utc>,
) -> rusqlite::Result<()> {
    for event in events {
        transaction.execute(
            "INSERT OR IGNORE INTO event (at, subject, kind, text, hint, once) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![stamp(now), event.subject, event.kind.as_str(), event.text, event.hint, event.dedup_key],
        )?;
    }
    Ok(())
}

impl Store {
    /// Stores events; of those with the same mark only the first that any job stored is kept.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when the database cannot be written.
    pub fn record_events(&mut self, events: &[Event], now: DateTime<Utc>) -> Result<()> {
        if events.is_empty() {
            return Ok(());
        }
        self.transaction(|transaction| insert(transaction, events, now))
    }

    /// Gives up the marks that begin like this and that no event of the moment bears: what they were about is over, and if
    /// it comes again it is reported again.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when the database cannot be written.
    pub fn release_dedup_keys(&mut self, prefix: &str, current: &[Event]) -> Result<()> {
        let current: HashSet<&str> = current.iter().filter_map(|event| event.dedup_key.as_deref()).collect();
        self.transaction(|transaction| {
            let mut query =
                transaction.prepare("SELECT id, once FROM event WHERE substr(once, 1, length(?1)) = ?1")?;
            let marks = query.query_map([prefix], |row| Ok((row.get(0)?, row.get(1)?)))?;
            let marks: Vec<(i64, String)> = marks.collect::<rusqlite::Result<_>>()?;
            for (id, _) in marks.iter().filter(|(_, mark)| !current.contains(mark.as_str())) {
                transaction.execute("UPDATE event SET once = NULL WHERE id = ?1", [id])?;
            }
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::event::EventKind;

    #[test]
    fn an_event_with_a_mark_is_kept_once_and_one_without_each_time() {
        let dir = tempfile::tempdir().unwrap();
        let mut store = Store::open(&dir.path().join("state.db")).unwrap();
        let event = |dedup_key: Option<&str>| Event {
            subject: "credential.a".into(),
            kind: EventKind::Forecast,
            text: "text".into(),
            hint: "hint".into(),
            dedup_key: dedup_key.map(str::to_owned),
        };
        let now = "2026-05-13T12:00:00Z".parse().unwrap();
        for _ in 0..2 {
            store.record_events(&[event(Some("week 2026-05-20")), event(None)], now).unwrap();
        }
        let other = [event(Some("week 2026-05-27"))];
        store.release_dedup_keys("week", &other).unwrap();
        store.record_events(&[event(Some("month"))], now).unwrap();
        store.release_dedup_keys("week", &[event(Some("week 2026-05-20"))]).unwrap();
        store.record_events(&[event(Some("week 2026-05-20"))], now).unwrap();
        store.release_dedup_keys("week", &[event(Some("week 2026-05-20"))]).unwrap();
        store.record_events(&[event(Some("week 2026-05-20"))], now).unwrap();
        let count = "SELECT count(*), count(once), count(delivered) FROM event";
        let counts: (i64, i64, i64) =
            store.connection.query_row(count, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
        assert_eq!(counts, (5, 2, 0), "what was over is told again, once");
    }
}
