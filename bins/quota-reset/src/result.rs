//! The result of a run: the `days` list of the JSON result, and what else it changed.

use serde::Serialize;
use shared::store::{ClosedDay, ExpiredClaim, QuotaStatus, Released};

/// The job's part of the JSON result.
#[derive(Debug, Default, Serialize)]
pub struct Body {
    /// Whether anything was changed.
    pub changed: bool,
    /// The days that were closed or sealed in this run.
    pub days: Vec<ClosedDay>,
    /// The tasks that were released.
    pub released: Vec<Released>,
    /// The claims that were taken back from runners that are gone.
    pub taken_back: Vec<ExpiredClaim>,
    /// How many releases and reports the dashboard took.
    pub delivered: usize,
    /// The status of each quota.
    pub quotas: Vec<QuotaStatus>,
    /// What is worth knowing though nothing failed.
    pub notes: Vec<String>,
}

impl Body {
    /// Lines of text.
    pub fn lines(&self) -> Vec<String> {
        let notes = self.notes.iter().cloned();
        let closed = self.days.iter().map(|day| {
            let state = if day.sealed.is_some() { "sealed" } else { "closed; a session still runs" };
            let (name, sessions, per_day) = (&day.quota, day.sessions, day.per_day);
            format!("{name}: {} {state}: {sessions} of {per_day} sessions, {} turns", day.day, day.turns)
        });
        let taken_back =
            self.taken_back.iter().map(|lost| format!("{}: taken back, its runner died", lost.task));
        let released = self
            .released
            .iter()
            .map(|release| format!("{}: {} released for {}", release.quota, release.task, release.day));
        let nothing = (!self.changed).then(|| "nothing to change".to_owned());
        notes.chain(closed).chain(taken_back).chain(released).chain(nothing).chain(self.standing()).collect()
    }

    /// A line for each quota.
    pub fn standing(&self) -> Vec<String> {
        self.quotas.iter().map(standing).collect()
    }
}

fn standing(quota: &QuotaStatus) -> String {
    let QuotaStatus {
        quota: name, day, used, per_day, left, running, held, ready, turn_limit, pending, ..
    } = quota;
    let rollover = quota.next_rollover.format("%Y-%m-%d %H:%MZ");
    let share = quota
        .utilisation
        .map_or("no day closed yet".to_owned(), |share| format!("{:.0}% of 30 days used", share * 100.0));
    format!(
        "{name} {day}: {used} of {per_day} used, {left} left, {running} running; {held} held, {ready} ready, {turn_limit} to resume, {pending} pending; next day {rollover}; {share}"
    )
}
