//! What one process costs: its most memory and its time on the processor.
//!
//! The bench runs itself in between, so that what is measured has only one child: the kernel reports the most memory of all
//! children together, and a child is born with its parent's.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use nix::sys::resource::{Usage, UsageWho, getrusage};
use serde::{Deserialize, Serialize};

/// What a process cost.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Cost {
    /// The most memory that it held, in bytes.
    pub(crate) peak: u64,
    /// Its time on the processor.
    pub(crate) cpu: Duration,
    /// Its time.
    pub(crate) wall: Duration,
    /// What it printed.
    pub(crate) said: String,
    /// Its exit code.
    pub(crate) code: i32,
}

/// Runs a command under another process of this program and returns what it cost.
pub(crate) fn cost(command: &[String]) -> anyhow::Result<Cost> {
    let output = Command::new(std::env::current_exe()?)
        .arg("measure")
        .arg("--")
        .args(command)
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| command.join(" "))?;
    ensure!(output.status.success(), "{} failed", command.join(" "));
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// The process in between: runs the command and prints its cost.
#[expect(clippy::print_stdout, reason = "its answer")]
pub(crate) fn measure(command: &[String]) -> anyhow::Result<()> {
    let (program, args) = command.split_first().context("a command to measure")?;
    let began = Instant::now();
    let output = Command::new(program).args(args).stderr(Stdio::inherit()).output()?;
    let wall = began.elapsed();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let code = output.status.code().context("it was killed")?;
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let peak = u64::try_from(usage.max_rss())? * 1024;
    println!("{}", serde_json::to_string(&Cost { peak, cpu: cpu(&usage)?, wall, said, code })?);
    Ok(())
}

fn cpu(usage: &Usage) -> anyhow::Result<Duration> {
    let (user, system) = (usage.user_time(), usage.system_time());
    let microseconds = (user.tv_sec() + system.tv_sec()) * 1_000_000 + user.tv_usec() + system.tv_usec();
    Ok(Duration::from_micros(u64::try_from(microseconds)?))
}
