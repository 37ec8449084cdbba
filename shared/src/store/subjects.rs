//! Subjects, and what was reported of them; the tables of all that has to do with alerts.

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::{OptionalExtension, Row, Transaction, params};

use super::{Store, events, stamp, time};
use crate::Result;
use crate::alert::event::credential_subject;
use crate::alert::notified::Notified;
use crate::alert::subject::{Finding, SubjectState, advance};
use crate::config::{Alert, TokenCheckEntry};
use crate::credential::alerts::{self, HealthChange, TOKEN_KEY};
use crate::credential::token_error::TokenErrorClass;

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

/// How long events are kept that were delivered.
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

/// What was reported of a credential's outage moves to its subject.
pub(super) fn adopt_credentials(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    let reported = format!(
        "INSERT INTO subject (name, failures, marks, told_first, told_escalated, told_reminded)
         SELECT 'credential.' || name, 0, '{TOKEN_KEY}', told_first, told_escalated, told_reminded
         FROM credential WHERE told_first IS NOT NULL
         ON CONFLICT (name) DO UPDATE SET
             marks = trim(marks || ' {TOKEN_KEY}'),
             told_first = coalesce(min(told_first, excluded.told_first), excluded.told_first),
             told_escalated = coalesce(told_escalated, excluded.told_escalated),
             told_reminded = coalesce(max(told_reminded, excluded.told_reminded), told_reminded, excluded.told_reminded)"
    );
    transaction.execute(&reported, [])?;
    ["told_first", "told_escalated", "told_reminded"].iter().try_for_each(|column| {
        transaction.execute_batch(&format!("ALTER TABLE credential DROP COLUMN {column}"))
    })
}

impl Store {
    /// Remembers what a run found of each subject, with the events that follow from it.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when the database cannot be written.
    pub fn record_findings(
        &mut self,
        findings: &[Finding],
        settings: &Alert,
        now: DateTime<Utc>,
    ) -> Result<()> {
        self.transaction(|transaction| {
            for finding in findings {
                if depends_on_an_outage(transaction, finding)? {
                    continue;
                }
                let before = course(transaction, &finding.subject)?.unwrap_or_default();
                let (told, mut after) = advance(&before, finding, settings, now);
                if finding.failure.is_none() && token_fails(transaction, &finding.subject)? {
                    after.failure_keys =
                        before.failure_keys.into_iter().filter(|key| key == TOKEN_KEY).collect();
                    after.told = before.told;
                } else {
                    events::insert(transaction, &told, now)?;
                }
                save(transaction, &finding.subject, &after)?;
            }
            Ok(())
        })
    }

    /// What is remembered of a subject.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when the database cannot be read.
    pub fn course(&mut self, subject: &str) -> Result<Option<SubjectState>> {
        self.transaction(|transaction| course(transaction, subject))
    }

    /// Drops events that are older than 90 days, with their deliveries; never one that a sink has not taken yet.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when the database cannot be written.
    pub fn forget_old_events(&mut self, now: DateTime<Utc>) -> Result<()> {
        self.transaction(|transaction| {
            transaction.execute(
                "DELETE FROM event WHERE at < ?1 AND NOT EXISTS
                 (SELECT 1 FROM sink WHERE event.id > sink.after AND NOT EXISTS
                  (SELECT 1 FROM delivery WHERE delivery.event = event.id AND delivery.sink = sink.name))",
                params![stamp(now - KEPT)],
            )?;
            transaction
                .execute("DELETE FROM delivery WHERE event NOT IN (SELECT id FROM event)", [])
                .map(drop)
        })
    }
}

/// Whether the credential of a finding has its own outage, which is reported by itself. A failure of another kind than that
/// outage does not depend on it.
fn depends_on_an_outage(transaction: &Transaction<'_>, finding: &Finding) -> rusqlite::Result<bool> {
    let (Some(credential), Some(failure)) = (&finding.credential, &finding.failure) else { return Ok(false) };
    let query = "SELECT coalesce(class, '') FROM credential WHERE name = ?1 AND first_failure IS NOT NULL";
    let class: Option<String> =
        transaction.query_row(query, params![credential], |row| row.get(0)).optional()?;
    Ok(class.is_some_and(|word| TokenErrorClass::from_name(&word).kind() == failure.kind))
}

/// Whether a subject is a credential whose token fails: it has not recovered when nothing else is found wrong with it.
fn token_fails(transaction: &Transaction<'_>, subject: &str) -> rusqlite::Result<bool> {
    let query = "SELECT EXISTS (SELECT 1 FROM credential WHERE 'credential.' || name = ?1 AND first_failure IS NOT NULL)";
    transaction.query_row(query, params![subject], |row| row.get(0))
}

/// Advances the subject of a credential by what its token requests returned.
pub(super) fn record_health(
    transaction: &Transaction<'_>,
    change: &HealthChange<'_>,
    settings: &TokenCheckEntry,
    now: DateTime<Utc>,
) -> rusqlite::Result<()> {
    let subject = credential_subject(change.credential);
    let before = course(transaction, &subject)?.unwrap_or_default();
    let (told, after) = alerts::advance(&before, change, settings, now);
    if after != before {
        save(transaction, &subject, &after)?;
    }
    events::insert(transaction, &told, now)
}

fn course(transaction: &Transaction<'_>, subject: &str) -> rusqlite::Result<Option<SubjectState>> {
    let query = "SELECT first_failure, failures, last_good, marks, told_first, told_escalated, told_reminded
                 FROM subject WHERE name = ?1";
    transaction.query_row(query, params![subject], state).optional()
}

