//! `cargo demo`: the sync at work against a local stand-in for Google, from the first plan to a revoked token.
//!
//! Everything it makes is in a temporary directory, which is gone when it ends. This file only starts and ends it.

mod executable;
mod harbour;
mod page;
mod story;
mod voice;

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};

use harbour::Harbour;

/// Shows port-sheet-sync at work, without a Google account and without a network
#[derive(Parser)]
#[command(name = "cargo demo", after_help = "Example:\n  cargo demo --once")]
struct Arguments {
    /// End at once instead of leaving the sheet to look at; the exit code is 0 only if every step went as it should
    #[arg(long)]
    once: bool,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            voice::complain(&error);
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<()> {
    let sync = executable::build()?;
    let dir =
        tempfile::Builder::new().prefix("port-jobs-demo-").tempdir().context("a temporary directory")?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let ended = runtime.block_on(until_stopped(&sync, dir.path(), arguments.once));
    // A step that is still under way when Ctrl-C comes must not hold up the end.
    runtime.shutdown_background();
    dir.close().context("removing the temporary directory")?;
    ended?;
    if arguments.once { Ok(()) } else { voice::farewell() }
}

/// The story, then, unless `once`, a wait for Ctrl-C; Ctrl-C ends either.
async fn until_stopped(sync: &Path, dir: &Path, once: bool) -> Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let (sync, dir) = (sync.to_owned(), dir.to_owned());
    let story = async {
        let told = tokio::task::spawn_blocking(move || {
            let mut harbour = Harbour::open(sync, &dir)?;
            story::tell(&mut harbour).map(|()| harbour)
        });
        let harbour = told.await.context("the demonstration broke off")??;
        voice::invite(&harbour, once)?;
        if !once {
            std::future::pending::<()>().await;
        }
        Ok(())
    };
    tokio::select! {
        ended = story => ended,
        _ = interrupt.recv() => Ok(()),
        _ = terminate.recv() => Ok(()),
    }
}
