//! Alerts: what people hear, decided from findings, kept in the records, delivered through sinks.
//!
//! `incident`, `finding` and `credential` decide, `message` words, `sink` sends; here is kept which sink has taken what. An
//! event stays until each sink has taken it: what one job could not deliver, the next run of any job does. No failure in
//! here changes a run's outcome.

pub mod credential;
pub mod finding;
pub mod incident;
pub mod message;
pub mod sink;
mod unrecorded;

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::Utc;
use futures_util::future::join_all;
use log::info;
use tokio::time::timeout;

use crate::config::{Alert, Sink};
use crate::dirs::{Environment, State};
use crate::store::Store;
use crate::{Failure, Kind, Result, lock};

pub use finding::{Finding, Findings};
use message::Notice;
use sink::{NotTaken, Vault};
pub use unrecorded::{is_over, tell_unrecorded};

/// What one sink may take of a run's time, all its events together.
pub const LIMIT: Duration = Duration::from_secs(10);

/// What delivering needs.
#[derive(Clone, Copy, Debug)]
pub struct Courier<'a> {
    /// What the configuration says of alerts.
    pub settings: &'a Alert,
    /// The state directory.
    pub state: &'a State,
    /// The environment.
    pub environment: &'a Environment,
}

impl Courier<'_> {
    /// Delivers what waits, to all sinks at once; each has its own limit.
    pub async fn deliver(self) {
        join_all(self.settings.sinks.iter().map(|sink| self.feed(sink))).await;
    }

    async fn feed(self, sink: &Sink) {
        let fed = timeout(LIMIT, self.drain(sink)).await;
        let late =
            || NotTaken(format!("it did not take the alert within {}", humantime::format_duration(LIMIT)));
        match fed {
            Ok(Ok(())) => {}
            Ok(Err(failure)) => info!("sink {:?} is left out: {failure}", sink.name),
            Err(_) => self.note(sink, &late()),
        }
    }

    /// Sends a sink what it has not taken, in order. What fails keeps back only what is about the same subject.
    async fn drain(self, sink: &Sink) -> Result<()> {
        let path = lock::file_for(&self.state.locks(), &format!("alert-{}", sink.name));
        // Of several jobs at once each event is to be sent by one.
        let _lock = lock::acquire(&path, LIMIT, Utc::now()).await?;
        let mut store = Store::open(&self.state.database())?;
        let names: Vec<&str> = self.settings.sinks.iter().map(|sink| sink.name.as_str()).collect();
        let mut held = BTreeSet::new();
        let waiting = store.pending(&sink.name)?.into_iter().map(|notice| notice.public(self.settings));
        for (notice, events) in message::gathered(waiting.collect()) {
            if held.contains(&notice.subject) {
                continue;
            }
            match self.send(sink, &notice).await {
                Ok(()) => store.delivered(&events, &sink.name, &names, Utc::now())?,
                Err(why) => {
                    self.note(sink, &why);
                    held.insert(notice.subject);
                }
            }
        }
        Ok(())
    }

    async fn send(self, sink: &Sink, notice: &Notice) -> std::result::Result<(), NotTaken> {
        let granted = self.environment.credentials_directory.as_deref();
        sink::send(&sink.way, notice, &machine(), Vault { granted, state: self.state }).await
    }

    fn note(self, sink: &Sink, why: &NotTaken) {
        info!("sink {:?} did not take an alert: {why}", sink.name);
        let noted = Store::open(&self.state.database())
            .and_then(|mut store| store.sink_took(&sink.name, Err(&why.0), Utc::now()));
        noted.unwrap_or_else(|failure| info!("that is not recorded: {failure}"));
    }

    /// Sends a notice to all sinks without keeping books: a test, or what cannot be recorded. Answers what came of each.
    pub async fn broadcast(self, notice: &Notice) -> Vec<(String, std::result::Result<(), NotTaken>)> {
        let late = |_| Err(NotTaken(format!("no answer within {}", humantime::format_duration(LIMIT))));
        let tell = async |sink: &Sink| {
            let sent = timeout(LIMIT, self.send(sink, notice)).await.unwrap_or_else(late);
            (sink.name.clone(), sent)
        };
        join_all(self.settings.sinks.iter().map(tell)).await
    }

    /// Sends a marked test to each sink. Answers a line for each that took it, and a failure for each that did not.
    pub async fn test(self, job: &str) -> (Vec<String>, Vec<Failure>) {
        let (mut lines, mut failures) = (Vec::new(), Vec::new());
        if self.settings.sinks.is_empty() {
            let hint = "add an [[alert.sink]] table to the configuration; examples/config.toml shows one";
            let message = "there is no [[alert.sink]], so alerts reach nobody";
            return (lines, vec![Failure::new(Kind::Config, message, hint)]);
        }
        for (name, sent) in self.broadcast(&Notice::test(job, Utc::now())).await {
            match sent {
                Ok(()) => lines.push(format!("sink {name:?} took the test alert")),
                Err(why) => failures.push(Failure::new(
                    Kind::Unavailable,
                    format!("sink {name:?} did not take the test alert: {why}"),
                    format!("mend [[alert.sink]] in the configuration, then: {job} --test-alert"),
                )),
            }
        }
        (lines, failures)
    }
}

/// The name of this machine.
pub fn machine() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}
