//! After an outage: the jobs that waited are started at once, or the command that the configuration names.
//!
//! Each is killed whole when it takes too long.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use log::info;
use shared::cause::Cause;
use shared::run::Context;
use shared::store::{Blocked, Store};
use shared::sys::command::{self, CommandError, Stdin};
use shared::{Failure, Kind, Result};
use tokio::task::JoinSet;

use crate::result::CredentialResult;

/// Starts what waited for this credential, if it has come back. It is recorded as ended only afterwards: if anything stops this run before,
/// the next one starts it again.
pub async fn after(context: &Context, result: &mut CredentialResult) -> Vec<Failure> {
    start(context, result).await.unwrap_or_else(|failure| vec![failure])
}

async fn start(context: &Context, result: &mut CredentialResult) -> Result<Vec<Failure>> {
    let name = result.credential.clone();
    let Some(recovery) = Store::open(&context.state.database())?.recovery(&name)? else {
        return Ok(Vec::new());
    };
    // All at once, so that one that hangs keeps no other from its turn.
    let mut running = JoinSet::new();
    for command in commands(context, &recovery.waiting) {
        running.spawn(run(command, context.config.token_check.on_recovery_timeout));
    }
    let mut failures = Vec::new();
    while let Some(ended) = running.join_next().await {
        let ended =
            ended.unwrap_or_else(|error| Err(Failure::bug(error.to_string()).caused_by(Cause::new(error))));
        failures.extend(ended.err().map(|failure| failure.within(format_args!("credential {name:?}"))));
    }
    let mut store = Store::open(&context.state.database())?;
    store.end_recovery(&name, &recovery)?;
    result.blocked = store.blocked(&name)?;
    Ok(failures)
}

/// A command to run, and how a user types it. Configured arguments are not shown: they may hold a secret.
struct Command {
    words: Vec<OsString>,
    by_hand: String,
}

/// One command for each job that waited, unless the configuration names another.
fn commands(context: &Context, waiting: &[Blocked]) -> Vec<Command> {
    if let Some(words) = &context.config.token_check.on_recovery {
        let words: Vec<OsString> = words.iter().map(OsString::from).collect();
        let by_hand = format!("run what on-recovery in {} says", context.config.path.display());
        return if words.is_empty() { Vec::new() } else { vec![Command { words, by_hand }] };
    }
    let here = std::env::current_exe().ok();
    let dir = here.as_deref().and_then(std::path::Path::parent).unwrap_or(std::path::Path::new(""));
    waiting.iter().map(|blocked| job_command(context, dir.join(&blocked.job))).collect()
}

fn job_command(context: &Context, program: PathBuf) -> Command {
    let config = ["--config".into(), context.config.path.clone().into_os_string()];
    let state = ["--state-dir".into(), context.state.root().as_os_str().to_owned()];
    let words: Vec<OsString> = [program.into_os_string()].into_iter().chain(config).chain(state).collect();
    let line = words.iter().map(|word| word.display().to_string()).collect::<Vec<_>>().join(" ");
    Command { words, by_hand: format!("run it by hand: {line}") }
}

async fn run(command: Command, limit: Duration) -> Result<()> {
    let program = command.words.first().map(|program| program.display().to_string()).unwrap_or_default();
    info!("starting {program}");
    let ended = command::run(&command.words, Stdin::Empty, limit).await;
    ended.map_err(|why| {
        let busy = Some(i32::from(Kind::Busy.exit_code()));
        match why {
            CommandError::Failed(status) if status.code() == busy => Failure::new(
                Kind::Busy,
                format!("it works again, but on-recovery {program} found itself busy: {status}"),
                "nothing to do: the run that is under way, or its next one, catches up",
            ),
            why => Failure::new(
                Kind::Unavailable,
                format!("it works again, but on-recovery {program} {why}"),
                &command.by_hand,
            )
            .caused_by(Cause::new(why)),
        }
    })
}
