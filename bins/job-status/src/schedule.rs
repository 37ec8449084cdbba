//! What starts a job, as far as can be seen: a systemd timer or a line of a crontab in /etc/cron.d.

use std::fs;
use std::path::Path;

use serde::Serialize;

/// Where systemd looks for units, the administrator's first.
const UNIT_DIRS: [&str; 4] =
    ["etc/systemd/system", "run/systemd/system", "usr/local/lib/systemd/system", "usr/lib/systemd/system"];

/// What starts a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Schedule {
    /// A timer that is enabled.
    Timer,
    /// A timer that is installed and not enabled.
    TimerNotEnabled,
    /// A line of a crontab.
    Crontab,
    /// Both, so it is started twice.
    TimerAndCrontab,
    /// Nothing that can be seen; another user's crontab cannot.
    NoneSeen,
}

impl Schedule {
    /// The same as text.
    pub fn text(self) -> &'static str {
        match self {
            Self::Timer => "timer",
            Self::TimerNotEnabled => "timer, not enabled",
            Self::Crontab => "crontab",
            Self::TimerAndCrontab => "timer and crontab: use one of them",
            Self::NoneSeen => "none seen",
        }
    }

    /// What to type when the job is not started.
    pub fn start(self, job: &str) -> String {
        match self {
            Self::Timer => format!("see why it does not fire: systemctl status {job}.timer {job}.service"),
            Self::TimerNotEnabled => format!("enable its timer: systemctl enable --now {job}.timer"),
            Self::Crontab | Self::TimerAndCrontab => {
                "see whether cron runs and reads the file: systemctl status cron; ls -la /etc/cron.d; the name may hold no dot".to_owned()
            }
            Self::NoneSeen => format!(
                "nothing that starts it was seen: systemctl enable --now {job}.timer, or install crontab/port-jobs in /etc/cron.d"
            ),
        }
    }
}

/// Looks below `root`.
pub fn of(job: &str, root: &Path) -> Schedule {
    let timer = format!("{job}.timer");
    let is_installed = UNIT_DIRS.iter().any(|dir| root.join(dir).join(&timer).exists());
    // The link may point to a file below the root, so it need not lead anywhere from here.
    let wants = root.join("etc/systemd/system/timers.target.wants").join(&timer);
    let is_enabled = fs::symlink_metadata(wants).is_ok();
    match (is_enabled, is_installed, is_in_crontab(job, root)) {
        (true, _, true) => Schedule::TimerAndCrontab,
        (true, _, false) => Schedule::Timer,
        (false, _, true) => Schedule::Crontab,
        (false, true, false) => Schedule::TimerNotEnabled,
        (false, false, false) => Schedule::NoneSeen,
    }
}

/// Whether a crontab that cron would read has a line that runs the job.
fn is_in_crontab(job: &str, root: &Path) -> bool {
    let files = fs::read_dir(root.join("etc/cron.d")).into_iter().flatten().flatten();
    let files =
        files.filter(|entry| entry.file_name().to_str().is_some_and(is_plain)).map(|entry| entry.path());
    files
        .chain([root.join("etc/crontab")])
        .filter_map(|path| fs::read_to_string(path).ok())
        .any(|text| text.lines().any(|line| runs(line, job)))
}

/// cron ignores files with any other character in their name.
fn is_plain(name: &str) -> bool {
    name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

fn runs(line: &str, job: &str) -> bool {
    let mut words = line.split_whitespace();
    !line.trim_start().starts_with('#')
        && words.any(|word| word == job || word.strip_suffix(job).is_some_and(|rest| rest.ends_with('/')))
}
