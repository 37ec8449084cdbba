//! What a test sees of the requests: the log, and waiting for one to come.

use std::sync::PoisonError;
use std::time::Duration;

use anyhow::Context as _;
use regex::Regex;

use super::Admin;
use crate::fault::{Fault, request_matches};
use crate::request::Request;
use crate::requests::{LoggedRequest, Progress};
use crate::world::World;

/// How long a test waits for a request that does not come.
const PATIENCE: Duration = Duration::from_secs(60);

impl Admin {
    /// Logs an arrival and finds the fault that is due on it.
    pub(crate) fn arrived(&self, request: &Request) -> (u64, Option<Fault>) {
        let mut world = self.world();
        let number = world.log.arrived(request);
        let fault = world.faults.due(request);
        drop(world);
        self.0.moved.notify_all();
        (number, fault)
    }

    /// Notes that a request did what it does.
    pub(crate) fn applied(&self, number: u64) {
        self.world().log.applied(number);
        self.0.moved.notify_all();
    }

    /// The log, oldest first.
    pub fn requests(&self) -> Vec<LoggedRequest> {
        self.world().log.entries()
    }

    /// Empties the log.
    pub fn clear_requests(&self) {
        self.world().log.clear();
    }

    /// Blocks until `n` requests matching the pattern have arrived, even if a fault holds them from there on.
    ///
    /// The pattern is a regular expression, searched in `METHOD path?query` and where a fault's is searched.
    ///
    /// # Errors
    /// When they do not come within a minute, with the log.
    pub fn wait_for_request(&self, pattern: &str, n: usize) -> anyhow::Result<()> {
        self.wait(pattern, n, Progress::Arrived)
    }

    /// Blocks until `n` requests matching the pattern have been applied, whether their answers are sent or not.
    ///
    /// # Errors
    /// When that does not happen within a minute, with the log.
    pub fn wait_for_applied(&self, pattern: &str, n: usize) -> anyhow::Result<()> {
        self.wait(pattern, n, Progress::Applied)
    }

    fn wait(&self, pattern: &str, n: usize, progress: Progress) -> anyhow::Result<()> {
        let regex = Regex::new(pattern).context("the pattern")?;
        let fits = |request: &Request| {
            regex.is_match(&format!("{} {}?{}", request.method, request.path, request.query))
                || request_matches(&regex, request)
        };
        let missing = |world: &mut World| world.log.count(progress, &fits) < n;
        let waited = self.0.moved.wait_timeout_while(self.world(), PATIENCE, missing);
        let (world, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
        if !timeout.timed_out() {
            return Ok(());
        }
        let log = world.log.entries();
        let lines: Vec<String> = log.iter().map(|line| format!("{} {}", line.method, line.path)).collect();
        anyhow::bail!("no {n} requests matching {pattern} in {PATIENCE:?}; these came:\n{}", lines.join("\n"))
    }
}
