//! Runs an external command in its own process group and kills everything it started: children, grandchildren and, if
//! asked, processes that left the group.
//!
//! A process can leave its group without privileges, but not this process's tree: an orphan becomes a child of this
//! process (`PR_SET_CHILD_SUBREAPER`), so everything started here is below it in `/proc`. What a killed runner left behind
//! is found by a mark in its environment.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::process::ExitStatus;
use std::time::Duration;

use log::warn;
use rustix::process::{Pid, Signal, getpid, kill_process, kill_process_group, set_child_subreaper};
use tokio::process::{Child, ChildStdin, Command};

/// How often processes are searched for and killed before the attempt ends.
const ROUNDS: usize = 200;
/// The pause between two searches.
const PAUSE: Duration = Duration::from_millis(5);

/// Which processes are killed together with a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KillScope {
    /// Its process group. Other programs of this process may run at the same time.
    Group,
    /// The group and everything else below this process, which must run nothing else.
    Everything,
}

/// A running program. What it started is killed with it when this is dropped.
#[derive(Debug)]
pub struct ProcessTree {
    child: Child,
    group: Option<Pid>,
    scope: KillScope,
}

impl ProcessTree {
    /// Starts a program in a process group of its own.
    ///
    /// # Errors
    /// The operating system's.
    pub fn start(command: &mut Command, scope: KillScope) -> io::Result<Self> {
        if scope == KillScope::Everything {
            set_child_subreaper(Some(getpid()))?;
        }
        let child = command.process_group(0).spawn()?;
        let group = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        Ok(Self { child, group, scope })
    }

    /// The program's standard input, if that is a pipe. `None` from the second call on.
    pub fn stdin(&mut self) -> Option<ChildStdin> {
        self.child.stdin.take()
    }

    /// Waits for the program itself. What it started may run until [`ProcessTree::end`].
    ///
    /// # Errors
    /// The operating system's.
    pub async fn wait(&mut self) -> io::Result<ExitStatus> {
        self.child.wait().await
    }

    /// Asks the group to end, with SIGTERM.
    pub fn terminate(&self) {
        if let Some(group) = self.group {
            // It fails if the group has no processes left, which is fine.
            let _ = kill_process_group(group, Signal::TERM);
        }
    }

    /// Kills the program and everything it started. Returns how many processes could not be killed.
    pub async fn end(mut self) -> usize {
        // Before the wait: once the program is reaped, another group can get its number.
        let left = sweep(self.group.take(), self.scope);
        // Reaps the program, so that no zombie remains.
        let _ = self.child.wait().await;
        left
    }
}

impl Drop for ProcessTree {
    fn drop(&mut self) {
        let _ = sweep(self.group, self.scope);
    }
}

/// Kills every process that has this mark, `NAME=value`, in its environment. Returns how many could not be killed.
pub fn kill_marked(mark: &str) -> usize {
    kill_all(|| {
        let marked = processes().into_iter().filter(|process| process.has_in_environment(mark));
        marked.map(|process| process.pid).collect()
    })
}

/// Kills the group and, if the scope is [`KillScope::Everything`], everything below this process.
fn sweep(group: Option<Pid>, scope: KillScope) -> usize {
    if let Some(group) = group {
        // Works without a search, also if `/proc` is hidden. It fails if the group has no processes left.
        let _ = kill_process_group(group, Signal::KILL);
    }
    kill_all(|| {
        let processes = processes();
        let tree = if scope == KillScope::Everything { below(getpid(), &processes) } else { HashSet::new() };
        let found =
            processes.iter().filter(|process| tree.contains(&process.pid) || Some(process.group) == group);
        found.map(|process| process.pid).collect()
    })
}

/// This process and all its descendants.
fn below(root: Pid, processes: &[Process]) -> HashSet<Pid> {
    let mut tree = HashSet::from([root]);
    loop {
        // A child may be listed before its parent, so one pass is not enough.
        let before = tree.len();
        for process in processes.iter().filter(|process| tree.contains(&process.parent)).collect::<Vec<_>>() {
            tree.insert(process.pid);
        }
        if tree.len() == before {
            return tree;
        }
    }
}

/// Kills what `find` returns until it returns nothing: a process may start another one during the search.
fn kill_all(find: impl Fn() -> Vec<Pid>) -> usize {
    for _ in 0..ROUNDS {
        let found: Vec<Pid> = find().into_iter().filter(|pid| *pid != getpid()).collect();
        if found.is_empty() {
            return 0;
        }
        for pid in found {
            // It fails if the process has just ended.
            let _ = kill_process(pid, Signal::KILL);
        }
        std::thread::sleep(PAUSE);
    }
    let left = find().len();
    warn!("{left} processes could not be killed");
    left
}

/// A running process.
#[derive(Debug)]
struct Process {
    pid: Pid,
    parent: Pid,
    group: Pid,
}

impl Process {
    fn has_in_environment(&self, mark: &str) -> bool {
        let environment = fs::read(format!("/proc/{}/environ", self.pid.as_raw_nonzero()));
        environment.is_ok_and(|text| text.split(|byte| *byte == 0).any(|entry| entry == mark.as_bytes()))
    }
}

/// Every running process, without zombies.
fn processes() -> Vec<Process> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let stats = entries.flatten().filter_map(|entry| fs::read_to_string(entry.path().join("stat")).ok());
    stats.filter_map(|stat| parse(&stat)).collect()
}

/// Reads `pid (name) state parent group …`. The name may contain anything, parentheses too.
fn parse(stat: &str) -> Option<Process> {
    let pid = stat.split(' ').next()?;
    let mut fields = stat.rsplit(')').next()?.split_whitespace();
    let state = fields.next()?;
    let (parent, group) = (fields.next()?, fields.next()?);
    let process = Process { pid: parse_pid(pid)?, parent: parse_pid(parent)?, group: parse_pid(group)? };
    (!matches!(state, "Z" | "X")).then_some(process)
}

fn parse_pid(text: &str) -> Option<Pid> {
    Pid::from_raw(text.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use crate::sys::process_tree::*;

    #[test]
    fn a_process_is_read_whatever_its_name_is_and_zombies_do_not_count() {
        let process = parse("17 (a) b (c) S 4 5 6 0 -1").unwrap();
        let raw = |pid: Pid| pid.as_raw_nonzero().get();
        assert_eq!((raw(process.pid), raw(process.parent), raw(process.group)), (17, 4, 5));
        assert!(parse("17 (sleep) Z 4 5 6 0 -1").is_none());
        assert!(parse("1 (init) S 0 1 1 0 -1").is_none(), "the first process is nobody's child");
    }
}
