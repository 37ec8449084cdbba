//! After an outage: the jobs that waited are started at once, or the command that the configuration names.
//!
//! Each runs as its own process group and is killed whole when it takes too long.

use std::ffi::OsString;
use std::process::Stdio;
use std::time::Duration;

use log::info;
use rustix::process::{Pid, Signal, kill_process_group};
use shared::job::Context;
use shared::store::{Blocked, Store};
use shared::{Failure, Kind};
use tokio::process::Command;
use tokio::time::timeout;

use crate::result::CredentialResult;

/// Starts what waited for this credential, if it has just come back.
pub async fn after(context: &Context, result: &mut CredentialResult) -> Vec<Failure> {
    let claimed =
        Store::open(&context.state.database()).and_then(|mut store| store.claim_recovery(&result.credential));
    let waiting = match claimed {
        Ok(Some(waiting)) => waiting,
        Ok(None) => return Vec::new(),
        Err(failure) => return vec![failure],
    };
    result.blocked.clear();
    let mut failures = Vec::new();
    for command in commands(context, &waiting) {
        if let Err(why) = run(&command, context.config.token_check.on_recovery_timeout).await {
            failures.push(failed(&command, &why).within(format_args!("credential {:?}", result.credential)));
        }
    }
    failures
}

/// The commands to run, one for each job that waited unless the configuration names another.
fn commands(context: &Context, waiting: &[Blocked]) -> Vec<Vec<OsString>> {
    if let Some(command) = &context.config.token_check.on_recovery {
        let command: Vec<OsString> = command.iter().map(OsString::from).collect();
        return if command.is_empty() { Vec::new() } else { vec![command] };
    }
    let here = std::env::current_exe().ok();
    let dir = here.as_deref().and_then(std::path::Path::parent).unwrap_or(std::path::Path::new(""));
    let command = |blocked: &Blocked| {
        let config = ["--config".into(), context.config.path.clone().into_os_string()];
        let state = ["--state-dir".into(), context.state.root().as_os_str().to_owned()];
        [dir.join(&blocked.job).into_os_string()].into_iter().chain(config).chain(state).collect()
    };
    waiting.iter().map(command).collect()
}

/// Its words on standard error go where ours go; standard output may be promised to our own result.
async fn run(command: &[OsString], limit: Duration) -> Result<(), String> {
    let Some((program, arguments)) = command.split_first() else { return Ok(()) };
    info!("starting {}", program.display());
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .process_group(0)
        .spawn()
        .map_err(|error| format!("cannot be started: {error}"))?;
    let group = Group(child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)));
    let ended = timeout(limit, child.wait()).await;
    drop(group);
    match ended {
        Ok(Ok(status)) if status.success() => Ok(()),
        Ok(Ok(status)) => Err(format!("failed: {status}")),
        Ok(Err(error)) => Err(format!("cannot be waited for: {error}")),
        Err(_) => {
            // Reaped, so that nothing of it is left.
            drop(child.wait().await);
            Err(format!("was killed after {}", humantime(limit)))
        }
    }
}

/// A process group. Whatever is left of it is killed when this is dropped, also because this run is stopped.
struct Group(Option<Pid>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // It fails when nothing is left, which is as it should be.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

fn humantime(limit: Duration) -> String {
    chrono::TimeDelta::from_std(limit).map_or_else(|_| format!("{limit:?}"), shared::event::shown)
}

fn failed(command: &[OsString], why: &str) -> Failure {
    let line = command.iter().map(|word| word.display().to_string()).collect::<Vec<_>>().join(" ");
    let program = command.first().map(|program| program.display().to_string()).unwrap_or_default();
    Failure::new(
        Kind::Unavailable,
        format!("it works again, but on-recovery {program} {why}"),
        format!("run it by hand: {line}"),
    )
}
