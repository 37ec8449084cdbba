//! The executables as they are shipped: their names, their schedules, their limits, and the commands that hints name.
//!
//! Only this file of the crate names an executable. Tests compare it with the timers, the crontab and the executables.

use std::time::Duration;

/// An executable as it is shipped.
#[derive(Clone, Copy, Debug)]
pub struct Executable {
    /// Also the name of its `[job.NAME]` table. Other names are refused there, since no executable would read them.
    pub name: &'static str,
    /// How often the shipped schedules start it; `None` for one that a user starts.
    pub every: Option<Duration>,
    /// How long a run may take unless the configuration has another limit.
    pub deadline: Duration,
    /// Whether a lock allows only one run at a time.
    pub is_alone: bool,
}

/// Every executable, by name.
pub const EXECUTABLES: [Executable; 6] = [
    Executable { name: "job-status", every: Some(minutes(10)), deadline: minutes(2), is_alone: true },
    Executable { name: "port-sheet-sync", every: Some(minutes(30)), deadline: minutes(25), is_alone: true },
    Executable { name: "quota-reset", every: Some(minutes(15)), deadline: minutes(10), is_alone: true },
    Executable { name: "session-run", every: Some(minutes(1)), deadline: minutes(65), is_alone: false },
    Executable { name: "token-check", every: Some(minutes(5)), deadline: minutes(30), is_alone: true },
    Executable { name: "token-login", every: None, deadline: minutes(10), is_alone: true },
];

/// The command that authorizes a credential again.
pub fn login(credential: &str) -> String {
    format!("token-login {credential}")
}

/// The command that prints what a sync of this sheet would write.
pub fn sync_dry_run(sheet: &str) -> String {
    format!("port-sheet-sync --sheet {sheet} --dry-run -v")
}

/// The command that prints the state of every job, with all details.
pub fn job_status() -> &'static str {
    "job-status -v"
}

/// The command that lists the tasks of a quota.
pub fn session_list() -> &'static str {
    "session-run --list"
}

/// The command that runs a task again.
pub fn session_retry(task: &str) -> String {
    format!("session-run --retry {task}")
}

/// The command that sets the ledger of sessions to the clock's day.
pub fn repair_day() -> &'static str {
    "quota-reset --repair-day \"$(date -u +%F)\""
}

const fn minutes(number: u64) -> Duration {
    Duration::from_secs(number * 60)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// The tables `[token-check]` and `[session-run]` have the names of executables; config/ reads them.
    #[test]
    fn no_other_file_of_this_crate_names_an_executable() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut named = Vec::new();
        search(&root, &root.join("config"), &mut named);
        assert_eq!(named, Vec::<String>::new());
    }

    fn search(dir: &Path, config: &Path, named: &mut Vec<String>) {
        for path in std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() && path != config {
                search(&path, config, named);
            } else if path.extension().is_some_and(|extension| extension == "rs")
                && !path.ends_with("tests.rs")
            {
                let text = std::fs::read_to_string(&path).unwrap();
                let (code, _) = text.split_once("#[cfg(test)]").unwrap_or((&text, ""));
                let lines = code.lines().filter(|line| names_an_executable(line));
                named.extend(lines.map(|line| format!("{}: {}", path.display(), line.trim())));
            }
        }
    }

    fn names_an_executable(line: &str) -> bool {
        let is_comment = line.trim_start().starts_with("//");
        let code = line.split(" // ").next().unwrap_or_default();
        !is_comment
            && EXECUTABLES.iter().any(|executable| {
                code.match_indices(executable.name).any(|(at, _)| !code[..at].ends_with('['))
            })
    }
}
