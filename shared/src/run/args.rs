//! The flags that every executable has. `--help` and a wrong command line end here.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory, FromArgMatches, Parser};

use super::Job;
use super::output::write_output;
use crate::{Failure, Kind};

/// The exit codes, for the end of `--help`.
const EXIT_CODES: &str = "Exit codes:
  0   verified success, nothing to change included
  64  the command line is wrong
  65  the source's or the sheet's content was refused
  69  Google or the source is unreachable or keeps failing
  70  a defect of this program
  74  the local disk: state, spool, config or lock file
  75  busy: locked, past the deadline, or out of requests; try again later
  77  a credential needs a person
  78  the configuration is invalid, or the spreadsheet or tab is not there
Treat any other code as a failure.";

/// Flags common to all executables.
#[derive(Args, Clone, Debug, Default)]
pub struct Common {
    /// The configuration file
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Where state is kept
    #[arg(long, value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
    /// Print one JSON object with the result
    #[arg(long)]
    pub json: bool,
    /// Say more; twice for diagnostics
    #[arg(short, long, action = clap::ArgAction::Count, conflicts_with = "quiet")]
    pub verbose: u8,
    /// Say nothing but errors
    #[arg(short, long)]
    pub quiet: bool,
    /// Validate the configuration, report all problems, touch nothing
    #[arg(long)]
    pub check_config: bool,
    /// Send a marked test alert through each sink, and report what came of it
    #[arg(long, conflicts_with = "check_config")]
    pub test_alert: bool,
    /// How long to wait for another run to end, such as 30s or 5m
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    pub lock_wait: Option<Duration>,
}

/// The whole command line of one executable.
#[derive(Parser, Debug)]
#[command(version, disable_help_subcommand = true)]
pub(super) struct Cli<A: Args> {
    #[command(flatten)]
    pub args: A,
    #[command(flatten)]
    pub common: Common,
}

/// A parsed command line, or why there is nothing to run.
pub(super) enum Parsed<A: Args> {
    Run(Cli<A>),
    /// `--help` or `--version`.
    Printed(ExitCode),
    Invalid(Failure, Common),
}

/// Parses the command line, and prints `--help` and `--version`.
pub(super) fn parse<J: Job>() -> Parsed<J::Args> {
    let command = Cli::<J::Args>::command()
        .name(J::NAME)
        .bin_name(J::NAME)
        .about(J::ABOUT)
        .after_help(format!("Example:\n  {}\n\n{EXIT_CODES}", J::EXAMPLE));
    match command.try_get_matches().and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => Parsed::Run(cli),
        Err(error) if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {
            write_output(&error.to_string());
            Parsed::Printed(ExitCode::SUCCESS)
        }
        Err(error) => {
            let text = error.to_string();
            let line = text.lines().next().unwrap_or_default();
            let message = line.strip_prefix("error: ").unwrap_or(line);
            let failure = Failure::new(Kind::Usage, message, format!("{} --help", J::NAME));
            // A caller that asked for JSON also gets JSON about a command line that could not be parsed.
            let json = std::env::args_os().skip(1).any(|arg| arg == "--json");
            Parsed::Invalid(failure, Common { json, ..Common::default() })
        }
    }
}
