//! Subjects, and what people were told of them; the tables of all that has to do with alerts.

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::{OptionalExtension, Row, Transaction, params};

use super::{Store, events, stamp, time};
use crate::Result;
use crate::alert::finding::{Course, Finding, follow};
use crate::config::Alert;
use crate::history::{History, Told};
use crate::oauth::Class;

/// Can be run on a database that has some of it already.
const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS subject (
        name           TEXT PRIMARY KEY,
        first_failure  TEXT,
        failures       INTEGER NOT NULL,
        last_good      TEXT,
        marks          TEXT NOT NULL,
        told_first     TEXT,
        told_escalated TEXT,
        told_reminded  TEXT
    ) STRICT;
    CREATE TABLE IF NOT EXISTS sink (
        name          TEXT PRIMARY KEY,
        after         INTEGER NOT NULL,
        last_ok       TEXT,
        failing_since TEXT,
        failures      INTEGER NOT NULL DEFAULT 0,
        error         TEXT
    ) STRICT;
    CREATE TABLE IF NOT EXISTS delivery (
        event INTEGER NOT NULL,
        sink  TEXT NOT NULL,
        at    TEXT NOT NULL,
        PRIMARY KEY (event, sink)
    ) STRICT;
";

/// How long events are kept, delivered or not.
const KEPT: TimeDelta = TimeDelta::days(90);

/// Adds what an older database lacks.
pub(super) fn migrate(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    transaction.execute_batch(SCHEMA)?;
    for column in ["rehearsal", "changed", "only_news"] {
        let query = "SELECT EXISTS (SELECT 1 FROM pragma_table_info('run') WHERE name = ?1)";
        let has_it: bool = transaction.query_row(query, params![column], |row| row.get(0))?;
        if !has_it {
            let add = format!("ALTER TABLE run ADD COLUMN {column} INTEGER NOT NULL DEFAULT 0");
            transaction.execute_batch(&add)?;
        }
    }
    Ok(())
}

impl Store {
    /// Remembers what a run found of each subject, with the events that follow from it.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when the database cannot be written.
    pub fn observe(&mut self, findings: &[Finding], settings: &Alert, now: DateTime<Utc>) -> Result<()> {
        self.transaction(|transaction| {
            for finding in findings {
                if rests_on_an_outage(transaction, finding)? {
                    continue;
                }
                let before = course(transaction, &finding.subject)?.unwrap_or_default();
                let (told, after) = follow(&before, finding, settings, now);
                save(transaction, &finding.subject, &after)?;
                events::insert(transaction, &told, now)?;
            }
            Ok(())
        })
    }

    /// What is remembered of a subject.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when the database cannot be read.
    pub fn course(&mut self, subject: &str) -> Result<Option<Course>> {
        self.transaction(|transaction| course(transaction, subject))
    }

    /// Drops events that are older than 90 days, with their deliveries.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when the database cannot be written.
    pub fn forget_old_events(&mut self, now: DateTime<Utc>) -> Result<()> {
        self.transaction(|transaction| {
            transaction.execute("DELETE FROM event WHERE at < ?1", params![stamp(now - KEPT)])?;
            transaction
                .execute("DELETE FROM delivery WHERE event NOT IN (SELECT id FROM event)", [])
                .map(drop)
        })
    }
}

/// Whether the credential under a finding has an outage of its own, which people hear of by itself. What is of another
/// kind than that outage does not rest on it.
fn rests_on_an_outage(transaction: &Transaction<'_>, finding: &Finding) -> rusqlite::Result<bool> {
    let (Some(credential), Some(failure)) = (&finding.credential, &finding.failure) else { return Ok(false) };
    let query = "SELECT coalesce(class, '') FROM credential WHERE name = ?1 AND first_failure IS NOT NULL";
    let class: Option<String> =
        transaction.query_row(query, params![credential], |row| row.get(0)).optional()?;
    Ok(class.is_some_and(|word| Class::of_word(&word).unwrap_or(Class::Unknown).kind() == failure.kind))
}

