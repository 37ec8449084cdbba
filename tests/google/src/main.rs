//! `google-standin`: the local stand-in as an executable.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser;
use google_standin::{Options, Server};
use tokio::signal::unix::{SignalKind, signal};

/// A local stand-in for Google Sheets, Drive and OAuth, for tests. Listens on loopback only.
#[derive(Parser)]
#[command(version, after_help = "Example:\n  google-standin --listen 127.0.0.1:8899 --state standin.json")]
struct Arguments {
    /// Where to listen; port 0 picks one
    #[arg(long, value_name = "127.0.0.1:PORT")]
    listen: String,
    /// Load the state from this file and save it there
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// Take every bearer token for a user with all scopes and access to everything
    #[arg(long)]
    any_token: bool,
}

#[expect(clippy::print_stderr, reason = "an executable tells its user what is wrong")]
fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stdout, reason = "the first line tells the address, as the contract has it")]
fn run(arguments: Arguments) -> anyhow::Result<()> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().context("starting the runtime")?;
    runtime.block_on(async {
        // Before the address is printed: anyone who reads it may send a signal at once.
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let options =
            Options { listen: arguments.listen, state: arguments.state, any_token: arguments.any_token };
        let server = Server::with(options)?;
        println!("listening on {}", server.url());
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        server.stop()
    })
}
