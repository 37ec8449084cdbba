//! The alert that the records themselves cannot be used. It cannot be kept in them, so a file beside them remembers when
//! it was sent.

use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;

use chrono::{DateTime, TimeDelta, Utc};
use log::info;

use super::Dispatcher;
use crate::Failure;
use crate::alert::message::Notification;
use crate::sys::atomic_file;
use crate::sys::dirs::StateDir;
use crate::time::timestamp;

fn sent_file(state: &StateDir) -> PathBuf {
    state.root().join("records-failed")
}

/// Sends the alert that the records cannot be used, at most once within the time of a reminder. If the file cannot be
/// written either, it is sent each time: too often is better than never.
pub async fn report_unrecorded(dispatcher: Dispatcher<'_>, job: &str, failure: &Failure, now: DateTime<Utc>) {
    if is_anothers(dispatcher.state) {
        return;
    }
    let path = sent_file(dispatcher.state);
    let last = std::fs::read_to_string(&path).ok().and_then(|text| text.trim().parse::<DateTime<Utc>>().ok());
    let every = TimeDelta::from_std(dispatcher.settings.remind_every).unwrap_or(TimeDelta::MAX);
    if last.is_some_and(|last| last <= now && now - last < every) {
        return;
    }
    let text = format!("{job} cannot use its records: {}", failure.message);
    let sent = dispatcher.broadcast(&Notification::unrecorded(text, failure.hint.clone(), now)).await;
    for (name, why) in sent.iter().filter_map(|(name, sent)| Some((name, sent.as_ref().err()?))) {
        info!("sink {name:?} did not take an alert: {why}");
    }
    if sent.iter().any(|(_, sent)| sent.is_ok()) {
        let noted = atomic_file::replace(&path, format!("{}\n", timestamp(now)).as_bytes());
        noted.unwrap_or_else(|failure| info!("could not record that the alert was sent: {failure}"));
    }
}

/// Whether the state belongs to another user. That the user who typed the command cannot use it concerns no one else.
fn is_anothers(state: &StateDir) -> bool {
    let me = rustix::process::geteuid();
    std::fs::metadata(state.root()).is_ok_and(|dir| dir.uid() != me.as_raw()) && !me.is_root()
}

/// Whether that alert was sent, and the records can be used again; true only once.
pub fn are_records_back(state: &StateDir) -> bool {
    std::fs::remove_file(sent_file(state)).is_ok()
}
