//! The request budget of a credential within one run's deadline.
//!
//! The token buckets are in the store, and every process shares them. A request for which there is no token before the
//! deadline is refused at once, so that no work begins that could not finish.

use std::path::Path;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::{Instant, sleep};

use crate::config::RequestsPerMinute;
use crate::store::{Bucket, RequestKind, Store};
use crate::{Failure, Kind, Result};

/// The budget of one credential for one run.
#[derive(Debug)]
pub struct RateLimiter {
    store: Store,
    credential: String,
    per_minute: RequestsPerMinute,
    deadline: Instant,
}

impl RateLimiter {
    /// The budget of a credential in `database`, for work that must finish by `deadline`. Takes no token yet.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open(
        database: &Path,
        credential: &str,
        per_minute: RequestsPerMinute,
        deadline: Instant,
    ) -> Result<Self> {
        let store = Store::open(database)?;
        Ok(Self { store, credential: credential.to_owned(), per_minute, deadline })
    }

    /// From now on, tokens are for work that must finish by then.
    pub fn set_deadline(&mut self, deadline: Instant) {
        self.deadline = deadline;
    }

    /// Takes a token, and waits for one if necessary; `on_wait` is called with the length of each wait.
    ///
    /// # Errors
    /// [`Kind::Busy`] when no token is free before the deadline; [`Kind::Io`] when the store cannot be used.
    pub async fn take(&mut self, kind: RequestKind, mut on_wait: impl FnMut(Duration)) -> Result<()> {
        loop {
            let bucket = bucket(&self.credential, self.per_minute, kind);
            let now = Utc::now();
            let Some(due) = self.store.take(&bucket, now)? else { return Ok(()) };
            let wait = due - now;
            self.refuse_beyond_deadline(kind, wait)?;
            let wait = wait.to_std().unwrap_or_default();
            on_wait(wait);
            sleep(wait).await;
        }
    }

    /// Checks that this many requests can all be sent before the deadline. Takes no token.
    ///
    /// # Errors
    /// [`Kind::Busy`] when they cannot; [`Kind::Io`] when the store cannot be used.
    pub fn afford(&mut self, reads: u32, writes: u32) -> Result<()> {
        for (kind, tokens) in [(RequestKind::Read, reads), (RequestKind::Write, writes)] {
            let bucket = bucket(&self.credential, self.per_minute, kind);
            // Each full bucket takes a whole minute.
            let minutes = i32::try_from(tokens.saturating_sub(1) / bucket.size).unwrap_or(i32::MAX);
            let now = Utc::now();
            let due = self.store.due(&bucket, tokens.min(bucket.size), now)?;
            let wait = due.map_or(TimeDelta::zero(), |due: DateTime<Utc>| due - now);
            if tokens > 0 {
                self.refuse_beyond_deadline(kind, wait + TimeDelta::minutes(1) * minutes)?;
            }
        }
        Ok(())
    }

    /// Empties the bucket after Google refused a request for its quota: no job takes a token of it before `pause` is over.
    ///
    /// # Errors
    /// [`Kind::Io`] when the store cannot be used.
    pub fn empty(&mut self, kind: RequestKind, pause: Duration) -> Result<()> {
        let until = Utc::now() + TimeDelta::from_std(pause).unwrap_or(TimeDelta::MAX);
        let bucket = bucket(&self.credential, self.per_minute, kind);
        self.store.empty(&bucket, until)
    }

    fn refuse_beyond_deadline(&self, kind: RequestKind, wait: TimeDelta) -> Result<()> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        let wait = wait.to_std().unwrap_or_default();
        if wait < left {
            return Ok(());
        }
        let Bucket { credential, size, .. } = bucket(&self.credential, self.per_minute, kind);
        let name = kind.as_str();
        Err(Failure::new(
            Kind::Busy,
            format!(
                "the requests of credential {credential:?} are spent ({size} {name}s a minute): the next are due in {} s, and this run has {} s left",
                wait.as_secs_f64().ceil(),
                left.as_secs()
            ),
            format!(
                "the next run continues from here; if this repeats, raise deadline under [job.NAME], let the jobs that share the credential run at different minutes, or raise {name}s-per-minute under [credential.{credential}] if Google allows the project more"
            ),
        ))
    }
}

fn bucket(credential: &str, per_minute: RequestsPerMinute, kind: RequestKind) -> Bucket<'_> {
    let size = match kind {
        RequestKind::Read => per_minute.reads,
        RequestKind::Write => per_minute.writes,
    };
    Bucket { credential, kind, size }
}
