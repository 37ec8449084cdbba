//! Delivers stored events to every sink, each once.
//!
//! [`crate::alert`] decides and words them, `sink` sends. An event is kept until each sink has accepted it: what one job
//! could not deliver, the next run of any job delivers. No failure in
//! here changes a run's outcome.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::Utc;
use futures_util::future::join_all;
use log::info;
use tokio::time::timeout;

use crate::config::{Alert, Sink};
use crate::store::Store;
use crate::sys::dirs::{Environment, StateDir};
use crate::sys::lock;
use crate::{Failure, Kind, Result};

use super::sink::{self, DeliveryError, SecretsDir};
use crate::alert::message::{self, Notification};

/// The time that one sink may take of a run, for all its events together.
pub const LIMIT: Duration = Duration::from_secs(10);

/// What delivering needs.
#[derive(Clone, Copy, Debug)]
pub struct Dispatcher<'a> {
    /// What the configuration says of alerts.
    pub settings: &'a Alert,
    /// The state directory.
    pub state: &'a StateDir,
    /// The environment.
    pub environment: &'a Environment,
}

impl Dispatcher<'_> {
    /// Delivers the stored events to all sinks at once; each has its own limit.
    pub async fn deliver(self) {
        join_all(self.settings.sinks.iter().map(|sink| self.deliver_to(sink))).await;
    }

    async fn deliver_to(self, sink: &Sink) {
        let delivered = timeout(LIMIT, self.flush(sink)).await;
        match delivered {
            Ok(Ok(())) => {}
            Ok(Err(failure)) => info!("sink {:?} is left out: {failure}", sink.name),
            Err(_) => {
                let limit = humantime::format_duration(LIMIT);
                self.record_failure(
                    sink,
                    &DeliveryError(format!("it did not take the alert within {limit}")),
                );
            }
        }
    }

    /// Sends a sink what it has not accepted, in order. A failure holds back only later events of the same subject.
    async fn flush(self, sink: &Sink) -> Result<()> {
        let path = lock::file_for(&self.state.locks(), &format!("alert-{}", sink.name));
        // Of several jobs at once only one sends an event.
        let _lock = lock::acquire(&path, LIMIT, Utc::now()).await?;
        let mut store = Store::open(&self.state.database())?;
        let names: Vec<&str> = self.settings.sinks.iter().map(|sink| sink.name.as_str()).collect();
        let mut held = BTreeSet::new();
        let waiting =
            store.pending(&sink.name)?.into_iter().map(|notification| notification.public(self.settings));
        for (notification, events) in message::gathered(waiting.collect()) {
            if held.contains(&notification.subject) {
                continue;
            }
            match self.send(sink, &notification).await {
                Ok(()) => store.delivered(&events, &sink.name, &names, Utc::now())?,
                Err(why) => {
                    self.record_failure(sink, &why);
                    held.insert(notification.subject);
                }
            }
        }
        Ok(())
    }

    async fn send(self, sink: &Sink, notification: &Notification) -> Result<(), DeliveryError> {
        let granted = self.environment.credentials_directory.as_deref();
        sink::send(&sink.transport, notification, &machine(), SecretsDir { granted, state: self.state }).await
    }

    fn record_failure(self, sink: &Sink, why: &DeliveryError) {
        info!("sink {:?} did not take an alert: {why}", sink.name);
        let noted = Store::open(&self.state.database())
            .and_then(|mut store| store.record_delivery(&sink.name, Err(&why.0), Utc::now()));
        noted.unwrap_or_else(|failure| info!("could not record the delivery: {failure}"));
    }

    /// Sends a notification to all sinks without recording it: a test, or what cannot be recorded. Returns the result of each.
    pub async fn broadcast(self, notification: &Notification) -> Vec<(String, Result<(), DeliveryError>)> {
        join_all(self.settings.sinks.iter().map(async |sink| {
            let sent = timeout(LIMIT, self.send(sink, notification)).await.unwrap_or_else(|_| {
                Err(DeliveryError(format!("no answer within {}", humantime::format_duration(LIMIT))))
            });
            (sink.name.clone(), sent)
        }))
        .await
    }

    /// Sends a marked test to each sink. Returns a line for each that accepted it, and a failure for each that did not.
    pub async fn test(self, job: &str) -> (Vec<String>, Vec<Failure>) {
        let (mut lines, mut failures) = (Vec::new(), Vec::new());
        if self.settings.sinks.is_empty() {
            let hint = "add an [[alert.sink]] table to the configuration; examples/config.toml shows one";
            let message = "there is no [[alert.sink]], so alerts reach no one";
            return (lines, vec![Failure::new(Kind::Config, message, hint)]);
        }
        for (name, sent) in self.broadcast(&Notification::test(job, Utc::now())).await {
            match sent {
                Ok(()) => lines.push(format!("sink {name:?} took the test alert")),
                Err(why) => failures.push(Failure::new(
                    Kind::Unavailable,
                    format!("sink {name:?} did not take the test alert: {why}"),
                    format!("correct [[alert.sink]] in the configuration, then: {job} --test-alert"),
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