fn state(row: &Row<'_>) -> rusqlite::Result<SubjectState> {
    let failure_keys: String = row.get(3)?;
    Ok(SubjectState {
        first_failure: time(row, 0)?,
        failures: row.get(1)?,
        last_good: time(row, 2)?,
        failure_keys: failure_keys.split_whitespace().map(str::to_owned).collect(),
        told: Notified { first: time(row, 4)?, escalated: time(row, 5)?, reminded: time(row, 6)? },
    })
}

fn save(transaction: &Transaction<'_>, subject: &str, course: &SubjectState) -> rusqlite::Result<()> {
    let SubjectState { first_failure, failures, last_good, failure_keys, told } = course;
    let times =
        [*first_failure, *last_good, told.first, told.escalated, told.reminded].map(|at| at.map(stamp));
    let [first_failure, last_good, first, escalated, reminded] = times;
    let insert =
        "INSERT OR REPLACE INTO subject (name, first_failure, failures, last_good, marks, told_first,
                  told_escalated, told_reminded) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    let values = params![
        subject,
        first_failure,
        failures,
        last_good,
        failure_keys.join(" "),
        first,
        escalated,
        reminded
    ];
    transaction.execute(insert, values).map(drop)
}

#[cfg(test)]
mod tests {
    use crate::credential::health::{Fingerprint, GrantInfo, TokenOutcome};
    use crate::store::subjects::*;
    use crate::store::{
        Attempt, Bucket, Purpose, RequestKind, SCHEMA_VERSION, credentials, rate_limit, runs,
    };

    #[test]
    fn databases_of_the_second_and_third_version_are_brought_up_to_date_with_their_runs() {
        let schemas = [runs::SCHEMA, credentials::SCHEMA, events::SCHEMA, rate_limit::SCHEMA];
        for (version, schemas) in [(2, &schemas[..3]), (3, &schemas[..])] {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("state.db");
            crate::sys::atomic_file::open_private(&path).unwrap();
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
            assert!(store.run_summary("j").unwrap().last_success.is_some(), "from {version}");
            let now = "2026-05-13T12:00:00Z".parse().unwrap();
            let bucket = Bucket { credential: "a", kind: RequestKind::Read, size: 1 };
            assert_eq!(store.take(&bucket, now).unwrap(), None, "from {version}");
            assert_eq!(store.course("job.j").unwrap(), None, "from {version}");
        }
    }

    #[test]
    fn what_was_reported_of_a_credential_moves_to_its_subject_and_ends_in_one_recovery() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state.db");
        Store::open(&path).unwrap();
        let old = rusqlite::Connection::open(&path).unwrap();
        old.execute_batch(
            "ALTER TABLE credential ADD COLUMN told_first TEXT;
             ALTER TABLE credential ADD COLUMN told_escalated TEXT;
             ALTER TABLE credential ADD COLUMN told_reminded TEXT;
             INSERT INTO credential (name, fingerprint, kind, obtained, first_failure, failures, class, scopes, reauths,
                 told_first, told_escalated)
             VALUES ('a', 'f', 'authorized_user', '2026-05-01T12:00:00.000Z', '2026-05-13T12:00:00.000Z', 3, 'dead', '', 0,
                 '2026-05-13T12:01:00.000Z', '2026-05-13T14:00:00.000Z'),
                 ('both', 'f', 'authorized_user', '2026-05-01T12:00:00.000Z', '2026-05-13T12:00:00.000Z', 1, 'dead', '', 0,
                 '2026-05-13T12:01:00.000Z', NULL),
                 ('well', 'f', 'authorized_user', '2026-05-01T12:00:00.000Z', NULL, 0, NULL, '', 0, NULL, NULL);
             INSERT INTO subject (name, first_failure, failures, marks, told_first)
             VALUES ('credential.both', '2026-05-13T11:00:00.000Z', 2, 'io', '2026-05-13T11:00:00.000Z');
             PRAGMA user_version = 5;",
        )
        .unwrap();
        drop(old);

        let mut store = Store::open(&path).unwrap();
        let state = store.course("credential.a").unwrap().unwrap();
        assert_eq!((state.first_failure, state.failure_keys), (None, vec!["token".to_owned()]));
        assert_eq!(state.told.first.map(stamp).as_deref(), Some("2026-05-13T12:01:00.000Z"));
        assert_eq!(state.told.escalated.map(stamp).as_deref(), Some("2026-05-13T14:00:00.000Z"));
        let both = store.course("credential.both").unwrap().unwrap();
        assert_eq!(both.failure_keys, ["io", "token"]);
        assert_eq!(both.told.first.map(stamp).as_deref(), Some("2026-05-13T11:00:00.000Z"));
        assert_eq!(store.course("credential.well").unwrap(), None);

        let now = "2026-05-13T15:00:00Z".parse().unwrap();
        let seen = Fingerprint { hash: "f".into(), kind: "authorized_user" };
        for _ in 0..2 {
            let granted = TokenOutcome::Granted(GrantInfo::default());
            let attempt = Attempt {
                credential: "a",
                job: "token-check",
                purpose: Purpose::Probe,
                seen: seen.clone(),
                outcome: granted,
                hint: "",
            };
            store.record(&attempt, &TokenCheckEntry::default(), now).unwrap();
        }
        let told: Vec<String> = store
            .transaction(|transaction| {
                let mut query = transaction.prepare("SELECT kind || ': ' || text FROM event")?;
                query.query_map([], |row| row.get(0))?.collect()
            })
            .unwrap();
        assert_eq!(
            told,
            ["recovered: credential \"a\" works again; it failed for 3h, since 2026-05-13T12:00:00Z"]
        );
    }

    #[test]
    fn the_migration_may_run_again() {
        let dir = tempfile::tempdir().unwrap();
        let mut store = Store::open(&dir.path().join("state.db")).unwrap();
        store.transaction(migrate).unwrap();
        store.transaction(migrate).unwrap();
    }
}
