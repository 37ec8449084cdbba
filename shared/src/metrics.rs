//! Metrics for node_exporter's textfile collector: one `<job>.prom` a job, in the text format of Prometheus.
//!
//! It words numbers and writes the file; what they are is known elsewhere. Every name and help text is a constant, so that
//! the files of several jobs agree.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use crate::Result;
use crate::sys::atomic_file::Draft;

/// A metric: its name without the common beginning, and its help text. All are gauges.
pub type Metric = (&'static str, &'static str);

/// When the job last ran.
pub const LAST_RUN: Metric =
    ("last_run_timestamp_seconds", "When the last run of the job ended, in seconds since 1970.");
/// When it last succeeded.
pub const LAST_SUCCESS: Metric = (
    "last_success_timestamp_seconds",
    "When the job last ended with verified success, in seconds since 1970.",
);
/// When it last changed something.
pub const LAST_CHANGE: Metric =
    ("last_change_timestamp_seconds", "When a run of the job last changed something, in seconds since 1970.");
/// The last exit code.
pub const EXIT: Metric = ("last_exit_code", "The exit code of the last run; 0 is verified success.");
/// The last duration.
pub const DURATION: Metric = ("last_duration_seconds", "How long the last run took, in seconds.");
/// Failures in a row.
pub const FAILURES: Metric = ("consecutive_failures", "How many runs in a row have failed or were skipped.");
/// How often it is to run.
pub const INTERVAL: Metric =
    ("expected_interval_seconds", "How often the job is expected to run, in seconds.");
/// Rows of the last run, by what was done to them.
pub const ROWS: Metric = ("rows", "Rows of the last run, by sheet and by what was done to them.");
/// Cells written.
pub const CELLS: Metric = ("cells_written", "Cells that the last run wrote and read back, by sheet.");
/// Requests sent.
pub const REQUESTS: Metric =
    ("requests", "Requests to the Sheets API in the last run, by sheet and kind, tries included.");
/// Requests tried again.
pub const RETRIES: Metric = ("retries", "Requests of the last run that had to be tried again.");
/// Responses with status 401.
pub const UNAUTHENTICATED: Metric =
    ("unauthenticated", "Answers of the last run that said 401, each followed by one refresh.");
/// Refreshes.
pub const REFRESHES: Metric =
    ("token_refreshes", "Token refreshes of all jobs within a day, by credential and result, good or bad.");
/// How early a token was refreshed.
pub const REFRESH_MARGIN: Metric = (
    "token_refresh_margin_seconds",
    "How long before its end the access token was fetched anew when a run last did so, in seconds; negative when it was late.",
);
/// How often active recovery was entered.
pub const RECOVERY_ACTIVATIONS: Metric =
    ("recovery_activations", "How often active recovery was entered within 90 days, by credential.");
/// How long the last recovery took.
pub const RECOVERY_SECONDS: Metric = (
    "recovery_duration_seconds",
    "How long the last active recovery took from its beginning to a good token, by credential.",
);
/// Whether a credential fails.
pub const CREDENTIAL_FAILING: Metric =
    ("credential_failing", "1 while the last refresh of the credential failed, 0 otherwise.");
/// Alerts that wait.
pub const SINK_FAILURES: Metric =
    ("sink_failures", "Alerts or pings in a row that a sink or the monitor did not take, by name.");
/// Sessions of a quota used.
pub const QUOTA_USED: Metric = ("quota_used", "Sessions of the day that have begun, by quota.");
/// Sessions of a quota in all.
pub const QUOTA_PER_DAY: Metric = ("quota_per_day", "Sessions that a day may have, by quota.");
/// A job's state, for `job-status --prometheus`.
pub const STATE: Metric = ("state", "1 for the state in which the job was found, 0 for the others.");

/// One number with its labels.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Which metric.
    pub metric: Metric,
    /// Labels beside `executable`.
    pub labels: Vec<(&'static str, String)>,
    /// The number.
    pub value: f64,
}

impl Sample {
    /// A number with these labels.
    pub fn new(metric: Metric, labels: &[(&'static str, &str)], value: f64) -> Self {
        let labels = labels.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        Self { metric, labels, value }
    }
}

/// A count as a sample's value; one too large for that is not met with.
pub fn count(number: u64) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}

/// What a run did, in numbers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Numbers {
    /// Whether it changed anything outside.
    pub changed: bool,
    /// The rest.
    pub samples: Vec<Sample>,
}

/// The text of a file. Samples of one metric are together, whatever their order.
pub fn text(samples: &[Sample]) -> String {
    let mut families: BTreeMap<Metric, Vec<&Sample>> = BTreeMap::new();
    for sample in samples {
        families.entry(sample.metric).or_default().push(sample);
    }
    let mut text = String::new();
    for ((name, help), samples) in families {
        let _ = writeln!(text, "# HELP port_jobs_{name} {help}\n# TYPE port_jobs_{name} gauge");
        for sample in samples {
            let _ = writeln!(text, "port_jobs_{name}{} {}", labels(&sample.labels), sample.value);
        }
    }
    text
}

fn labels(labels: &[(&'static str, String)]) -> String {
    let pairs: Vec<String> =
        labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
    if pairs.is_empty() { String::new() } else { format!("{{{}}}", pairs.join(",")) }
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// Writes `<dir>/<job>.prom` atomically, readable by everybody: node_exporter is another user.
///
/// # Errors
/// [`crate::Kind::Io`] when it cannot be written.
pub fn write(dir: &Path, job: &str, samples: &[Sample]) -> Result<()> {
    let draft = Draft::new(&dir.join(format!("{job}.prom")))?;
    draft.write(text(samples).as_bytes())?;
    draft.commit_readable()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metric_has_one_head_and_labels_are_escaped() {
        let samples = [
            Sample::new(ROWS, &[("sheet", "a\"b")], 1.0),
            Sample::new(EXIT, &[], 77.0),
            Sample::new(ROWS, &[("sheet", "c\\d")], 2.5),
        ];
        let expected = format!(
            "# HELP port_jobs_last_exit_code {}\n# TYPE port_jobs_last_exit_code gauge\nport_jobs_last_exit_code 77\n\
             # HELP port_jobs_rows {}\n# TYPE port_jobs_rows gauge\n\
             port_jobs_rows{{sheet=\"a\\\"b\"}} 1\nport_jobs_rows{{sheet=\"c\\\\d\"}} 2.5\n",
            EXIT.1, ROWS.1
        );
        assert_eq!(text(&samples), expected);
    }
}
