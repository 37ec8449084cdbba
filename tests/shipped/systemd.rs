//! `systemd-timers/`, judged by systemd-analyze itself, which needs no booted systemd.

use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use shared::run::Job;
use tempfile::TempDir;

use crate::{SYNC, shipped, text};

/// Ten times the exposure that is allowed: 2.0.
const THRESHOLD: &str = "20";

/// The names of the shipped units with this ending.
fn units(ending: &str) -> Vec<String> {
    let dir = shipped("systemd-timers").read_dir().unwrap();
    let names = dir.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut units: Vec<String> = names.filter(|name| name.ends_with(ending)).collect();
    units.sort();
    assert!(!units.is_empty(), "there are units that end in {ending}");
    units
}

/// The values of a setting in a unit, in order.
fn values(unit: &str, name: &str) -> Vec<String> {
    let start = format!("{name}=");
    text(&format!("systemd-timers/{unit}"))
        .lines()
        .filter_map(|line| line.strip_prefix(&start).map(str::to_owned))
        .collect()
}

fn value(unit: &str, name: &str) -> String {
    let values = values(unit, name);
    assert_eq!(values.len(), 1, "{name}= stands once in {unit}");
    values[0].clone()
}

/// The units in a directory of their own, their executables replaced by one that exists here.
fn installed(edit: impl Fn(&str) -> String) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for unit in units("") {
        let content: String = text(&format!("systemd-timers/{unit}")).lines().map(existing).collect();
        shared::sys::atomic_file::replace(&dir.path().join(&unit), edit(&content).as_bytes()).unwrap();
    }
    dir
}

/// The line with an executable that exists here.
fn existing(line: &str) -> String {
    let is_start = line.starts_with("ExecStart=/usr/local/bin/");
    if is_start { format!("ExecStart={SYNC}\n") } else { format!("{line}\n") }
}

fn analyze(arguments: &[&str], files: &[&Path]) -> Output {
    Command::new(support::program("systemd-analyze")).args(arguments).args(files).output().unwrap()
}

fn verify(dir: &TempDir) -> Output {
    let paths: Vec<_> = units("").iter().map(|unit| dir.path().join(unit)).collect();
    // Without the second flag a misspelt directive is only a warning; without the first, missing man pages are errors.
    let arguments = ["verify", "--man=no", "--recursive-errors=yes"];
    analyze(&arguments, &paths.iter().map(AsRef::as_ref).collect::<Vec<_>>())
}

#[test]
fn systemd_understands_every_unit() {
    let verified = verify(&installed(str::to_owned));
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
    assert_eq!(String::from_utf8_lossy(&verified.stderr), "");
}

#[test]
fn a_misspelt_directive_would_be_found() {
    let verified = verify(&installed(|unit| unit.replace("ProtectSystem=", "ProtectSistem=")));
    assert!(!verified.status.success(), "the check above checks something");
}

#[test]
fn every_service_is_exposed_little() {
    let dir = installed(str::to_owned);
    for unit in units(".service") {
        let path = dir.path().join(&unit);
        let threshold = format!("--threshold={THRESHOLD}");
        let judged = analyze(&["security", "--offline=true", "--no-pager", &threshold], &[&path]);
        let table = String::from_utf8_lossy(&judged.stdout);
        assert!(judged.status.success(), "{unit} is exposed too much:\n{table}");
    }
}

#[test]
fn every_service_ends_and_keeps_its_files_to_itself() {
    for unit in units(".service") {
        assert_eq!(value(&unit, "Type"), "oneshot", "{unit}");
        assert!(!value(&unit, "TimeoutStartSec").is_empty(), "a oneshot without a limit may hang for ever");
        assert_eq!(value(&unit, "UMask"), "0077");
        assert_eq!(value(&unit, "User"), "port-jobs");
        assert_eq!(
            (value(&unit, "StateDirectory"), value(&unit, "StateDirectoryMode")),
            ("port-jobs".into(), "0700".into())
        );
        assert_eq!(value(&unit, "ConfigurationDirectory"), "port-jobs");
        assert!(values(&unit, "WantedBy").is_empty(), "only timers are enabled");
    }
}

#[test]
fn the_sync_ends_itself_before_systemd_does_and_before_the_next_run() {
    let minutes = value("port-sheet-sync.service", "TimeoutStartSec");
    let minutes: u64 = minutes.strip_suffix("min").and_then(|number| number.parse().ok()).unwrap();
    let limit = Duration::from_secs(minutes * 60);
    assert!(limit > port_sheet_sync::PortSheetSync::DEADLINE, "{minutes} min");
    assert!(limit < Duration::from_secs(30 * 60), "{minutes} min");
}

#[test]
fn every_timer_starts_a_shipped_service_at_times_that_systemd_knows() {
    for unit in units(".timer") {
        assert!(units(".service").contains(&unit.replace(".timer", ".service")), "{unit}");
        assert_eq!(value(&unit, "WantedBy"), "timers.target");
        let when = value(&unit, "OnCalendar");
        let told = analyze(&["calendar", &when], &[]);
        assert!(told.status.success(), "{when}: {}", String::from_utf8_lossy(&told.stderr));
    }
    assert_eq!(value("port-sheet-sync.timer", "OnCalendar"), "*-*-* *:07/30:00");
}

#[test]
fn somebody_hears_of_a_service_that_cannot_start_and_the_teller_does_not_tell_of_itself() {
    for unit in units(".service") {
        let expected: &[&str] = match unit.as_str() {
            "job-status.service" | "job-failed@.service" => &[],
            _ => &["job-failed@%n.service"],
        };
        assert_eq!(values(&unit, "OnFailure"), expected, "{unit}");
    }
    // systemd does not say that the unit of an OnFailure= is missing.
    assert!(shipped("systemd-timers/job-failed@.service").is_file());
    let start = value("job-failed@.service", "ExecStart");
    assert!(start.starts_with("/usr/local/bin/job-status --failed-unit %i "), "{start}");
}

#[test]
fn what_the_status_expects_is_what_the_timers_and_the_crontab_do() {
    let schedules = [
        ("job-status", 10, "*-*-* *:04/10:00", "4,14,24,34,44,54 * * * *"),
        ("port-sheet-sync", 30, "*-*-* *:07/30:00", "7,37 * * * *"),
        ("quota-reset", 15, "*-*-* *:01/15:00", "1,16,31,46 * * * *"),
        ("session-run", 1, "*-*-* *:*:30", "* * * * *"),
        ("token-check", 5, "*-*-* *:02/5:00", "*/5 * * * *"),
    ];
    for (unit, minutes, timer, cron) in schedules {
        assert_eq!(value(&format!("{unit}.timer"), "OnCalendar"), timer);
        let line = format!("{cron} port-jobs /usr/local/bin/{unit} ");
        assert!(text("crontab/port-jobs").contains(&line), "{line}");
        let shipped = shared::config::EXECUTABLES.iter().find(|shipped| shipped.name == unit).unwrap();
        assert_eq!(shipped.every, Some(Duration::from_secs(minutes * 60)), "{unit}");
    }
    let expected = shared::config::EXECUTABLES.iter().filter(|shipped| shipped.every.is_some()).count();
    assert_eq!(expected, schedules.len());
    let sync = shared::config::EXECUTABLES.iter().find(|shipped| shipped.name == "port-sheet-sync").unwrap();
    assert_eq!(sync.deadline, port_sheet_sync::PortSheetSync::DEADLINE);
}
