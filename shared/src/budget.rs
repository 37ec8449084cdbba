//! Waits for a token of a credential's budget of requests, within a deadline.
//!
//! The buckets are the store's, shared by every process. What cannot be had in time is refused at once, before anything
//! is begun that could not be finished; it never waits in vain.

use std::path::Path;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::{Instant, sleep};

use crate::store::{Bucket, Quota, Store};
use crate::{Failure, Kind, Result};

/// The budget of one credential, as one run may use it.
#[derive(Debug)]
pub struct Budget {
    store: Store,
    credential: String,
    per_minute: (u32, u32),
    deadline: Instant,
}

impl Budget {
    /// The budget in `database` of a credential with so many reads and writes a minute, for work that must be done by
    /// `deadline`. Nothing is taken yet.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open(
        database: &Path,
        credential: &str,
        per_minute: (u32, u32),
        deadline: Instant,
    ) -> Result<Self> {
        let store = Store::open(database)?;
        Ok(Self { store, credential: credential.to_owned(), per_minute, deadline })
    }

    /// From now on it is for work that must be done by then.
    pub fn set_deadline(&mut self, deadline: Instant) {
        self.deadline = deadline;
    }

    /// Takes a token, waiting for it where need be; `waits` is told each time for how long.
    ///
    /// # Errors
    /// [`Kind::Busy`] when none comes back before the deadline; [`Kind::Io`] when the store cannot be used.
    pub async fn take(&mut self, quota: Quota, mut waits: impl FnMut(Duration)) -> Result<()> {
        loop {
            let bucket = bucket(&self.credential, self.per_minute, quota);
            let now = Utc::now();
            let Some(due) = self.store.take(&bucket, now)? else { return Ok(()) };
            let wait = due - now;
            self.refuse_beyond_deadline(quota, wait)?;
            let wait = wait.to_std().unwrap_or_default();
            waits(wait);
            sleep(wait).await;
        }
    }

    /// Whether so many requests can all be sent before the deadline. None is taken.
    ///
    /// # Errors
    /// [`Kind::Busy`] when they cannot; [`Kind::Io`] when the store cannot be used.
    pub fn afford(&mut self, reads: u32, writes: u32) -> Result<()> {
        for (quota, tokens) in [(Quota::Read, reads), (Quota::Write, writes)] {
            let bucket = bucket(&self.credential, self.per_minute, quota);
            // What is more than a bucketful takes whole minutes.
            let minutes = i32::try_from(tokens.saturating_sub(1) / bucket.size).unwrap_or(i32::MAX);
            let now = Utc::now();
            let due = self.store.due(&bucket, tokens.min(bucket.size), now)?;
            let wait = due.map_or(TimeDelta::zero(), |due: DateTime<Utc>| due - now);
            if tokens > 0 {
                self.refuse_beyond_deadline(quota, wait + TimeDelta::minutes(1) * minutes)?;
            }
        }
        Ok(())
    }

    /// Google said that the quota is spent: nobody who shares it asks again before `pause` is over.
    ///
    /// # Errors
    /// [`Kind::Io`] when the store cannot be used.
    pub fn empty(&mut self, quota: Quota, pause: Duration) -> Result<()> {
        let until = Utc::now() + TimeDelta::from_std(pause).unwrap_or(TimeDelta::MAX);
        self.store.empty(&bucket(&self.credential, self.per_minute, quota), until)
    }

    fn refuse_beyond_deadline(&self, quota: Quota, wait: TimeDelta) -> Result<()> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        let wait = wait.to_std().unwrap_or_default();
        if wait < left {
            return Ok(());
        }
        let Bucket { credential, size, .. } = bucket(&self.credential, self.per_minute, quota);
        let word = quota.word();
        Err(Failure::new(
            Kind::Busy,
            format!(
                "the requests of credential {credential:?} are spent ({size} {word}s a minute): the next are due in {} s, and this run has {} s left",
                wait.as_secs_f64().ceil(),
                left.as_secs()
            ),
            format!(
                "the next run goes on from here; if this repeats, raise deadline under [job.NAME], let the jobs that share the credential run at different minutes, or raise {word}s-per-minute under [credential.{credential}] if Google allows the project more"
            ),
        ))
    }
}

fn bucket(credential: &str, (reads, writes): (u32, u32), quota: Quota) -> Bucket<'_> {
    let size = match quota {
        Quota::Read => reads,
        Quota::Write => writes,
    };
    Bucket { credential, quota, size }
}