/// Whether an outage that is over by a credential's history goes on for another reason, such as its file. People then
/// hear that all of it is over once that is, with the length of the whole.
pub(super) fn goes_on(
    transaction: &Transaction<'_>,
    subject: &str,
    over: &History,
) -> rusqlite::Result<bool> {
    let Some(mut course) = course(transaction, subject)?.filter(|course| course.first_failure.is_some())
    else {
        return Ok(false);
    };
    let earlier = |one: Option<DateTime<Utc>>, other| one.min(other).or(one).or(other);
    course.first_failure = earlier(course.first_failure, over.first_failure);
    course.told.first = earlier(course.told.first, over.told.first);
    save(transaction, subject, &course)?;
    Ok(true)
}

fn course(transaction: &Transaction<'_>, subject: &str) -> rusqlite::Result<Option<Course>> {
    let query = "SELECT first_failure, failures, last_good, marks, told_first, told_escalated, told_reminded
                 FROM subject WHERE name = ?1";
    let read = |row: &Row<'_>| {
        let marks: String = row.get(3)?;
        Ok(Course {
            first_failure: time(row, 0)?,
            failures: row.get(1)?,
            last_good: time(row, 2)?,
            marks: marks.split_whitespace().map(str::to_owned).collect(),
            told: Told { first: time(row, 4)?, escalated: time(row, 5)?, reminded: time(row, 6)? },
        })
    };
    transaction.query_row(query, params![subject], read).optional()
}

fn save(transaction: &Transaction<'_>, subject: &str, course: &Course) -> rusqlite::Result<()> {
    let Course { first_failure, failures, last_good, marks, told } = course;
    let times =
        [*first_failure, *last_good, told.first, told.escalated, told.reminded].map(|at| at.map(stamp));
    let [first_failure, last_good, first, escalated, reminded] = times;
    let insert =
        "INSERT OR REPLACE INTO subject (name, first_failure, failures, last_good, marks, told_first,
                  told_escalated, told_reminded) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    let values =
        params![subject, first_failure, failures, last_good, marks.join(" "), first, escalated, reminded];
    transaction.execute(insert, values).map(drop)
}

#[cfg(test)]
mod tests {
    use super::super::{Bucket, Quota, SCHEMA_VERSION, budget, credentials, runs};
    use super::*;

    #[test]
    fn databases_of_the_second_and_third_version_are_brought_up_to_date_with_their_runs() {
        let schemas = [runs::SCHEMA, credentials::SCHEMA, events::SCHEMA, budget::SCHEMA];
        for (version, schemas) in [(2, &schemas[..3]), (3, &schemas[..])] {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("state.db");
            crate::file::open_private(&path).unwrap();
            let old = rusqlite::Connection::open(&path).unwrap();
            schemas.iter().for_each(|schema| old.execute_batch(schema).unwrap());
            old.execute_batch(
                "INSERT INTO run (run, job, pid, started, finished, outcome)
                 VALUES ('1', 'j', 1, '2026-05-13T12:00:00.000Z', '2026-05-13T12:00:01.000Z', 'ok')",
            )
            .unwrap();
            old.pragma_update(None, "user_version", version).unwrap();
            drop(old);
            let mut store = Store::open(&path).unwrap();
            assert_eq!(store.version().unwrap(), SCHEMA_VERSION, "from {version}");
            assert!(store.past("j").unwrap().last_success.is_some(), "from {version}");
            let now = "2026-05-13T12:00:00Z".parse().unwrap();
            let bucket = Bucket { credential: "a", quota: Quota::Read, size: 1 };
            assert_eq!(store.take(&bucket, now).unwrap(), None, "from {version}");
            assert_eq!(store.course("job.j").unwrap(), None, "from {version}");
        }
    }

    #[test]
    fn the_migration_may_run_again() {
        let dir = tempfile::tempdir().unwrap();
        let mut store = Store::open(&dir.path().join("state.db")).unwrap();
        store.transaction(migrate).unwrap();
        store.transaction(migrate).unwrap();
    }
}
