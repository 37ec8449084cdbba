//! After an outage: the jobs that waited are started at once, or the command that the configuration names.
//!
//! Each is killed whole when it takes too long.

use std::ffi::OsString;

use log::info;
use shared::command::{self, Ended, Talk};
use shared::job::Context;
use shared::store::{Blocked, Store};
use shared::{Failure, Kind};

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
        let limit = context.config.token_check.on_recovery_timeout;
        info!("starting {}", shown(&command));
        if let Err(why) = command::run(&command, Talk::Aloud, limit).await {
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

fn shown(command: &[OsString]) -> String {
    command.iter().map(|word| word.display().to_string()).collect::<Vec<_>>().join(" ")
}

fn failed(command: &[OsString], why: &Ended) -> Failure {
    let line = shown(command);
    let program = command.first().map(|program| program.display().to_string()).unwrap_or_default();
    Failure::new(
        Kind::Unavailable,
        format!("it works again, but on-recovery {program} {why}"),
        format!("run it by hand: {line}"),
    )
}
