//! `crontab/port-jobs`, against the rules of cron(8) and crontab(5) for files in /etc/cron.d.

use std::ops::RangeInclusive;
use std::os::unix::fs::PermissionsExt as _;

use crate::{shipped, text};

/// minute, hour, day of month, month, day of week.
const FIELDS: [RangeInclusive<u32>; 5] = [0..=59, 0..=23, 1..=31, 1..=12, 0..=7];

/// A line that runs something.
struct Entry {
    times: Vec<String>,
    user: String,
    command: String,
}

fn entries() -> Vec<Entry> {
    let text = text("crontab/port-jobs");
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    lines
        .filter(|line| !line.contains('=') || line.starts_with(|c: char| c.is_ascii_digit() || c == '*'))
        .map(entry)
        .collect()
}

fn entry(line: &str) -> Entry {
    let words: Vec<&str> = line.split_whitespace().collect();
    assert!(words.len() >= 7, "five times, a user and a command: {line}");
    Entry {
        times: words[..5].iter().map(|&word| word.to_owned()).collect(),
        user: words[5].to_owned(),
        command: words[6..].join(" "),
    }
}

fn setting(name: &str) -> String {
    let start = format!("{name}=");
    let found =
        text("crontab/port-jobs").lines().find_map(|line| line.strip_prefix(&start).map(str::to_owned));
    found.unwrap_or_else(|| panic!("{name} is set"))
}

#[test]
fn cron_would_read_the_file() {
    let path = shipped("crontab/port-jobs");
    let name = path.file_name().unwrap().to_str().unwrap();
    assert!(
        name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_'),
        "run-parts names only: {name}"
    );
    let mode = path.metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o133, 0, "not executable, not writable by others: {mode:o}");
    assert!(text("crontab/port-jobs").ends_with('\n'), "cron ignores a last line without an end");
}

#[test]
fn every_entry_has_times_a_user_and_an_absolute_command_with_its_configuration() {
    let entries = entries();
    assert!(!entries.is_empty());
    for Entry { times, user, command } in entries {
        for (time, range) in times.iter().zip(&FIELDS) {
            assert!(is_time(time, range), "{time} in {times:?}");
        }
        assert_eq!(user, "port-jobs");
        assert!(command.starts_with("/usr/local/bin/"), "{command}");
        assert!(command.ends_with("--config /etc/port-jobs/config.toml"), "{command}");
        let bare = command.replace("\\%", "");
        assert!(!bare.contains('%'), "cron takes a bare % for a line break: {command}");
        assert!(
            !command.contains("flock"),
            "the executable locks itself, and flock(1) on the same file blocks it"
        );
    }
}

#[test]
fn what_is_printed_reaches_somebody_and_the_path_is_absolute() {
    assert!(!setting("MAILTO").is_empty(), "an empty MAILTO throws failures away");
    assert!(setting("PATH").split(':').all(|dir| dir.starts_with('/')));
    assert!(setting("SHELL").starts_with('/'));
}

/// `*`, `*/n`, or a list of numbers in range.
fn is_time(text: &str, range: &RangeInclusive<u32>) -> bool {
    let number = |text: &str| text.parse::<u32>().is_ok_and(|number| range.contains(&number));
    match text.strip_prefix('*') {
        Some("") => true,
        Some(step) => step.strip_prefix('/').is_some_and(number),
        None => text.split(',').all(number),
    }
}
