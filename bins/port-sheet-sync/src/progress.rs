//! What a terminal shows while a sheet is synced: rows, requests and the wait for quota.
//!
//! It draws on standard error and clears the line at the end; without a terminal it draws nothing.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use shared::store::RequestKind;

/// Before the first rows there is nothing to measure.
const IDLE: &str = "{prefix}: {wide_msg}";
const ROWS: &str = "{prefix}: [{bar:30}] {pos}/{len} rows, {wide_msg}";

/// The line of one sheet. It is wiped out when this is dropped.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// A line that is drawn only on a terminal.
    pub fn new(is_watched: bool, sheet: &str) -> Self {
        Self::drawn_on(
            if is_watched { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() },
            sheet,
        )
    }

    /// A line that is not drawn.
    pub fn unseen() -> Self {
        Self::drawn_on(ProgressDrawTarget::hidden(), "")
    }

    fn drawn_on(target: ProgressDrawTarget, sheet: &str) -> Self {
        let bar = ProgressBar::with_draw_target(None, target).with_prefix(sheet.to_owned());
        bar.set_style(style(IDLE));
        Self { bar }
    }

    /// Begins to go through so many rows.
    pub fn begins(&self, rows: u64) {
        self.bar.set_length(rows);
        self.bar.set_position(0);
        self.bar.set_style(style(ROWS));
    }

    /// So many of them are done.
    pub fn rows(&self, done: u64) {
        self.bar.set_position(done);
    }

    /// So many requests have been sent.
    pub fn requests(&self, sent: u64) {
        self.bar.set_message(format!("requests: {sent}"));
        self.bar.tick();
    }

    /// The next request waits for its quota.
    pub fn waits(&self, quota: RequestKind, wait: Duration) {
        let seconds = wait.as_secs_f64().ceil();
        self.bar.set_message(format!("waiting {seconds} s for Google's quota of {}s", quota.as_str()));
        self.bar.tick();
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// The templates are constants that a test draws.
fn style(template: &'static str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ")
}
