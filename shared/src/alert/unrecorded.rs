//! The alert that the records themselves cannot be used. It cannot be kept in them, so a file beside them remembers when
//! people were told.

use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;

use chrono::{DateTime, TimeDelta, Utc};
use log::info;

use super::Courier;
use super::message::Notice;
use crate::dirs::State;
use crate::event::stamp;
use crate::{Failure, file};

fn told(state: &State) -> PathBuf {
    state.root().join("records-failed")
}

/// Tells people that the records cannot be used, at most once within the time of a reminder. A state directory that
/// takes no file is told of each time: rather too often than never.
pub async fn tell_unrecorded(courier: Courier<'_>, job: &str, failure: &Failure, now: DateTime<Utc>) {
    if is_anothers(courier.state) {
        return;
    }
    let path = told(courier.state);
    let last = std::fs::read_to_string(&path).ok().and_then(|text| text.trim().parse::<DateTime<Utc>>().ok());
    let every = TimeDelta::from_std(courier.settings.remind_every).unwrap_or(TimeDelta::MAX);
    if last.is_some_and(|last| last <= now && now - last < every) {
        return;
    }
    let text = format!("{job} cannot use its records: {}", failure.message);
    let sent = courier.broadcast(&Notice::unrecorded(text, failure.hint.clone(), now)).await;
    for (name, why) in sent.iter().filter_map(|(name, sent)| Some((name, sent.as_ref().err()?))) {
        info!("sink {name:?} did not take an alert: {why}");
    }
    if sent.iter().any(|(_, sent)| sent.is_ok()) {
        let noted = file::replace(&path, format!("{}\n", stamp(now)).as_bytes());
        noted.unwrap_or_else(|failure| info!("that people were told is not remembered: {failure}"));
    }
}

/// Whether the state is another user's: that it cannot be used by whoever typed the command is no news to others.
fn is_anothers(state: &State) -> bool {
    let me = rustix::process::geteuid();
    std::fs::metadata(state.root()).is_ok_and(|dir| dir.uid() != me.as_raw()) && !me.is_root()
}

/// Whether people were told so, and it is over; asked once.
pub fn is_over(state: &State) -> bool {
    std::fs::remove_file(told(state)).is_ok()
}
