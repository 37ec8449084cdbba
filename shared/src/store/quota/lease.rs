//! Leases: a claim lasts as long as its runner renews it, and is reclaimed from a runner that died.

use std::time::Duration;

use chrono::{DateTime, Utc};
use rusqlite::{Transaction, params};
use serde::Serialize;

use super::{Claim, outbox};
use crate::Result;
use crate::quota::Moment;
use crate::store::quota::outcome::{self, After, FAILURE_LIMIT, SessionEnding, SessionOutcome};
use crate::store::{Store, events, stamp};

/// A claim whose lease has run out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ExpiredClaim {
    /// The id of the task.
    pub task: String,
    /// The release that was running.
    pub attempt: u32,
    /// The ULID of the runner's run.
    pub runner: String,
}

impl Store {
    /// Renews a claim. Returns false if it was reclaimed: the session must end, and counts as lost.
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
    pub fn expired(&mut self, moment: &Moment) -> Result<Vec<ExpiredClaim>> {
        self.transaction(|transaction| expired(transaction, moment))
    }

    /// Reclaims every task whose lease has run out. Their sessions still count, as lost.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when the database cannot be written.
    pub fn reclaim(&mut self, moment: &Moment) -> Result<Vec<ExpiredClaim>> {
        self.transaction(|transaction| {
            let expired = expired(transaction, moment)?;
            for lost in &expired {
                reclaim(transaction, lost, moment.now)?;
            }
            Ok(expired)
        })
    }
}

/// A lease is measured by the clock since boot, so that a jump of the wall clock ends none.
pub(super) fn until(moment: &Moment, lease: Duration) -> i64 {
    moment.uptime_s.saturating_add(i64::try_from(lease.as_secs()).unwrap_or(i64::MAX))
}

fn expired(transaction: &Transaction<'_>, moment: &Moment) -> rusqlite::Result<Vec<ExpiredClaim>> {
    let query = "SELECT id, attempt, runner FROM quota_task
        WHERE quota IN (SELECT name FROM quota) AND state = 'claimed' AND (lease_boot <> ?1 OR lease_until < ?2)";
    let mut query = transaction.prepare(query)?;
    let rows = query.query_map(params![moment.boot, moment.uptime_s], |row| {
        Ok(ExpiredClaim { task: row.get(0)?, attempt: row.get(1)?, runner: row.get(2)? })
    })?;
    rows.collect()
}

fn reclaim(transaction: &Transaction<'_>, lost: &ExpiredClaim, now: DateTime<Utc>) -> rusqlite::Result<()> {
    const WHY: &str = "its runner died";
    let claim =
        Claim { task: &lost.task, attempt: lost.attempt, runner: &lost.runner, lease: Duration::ZERO };
    let at = stamp(now);
    let Some(known) = outcome::claimed(transaction, &claim)? else { return Ok(()) };
    let end = "UPDATE quota_session SET ended = ?3, outcome = 'lost', summary = ?4 WHERE task = ?1 AND attempt = ?2";
    transaction.execute(end, params![lost.task, lost.attempt, at, WHY])?;
    let failures = known.failures + 1;
    let is_hopeless = failures.is_multiple_of(FAILURE_LIMIT);
    let state = if is_hopeless { "failed" } else { "pending" };
    let events = outcome::failure_events(&lost.task, failures, WHY);
    let after = After { state, resumes: known.resumes, failures, events };
    after.save(transaction, &lost.task, WHY, &at)?;
    events::insert(transaction, &after.events, now)?;
    if is_hopeless && known.source == "dashboard" {
        let ending =
            SessionEnding { outcome: SessionOutcome::Failed, turns: None, summary: WHY, max_resumes: 0 };
        outbox::insert_report(transaction, &claim, &known.report(&claim, &ending, state), now)?;
    }
    Ok(())
}
