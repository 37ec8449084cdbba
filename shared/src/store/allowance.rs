//! How much of each quota is used, day by day, and how many tasks wait: read from the ledger of sessions, where there is
//! one. Nothing is written here.

use rusqlite::{Row, Transaction, params};

use super::Store;
use crate::Result;

/// How many days are read.
const DAYS: u32 = 30;

/// One quota.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Allowance {
    /// Its name.
    pub quota: String,
    /// Sessions that a day may have.
    pub per_day: u32,
    /// Sessions of the ledger's day that have begun.
    pub used: u32,
    /// Tasks that wait for a session.
    pub waiting: u32,
    /// Tasks that wait for a person.
    pub needs_you: u32,
    /// The last days that are over, the latest first.
    pub days: Vec<AllowanceDay>,
}

/// One day of a quota.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct AllowanceDay {
    /// The UTC day.
    pub day: String,
    /// Sessions that it had.
    pub sessions: u32,
    /// Sessions that it might have had.
    pub per_day: u32,
}

impl Store {
    /// Every quota; none without a ledger.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when the database cannot be read.
    pub fn allowances(&mut self) -> Result<Vec<Allowance>> {
        self.transaction(|transaction| {
            let exists = "SELECT count(*) = 4 FROM sqlite_schema WHERE type = 'table'
                 AND name IN ('quota', 'quota_clock', 'quota_task', 'quota_session')";
            if !transaction.query_row(exists, [], |row| row.get::<_, bool>(0))? {
                return Ok(Vec::new());
            }
            let mut query = transaction.prepare(
                "SELECT name, per_day,
                   (SELECT count(*) FROM quota_session WHERE quota = name
                      AND day = (SELECT high_water FROM quota_clock)),
                   (SELECT count(*) FROM quota_task WHERE quota = name
                      AND state IN ('pending', 'held', 'ready', 'turn-limit')),
                   (SELECT count(*) FROM quota_task WHERE quota = name AND state = 'needs-you')
                 FROM quota ORDER BY name",
            )?;
            let quotas: Vec<Allowance> = query.query_map([], allowance)?.collect::<rusqlite::Result<_>>()?;
            quotas
                .into_iter()
                .map(|quota| Ok(Allowance { days: days(transaction, &quota.quota)?, ..quota }))
                .collect()
        })
    }
}

fn allowance(row: &Row<'_>) -> rusqlite::Result<Allowance> {
    Ok(Allowance {
        quota: row.get(0)?,
        per_day: row.get(1)?,
        used: row.get(2)?,
        waiting: row.get(3)?,
        needs_you: row.get(4)?,
        days: Vec::new(),
    })
}

/// Counted from the sessions themselves, so that a day need not have been closed.
fn days(transaction: &Transaction<'_>, quota: &str) -> rusqlite::Result<Vec<AllowanceDay>> {
    let mut query = transaction.prepare(
        "SELECT day, count(*), max(cap) FROM quota_session
         WHERE quota = ?1 AND day < (SELECT high_water FROM quota_clock)
         GROUP BY day ORDER BY day DESC LIMIT ?2",
    )?;
    let day =
        |row: &Row<'_>| Ok(AllowanceDay { day: row.get(0)?, sessions: row.get(1)?, per_day: row.get(2)? });
    query.query_map(params![quota, DAYS], day)?.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The columns of the ledger that are read here.
    const LEDGER: &str = "
        CREATE TABLE quota (name TEXT PRIMARY KEY, per_day INTEGER);
        CREATE TABLE quota_clock (one INTEGER PRIMARY KEY, high_water TEXT);
        CREATE TABLE quota_task (id TEXT, quota TEXT, state TEXT);
        CREATE TABLE quota_session (quota TEXT, day TEXT, seq INTEGER, cap INTEGER);
        INSERT INTO quota VALUES ('agents', 5);
        INSERT INTO quota_clock VALUES (1, '2026-05-13');
        INSERT INTO quota_task VALUES ('a', 'agents', 'held'), ('b', 'agents', 'needs-you'), ('c', 'agents', 'done'),
            ('d', 'agents', 'turn-limit');
        INSERT INTO quota_session VALUES ('agents', '2026-05-12', 1, 4), ('agents', '2026-05-13', 1, 5),
            ('agents', '2026-05-13', 2, 5);";

    #[test]
    fn what_the_ledger_has_is_counted_and_none_is_no_error() {
        let connection = rusqlite::Connection::open_in_memory().unwrap();
        let mut store = Store { connection, path: "in memory".into() };
        assert_eq!(store.allowances().unwrap(), []);
        store.connection.execute_batch(LEDGER).unwrap();
        let day = AllowanceDay { day: "2026-05-12".into(), sessions: 1, per_day: 4 };
        let (quota, days) = ("agents".to_owned(), vec![day]);
        let expected = Allowance { quota, per_day: 5, used: 2, waiting: 2, needs_you: 1, days };
        assert_eq!(store.allowances().unwrap(), [expected]);
    }
}
