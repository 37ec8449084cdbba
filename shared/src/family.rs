//! Programs of other people's, run in a process group of their own and ended whole: children, grandchildren, and, where
//! it is asked for, those that left the group.
//!
//! Where a process goes cannot be forbidden without privileges, but it stays in reach: whoever loses its parent becomes
//! this process's child (`PR_SET_CHILD_SUBREAPER`), so that everything started here is found below it in `/proc`. What
//! a runner that was killed left behind is found by a mark in its environment.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::process::ExitStatus;
use std::time::Duration;

use log::warn;
use rustix::process::{Pid, Signal, getpid, kill_process, kill_process_group, set_child_subreaper};
use tokio::process::{Child, ChildStdin, Command};

/// How often the living are looked for before they are given up, and how long between.
const ROUNDS: usize = 200;
const PAUSE: Duration = Duration::from_millis(5);

/// Who is killed with a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Its process group. Others of this process's own may run beside it.
    Group,
    /// The group and everything else below this process: nothing else may run in it.
    Everything,
}

/// A running program. What it started is killed with it when this is dropped.
#[derive(Debug)]
pub struct Family {
    child: Child,
    group: Option<Pid>,
    reach: Reach,
}

impl Family {
    /// Starts a program in a process group of its own.
    ///
    /// # Errors
    /// The operating system's.
    pub fn start(command: &mut Command, reach: Reach) -> io::Result<Self> {
        if reach == Reach::Everything {
            set_child_subreaper(Some(getpid()))?;
        }
        let child = command.process_group(0).spawn()?;
        let group = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        Ok(Self { child, group, reach })
    }

    /// Its standard input, where that is a pipe; once.
    pub fn stdin(&mut self) -> Option<ChildStdin> {
        self.child.stdin.take()
    }

    /// Waits for the program itself. What it started may live on until [`Family::end`].
    ///
    /// # Errors
    /// The operating system's.
    pub async fn wait(&mut self) -> io::Result<ExitStatus> {
        self.child.wait().await
    }

    /// Asks the group to end, with SIGTERM.
    pub fn terminate(&self) {
        if let Some(group) = self.group {
            // It fails when nothing is left, which is as it should be.
            let _ = kill_process_group(group, Signal::TERM);
        }
    }

    /// Kills what is left of it and all that it started. Answers how many processes would not go.
    pub async fn end(mut self) -> usize {
        // Its number may be another's once it is reaped.
        let left = sweep(self.group.take(), self.reach);
        // Reaped, so that nothing of it is left.
        let _ = self.child.wait().await;
        left
    }
}

impl Drop for Family {
    fn drop(&mut self) {
        let _ = sweep(self.group, self.reach);
    }
}

/// Kills every process that has this mark, `NAME=value`, in its environment. Answers how many would not go.
pub fn kill_marked(mark: &str) -> usize {
    kill_all(|| {
        let marked = |process: &Process| {
            let environment = fs::read(format!("/proc/{}/environ", process.pid.as_raw_nonzero()));
            environment.is_ok_and(|text| text.split(|byte| *byte == 0).any(|entry| entry == mark.as_bytes()))
        };
        living().into_iter().filter(marked).map(|process| process.pid).collect()
    })
}

/// Kills the group and, where the reach goes that far, everything below this process.
fn sweep(group: Option<Pid>, reach: Reach) -> usize {
    if let Some(group) = group {
        // At once, and also where `/proc` is hidden. It fails when nothing is left, which is as it should be.
        let _ = kill_process_group(group, Signal::KILL);
    }
    kill_all(|| {
        let living = living();
        let mut family = HashSet::new();
        if reach == Reach::Everything {
            family.insert(getpid());
        }
        // A child may stand before its parent: repeated until nobody joins.
        while living.iter().fold(false, |joined, process| {
            joined | (family.contains(&process.parent) && family.insert(process.pid))
        }) {}
        let is_ours = |process: &&Process| family.contains(&process.pid) || Some(process.group) == group;
        living.iter().filter(is_ours).map(|process| process.pid).collect()
    })
}

/// Kills what is found until nothing is: a process may start another while it is looked for.
fn kill_all(find: impl Fn() -> Vec<Pid>) -> usize {
    for _ in 0..ROUNDS {
        let found: Vec<Pid> = find().into_iter().filter(|pid| *pid != getpid()).collect();
        if found.is_empty() {
            return 0;
        }
        for pid in found {
            // It fails when the process has just ended.
            let _ = kill_process(pid, Signal::KILL);
        }
        std::thread::sleep(PAUSE);
    }
    let left = find().len();
    warn!("{left} processes could not be killed");
    left
}

/// A living process.
#[derive(Debug)]
struct Process {
    pid: Pid,
    parent: Pid,
    group: Pid,
}

/// All that live. The dead that nobody has waited for do not count.
fn living() -> Vec<Process> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let stat = |entry: fs::DirEntry| fs::read_to_string(entry.path().join("stat")).ok();
    entries.flatten().filter_map(stat).filter_map(|stat| parse(&stat)).collect()
}

/// `pid (name) state parent group …`; the name may hold anything, parentheses included.
fn parse(stat: &str) -> Option<Process> {
    let pid = stat.split(' ').next()?;
    let mut fields = stat.rsplit(')').next()?.split_whitespace();
    let state = fields.next()?;
    let number = |text: Option<&str>| Pid::from_raw(text?.parse().ok()?);
    let process =
        Process { pid: number(Some(pid))?, parent: number(fields.next())?, group: number(fields.next())? };
    (!matches!(state, "Z" | "X")).then_some(process)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_read_whatever_it_calls_itself_and_the_dead_do_not_count() {
        let process = parse("17 (a) b (c) S 4 5 6 0 -1").unwrap();
        let raw = |pid: Pid| pid.as_raw_nonzero().get();
        assert_eq!((raw(process.pid), raw(process.parent), raw(process.group)), (17, 4, 5));
        assert!(parse("17 (sleep) Z 4 5 6 0 -1").is_none());
        assert!(parse("1 (init) S 0 1 1 0 -1").is_none(), "the first process is nobody's child");
    }
}
