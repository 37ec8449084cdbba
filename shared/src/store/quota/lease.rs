//! Leases: a claim lasts as long as its runner renews it, and is taken back from one that is gone.

use std::time::Duration;

use chrono::{DateTime, Utc};
use rusqlite::{Transaction, params};
use serde::Serialize;

use super::ending::{self, After, Ending, FAILURES_TOLD, SessionOutcome};
use super::{Claim, posts};
use crate::Result;
use crate::quota::Moment;
use crate::store::{Store, events, stamp};

/// A claim that was taken back from a runner that is gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Lost {
    /// The task.
    pub task: String,
    /// The release that was being run.
    pub attempt: u32,
    /// The runner.
    pub runner: String,
}

impl Store {
    /// Renews a claim. False when it was taken back: the session must end and will not be counted as anything but lost.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when the database cannot be written.
    pub fn heartbeat(&mut self, claim: &Claim<'_>, moment: &Moment) -> Result<bool> {
        let update = "UPDATE quota_task SET lease_boot = ?3, lease_until = ?4
            WHERE id = ?1 AND runner = ?2 AND attempt = ?5 AND state = 'claimed'";
        let until = until(moment, claim.lease);
        let values = params![claim.task, claim.runner, moment.boot, until, claim.attempt];
        self.transaction(|transaction| transaction.execute(update, values)).map(|renewed| renewed == 1)
    }

    /// The claims whose lease has run out.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when the database cannot be read.
    pub fn expired(&mut self, moment: &Moment) -> Result<Vec<Lost>> {
        self.transaction(|transaction| expired(transaction, moment))
    }

    /// Takes back every claim whose lease has run out. Their sessions stay counted, as lost.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when the database cannot be written.
    pub fn take_back(&mut self, moment: &Moment) -> Result<Vec<Lost>> {
        self.transaction(|transaction| {
            let expired = expired(transaction, moment)?;
            for lost in &expired {
                take_back(transaction, lost, moment.now)?;
            }
            Ok(expired)
        })
    }
}

/// Leases are counted by the clock since boot, so that a step of the wall clock ends none.
pub(super) fn until(moment: &Moment, lease: Duration) -> i64 {
    moment.uptime_s.saturating_add(i64::try_from(lease.as_secs()).unwrap_or(i64::MAX))
}

fn expired(transaction: &Transaction<'_>, moment: &Moment) -> rusqlite::Result<Vec<Lost>> {
    let query = "SELECT id, attempt, runner FROM quota_task
        WHERE quota IN (SELECT name FROM quota) AND state = 'claimed' AND (lease_boot <> ?1 OR lease_until < ?2)";
    let mut query = transaction.prepare(query)?;
    let lost =
        |row: &rusqlite::Row<'_>| Ok(Lost { task: row.get(0)?, attempt: row.get(1)?, runner: row.get(2)? });
    let rows = query.query_map(params![moment.boot, moment.uptime_s], lost)?;
    rows.collect()
}

fn take_back(transaction: &Transaction<'_>, lost: &Lost, now: DateTime<Utc>) -> rusqlite::Result<()> {
    const WHY: &str = "its runner died";
    let claim =
        Claim { task: &lost.task, attempt: lost.attempt, runner: &lost.runner, lease: Duration::ZERO };
    let at = stamp(now);
    let Some(known) = ending::claimed(transaction, &claim)? else { return Ok(()) };
    let end = "UPDATE quota_session SET ended = ?3, outcome = 'lost', summary = ?4 WHERE task = ?1 AND attempt = ?2";
    transaction.execute(end, params![lost.task, lost.attempt, at, WHY])?;
    let failures = known.failures + 1;
    let is_hopeless = failures.is_multiple_of(FAILURES_TOLD);
    let state = if is_hopeless { "failed" } else { "pending" };
    let events = ending::told(&lost.task, failures, WHY);
    let after = After { state, resumes: known.resumes, failures, events };
    after.save(transaction, &lost.task, WHY, &at)?;
    events::insert(transaction, &after.events, now)?;
    if is_hopeless && known.source == "dashboard" {
        let ending = Ending { outcome: SessionOutcome::Failed, turns: None, summary: WHY, max_resumes: 0 };
        posts::insert_report(transaction, &claim, &known.report(&claim, &ending, state), now)?;
    }
    Ok(())
}
